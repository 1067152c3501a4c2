import { describe, expect, test } from "bun:test";
import { HANDLE_LIMIT } from "../../../lib/worker/wasi/host.ts";
import { type Event, Pollable, POLL_LIMIT, READY } from "../../../lib/worker/wasi/poll.ts";
import { Recorder } from "./recorder.ts";

const MS = 1_000_000n;

/** An event that happens when it is told to, and counts who waits for it. */
class Bell implements Event {
  readonly #wakes = new Set<() => void>();
  #rang = false;

  get waiting(): number {
    return this.#wakes.size;
  }

  isReady(): boolean {
    return this.#rang;
  }

  whenReady(wake: () => void): () => void {
    this.#wakes.add(wake);
    return () => void this.#wakes.delete(wake);
  }

  ring(): void {
    this.#rang = true;
    this.wake();
  }

  /** Wakes who waits, though nothing may have happened. */
  wake(): void {
    const wakes = [...this.#wakes];
    this.#wakes.clear();
    // Each may wait again at once.
    for (const wake of wakes) wake();
  }
}

function subscribe(call: Recorder, durationNs: bigint): unknown {
  return call.call("wasi:clocks/monotonic-clock", "subscribe-duration", durationNs);
}

function poll(call: Recorder, pollables: readonly unknown[]): unknown {
  return call.call("wasi:io/poll", "poll", pollables);
}

function block(call: Recorder, pollable: unknown): unknown {
  return call.call("wasi:io/poll", "[method]pollable.block", pollable);
}

describe("pollable", () => {
  test("is ready at its instant, not a tick before", () => {
    const call = new Recorder();
    const now = call.host.now();
    const at = (when: bigint): unknown => call.call("wasi:clocks/monotonic-clock", "subscribe-instant", when);
    expect(call.call("wasi:io/poll", "[method]pollable.ready", at(now))).toBe(true);
    expect(call.call("wasi:io/poll", "[method]pollable.ready", at(now + 1000n * MS))).toBe(false);
  });

  test("block returns at once, without a promise, when the event has happened", () => {
    const call = new Recorder();
    expect(block(call, new Pollable(call.host, READY))).toBeUndefined();
  });

  test("block waits for the whole of its time", async () => {
    const call = new Recorder();
    const start = call.host.now();
    // Off the tick by a nanosecond: the remainder must not turn into a spin.
    const timer = call.call("wasi:clocks/monotonic-clock", "subscribe-instant", start + 30n * MS + 1n);
    await block(call, timer);
    expect(call.host.now() - start).toBeGreaterThanOrEqual(31n * MS);
  });

  test("block looks again when it was woken for nothing", async () => {
    const call = new Recorder();
    const bell = new Bell();
    let isDone = false;
    const blocked = Promise.resolve(block(call, new Pollable(call.host, bell))).then(() => (isDone = true));
    bell.wake();
    await Bun.sleep(0);
    expect([isDone, bell.waiting]).toEqual([false, 1]);
    bell.ring();
    await blocked;
    expect(bell.waiting).toBe(0);
  });
});

describe("poll()", () => {
  test("returns the indices of all that are ready, and only those", () => {
    const call = new Recorder();
    const [ready, later] = [new Pollable(call.host, READY), new Pollable(call.host, new Bell())];
    expect(poll(call, [later, ready, later, subscribe(call, 0n)])).toEqual([1, 3]);
  });

  test("waits for the earliest of several timers", async () => {
    const call = new Recorder();
    const start = call.host.now();
    expect(
      await poll(
        call,
        [60_000n, 4n, 50_000n].map((ms) => subscribe(call, ms * MS)),
      ),
    ).toEqual([1]);
    expect(call.host.now() - start).toBeGreaterThanOrEqual(4n * MS);
  });

  test("waits for none any more once one has happened", async () => {
    const call = new Recorder();
    const bells = [new Bell(), new Bell(), new Bell()];
    const polled = poll(
      call,
      bells.map((bell) => new Pollable(call.host, bell)),
    );
    expect(bells.map(({ waiting }) => waiting)).toEqual([1, 1, 1]);
    bells[2]?.ring();
    expect(await polled).toEqual([2]);
    expect(bells.map(({ waiting }) => waiting)).toEqual([0, 0, 0]);
  });

  test.each([POLL_LIMIT - 1, POLL_LIMIT])("takes a list of %d", (length) => {
    const call = new Recorder();
    const ready = new Pollable(call.host, READY);
    const list = Array.from({ length }, () => ready);
    expect(poll(call, list)).toHaveLength(length);
    expect(call.charged).toBe(length);
  });

  test.each([
    [0, "it polled an empty list"],
    [POLL_LIMIT + 1, "it polled more than 4096 pollables at once"],
  ])("traps for a list of %d", (length, reason) => {
    const call = new Recorder();
    const list = Array.from({ length }, () => undefined);
    expect(call.endOf(() => poll(call, list))).toBe(`trap: ${reason}`);
  });
});

describe("Resource", () => {
  test("a call holds as many handles as the limit, and no more", () => {
    const call = new Recorder();
    const { host } = call;
    const held = Array.from({ length: HANDLE_LIMIT }, () => new Pollable(host, READY));
    expect(call.endOf(() => new Pollable(host, READY))).toBe("trap: it holds more than 4096 handles");
    held[0]?.[Symbol.dispose]();
    expect(new Pollable(host, READY).hasChildren).toBe(false);
    expect(host.handles).toBe(HANDLE_LIMIT);
  });

  test("one that is dropped twice is counted once", () => {
    const { host } = new Recorder();
    const held = Array.from({ length: 3 }, () => new Pollable(host, READY));
    held[0]?.[Symbol.dispose]();
    held[0]?.[Symbol.dispose]();
    expect(host.handles).toBe(2);
  });

  test("one that another depends on cannot be dropped before it", () => {
    const call = new Recorder();
    const parent = new Pollable(call.host, READY);
    const child = new Pollable(call.host, READY, parent);
    expect(call.endOf(() => parent[Symbol.dispose]())).toBe(
      "trap: it dropped a resource that another one of its depends on",
    );
    child[Symbol.dispose]();
    parent[Symbol.dispose]();
    expect(call.host.handles).toBe(0);
  });
});
