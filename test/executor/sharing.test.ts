/**
 * Calls that wait, and let others have their Worker meanwhile. The Workers do as the input says.
 */
import { describe, expect, spyOn, test } from "bun:test";
import type { ExecutorCall } from "../../lib/executor/executor.ts";
import { Fleet } from "../../lib/executor/fleet.ts";
import { WorkerHandle } from "../../lib/executor/worker.ts";
import { ControlBlock } from "../../lib/protocol/control.ts";
import { createExecutor, emptyArtifact, ENTRY, outcomeOf, tell } from "./support/calls.ts";
import type { Behaviour } from "./support/worker-entry.ts";

type Executor = ReturnType<typeof createExecutor>;

const CANCELLED = "CANCELLED The call was cancelled";
const BUSY = /^BUSY /;

/** What `publishMemory` says in the entry's Workers, in bytes. */
const IN_USE_BYTES = 65_536;

const lost = (reason: string): string => `WORKER_LOST Cannot finish the call: its worker was lost (${reason})`;
const NEIGHBOUR = lost("a call beside this one lost it");

/** A call that is under way. */
interface Sent {
  readonly outcome: Promise<string>;
  readonly control: ControlBlock;
  readonly stop: AbortController;
  /** What was told of its control block. */
  readonly left: boolean[];
}

function send(executor: Executor, behaviour: Behaviour, options: Parameters<typeof tell>[1] = {}): Sent {
  const control = new ControlBlock();
  const stop = new AbortController();
  const left: boolean[] = [];
  const own: Partial<ExecutorCall> = { control, signal: stop.signal, onLeft: (isIntact) => left.push(isIntact) };
  return { outcome: executor.call(tell(behaviour, { ...own, ...options })).then(outcomeOf), control, stop, left };
}

/** Sends a call, and waits until it waits. */
async function sendWaiting(executor: Executor, behaviour: Behaviour, options?: Parameters<typeof tell>[1]) {
  const sent = send(executor, behaviour, options);
  while (sent.control.state !== "suspended") await Bun.sleep(1);
  return sent;
}

/** Sends a call, and waits until it has a Worker's thread. */
async function sendRunning(executor: Executor, behaviour: Behaviour, options?: Parameters<typeof tell>[1]) {
  const sent = send(executor, behaviour, options);
  // On a machine that is busy elsewhere it may be past that before anyone looks.
  while (sent.control.state !== "running" && sent.control.state !== "suspended") await Bun.sleep(1);
  return sent;
}

const ask = (executor: Executor, behaviour: Behaviour, options?: Parameters<typeof tell>[1]): Promise<string> =>
  send(executor, behaviour, options).outcome;

