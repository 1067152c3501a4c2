/**
 * The clocks of the benchmarks: they look at the thread that they say.
 */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { makeThreadClock, nextThread } from "../bench/thread-clock.ts";

const ENTRY = new URL("../bench/interrupt-worker.ts", import.meta.url);
const isLinux = process.platform === "linux";

describe.if(isLinux)("nextThread()", () => {
  test("tells the number of a Worker's thread, which is not the one that asks", async () => {
    const told = nextThread();
    const worker = new Worker(ENTRY);
    const thread = await told;
    expect(existsSync(`/proc/self/task/${thread}`)).toBe(true);
    expect(thread).not.toBe(process.pid);
    worker.terminate();
  });
});

describe.if(isLinux)("makeThreadClock()", () => {
  test("refuses a thread without a number: that would be the one that asks", () => {
    expect(() => makeThreadClock(0)).toThrow(new Error("BUG: a thread without a number"));
    expect(() => makeThreadClock(NaN)).toThrow(new Error("BUG: a thread without a number"));
  });
});
