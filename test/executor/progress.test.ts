import { describe, expect, test } from "bun:test";
import type { Progress } from "../../lib/protocol/limits.ts";
import { AMPLE, summarize, TestRuntime } from "../support/runtime.ts";
import { createExecutor, outcomeOf, tell } from "./support/calls.ts";

const LOST = "WORKER_LOST Cannot finish the call: its worker was lost (it s";

describe("progress of a call", () => {
  test.each(["worker", "process"] as const)("tells what the guest logs before its end: %s", async (isolation) => {
    await using kami = new TestRuntime({ isolation });
    const heard: Progress[] = [];
    const result = await kami.run("kami-tool", { a: 1 }, { onProgress: (progress) => heard.push(progress) });
    expect(summarize(result)).toEqual({ output: { a: 1 } });
    expect(heard.filter(({ said }) => said !== undefined)).toEqual([{ fuel: expect.any(Number), said: '{"a":1}' }]);
  });

  test.each(["worker", "process"] as const)("tells the fuel of one that computes, ever more: %s", async (isolation) => {
    await using kami = new TestRuntime({ isolation });
    const heard: Progress[] = [];
    const stop = new AbortController();
    const onProgress = (progress: Progress): void => {
      heard.push(progress);
      if (heard.length === 2) stop.abort();
    };
    const limits = { ...AMPLE, fuel: Number.MAX_SAFE_INTEGER };
    const result = await kami.run("spin", {}, { limits, signal: stop.signal, onProgress });
    expect(summarize(result)).toMatchObject({ code: "CANCELLED" });
    const [first = { fuel: 0 }, second = { fuel: 0 }] = heard;
    expect(first.fuel).toBeGreaterThan(0);
    expect(second.fuel).toBeGreaterThan(first.fuel);
    const told = heard.length;
    await Bun.sleep(600);
    expect(heard).toHaveLength(told);
  });

  test.each(["worker", "process"] as const)("tells little of a guest that logs without end: %s", async (isolation) => {
    await using kami = new TestRuntime({ isolation });
    const heard: Progress[] = [];
    const result = await kami.run("log-flood", {}, { limits: AMPLE, onProgress: (progress) => heard.push(progress) });
    expect(result.captured.droppedBytes).toBeGreaterThan(0);
    expect(heard.length).toBeGreaterThan(0);
    expect(heard.length).toBeLessThan(8 + (result.usage.wallMs / 1000) * 15 + 5);
    expect(heard.every(({ said = "" }) => said.length <= 500)).toBe(true);
  });

  test("hears what a Worker tells, up to its limit", async () => {
    using executor = createExecutor();
    const heard: Progress[] = [];
    const onProgress = (progress: Progress): void => void heard.push(progress);
    expect(outcomeOf(await executor.call(tell("tells 3 lines", { onProgress })))).toBe("done");
    expect(heard).toEqual(Array.from({ length: 3 }, () => ({ fuel: 0, said: "line" })));
  });

  for (const [behaviour, wants] of [
    ["tells 3 lines", false],
    ["tells 1025 lines", true],
    ["tells a long line", true],
    ["tells another's line", true],
  ] as const) {
    test(`gives up a Worker that ${behaviour} to ${wants ? "one who wants to hear" : "nobody"}`, async () => {
      using executor = createExecutor();
      const onProgress = wants ? (): void => undefined : undefined;
      expect(outcomeOf(await executor.call(tell(behaviour, { onProgress })))).toStartWith(LOST);
      expect(outcomeOf(await executor.call(tell("ok")))).toBe("done");
    });
  }
});
