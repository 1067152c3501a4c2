import { describe, expect, test } from "bun:test";
import type { Job } from "../../lib/executor/held-call.ts";
import { MemoryGauge } from "../../lib/executor/memory-gauge.ts";
import { ControlBlock } from "../../lib/protocol/control.ts";
import { DENY_ALL } from "../../lib/policy/policy.ts";
import { emptyArtifact } from "./support/calls.ts";

function makeJob(inUse: number, memoryBytes: number): Job {
  const control = new ControlBlock();
  control.publishMemory(inUse, inUse);
  return {
    artifact: emptyArtifact("a"),
    input: "",
    limits: { fuel: 0, memoryBytes, timeoutMs: 0 },
    policy: DENY_ALL,
    control,
  };
}

describe("MemoryGauge", () => {
  for (const [inUse, isFull] of [
    [499, false],
    [500, true],
    [501, true],
  ] as const) {
    test(`with two calls of ${inUse} bytes and a limit of 1,000 is ${isFull ? "" : "not "}full`, () => {
      const jobs = [makeJob(inUse, 600), makeJob(500, 600)];
      expect(new MemoryGauge(1000).isFull(() => jobs)).toBe(isFull);
    });
  }

  test("believes no call that it has more than it may have", () => {
    const jobs = [makeJob(Number.MAX_SAFE_INTEGER, 600)];
    expect(new MemoryGauge(1000).isFull(() => jobs)).toBe(false);
  });

  test("adds up again only when what came since could fill it, or some time later", () => {
    let now = 0;
    const gauge = new MemoryGauge(1000, () => now);
    const jobs: Job[] = [];
    let sums = 0;
    const come = (inUse: number): boolean => {
      const job = makeJob(inUse, 300);
      jobs.push(job);
      gauge.add(job);
      return gauge.isFull(() => (sums++, jobs));
    };
    expect(gauge.isFull(() => jobs)).toBe(false);
    expect([come(100), come(100), come(100), sums]).toEqual([false, false, false, 0]);
    expect([come(100), sums]).toEqual([false, 1]);
    now += 51;
    expect([come(100), sums]).toEqual([false, 2]);
    expect([come(250), come(250), come(250), sums]).toEqual([false, true, true, 4]);
  });
});
