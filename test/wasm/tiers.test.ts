/**
 * Fuel is the same in every tier of the engine and in every Worker: programs are run cold, then until they are hot, and in a fresh Worker.
 */
import { describe, expect, test } from "bun:test";
import { generateProgram } from "./generator.ts";
import { runMetered } from "./metered.ts";
import { Comparison, type Run, runCold } from "./sliced.ts";

/** Programs that return: where a trap is found out differs from tier to tier, what it is called as well. */
const PROGRAMS = 10;
const ROUNDS = 1000;
const GRANT = { fuel: 10_000_000, slice: 1000 };

/** A hot loop with a call, a memory and a branch that is taken once in 97 rounds: `f(rounds)`. */
const HOT = `(module (memory 1)
  (func $leaf (param i32) (result i32)
    (if (result i32) (i32.eqz (i32.rem_u (local.get 0) (i32.const 97)))
      (then (i32.mul (local.get 0) (i32.const 3))) (else (i32.load8_u (i32.and (local.get 0) (i32.const 1023))))))
  (func (export "f") (param $rounds i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (call $leaf (local.get $rounds))))
      (i32.store8 (i32.and (local.get $rounds) (i32.const 1023)) (local.get $sum))
      (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $sum)))`;

describe("fuel is the same", () => {
  test("cold, hot and in a fresh Worker", async () => {
    const seeds = await findReturning();
    const cold = await runCold(seeds.map(generateProgram), GRANT);
    const programs = await Promise.all(seeds.map((seed) => Comparison.compile(generateProgram(seed))));
    const hot = programs.map((program) => {
      for (let round = 0; round < ROUNDS; round++) program.runMetered(GRANT);
      return program.runMetered(GRANT);
    });
    expect(hot).toEqual([...cold]);
    expect(await runInWorker(seeds)).toEqual(cold);
  }, 60_000);

  test("when a loop becomes hot while it runs", async () => {
    const [one, two, many] = await Promise.all([1, 2, 20_000].map((cycles) => usedByHot(97 * cycles)));
    expect((many ?? 0) - (one ?? 0)).toBe(((two ?? 0) - (one ?? 0)) * 19_999);
  }, 60_000);
});

async function usedByHot(rounds: number): Promise<number> {
  const metered = await runMetered(HOT, 1_000_000_000);
  metered.call("f", rounds);
  return metered.used;
}

/** The first seeds whose programs return, and leave their memories as large as they were: then the next run has them again. */
async function findReturning(): Promise<readonly number[]> {
  const seeds: number[] = [];
  for (let seed = 1; seeds.length < PROGRAMS; seed++) {
    const program = generateProgram(seed);
    const { outcome, used, state } = (await Comparison.compile(program)).runReference();
    const isCheap = program.head.includes('(import "env" "second")') && state.split("memory 65536 ").length === 4;
    if (outcome.startsWith("returned") && isCheap && used > 500 && used < 5000) seeds.push(seed);
  }
  return seeds;
}

async function runInWorker(seeds: readonly number[]): Promise<readonly Run[]> {
  const worker = new Worker(new URL("tiers-worker.ts", import.meta.url));
  try {
    const answer = Promise.withResolvers<readonly Run[]>();
    worker.onmessage = ({ data }: MessageEvent<readonly Run[] | "ready">) => {
      if (data === "ready") worker.postMessage({ programs: seeds.map(generateProgram), grant: GRANT });
      else answer.resolve(data);
    };
    worker.onerror = (event) => answer.reject(new Error(event.message));
    return await answer.promise;
  } finally {
    worker.terminate();
  }
}
