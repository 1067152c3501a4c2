import { describe, expect, spyOn, test } from "bun:test";
import type { Settled } from "../../lib/executor/settled.ts";
import { POLICY } from "./support/policy.ts";
import { createExecutor, emptyArtifact, ENTRY, outcomeOf, SILENT_ENTRY, tell } from "./support/calls.ts";
import type { Behaviour } from "./support/worker-entry.ts";

/** Longer than a Worker gets to answer an interrupt, with room for a slow machine's timers. */
const GRACE_MS = 300;

const lost = (reason: string): string => `WORKER_LOST Cannot finish the call: its worker was lost (${reason})`;
const CANCELLED = "CANCELLED The call was cancelled";

describe("a Worker that breaks the protocol is lost and replaced", () => {
  const cases: readonly (readonly [behaviour: Behaviour, reason: string])[] = [
    ["throw", "it threw outside of a call"],
    ["reject", "it threw outside of a call"],
    ["exit", "it ended"],
    ["nonsense", "it sent a message that makes no sense"],
    ["ready again", "it said twice that it is ready"],
    ["unknown id", "it answered a call that it was not running"],
    ["code of the host", "it sent a message that makes no sense"],
    ["text beyond the limit", "it sent a message that makes no sense"],
    ["too many denials", "it sent a message that makes no sense"],
  ];
  for (const [behaviour, reason] of cases) {
    test(`${behaviour}: ${reason}`, async () => {
      using executor = createExecutor({ concurrency: 2, queueLimit: 1 });
      const neighbour = executor.call(tell("takes 50 ms"));
      const broken = executor.call(tell(behaviour));
      const queued = executor.call(tell("ok"));
      expect([await broken, await neighbour, await queued].map(outcomeOf)).toEqual([lost(reason), "done", "done"]);
    });
  }

  test("keeps what the engine said for the log, out of the message", async () => {
    using executor = createExecutor();
    const settled = await executor.call(tell("throw"));
    expect(settled.ok || String(settled.failure.cause)).toContain("/a/path/of/the/host");
  });

  test("a Worker that answers twice, or dies while idle, is not given to the next caller", async () => {
    using executor = createExecutor();
    for (const behaviour of ["twice", "done, then dies"] as const) {
      expect(outcomeOf(await executor.call(tell(behaviour)))).toBe("done");
      await Bun.sleep(100);
      expect(outcomeOf(await executor.call(tell("ok")))).toBe("done");
    }
  });
});

describe("what a call may touch", () => {
  test("reaches the Worker as it was decided, and its denials come back", async () => {
    using executor = createExecutor();
    const told = await executor.call(tell("policy", { policy: POLICY }));
    expect(JSON.parse(outcomeOf(told))).toEqual(JSON.parse(JSON.stringify(POLICY)));
    expect(told.denials).toBeUndefined();
    expect((await executor.call(tell("denials"))).denials).toHaveLength(32);
  });
});

describe("a Worker that does not start", () => {
  const silent = { worker: { entry: SILENT_ENTRY, startLimitMs: 100 } };

  test("is given up after the start limit", async () => {
    using executor = createExecutor(silent);
    expect(outcomeOf(await executor.call(tell("ok")))).toBe(lost("it did not start within 100 ms"));
  });

  test("does not keep a caller who cancels", async () => {
    using executor = createExecutor({ worker: { entry: SILENT_ENTRY } });
    const stop = new AbortController();
    const call = executor.call(tell("ok", { signal: stop.signal }));
    stop.abort();
    expect(outcomeOf(await call)).toBe(CANCELLED);
  });

  test("does not keep its caller when the executor is disposed", async () => {
    const executor = createExecutor({ worker: { entry: SILENT_ENTRY } });
    const call = executor.call(tell("ok"));
    executor[Symbol.dispose]();
    expect(outcomeOf(await call)).toBe(CANCELLED);
  });

  test("is lost at once when there is no such entry", async () => {
    using executor = createExecutor({ worker: { entry: new URL("./nowhere.ts", import.meta.url) } });
    expect(outcomeOf(await executor.call(tell("ok")))).toBe(lost("it threw outside of a call"));
  });

  test("lets the start limit pass when it is ready in time", async () => {
    using executor = createExecutor({ worker: { entry: ENTRY, startLimitMs: 500 } });
    expect(outcomeOf(await executor.call(tell("ok")))).toBe("done");
    await Bun.sleep(550);
    expect(outcomeOf(await executor.call(tell("said")))).toBe('["load a"]');
  });
});

