/**
 * What the Worker says about a call's time, and what it tells the host meanwhile.
 */
import { describe, expect, test } from "bun:test";
import { ControlBlock } from "../../lib/protocol/control.ts";
import { Budget } from "../../lib/worker/budget.ts";
import { threadCpuMicroseconds } from "../../lib/worker/cpu-clock.ts";
import { AMPLE } from "../support/runtime.ts";
import { buildGuest, type TestGuest } from "./support/guest.ts";

/** Goes round a loop until its fuel is used up. */
function spinning(): Promise<TestGuest> {
  return buildGuest(`
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "run") (param i32 i32) (result i32) (loop (br 0)) (i32.const 16))`);
}

/** Makes three calls into the host, each after some computing, in a call that began so many milliseconds ago. */
function callHost(msAgo: number): ControlBlock {
  const control = new ControlBlock();
  const budget = new Budget(AMPLE, control, performance.now() - msAgo);
  for (let calls = 0; calls < 3; calls++) {
    const startedAt = threadCpuMicroseconds();
    while (threadCpuMicroseconds() - startedAt < 100);
    budget.enterHost();
  }
  return control;
}

describe("the usage of a call", () => {
  test("has CPU time that grows with what the guest computes, and is no longer than the wall time", async () => {
    const guest = await spinning();
    const [some, more] = [guest.run({ fuel: 10_000_000 }).usage, guest.run({ fuel: 300_000_000 }).usage];
    for (const { cpuMs, wallMs } of [some, more]) {
      expect(cpuMs).toBeGreaterThan(0);
      expect(cpuMs).toBeLessThanOrEqual(wallMs + 1);
    }
    expect(more.cpuMs).toBeGreaterThan(some.cpuMs);
    expect(some).toEqual({
      fuel: 10_000_000,
      cpuMs: expect.any(Number),
      wallMs: expect.any(Number),
      peakMemoryBytes: 65_536,
      hostCalls: 0,
      inputBytes: 2,
      outputBytes: 0,
      isPartial: false,
    });
  });

  test("counts bytes, not characters", async () => {
    const guest = await buildGuest(`
      (memory (export "memory") 1)
      (data (i32.const 64) "\\c3\\a9")
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "run") (param i32 i32) (result i32)
        (i32.store (i32.const 20) (i32.const 64)) (i32.store (i32.const 24) (i32.const 2)) (i32.const 16))`);
    const { outcome, usage } = guest.run({}, "é€");
    expect([outcome, usage.inputBytes, usage.outputBytes]).toEqual([{ ok: true, output: "é" }, 5, 2]);
  });

  test("is told the host while the call runs, every 10 ms, not at every look", () => {
    const late = callHost(10);
    expect(late.hostCalls).toBeGreaterThan(0);
    expect(late.cpuMs).toBeGreaterThan(0.1);
    const early = callHost(-1000);
    expect([early.hostCalls, early.cpuMs]).toEqual([0, 0]);
  });
});

describe("threadCpuMicroseconds()", () => {
  test("goes on while this thread computes, in steps finer than a millisecond, and stands while it waits", () => {
    const readings = new Set<number>();
    const before = threadCpuMicroseconds();
    while (threadCpuMicroseconds() - before < 2000) readings.add(threadCpuMicroseconds());
    expect(readings.size).toBeGreaterThan(20);
    const asleep = threadCpuMicroseconds();
    Bun.sleepSync(50);
    expect(threadCpuMicroseconds() - asleep).toBeLessThan(40_000);
  });
});
