/**
 * A short slice of `bun run bench leaks`: what a call makes is gone after it. Objects are counted, not bytes, wherever there are objects to count.
 */
import { heapStats } from "bun:jsc";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { BadCalls } from "../../bench/bad-calls.ts";
import { TestRuntime } from "../support/runtime.ts";
import { buildGuest } from "../worker/support/guest.ts";

/** Objects that are in use by name of their kind, when all garbage is gone. */
function countObjects(kinds: RegExp): ReadonlyMap<string, number> {
  Bun.gc(true);
  return new Map(Object.entries(heapStats().objectTypeCounts).filter(([kind]) => kinds.test(kind)));
}

/** What there is more of than before, of each kind. */
function growth(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map([...after].map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)]));
}

describe("the guest's side", () => {
  test("keeps no instance, memory, table or function of a call, however it ended", async () => {
    const guest = await buildGuest(`
      (memory (export "memory") 1)
      (table $t 4 funcref)
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "run") (param i32 i32) (result i32)
        (drop (table.grow $t (ref.null func) (i32.const 4)))
        (if (i32.eq (local.get 1) (i32.const 3)) (then unreachable))
        (if (i32.eq (local.get 1) (i32.const 4)) (then (loop (br 0))))
        (if (i32.eq (local.get 1) (i32.const 5)) (then (drop (memory.grow (i32.const 2)))))
        (i32.const 16))`);
    const ends = new Set<string>();
    const run = (calls: number): void => {
      for (let call = 0; call < calls; call++) {
        const { outcome } = guest.run({ fuel: 8000 }, "x".repeat(2 + (call % 4)));
        ends.add(outcome.ok ? "ok" : outcome.code);
      }
    };
    run(100);
    const before = countObjects(/^WebAssembly/);
    run(1000);
    expect(ends).toEqual(new Set(["ok", "GUEST_UNREACHABLE", "FUEL_EXHAUSTED"]));
    const more = [...growth(before, countObjects(/^WebAssembly/))].filter(([, count]) => count > 8);
    expect(more).toEqual([]);
    expect(before.get("WebAssembly.Instance")).toBeGreaterThan(0);
  });
});

describe("the host's side", () => {
  let kami: TestRuntime;
  beforeAll(() => {
    kami = new TestRuntime({ queueLimit: 8 });
  });
  afterAll(async () => {
    await kami[Symbol.asyncDispose]();
  });

  async function fillTables(calls: number): Promise<void> {
    for (let call = 0; call < calls; call++) {
      const result = await kami.run("hog-table", {}, { limits: { memoryBytes: 8 * 1_048_576 } });
      expect(result.ok || result.failure.code).toBe("MEMORY_EXHAUSTED");
    }
  }

  const KINDS =
    /^(?:Promise|AbortSignal|AbortController|EventListener|Timeout|SharedArrayBuffer|Map|Set|Error|Worker|Statement|Uint8Array)$/;

  test("keeps no promise, signal, timer or buffer of a call, good or bad", async () => {
    const bad = await BadCalls.open(kami.runtime);
    const run = async (calls: number): Promise<void> => {
      for (let made = 0; made < calls;) made += await bad.next();
      for (let made = 0; made < calls; made += 4) await Promise.all([0, 1, 2, 3].map(() => kami.run("echo")));
    };
    await run(80);
    const before = countObjects(KINDS);
    await run(300);
    const more = [...growth(before, countObjects(KINDS))].filter(([, count]) => count > 30);
    expect(more).toEqual([]);
    expect(before.get("Promise")).toBeGreaterThan(0);
  });

  test("is not filled by tables that no call uses any more, which the engine does not count", async () => {
    await fillTables(4);
    const before = process.memoryUsage.rss();
    await fillTables(60);
    // They are 480 MiB.
    expect((process.memoryUsage.rss() - before) / 1_048_576).toBeLessThan(150);
  });
});