describe("a call's deadline", () => {
  test("gives up a wedged Worker, with what is known of its usage; the others do not notice", async () => {
    using executor = createExecutor({ concurrency: 2, queueLimit: 8 });
    await Promise.all([executor.call(tell("takes 50 ms")), executor.call(tell("takes 50 ms"))]);
    const wedged = executor.call(tell("wedged", { timeoutMs: 100 }));
    const late = Bun.sleep(100 + GRACE_MS).then(() => "late");
    const others = Array.from({ length: 8 }, () => executor.call(tell("takes 50 ms")));
    const settled = await Promise.race([wedged, late]);
    expect(typeof settled === "string" ? settled : outcomeOf(settled)).toBe(
      "DEADLINE_EXCEEDED Cannot finish the call: it ran longer than 100 ms",
    );
    const { usage } = await wedged;
    expect(usage).toEqual({
      fuel: 77,
      cpuMs: 12.5,
      wallMs: expect.any(Number),
      peakMemoryBytes: 131_072,
      hostCalls: 3,
      inputBytes: 6,
      outputBytes: 0,
      isPartial: true,
    });
    expect(usage.wallMs).toBeGreaterThanOrEqual(340);
    expect((await Promise.all(others)).map(outcomeOf)).toEqual(Array.from({ length: 8 }, () => "done"));
    const after = [executor.call(tell("takes 50 ms")), executor.call(tell("takes 50 ms"))];
    expect((await Promise.all(after)).map(outcomeOf)).toEqual(["done", "done"]);
  });

  test("runs from the moment that the Worker starts on the call", async () => {
    using executor = createExecutor();
    expect(outcomeOf(await executor.call(tell("starts late", { timeoutMs: 200 })))).toBe("done");
  });

  test("gives up a Worker that never starts on the call", async () => {
    using executor = createExecutor({ worker: { entry: ENTRY, startLimitMs: 200 } });
    for (const timeoutMs of [100, 30_000]) {
      const settled = await executor.call(tell("never starts", { timeoutMs }));
      expect(outcomeOf(settled)).toBe(lost("it did not start on the call within 200 ms"));
      expect(settled.usage.wallMs).toBe(0);
    }
  });

  test("may lie beyond what a timer takes: that would fire again and again", async () => {
    using executor = createExecutor({ worker: { entry: ENTRY, startLimitMs: 200 } });
    await executor.call(tell("ok"));
    using timers = spyOn(globalThis, "setTimeout");
    const call = executor.call(tell("answers an interrupt", { timeoutMs: 2 ** 31 + 1000 }));
    while (timers.mock.calls.length < 2) await Bun.sleep(5);
    expect(timers.mock.calls.map(([, afterMs]) => afterMs)).toEqual([200, 2 ** 31 - 1]);
    executor[Symbol.dispose]();
    expect(outcomeOf(await call)).toBe(CANCELLED);
  });
});

describe("an interrupt", () => {
  test("is answered by the Worker itself, which lives on", async () => {
    using executor = createExecutor();
    const settled = await cancelWhenRunning("answers an interrupt", executor);
    expect(outcomeOf(settled)).toBe(CANCELLED);
    expect(outcomeOf(await executor.call(tell("said")))).toBe('["load a"]');
  });

  test("that is not answered in time costs the Worker", async () => {
    using executor = createExecutor();
    expect(outcomeOf(await cancelWhenRunning("wedged", executor))).toBe(CANCELLED);
    expect(outcomeOf(await executor.call(tell("said")))).toBe('["load a"]');
  });

  test("leaves more time to a Worker whose guest has ended, and only its answer is missing", async () => {
    using executor = createExecutor();
    expect(outcomeOf(await cancelWhenRunning("answers late", executor))).toBe("late");
  });
});

describe("a Worker", () => {
  test("has an empty environment", async () => {
    using executor = createExecutor();
    expect(outcomeOf(await executor.call(tell("environment")))).toBe("{}");
  });

  test("keeps 32 components loaded, and drops the one used longest ago", async () => {
    using executor = createExecutor();
    const use = (index: number): Promise<Settled> =>
      executor.call(tell("said", { artifact: emptyArtifact(`d${index}`) }));
    for (let index = 0; index < 32; index++) await use(index);
    const loads = Array.from({ length: 32 }, (_, index) => `load d${index}`);
    expect(JSON.parse(outcomeOf(await use(0)))).toEqual(loads);
    expect(JSON.parse(outcomeOf(await use(32)))).toEqual([...loads, "load d32", "unload d1"]);
    expect(JSON.parse(outcomeOf(await use(1)))).toEqual([...loads, "load d32", "unload d1", "load d1", "unload d2"]);
  });
});

/** Cancels a call once its Worker has had time to start on it. */
async function cancelWhenRunning(behaviour: Behaviour, executor: ReturnType<typeof createExecutor>): Promise<Settled> {
  await executor.call(tell("ok"));
  const stop = new AbortController();
  const call = executor.call(tell(behaviour, { signal: stop.signal }));
  await Bun.sleep(100);
  stop.abort();
  return call;
}
