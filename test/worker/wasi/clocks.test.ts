import { describe, expect, test } from "bun:test";
import { Guest } from "./core-guest.ts";
import { Recorder } from "./recorder.ts";

const MONOTONIC = "wasi:clocks/monotonic-clock";
const WALL = "wasi:clocks/wall-clock";
const MS = 1_000_000n;
const U64_MAX = 2n ** 64n - 1n;

function readMonotonic(call: Recorder): bigint {
  const now = call.call(MONOTONIC, "now");
  if (typeof now !== "bigint") throw new Error("not a u64");
  return now;
}

function isReady(call: Recorder, timer: unknown): unknown {
  return call.call("wasi:io/poll", "[method]pollable.ready", timer);
}

describe("wasi:clocks/monotonic-clock", () => {
  test("now begins near one second and never goes back, in whole milliseconds", () => {
    const call = new Recorder();
    const readings = Array.from({ length: 1000 }, () => readMonotonic(call));
    expect(readings[0]).toBeGreaterThanOrEqual(1000n * MS);
    expect(readings[0]).toBeLessThan(60_000n * MS);
    expect(readings.filter((reading) => reading % MS !== 0n)).toEqual([]);
    expect(readings).toEqual(readings.toSorted((a, b) => Number(a - b)));
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
    ["subscribe-instant", 0n, true, "an instant that is past"],
    ["subscribe-instant", U64_MAX, false, "the last instant"],
    ["subscribe-duration", 0n, true, "no duration"],
    ["subscribe-duration", 3_600_000n * MS, false, "an hour"],
    ["subscribe-duration", U64_MAX, false, "the longest duration, which must not wrap around"],
  ])("%s(%p) is ready: %p, %s", (name, when, ready) => {
    const call = new Recorder();
    expect(isReady(call, call.call(MONOTONIC, name, when))).toBe(ready);
  });

  test("a timer is ready once its duration has passed on the guest's clock, not earlier", async () => {
    const call = new Recorder();
    const start = readMonotonic(call);
    const timer = call.call(MONOTONIC, "subscribe-duration", 7n * MS);
    await call.call("wasi:io/poll", "[method]pollable.block", timer);
    expect(readMonotonic(call) - start).toBeGreaterThanOrEqual(7n * MS);
    expect(isReady(call, timer)).toBe(true);
  });

  test.each(["subscribe-instant", "subscribe-duration"])(
    "%s takes an i64 as unsigned: -1 is the longest",
    async (name) => {
      const guest = await Guest.open();
      const timer = await guest.core([MONOTONIC, name], -1n);
      expect(await guest.core(["wasi:io/poll", "[method]pollable.ready"], timer)).toBe(0);
    },
  );
});

function toDatetime(ms: number): object {
  return [BigInt(Math.floor(ms / 1000)), (ms % 1000) * 1_000_000];
}

describe("wasi:clocks/wall-clock", () => {
  test("now is the system's time, in whole milliseconds", () => {
    const call = new Recorder();
    const before = Date.now();
    const now = call.call(WALL, "now");
    const after = Date.now();
    const possible = Array.from({ length: after - before + 1 }, (_, index) => before + index);
    expect(possible.some((ms) => Bun.deepEquals(toDatetime(ms), now))).toBe(true);
  });

  test("resolution is one millisecond", () => {
    expect(new Recorder().call(WALL, "resolution")).toEqual([0n, 1_000_000]);
  });
});
