/**
 * The clocks of the benchmarks: they look at the thread that they say.
 */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { makeThreadClock, ThreadListener } from "../bench/thread-clock.ts";

const ENTRY = new URL("../bench/interrupt-worker.ts", import.meta.url);
const isLinux = process.platform === "linux";

describe.if(isLinux)("ThreadListener", () => {
  test("hears the number of a Worker's thread, which is not the one that asks", async () => {
    using listener = new ThreadListener();
    const worker = new Worker(ENTRY);
    const thread = await listener.thread;
    expect(existsSync(`/proc/self/task/${thread}`)).toBe(true);
    expect(thread).not.toBe(process.pid);
    worker.terminate();
  });

  test("hears what that thread has used when a call ends: no more than its clock says afterwards", async () => {
    using listener = new ThreadListener();
    const worker = new Worker(ENTRY);
    const clock = makeThreadClock(await listener.thread);
    const before = clock();
    const ended = listener.nextEnd();
    // A component that was never loaded: the Worker says so.
    worker.postMessage({ type: "call", id: 1, digest: "", input: "", limits: {}, control: null });
    const cpuNs = await ended;
    expect(cpuNs).toBeGreaterThan(before);
    expect(cpuNs).toBeLessThanOrEqual(clock());
    worker.terminate();
  });
});

describe.if(isLinux)("makeThreadClock()", () => {
  test("refuses a thread without a number: that would be the one that asks", () => {
    expect(() => makeThreadClock(0)).toThrow(new Error("BUG: a thread without a number"));
    expect(() => makeThreadClock(NaN)).toThrow(new Error("BUG: a thread without a number"));
  });
});