describe("calls that wait", () => {
  test("share one Worker with others of their tool", async () => {
    using executor = createExecutor({ queueLimit: 20 });
    const calls = Array.from({ length: 20 }, () => ask(executor, "waits until there are 20"));
    const names = new Set(await Promise.all(calls));
    expect(names.size).toBe(1);
    expect([await ask(executor, "names its Worker")]).toEqual([...names]);
  });

  test("leave nobody behind who waits for their Worker, however the two sides meet", async () => {
    using executor = createExecutor({ queueLimit: 20 });
    for (let round = 0; round < 1000; round++) {
      const calls = Array.from({ length: 20 }, () =>
        executor.call(tell("waits until there are 20", { timeoutMs: 3000 })).then(outcomeOf),
      );
      expect(new Set(await Promise.all(calls)).size).toBe(1);
    }
  }, 30_000);

  test("leave nobody behind when a Worker parks just before it is asked to say so", async () => {
    using executor = createExecutor({ queueLimit: 2 });
    const first = await sendRunning(executor, "waits until there are 3");
    using want = spyOn(Fleet.prototype, "want");
    // Both wait when it parks, and it does not see the wish: there is nothing left for it to say.
    want.mockImplementationOnce(() => undefined);
    want.mockImplementationOnce(() => {
      while (first.control.state !== "suspended");
    });
    const others = [1, 2].map(() => ask(executor, "waits until there are 3"));
    expect(new Set(await Promise.all([first.outcome, ...others])).size).toBe(1);
  });

  for (const [one, other, isShared, why] of [
    ["a", "a", true, "the same component"],
    ["a", "b", false, "another component"],
  ] as const) {
    test(`${isShared ? "share" : "never share"} a Worker with ${why}, unless the tenant says otherwise`, async () => {
      using executor = createExecutor({ queueLimit: 1 });
      const name = (digest: string, tenant?: string): Promise<string> =>
        ask(executor, "waits 500 ms", { artifact: emptyArtifact(digest), tenant });
      const names = await Promise.all([name(one), name(other)]);
      expect(names[0] === names[1]).toBe(isShared);
      const together = await Promise.all([name(one, "t"), name(other, "t")]);
      expect(together[0] === together[1]).toBe(true);
      const apart = await Promise.all([name(one, "t"), name(other, "u")]);
      expect(apart[0] === apart[1]).toBe(false);
    });
  }

  test("do not count as running: each lets one more begin, and one that runs none", async () => {
    using executor = createExecutor({ concurrency: 2 });
    await sendWaiting(executor, "waits until interrupted", { tenant: "a" });
    await sendWaiting(executor, "waits until interrupted", { tenant: "b" });
    const first = await sendRunning(executor, "computes 600 ms", { tenant: "c" });
    expect(await ask(executor, "ok", { tenant: "d" })).toBe("done");
    const second = await sendRunning(executor, "computes 600 ms", { tenant: "d" });
    expect(await ask(executor, "ok", { tenant: "a" })).toMatch(BUSY);
    for (const { stop, outcome } of [first, second]) {
      stop.abort();
      await outcome;
    }
    expect(await ask(executor, "ok", { tenant: "a" })).toBe("done");
  });

  test("leave as many Workers as calls may run, when they have ended", async () => {
    using executor = createExecutor();
    using ended = spyOn(WorkerHandle.prototype, Symbol.dispose);
    const waiting: Sent[] = [];
    for (const tenant of ["a", "b", "c"]) {
      waiting.push(await sendWaiting(executor, "waits until interrupted", { tenant }));
    }
    for (const { stop, outcome } of waiting) {
      stop.abort();
      await outcome;
    }
    expect(ended.mock.calls.length).toBe(2);
    expect(await ask(executor, "ok")).toBe("done");
    expect(ended.mock.calls.length).toBe(2);
  });

  test("do not let another call into a Worker that runs one", async () => {
    using executor = createExecutor({ concurrency: 2 });
    await sendWaiting(executor, "waits until interrupted");
    const running = await sendRunning(executor, "computes 600 ms");
    const beside = await ask(executor, "names its Worker");
    expect(beside).not.toBe(await running.outcome);
  });
});

describe("the bounds", () => {
  test("of a Worker's calls: one below and at it they share, one above goes elsewhere", async () => {
    using executor = createExecutor({ bounds: { callsPerWorker: 3 } });
    const waiting = [await sendWaiting(executor, "waits until interrupted")];
    const name = await ask(executor, "names its Worker");
    for (let calls = 2; calls <= 3; calls++) {
      expect(await ask(executor, "names its Worker")).toBe(name);
      waiting.push(await sendWaiting(executor, "waits until interrupted"));
    }
    expect(await ask(executor, "names its Worker")).not.toBe(name);
    for (const { stop, outcome } of waiting) {
      stop.abort();
      expect(await outcome).toBe(CANCELLED);
    }
  });

  test("of all calls: at it the next one waits for its turn", async () => {
    using executor = createExecutor({ bounds: { calls: 3 }, queueLimit: 1 });
    const first = await sendWaiting(executor, "waits until interrupted");
    await sendWaiting(executor, "waits until interrupted", { tenant: "b" });
    expect(await ask(executor, "ok")).toBe("done");
    await sendWaiting(executor, "waits until interrupted");
    const queued = ask(executor, "ok");
    expect(await ask(executor, "ok")).toMatch(BUSY);
    first.stop.abort();
    expect(await queued).toBe("done");
  });

  test("of Workers: at it another tool waits for its turn, and the same tools do not", async () => {
    using executor = createExecutor({ bounds: { workers: 2 }, queueLimit: 1 });
    const first = await sendWaiting(executor, "waits until interrupted", { tenant: "a" });
    await sendWaiting(executor, "waits until interrupted", { tenant: "b" });
    const other = ask(executor, "ok", { tenant: "c" });
    for (const tenant of ["a", "b", "a"]) expect(await ask(executor, "ok", { tenant })).toBe("done");
    expect(await Promise.race([other, Bun.sleep(20)])).toBeUndefined();
    first.stop.abort();
    expect(await other).toBe("done");
  });

  for (const [memoryBytes, outcome, why] of [
    [2 * IN_USE_BYTES - 1, BUSY, "above"],
    [2 * IN_USE_BYTES, BUSY, "at"],
    [2 * IN_USE_BYTES + 1, /^done$/, "one byte below"],
  ] as const) {
    test(`of memory: with what calls have in use ${why} it`, async () => {
      using executor = createExecutor({ bounds: { memoryBytes } });
      await sendWaiting(executor, "waits until interrupted");
      const second = await sendWaiting(executor, "waits until interrupted");
      expect(await ask(executor, "ok")).toMatch(outcome);
      second.stop.abort();
      await second.outcome;
      expect(await ask(executor, "ok")).toBe("done");
    });
  }
});

