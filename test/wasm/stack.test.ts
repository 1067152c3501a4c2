/**
 * The stack: a recursion ends at the same depth and with the same fuel cold, hot, in a Worker and in every tier of the engine, and always by
 * KAMI's count: the engine's own limit, a RangeError, is never reached.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { CASES, type ColdAndHot, Recursion, runAll, TAIL_CASES } from "./stack-cases.ts";

const MAIN = join(import.meta.dir, "stack-main.ts");
const STACK = 3_600_000;
/** What a frame counts. */
const bytesOf = (locals: number): number => 600 + 18 * locals;
/** How many calls are begun when each counts as much, but for the first one, which the host makes. */
const depthOf = (bytes: number): number => Math.floor(STACK / bytes) + 1;

const TRAPPED = "RuntimeError: Unreachable code should not be executed";

/** How deep each program gets. A frame has its parameter among its locals. */
const DEPTHS: Readonly<Record<string, number>> = {
  "itself, without locals": depthOf(bytesOf(1)),
  "itself, with 10 locals": depthOf(bytesOf(11)),
  "itself, with 200 locals": depthOf(bytesOf(201)),
  "itself, with 5,000 locals": depthOf(bytesOf(5001)),
  "indirect calls": depthOf(bytesOf(1)),
  "calls of references": depthOf(bytesOf(1)),
  "an import that calls back": depthOf(bytesOf(1) + 1024),
  // Nothing is left counted of what was thrown past.
  "exceptions caught by try_table": depthOf(bytesOf(1)),
  "exceptions caught in a loop": depthOf(bytesOf(1)),
  "exceptions caught by try": depthOf(bytesOf(1)),
  "exceptions of another module": depthOf(bytesOf(1)),
  "a tail call that comes back": depthOf(bytesOf(1)),
  "another module": depthOf(bytesOf(1) + bytesOf(201) + 1024),
  "another module, with frames as large": depthOf(bytesOf(201) + bytesOf(201) + 1024),
};

const WAYS: readonly { readonly name: string; readonly run: () => Promise<unknown> }[] = [
  { name: "in a fresh Worker", run: runInWorker },
  { name: "without the engine's interpreter", run: () => runInProcess("useWasmIPInt") },
  { name: "without its baseline compiler", run: () => runInProcess("useBBQJIT") },
  { name: "without its optimizing compiler", run: () => runInProcess("useOMGJIT") },
];

describe("a recursion through", () => {
  let runs: Record<string, ColdAndHot>;
  beforeAll(async () => {
    runs = await runAll();
  });

  for (const name of Object.keys(CASES)) {
    test(`${name} ends by KAMI's count, hot as it does cold`, () => {
      const { cold, hot } = runs[name] ?? {};
      expect([cold?.outcome, cold?.ranOut]).toEqual([TRAPPED, true]);
      expect(hot).toEqual(cold);
    });
  }

  test.each(Object.entries(DEPTHS))("%s gets %i deep", (name, depth) => {
    expect(runs[name]?.cold.depth).toBe(depth);
  });

  for (const { name, run } of WAYS) {
    test(`anything ends at the same depth, with the same fuel, ${name}`, async () => {
      expect(await run()).toEqual(runs);
    }, 60_000);
  }

  test.each(Object.entries(TAIL_CASES))("%s needs no stack", async (_name, program) => {
    const run = (await Recursion.compile(program)).run(1_000_000);
    expect(run).toEqual({ outcome: "returned 0", depth: 1_000_001, used: run.used, ranOut: false });
  });

  test.each(["an import that calls back", "another module", "indirect calls"])(
    "%s takes nothing when it has returned",
    async (name) => {
      const recursion = await Recursion.compile(CASES[name] ?? { fields: "" });
      const outcomes = recursion.repeat(400, 100);
      expect(new Set(outcomes).size).toBe(1);
      expect(outcomes[0]).toStartWith("returned ");
    },
  );

  test("itself returns one call below the limit and at it, and not above it", async () => {
    const depth = depthOf(bytesOf(1));
    const recursion = await Recursion.compile(CASES["itself, without locals"] ?? { fields: "" });
    // Going `n` deep is `n + 1` calls.
    expect([recursion.run(depth - 2), recursion.run(depth - 1), recursion.run(depth)]).toMatchObject([
      { outcome: `returned ${depth - 2}`, depth: depth - 1, ranOut: false },
      { outcome: `returned ${depth - 1}`, depth, ranOut: false },
      { outcome: TRAPPED, depth, ranOut: true },
    ]);
  });
});

async function runInProcess(tier: string): Promise<unknown> {
  const child = Bun.spawn([process.execPath, MAIN], {
    env: { ...process.env, [`BUN_JSC_${tier}`]: "0" },
    stdout: "pipe",
    stderr: "inherit",
  });
  return JSON.parse(await new Response(child.stdout).text());
}

async function runInWorker(): Promise<unknown> {
  const worker = new Worker(new URL("stack-main.ts", import.meta.url));
  try {
    const answer = Promise.withResolvers<unknown>();
    worker.onmessage = ({ data }: MessageEvent<unknown>) => answer.resolve(data);
    worker.onerror = (event) => answer.reject(new Error(event.message));
    return await answer.promise;
  } finally {
    worker.terminate();
  }
}
