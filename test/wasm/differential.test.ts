/**
 * Compares the meter with the naive way to count, on generated programs. The number of programs is 2,000, or KAMI_TEST_PROGRAMS.
 */
import { describe, expect, test } from "bun:test";
import { generateProgram } from "./generator.ts";
import { runMetered } from "./metered.ts";
import { type Program, renderProgram, shrinkProgram } from "./program.ts";
import { Comparison } from "./sliced.ts";

const PROGRAMS = Number(Bun.env["KAMI_TEST_PROGRAMS"] ?? 2000);
const BATCH = 250;
const MUCH = 10_000_000;
const SLICES = [1, 7, 1000, 50_000];

describe("meterModule() charges what the naive way counts", () => {
  for (let first = 1; first <= PROGRAMS; first += BATCH) {
    const last = Math.min(first + BATCH - 1, PROGRAMS);
    test(`in the programs ${first} to ${last}`, async () => {
      for (let seed = first; seed <= last; seed++) await expectSame(seed);
    }, 120_000);
  }

  test(
    "in a program of a random seed, named when it fails",
    () => expectSame(Math.floor(Math.random() * 2 ** 32)),
    60_000,
  );
});

describe("generateProgram()", () => {
  test("makes programs that do something: most of them return, and some end in each other way", async () => {
    const outcomes = new Map<string, number>();
    let used = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const run = (await Comparison.compile(generateProgram(seed))).runReference();
      const outcome = run.outcome.replace(/-?\d+$/, "");
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      used += run.used;
    }
    expect(outcomes.get("returned ")).toBeGreaterThan(150);
    expect(outcomes.get("threw an exception")).toBeGreaterThan(0);
    expect(outcomes.get("Unreachable code should not be executed")).toBeGreaterThan(0);
    expect(used).toBeGreaterThan(200 * 50);
  });
});

async function expectSame(seed: number): Promise<void> {
  const difference = await findDifference(generateProgram(seed));
  if (difference === undefined) return;
  const program = generateProgram(seed);
  const kind = difference.replaceAll(/-?\d+/g, "N");
  await shrinkProgram(program, async () => {
    const found = await findDifference(program).catch(() => undefined);
    return found?.replaceAll(/-?\d+/g, "N") === kind;
  });
  throw new Error(`seed ${seed}: ${difference}\n${renderProgram(program)}`);
}

/** Says how the metered program differs from the reference, if it does. */
async function findDifference(program: Program): Promise<string | undefined> {
  const comparison = await Comparison.compile(program);
  const reference = comparison.runReference();
  const metered = comparison.runMetered({ fuel: MUCH, slice: MUCH });
  if (metered.outcome !== reference.outcome) return `outcome: ${metered.outcome} instead of ${reference.outcome}`;
  if (metered.state !== reference.state) return `state: ${metered.state} instead of ${reference.state}`;
  const isTrap = !/^(returned|threw|the host throws)/.test(reference.outcome);
  // A trap may come in the middle of a run, which is paid as a whole.
  const isPaid = isTrap ? metered.used >= reference.used : metered.used === reference.used;
  if (!isPaid) return `fuel: ${metered.used} instead of ${reference.used}`;
  return program.seed % 5 === 0 ? findGrantDifference(comparison, metered.used) : undefined;
}

/** Runs the program with all its fuel in slices, then with less than it needs. */
function findGrantDifference(comparison: Comparison, fuel: number): string | undefined {
  const whole = comparison.runMetered({ fuel, slice: MUCH });
  for (const slice of SLICES) {
    const run = comparison.runMetered({ fuel, slice });
    if (!Bun.deepEquals(run, whole)) return `slices of ${slice}: ${Bun.inspect(run)} instead of ${Bun.inspect(whole)}`;
  }
  for (const less of [fuel - 1, Math.floor(fuel / 2), 0]) {
    const { outcome, used } = comparison.runMetered({ fuel: less, slice: 50 });
    if (less >= 0 && less < fuel && used <= less) return `a limit of ${less}: ${outcome} with ${used} used`;
  }
  return undefined;
}

/** One more round; the functions below end after 20,000, should nothing stop them. */
const AGAIN = "global.get $n i32.const 1 i32.add global.set $n global.get $n i32.const 20000 i32.lt_u";
const USE = "i32.const 1 drop";

/** Bodies that go round, and where a look at the fuel could get lost. */
const RUNAWAYS: readonly { readonly body: string; readonly why: string }[] = [
  { body: `loop ${AGAIN} br_if 0 end`, why: "a plain loop" },
  { body: `${USE} loop ${AGAIN} br_if 0 end`, why: "a loop that is not at the head of the function" },
  { body: `${USE} loop (result i32) i32.const 1 ${AGAIN} br_if 0 end drop`, why: "a loop with a result" },
  { body: `i32.const 1 loop (param i32) drop i32.const 1 ${AGAIN} br_if 0 drop end`, why: "a loop with a parameter" },
  { body: `loop loop end ${AGAIN} br_if 0 end`, why: "an empty loop at the head" },
  { body: `loop block br 0 loop end end ${AGAIN} br_if 0 end`, why: "a loop in dead code at the head" },
  { body: `loop loop ${AGAIN} br_if 1 end end`, why: "a back edge out of an inner loop" },
  { body: `loop block block ${AGAIN} br_if 2 end end end`, why: "a back edge out of blocks" },
  { body: `loop i32.const 0 if else ${AGAIN} br_if 1 end end`, why: "a back edge out of an arm" },
  { body: `loop ${AGAIN} i32.eqz br_table 0 1 end`, why: "a back edge in a table" },
  { body: `loop try_table (catch_all 0) ${AGAIN} if throw $t end end end`, why: "a handler that is the loop itself" },
  { body: `loop block try_table (catch_all 0) end end ${AGAIN} br_if 0 end`, why: "an empty try_table at the head" },
  { body: `${AGAIN} if return_call $f end`, why: "a tail call" },
  { body: `${AGAIN} if i32.const 0 return_call_indirect (type $void) end`, why: "an indirect tail call" },
  { body: `${AGAIN} if ref.func $f return_call_ref $void end`, why: "a tail call of a reference" },
  { body: `loop try catch_all ${USE} end ${AGAIN} br_if 0 end`, why: "an empty legacy try at the head of a loop" },
  { body: `loop try catch $t ${USE} end ${AGAIN} br_if 0 end`, why: "the same with a tag" },
  {
    body: `try catch_all ${USE} end ${AGAIN} if return_call $f end`,
    why: "an empty legacy try at the head of a function",
  },
  { body: `loop try ${AGAIN} if throw $t end catch_all br 1 end end`, why: "a back edge out of a legacy handler" },
  { body: "call $leaf ".repeat(20), why: "calls of functions that have neither a loop nor a call" },
];

describe("meterModule() stops", () => {
  for (const { body, why } of RUNAWAYS) {
    test(`${why}: ${body.slice(0, 80)}`, async () => {
      const metered = await runMetered(
        `(module (type $void (func)) (tag $t) (table 1 funcref) (elem (i32.const 0) $f) (global $n (mut i32) (i32.const 0))
          (func $leaf ${`${USE} `.repeat(500)})
          (func $f (export "f") (type $void) ${body}))`,
        1000,
      );
      expect(() => metered.call("f")).toThrow("Unreachable code should not be executed");
      expect(metered.used).toBeGreaterThan(1000);
      expect(metered.used).toBeLessThan(2500);
    });
  }
});
