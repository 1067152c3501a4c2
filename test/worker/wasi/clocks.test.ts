import { describe, expect, test } from "bun:test";
import { invoke, Recorder } from "./recorder.ts";

const MONOTONIC = "wasi:clocks/monotonic-clock";
const WALL = "wasi:clocks/wall-clock";
const MS = 1_000_000n;
const U64_MAX = 2n ** 64n - 1n;

function readMonotonic(call: Recorder): bigint {
  const now = call.call(MONOTONIC, "now");
  if (typeof now !== "bigint") throw new Error("not a u64");
  return now;
}

describe("wasi:clocks/monotonic-clock", () => {
  test("now begins near one second and never goes back, in whole milliseconds", () => {
    const call = new Recorder();
    const readings = Array.from({ length: 1000 }, () => readMonotonic(call));
    expect(readings[0]).toBeGreaterThanOrEqual(1000n * MS);
    expect(readings[0]).toBeLessThan(60_000n * MS);
    expect(readings.filter((reading) => reading % MS !== 0n)).toEqual([]);
    expect(readings).toEqual(readings.toSorted((a, b) => Number(a - b)));
    expect(call.entered).toBe(1000);
  });

  test("now advances", () => {
    const call = new Recorder();
    const first = readMonotonic(call);
    let next = first;
    while (next === first) next = readMonotonic(call);
    expect(next).toBeGreaterThan(first);
  });

  test("resolution is what now moves by at least", () => {
    expect(new Recorder().call(MONOTONIC, "resolution")).toBe(MS);
  });

  test.each([
    ["subscribeInstant", 0n, true, "an instant that is past"],
    ["subscribeInstant", U64_MAX, false, "the last instant"],
    ["subscribeDuration", 0n, true, "no duration"],
    ["subscribeDuration", 3_600_000n * MS, false, "an hour"],
    ["subscribeDuration", U64_MAX, false, "the longest duration, which must not wrap around"],
  ])("%s(%p) is ready: %p, %s", (name, when, ready) => {
    const call = new Recorder();
    expect(invoke(call.call(MONOTONIC, name, when), "ready")).toBe(ready);
    expect(call.entered).toBe(2);
  });

  test("a timer is ready once its duration has passed on the guest's clock, not earlier", () => {
    const call = new Recorder();
    const start = readMonotonic(call);
    const timer = call.call(MONOTONIC, "subscribeDuration", 7n * MS);
    invoke(timer, "block");
    expect(readMonotonic(call) - start).toBeGreaterThanOrEqual(7n * MS);
    expect(invoke(timer, "ready")).toBe(true);
  });

  test.each([
    ["subscribeInstant", -1n, "subscribe-instant"],
    ["subscribeInstant", U64_MAX + 1n, "subscribe-instant"],
    ["subscribeDuration", 5, "subscribe-duration"],
    ["subscribeDuration", undefined, "subscribe-duration"],
  ])("%s(%p) traps: it is no u64", (name, when, kebab) => {
    const call = new Recorder();
    expect(call.endOf(() => call.call(MONOTONIC, name, when))).toBe(
      `trap: it called ${MONOTONIC} ${kebab} with arguments of the wrong type`,
    );
  });
});

function toDatetime(ms: number): object {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanoseconds: (ms % 1000) * 1_000_000 };
}

describe("wasi:clocks/wall-clock", () => {
  test("now is the system's time, in whole milliseconds", () => {
    const call = new Recorder();
    const before = Date.now();
    const now = call.call(WALL, "now");
    const after = Date.now();
    const possible = Array.from({ length: after - before + 1 }, (_, index) => before + index);
    expect(possible.some((ms) => Bun.deepEquals(toDatetime(ms), now))).toBe(true);
    expect(call.entered).toBe(1);
  });

  test("resolution is one millisecond", () => {
    expect(new Recorder().call(WALL, "resolution")).toEqual({ seconds: 0n, nanoseconds: 1_000_000 });
  });
});