describe("a call that waits and is to end", () => {
  for (const isCancelled of [true, false]) {
    const code = isCancelled ? /^CANCELLED/ : /^DEADLINE_EXCEEDED/;
    const limits = isCancelled ? {} : { timeoutMs: 300 };
    const name = isCancelled ? "cancelled" : "at its deadline";

    test(`${name}: answers itself when its thread is idle, and frees its place`, async () => {
      using executor = createExecutor({ bounds: { calls: 1 } });
      const { outcome, stop, control, left } = await sendWaiting(executor, "waits until interrupted", limits);
      if (isCancelled) stop.abort();
      expect(await outcome).toMatch(code);
      expect([control.state, left]).toEqual(["settled", [true]]);
      expect(await ask(executor, "ok")).toBe("done");
    });

    test(`${name}: is abandoned when its thread is busy, and the Worker lives on`, async () => {
      using executor = createExecutor({ bounds: { calls: 2 } });
      const waiting = await sendWaiting(executor, "waits until interrupted", limits);
      const running = await sendRunning(executor, "computes 600 ms");
      if (isCancelled) waiting.stop.abort();
      expect(await waiting.outcome).toMatch(code);
      // The thread does not know yet: what it still has is nobody else's.
      expect([waiting.control.state, running.control.state, waiting.left]).toEqual(["abandoned", "running", []]);
      expect(await ask(executor, "ok")).toMatch(BUSY);
      const worker = await running.outcome;
      while (waiting.left.length === 0) await Bun.sleep(1);
      expect(waiting.left).toEqual([true]);
      expect(await ask(executor, "names its Worker")).toBe(worker);
    });
  }

  test("tells what it had used, when it is abandoned", async () => {
    using executor = createExecutor();
    const control = new ControlBlock();
    const waiting = executor.call(tell("waits until interrupted", { control, timeoutMs: 200 }));
    while (control.state !== "suspended") await Bun.sleep(1);
    await sendRunning(executor, "computes 600 ms");
    const settled = await waiting;
    expect(outcomeOf(settled)).toBe("DEADLINE_EXCEEDED Cannot finish the call: it ran longer than 200 ms");
    expect(settled.usage).toEqual({
      fuel: 77,
      cpuMs: 12.5,
      wallMs: expect.any(Number),
      peakMemoryBytes: 131_072,
      hostCalls: 3,
      inputBytes: 23,
      outputBytes: 0,
      isPartial: true,
    });
    expect(settled.usage.wallMs).toBeGreaterThanOrEqual(200);
  });

  test("costs the Worker when the thread is idle and does not answer: its other calls are lost with it", async () => {
    using executor = createExecutor();
    const deaf = await sendWaiting(executor, "waits for ever");
    const neighbour = await sendWaiting(executor, "waits until interrupted");
    deaf.stop.abort();
    expect(await deaf.outcome).toBe(CANCELLED);
    expect(await neighbour.outcome).toBe(lost("it did not answer an interrupt within 250 ms"));
    expect([deaf.left, neighbour.left]).toEqual([[false], [false]]);
    expect(await ask(executor, "ok")).toBe("done");
  });

  test("closes what it has open when the executor is disposed of", async () => {
    const executor = createExecutor();
    const waiting: Sent[] = [];
    for (let calls = 0; calls < 3; calls++) waiting.push(await sendWaiting(executor, "waits until interrupted"));
    executor[Symbol.dispose]();
    for (const { outcome, control } of waiting) {
      expect(await outcome).toBe(CANCELLED);
      // Three when it began, one more when it has come to its end.
      while (control.hostCalls !== 4) await Bun.sleep(1);
    }
  });
});

