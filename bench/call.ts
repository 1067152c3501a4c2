/**
 * What does KAMI add to a warm call? The baseline is the least that a call can cost: jco's glue in this process, one instance for all calls,
 * nothing metered, nothing isolated; each call sees what the one before left behind. Then what isolation costs, a fresh instance over a fresh
 * memory, garbage collection included: with jco alone, and with KAMI's linker in the place of jco's glue. Then KAMI's layers, each with all
 * those above it.
 */
import { Executor } from "../lib/executor/executor.ts";
import { ControlBlock } from "../lib/protocol/control.ts";
import { readPackage } from "../lib/registry/package.ts";
import { Runtime } from "../lib/runtime.ts";
import { runCall } from "../lib/worker/call.ts";
import { loadComponent } from "../lib/worker/loaded.ts";
import { MemoryPool } from "../lib/worker/memory-pool.ts";
import { linkPlain, prepareComponent } from "./component.ts";
import { outputOf } from "./output.ts";
import { compare, type Subject } from "./measure.ts";
import type { Comparison, Findings, Suite, SummaryFigure, Surroundings } from "./suite.ts";
import { AMPLE_LIMITS, ECHO, JSON_QUERY, type SampleTool } from "./tools.ts";
import { DENY_ALL } from "../lib/policy/policy.ts";

/** KAMI's own, each with all those above it. */
const LAYERS = [
  "metered, pooled memory, no Worker",
  "executor: in a Worker",
  "runtime: registry and call log",
  "the same in an executor process",
] as const;

/** `bun bench/run.ts call` */
export const CALL: Suite = {
  name: "call",
  question: "What does KAMI add to a warm call?",
  async run(surroundings): Promise<Findings> {
    const comparisons: Comparison[] = [];
    for (const tool of [ECHO, JSON_QUERY]) comparisons.push(await compareCalls(tool, surroundings));
    const summary = comparisons.flatMap(compareLayers);
    return { comparisons: [...comparisons, await compareCrowds(ECHO, surroundings)], summary };
  },
};

async function compareCalls(tool: SampleTool, { effort, scratch }: Surroundings): Promise<Comparison> {
  const { jco, plain, metered } = await prepareComponent((await readPackage(tool.directory)).component);
  using executor = new Executor({ concurrency: 1, queueLimit: 0 });
  const home = scratch.directory(`call-${tool.name}`);
  await using runtime = new Runtime({ home, concurrency: 1 });
  await using apart = new Runtime({ home, concurrency: 1, isolation: "process" });
  const { id } = (await runtime.install(tool.directory)).tool.manifest.tool;
  const { input } = tool;
  const call = { artifact: metered, input, limits: AMPLE_LIMITS, policy: DENY_ALL, client: id };
  const kept = jco.instantiate();
  const link = linkPlain(plain);
  const loaded = loadComponent(metered);
  const pool = new MemoryPool();
  const control = new ControlBlock();
  const message = { type: "call", id: 0, digest: "", input, limits: AMPLE_LIMITS, policy: DENY_ALL } as const;
  // Against a microsecond nothing can be compared that a gate could hold: it looks at each layer over the one before.
  const isContext = true;
  const subjects = [
    { name: "jco's glue, one instance", run: () => kept(input) },
    { name: "jco's glue, fresh instance and memory", run: () => jco.instantiate()(input), isContext },
    { name: "KAMI's linker, fresh instance and memory", run: () => link()(input), isContext },
    {
      name: LAYERS[0],
      run: () => (control.reset(), runCall({ ...message, control: control.memory }, loaded, pool)),
      isContext,
    },
    { name: LAYERS[1], run: () => executor.call(call), isContext },
    { name: LAYERS[2], run: () => runtime.call(id, input, { limits: AMPLE_LIMITS }), isContext },
    { name: LAYERS[3], run: () => apart.call(id, input, { limits: AMPLE_LIMITS }), isContext },
  ] as const;
  await checkOutputs(subjects);
  return await compare(tool.name, subjects, effort);
}

/** What each layer of KAMI's adds to the one inside it. */
function compareLayers({ name, figures }: Comparison): readonly SummaryFigure[] {
  const median = (layer: string): number => figures.find((figure) => figure.name === layer)?.medianNs ?? NaN;
  return LAYERS.slice(1).map((layer, index) => ({
    name: `${name}, ${layer}, over the one above`,
    value: median(layer) / median(LAYERS[index] ?? ""),
    unit: "x",
  }));
}

/** Eight calls at once: what a process costs when its messages go out together. */
async function compareCrowds({ directory, input }: SampleTool, { effort, scratch }: Surroundings): Promise<Comparison> {
  const home = scratch.directory("call-crowd");
  await using runtime = new Runtime({ home, concurrency: 8 });
  await using apart = new Runtime({ home, concurrency: 8, isolation: "process" });
  const { id } = (await runtime.install(directory)).tool.manifest.tool;
  const crowd = async (through: Runtime): Promise<void> => {
    const calls = Array.from({ length: 8 }, () => through.call(id, input, { limits: AMPLE_LIMITS }));
    const failed = (await Promise.all(calls)).find(({ ok }) => !ok);
    if (failed !== undefined) throw new Error(`BUG: a call failed: ${JSON.stringify(failed)}`);
  };
  const subjects = [
    { name: "in Workers of this process", run: () => crowd(runtime) },
    { name: "in executor processes", run: () => crowd(apart) },
  ] as const;
  return await compare("echo, eight calls at once", subjects, effort);
}

/** A benchmark of failed calls would look fine. */
async function checkOutputs(subjects: readonly Subject[]): Promise<void> {
  const outputs: unknown[] = [];
  for (const { run } of subjects) outputs.push(outputOf(await run()));
  if (new Set(outputs).size !== 1) throw new Error(`BUG: the calls differ: ${JSON.stringify(outputs)}`);
}
