import { describe, expect, test } from "bun:test";
import { clockMs, ControlBlock } from "../../lib/protocol/control.ts";

const valuesOf = ({ interrupted, state, fuelUsed, peakMemoryBytes, cpuMs, hostCalls }: ControlBlock): unknown => [
  interrupted,
  state,
  fuelUsed,
  peakMemoryBytes,
  cpuMs,
  hostCalls,
];

describe("ControlBlock", () => {
  test("shows one side what the other wrote", () => {
    const host = new ControlBlock();
    const worker = new ControlBlock(host.buffer);
    expect(valuesOf(worker)).toEqual([undefined, "waiting", 0, 0, 0, 0]);
    worker.publishFuel(2 ** 53 - 1, 2 ** 52 + 1);
    worker.publishMemory(65_536, 131_072);
    worker.publishEffort(1.2345, 7);
    worker.state = "running";
    host.interrupt("deadline");
    expect(valuesOf(host)).toEqual(["deadline", "running", 2 ** 52 + 1, 131_072, 1.235, 7]);
  });

  test("keeps the first of several reasons", () => {
    const control = new ControlBlock();
    control.interrupt("cancelled");
    control.interrupt("deadline");
    control.interrupt("shutdown");
    expect(control.interrupted).toBe("cancelled");
  });

  test("knows when the call started, also after it has ended", () => {
    const control = new ControlBlock();
    expect(control.startedAtMs).toBeUndefined();
    const before = clockMs();
    control.state = "running";
    const startedAtMs = control.startedAtMs ?? 0;
    expect(startedAtMs).toBeGreaterThanOrEqual(before - 0.001);
    expect(startedAtMs).toBeLessThanOrEqual(clockMs() + 0.001);
    control.state = "settled";
    expect([control.state, control.startedAtMs]).toEqual(["settled", startedAtMs]);
  });

  test("gives amounts that are amounts, whatever was written there", () => {
    const control = new ControlBlock();
    new BigInt64Array(control.buffer).fill(-1n);
    expect(valuesOf(control)).toEqual([undefined, "waiting", 0, 0, 0, 0]);
    new BigInt64Array(control.buffer).fill(2n ** 63n - 1n);
    const most = Number.MAX_SAFE_INTEGER;
    expect(valuesOf(control)).toEqual([undefined, "waiting", most, most, most / 1000, most]);
  });
});