describe("a call that was given to a Worker whose thread is busy after all", () => {
  test("does not wait for it when it is cancelled, and never begins", async () => {
    using executor = createExecutor({ queueLimit: 1 });
    const liar = await sendRunning(executor, "computes 600 ms, and says that it waits");
    const behind = send(executor, "waits until interrupted");
    await Bun.sleep(50);
    behind.stop.abort();
    expect(await behind.outcome).toBe(CANCELLED);
    expect([behind.control.state, behind.control.startedAtMs, liar.control.state]).toEqual([
      "abandoned",
      undefined,
      "running",
    ]);
    await liar.outcome;
    while (behind.left.length === 0) await Bun.sleep(1);
    expect(behind.left).toEqual([true]);
  });

  test("may begin later than the start limit says", async () => {
    using executor = createExecutor({ worker: { entry: ENTRY, startLimitMs: 300 }, queueLimit: 1 });
    await ask(executor, "ok");
    const liar = await sendRunning(executor, "computes 600 ms, and says that it waits");
    const behind = ask(executor, "names its Worker");
    expect(await behind).toBe(await liar.outcome);
  });
});

describe("a Worker that is lost", () => {
  test("loses the call that ran as the reason, and those that waited as neighbours", async () => {
    using executor = createExecutor();
    const waiting: Sent[] = [];
    for (let calls = 0; calls < 50; calls++) waiting.push(await sendWaiting(executor, "waits until interrupted"));
    expect(await ask(executor, "exit")).toBe(lost("it ended"));
    const outcomes = await Promise.all(waiting.map(({ outcome }) => outcome));
    expect(outcomes).toEqual(waiting.map(() => NEIGHBOUR));
    expect(new Set(waiting.map(({ left }) => String(left)))).toEqual(new Set(["false"]));
    expect(await ask(executor, "ok")).toBe("done");
  });

  test("because a call does not answer an interrupt: that one ends as it was interrupted", async () => {
    using executor = createExecutor();
    const waiting = await sendWaiting(executor, "waits until interrupted");
    const wedged = ask(executor, "wedged", { timeoutMs: 100 });
    expect(await wedged).toMatch(/^DEADLINE_EXCEEDED/);
    expect(await waiting.outcome).toBe(NEIGHBOUR);
  });

  test("because it says that its calls wait, and nobody had asked", async () => {
    using executor = createExecutor();
    expect(await ask(executor, "parks unasked")).toBe(lost("it said that its calls wait, and nobody had asked"));
  });
});

describe("turns", () => {
  test("are taken by clients also where many calls wait", async () => {
    using executor = createExecutor({ queueLimit: 100 });
    const running = await sendRunning(executor, "computes 600 ms");
    const order: string[] = [];
    const calls = ["many", "many", "many", "many", "few", "few"].map((client) =>
      ask(executor, "waits 50 ms", { client }).then(() => order.push(client)),
    );
    running.stop.abort();
    await Promise.all(calls);
    expect(order).toEqual(["many", "few", "many", "few", "many", "many"]);
  });

  test("go to the next for whom there is a Worker, and back to the first when there is one for it", async () => {
    using executor = createExecutor({ bounds: { workers: 1 }, queueLimit: 10 });
    const first = await sendWaiting(executor, "waits until interrupted", { tenant: "a" });
    const running = await sendRunning(executor, "computes 600 ms", { tenant: "a" });
    const order: string[] = [];
    const queue = async (tenant: string): Promise<void> => {
      await ask(executor, "ok", { tenant, client: tenant });
      order.push(tenant);
    };
    const queued = [queue("b"), queue("a")];
    running.stop.abort();
    await running.outcome;
    await queued[1];
    first.stop.abort();
    await Promise.all(queued);
    expect(order).toEqual(["a", "b"]);
  });
});
