/**
 * What does KAMI add to a warm call? The baseline is the least that a call can cost: jco's glue in this process, one instance for all calls,
 * nothing metered, nothing isolated; each call sees what the one before left behind. Then what isolation costs with jco alone, a fresh
 * instance over a fresh memory, garbage collection included; then KAMI's layers, each with all those above it.
 */
import { Executor } from "../lib/executor/executor.ts";
import { ControlBlock } from "../lib/protocol/control.ts";
import { readPackage } from "../lib/registry/package.ts";
import { Runtime } from "../lib/runtime.ts";
import { runCall } from "../lib/worker/call.ts";
import { MemoryPool } from "../lib/worker/memory-pool.ts";
import { instantiatePlain, prepareComponent } from "./component.ts";
import { compare, type Subject } from "./measure.ts";
import type { Comparison, Findings, Suite, Surroundings } from "./suite.ts";
import { AMPLE_LIMITS, ECHO, JSON_QUERY, type SampleTool } from "./tools.ts";

/** `bun bench/run.ts call` */
export const CALL: Suite = {
  name: "call",
  question: "What does KAMI add to a warm call?",
  async run(surroundings): Promise<Findings> {
    const comparisons: Comparison[] = [];
    for (const tool of [ECHO, JSON_QUERY]) comparisons.push(await compareCalls(tool, surroundings));
    comparisons.push(await compareCrowds(ECHO, surroundings));
    return { comparisons, summary: [] };
  },
};

async function compareCalls(tool: SampleTool, { effort, scratch }: Surroundings): Promise<Comparison> {
  const { plain, metered } = await prepareComponent((await readPackage(tool.directory)).component);
  using executor = new Executor({ concurrency: 1, queueLimit: 0 });
  const home = scratch.directory(`call-${tool.name}`);
  await using runtime = new Runtime({ home, concurrency: 1 });
  await using apart = new Runtime({ home, concurrency: 1, isolation: "process" });
  const { id } = (await runtime.install(tool.directory)).tool.manifest.tool;
  const { input } = tool;
  const call = { artifact: metered.artifact, input, limits: AMPLE_LIMITS, client: id };
  const kept = instantiatePlain(plain);
  const pool = new MemoryPool();
  const message = { type: "call", id: 0, digest: "", input, limits: AMPLE_LIMITS } as const;
  const subjects = [
    { name: "jco's glue, one instance", run: () => kept(input) },
    { name: "jco's glue, fresh instance and memory", run: () => instantiatePlain(plain)(input), isContext: true },
    {
      name: "metered, pooled memory, no Worker",
      run: () => runCall({ ...message, control: new ControlBlock().buffer }, metered, pool),
    },
    { name: "executor: in a Worker", run: () => executor.call(call) },
    { name: "runtime: registry and call log", run: () => runtime.call(id, input, { limits: AMPLE_LIMITS }) },
    { name: "the same in an executor process", run: () => apart.call(id, input, { limits: AMPLE_LIMITS }) },
  ] as const;
  await checkOutputs(subjects);
  return await compare(tool.name, subjects, effort);
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

function outputOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return "outcome" in value ? outputOf(value.outcome) : "output" in value ? value.output : value;
}
