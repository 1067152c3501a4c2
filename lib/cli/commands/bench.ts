/**
 * `kami bench`: how fast a tool is, cold and warm, alone and at once, and what a call uses.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type CallResult, Runtime } from "../../runtime.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { readInput } from "../input.ts";
import { parseInteger, rangeRule } from "../integers.ts";
import { resolveTool } from "../names.ts";
import { openRegistryToRead } from "../open.ts";
import type { Session } from "../session.ts";
import { layOutPairs } from "../table.ts";
import { formatBytes, formatNumber } from "../words.ts";
import { quote, refuse } from "../../errors.ts";

const INPUT_LIMIT_BYTES = 4 * 1_048_576;
const CALLS = { least: 10, most: 100_000 } as const;
const AT_ONCE = 8;

/** `kami bench <tool>`. */
export const bench: Command = command({
  name: "bench",
  args: {
    tool: { type: "positional", description: "An installed tool, a tool's directory, or a component (.wasm)" },
    input: { type: "string", valueHint: "json", description: "The input, as JSON text. Without an input: {}" },
    "input-file": { type: "string", valueHint: "path", description: "Read the input from a file; - is standard input" },
    calls: { type: "string", valueHint: "n", description: "Warm calls to measure (10 to 100000); default 200" },
    json: { type: "boolean", description: "Print the figures, and an error, as JSON" },
  },
  notes: [
    "In a home of its own: install is what it takes to compile the component, cold the",
    "first call after that, warm the calls that follow, one after the other, and",
    `throughput ${AT_ONCE} at once. Times are of the wall; fuel is the same everywhere. A call`,
    "that fails ends the measurement.",
    JSON_ERROR_NOTE,
  ],
  examples: [
    { line: `kami bench json-query --input '{"data": {"a": 1}, "query": "a"}'`, meaning: "measure an installed tool" },
    { line: "kami bench ./hello --input-file sample.json --json", meaning: "a directory, for a script" },
  ],
  run: async ({ tool, input, "input-file": file, calls }, session) => {
    const count = readCalls(calls);
    const text = await readInput(session, { text: input, file }, INPUT_LIMIT_BYTES);
    const subject = await locate(session, tool);
    const home = mkdtempSync(join(tmpdir(), "kami-bench-"));
    try {
      await using runtime = new Runtime({ home, concurrency: AT_ONCE });
      const figures = await session.end.interruptible(measure(runtime, subject, { input: text, count }));
      await session.result(describe(figures), figures);
      return EXIT.ok;
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  },
});

/** What is called: a package, or a component alone. Absolute or as the user wrote it. */
interface Subject {
  readonly path: string;
  readonly isPackage: boolean;
}

async function locate(session: Session, word: string): Promise<Subject> {
  if (word.endsWith(".wasm")) return { path: word, isPackage: false };
  if (existsSync(word)) return { path: word, isPackage: true };
  using registry = await openRegistryToRead(session.settings());
  const { componentPath, manifest } = resolveTool(registry, word);
  return {
    path: join(
      dirname(componentPath),
      ...manifest.tool.wasm
        .split("/")
        .slice(1)
        .map(() => ".."),
    ),
    isPackage: true,
  };
}

interface Figures {
  /** Milliseconds to read, check and compile the component; undefined for a component alone, whose first call does it. */
  readonly installMs: number | undefined;
  readonly coldMs: number;
  readonly warmMs: { readonly median: number; readonly p95: number; readonly least: number };
  readonly callsPerSecond: number;
  readonly calls: number;
  readonly fuel: number;
  readonly peakMemoryBytes: number;
}

interface Load {
  readonly input: string;
  readonly count: number;
}

async function measure(runtime: Runtime, { path, isPackage }: Subject, { input, count }: Load): Promise<Figures> {
  const startMs = performance.now();
  const id = isPackage ? (await runtime.install(path)).tool.id : undefined;
  const installMs = id === undefined ? undefined : performance.now() - startMs;
  const call = (): Promise<CallResult> => (id === undefined ? runtime.runFile(path, input) : runtime.call(id, input));
  const cold = await timed(call);
  const warm: number[] = [];
  for (let left = count; left > 0; left -= 1) warm.push((await timed(call)).ms);
  const sorted = warm.toSorted((left, right) => left - right);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  const { fuel, peakMemoryBytes } = cold.result.usage;
  const callsPerSecond = await throughput(call, count);
  const warmMs = { median: at(0.5), p95: at(0.95), least: at(0) };
  return { installMs, coldMs: cold.ms, warmMs, callsPerSecond, calls: count, fuel, peakMemoryBytes };
}

async function throughput(call: () => Promise<CallResult>, count: number): Promise<number> {
  const startMs = performance.now();
  let left = count;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      requireOk(await call());
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return (count / (performance.now() - startMs)) * 1000;
}

async function timed(call: () => Promise<CallResult>): Promise<{ readonly ms: number; readonly result: CallResult }> {
  const startMs = performance.now();
  const result = await call();
  const ms = performance.now() - startMs;
  requireOk(result);
  return { ms, result };
}

function requireOk(result: CallResult): void {
  if (!result.ok) throw result.failure;
}

function describe({ installMs, coldMs, warmMs, callsPerSecond, calls, fuel, peakMemoryBytes }: Figures): string {
  return layOutPairs([
    ...(installMs === undefined ? [] : [["install", inMs(installMs)] as const]),
    ["cold", inMs(coldMs)],
    [
      "warm",
      `${inMs(warmMs.median)} (least ${inMs(warmMs.least)}, p95 ${inMs(warmMs.p95)}, ${formatNumber(calls)} calls)`,
    ],
    ["throughput", `${formatNumber(callsPerSecond)} calls/s, ${AT_ONCE} at once`],
    ["fuel", formatNumber(fuel)],
    ["peak memory", formatBytes(peakMemoryBytes)],
  ]);
}

function inMs(value: number): string {
  return `${formatNumber(value)} ms`;
}

function readCalls(text: string | undefined): number {
  if (text === undefined) return 200;
  const value = parseInteger(text, CALLS);
  if (value !== undefined) return value;
  throw refuse("USAGE", {
    problem: `Cannot use --calls ${quote(text)}: it ${rangeRule(CALLS)}`,
    hint: "for example: --calls 200",
  });
}
