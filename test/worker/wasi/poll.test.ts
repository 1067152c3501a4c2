import { describe, expect, test } from "bun:test";
import { HANDLE_LIMIT, Host } from "../../../lib/worker/wasi/host.ts";
import { Pollable, POLL_LIMIT, poll } from "../../../lib/worker/wasi/poll.ts";
import { Recorder } from "./recorder.ts";

const MS = 1_000_000n;
const NEVER = 2n ** 64n;

describe("Pollable", () => {
  test("is ready at its instant, not a tick before", () => {
    const host = new Host(new Recorder());
    const now = host.now();
    expect(new Pollable(host, now).ready()).toBe(true);
    expect(new Pollable(host, now + 1000n * MS).ready()).toBe(false);
  });

  test("block() returns at once when the event has happened", () => {
    const call = new Recorder();
    new Pollable(new Host(call)).block();
    expect([call.entered, call.checked]).toEqual([1, 0]);
  });

  test("block() sleeps in slices, and charges one host call however long it takes", () => {
    const call = new Recorder();
    const host = new Host(call);
    const start = host.now();
    // Off the tick by a nanosecond: the remainder must not turn into a spin.
    new Pollable(host, start + 30n * MS + 1n).block();
    expect(host.now() - start).toBeGreaterThanOrEqual(31n * MS);
    expect(call.entered).toBe(1);
    expect(call.checked).toBeGreaterThanOrEqual(1);
    expect(call.checked).toBeLessThanOrEqual(31);
  });

  test("block() ends at the check that finds an interrupt", () => {
    const call = new Recorder();
    call.interruptAt = 3;
    expect(call.endOf(() => new Pollable(new Host(call), NEVER).block())).toBe("interrupted");
    expect(call.checked).toBe(3);
  });

  test("a slice of a long wait is at most 5 ms", () => {
    const call = new Recorder();
    const host = new Host(call);
    const timer = new Pollable(host, NEVER);
    // The fastest of many: a busy machine only makes a slice longer.
    const slices = Array.from({ length: 20 }, () => {
      call.checked = 0;
      call.interruptAt = 1;
      const start = performance.now();
      call.endOf(() => timer.block());
      return performance.now() - start;
    });
    expect(Math.min(...slices)).toBeLessThan(10);
  });
});

describe("poll()", () => {
  test("returns the indices of all that are ready, and only those", () => {
    const host = new Host(new Recorder());
    const [ready, later] = [new Pollable(host), new Pollable(host, NEVER)];
    expect(poll(host, [later, ready, later, new Pollable(host, host.now())])).toEqual([1, 3]);
  });

  test("waits for the earliest of several timers", () => {
    const call = new Recorder();
    const host = new Host(call);
    const start = host.now();
    const timers = [NEVER, start + 4n * MS, start + 60_000n * MS].map((at) => new Pollable(host, at));
    expect(poll(host, timers)).toEqual([1]);
    expect(host.now() - start).toBeGreaterThanOrEqual(4n * MS);
    expect(call.entered).toBe(1);
  });

  test("ends at the check that finds an interrupt", () => {
    const call = new Recorder();
    const host = new Host(call);
    call.interruptAt = 2;
    expect(call.endOf(() => poll(host, [new Pollable(host, NEVER)]))).toBe("interrupted");
  });

  test.each([POLL_LIMIT - 1, POLL_LIMIT])("takes a list of %d", (length) => {
    const host = new Host(new Recorder());
    const ready = new Pollable(host);
    expect(
      poll(
        host,
        Array.from({ length }, () => ready),
      ).length,
    ).toBe(length);
  });

  const host = new Host(new Recorder());
  const dropped = new Pollable(host);
  dropped[Symbol.dispose]();
  const forged: unknown = Object.create(Object.getPrototypeOf(dropped));
  test.each([
    [[], "it polled an empty list", "an empty list"],
    [Array.from({ length: POLL_LIMIT + 1 }, () => null), "it polled more than 4096 pollables at once", "one too many"],
    [[new Pollable(host), dropped], "it polled a handle that it does not hold", "a dropped pollable"],
    [[forged], "it polled a handle that it does not hold", "what the glue makes for a forged handle"],
    [[7], "it polled a handle that it does not hold", "a number"],
    ["list", "it called wasi:io/poll poll with arguments of the wrong type", "no list"],
  ])("traps: %#", (list, reason) => {
    const call = new Recorder();
    expect(call.endOf(() => poll(new Host(call), list))).toBe(`trap: ${reason}`);
    expect(call.entered).toBe(1);
  });
});

describe("Resource", () => {
  test("a call holds as many handles as the limit, and no more", () => {
    const call = new Recorder();
    const host = new Host(call);
    const held = Array.from({ length: HANDLE_LIMIT }, () => new Pollable(host));
    expect(call.endOf(() => new Pollable(host))).toBe("trap: it holds more than 4096 handles");
    held[0]?.[Symbol.dispose]();
    expect(new Pollable(host).ready()).toBe(true);
  });

  test("a handle that is dropped twice is counted once", () => {
    const call = new Recorder();
    const host = new Host(call);
    const held = Array.from({ length: HANDLE_LIMIT }, () => new Pollable(host));
    held[0]?.[Symbol.dispose]();
    held[0]?.[Symbol.dispose]();
    expect(new Pollable(host).ready()).toBe(true);
    expect(call.endOf(() => new Pollable(host))).toBe("trap: it holds more than 4096 handles");
  });

  test("a dropped and a forged handle trap in the call that they belong to", () => {
    const call = new Recorder();
    const pollable = new Pollable(new Host(call));
    const forged: Pollable = Object.create(Object.getPrototypeOf(pollable));
    pollable[Symbol.dispose]();
    expect(call.endOf(() => pollable.ready())).toBe("trap: it used a handle that it does not hold");
    call.ending = undefined;
    expect(call.endOf(() => forged.block())).toBe("trap: it used a handle that it does not hold");
    expect(call.entered).toBe(2);
  });
});
