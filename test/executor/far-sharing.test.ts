/**
 * Calls that wait in executor processes, and let others have their Worker meanwhile. The Workers do as the input says.
 */
import { describe, expect, test } from "bun:test";
import type { CallRequest } from "../../lib/executor/calls.ts";
import { ProcessPool, type PoolOptions } from "../../lib/executor/pool.ts";
import { ask, emptyArtifact, ENTRY, outcomeOf } from "./support/calls.ts";
import { canSeeProcesses, executorsOf, isAlive } from "./support/processes.ts";
import type { Behaviour } from "./support/worker-entry.ts";

const CANCELLED = "CANCELLED The call was cancelled";
const NEIGHBOUR =
  "EXECUTOR_LOST Cannot finish the call: its executor process was lost (a call beside this one lost it)";

function createPool(options: Partial<PoolOptions> = {}): ProcessPool {
  return new ProcessPool({ concurrency: 1, queueLimit: 1000, process: { entries: { worker: ENTRY } }, ...options });
}

const call = async (pool: ProcessPool, behaviour: Behaviour, options: Partial<CallRequest> = {}): Promise<string> =>
  outcomeOf(await pool.call(ask(behaviour, options)));

/** A call of another component, which has a tenant of its own. */
const of = (digest: string): Partial<CallRequest> => ({ artifact: emptyArtifact(digest) });

describe("calls that wait in a process", () => {
  test("share a Worker with others of their tool", async () => {
    using pool = createPool();
    for (let round = 0; round < 5; round++) {
      const calls = Array.from({ length: 20 }, () => call(pool, "waits until there are 20"));
      expect(new Set(await Promise.all(calls)).size).toBe(1);
    }
  });

  test("are a thousand in one Worker", async () => {
    using pool = createPool();
    const calls = Array.from({ length: 1000 }, () => call(pool, "waits until there are 1000"));
    expect(new Set(await Promise.all(calls)).size).toBe(1);
  }, 20_000);

  test("never share one with another tool, unless the tenant says otherwise", async () => {
    using pool = createPool();
    const name = (digest: string, tenant?: string): Promise<string> =>
      call(pool, "waits 500 ms", { ...of(digest), tenant });
    const apart = await Promise.all([name("a"), name("b"), name("a")]);
    expect([apart[0] === apart[1], apart[0] === apart[2]]).toEqual([false, true]);
    expect(new Set(await Promise.all([name("a", "t"), name("b", "t")])).size).toBe(1);
  });

  test("do not count as running, and those that compute do", async () => {
    using pool = createPool();
    const order: string[] = [];
    const note = (name: string, outcome: Promise<string>): Promise<unknown> => outcome.then(() => order.push(name));
    const waiting = call(pool, "waits until interrupted", {
      ...of("a"),
      limits: { ...ask("ok").limits, timeoutMs: 1500 },
    });
    await call(pool, "ok", of("b"));
    await Promise.all([
      note("computes", call(pool, "computes 600 ms", of("b"))),
      note("next", call(pool, "ok", of("c"))),
    ]);
    expect(order).toEqual(["computes", "next"]);
    expect(await waiting).toMatch(/^DEADLINE_EXCEEDED/);
  });

  test("take turns by clients", async () => {
    using pool = createPool();
    const order: string[] = [];
    const calls = ["many", "many", "many", "many", "few", "few"].map((client) =>
      call(pool, "waits 50 ms", { client }).then(() => order.push(client)),
    );
    await Promise.all(calls);
    expect(order).toEqual(["many", "many", "few", "many", "few", "many"]);
  });
});

/** A pool with six calls that wait, and as many behind them that compute: one of those runs, the rest stand behind it. */
async function crowd(signals: readonly (AbortSignal | undefined)[]) {
  const pool = createPool({ process: { startLimitMs: 700, entries: { worker: ENTRY } } });
  const limits = { ...ask("ok").limits, timeoutMs: 1000 };
  const waiting = Array.from({ length: 6 }, () => call(pool, "waits until interrupted", { limits }));
  await Bun.sleep(200);
  const computing = signals.map((signal) => call(pool, "computes 600 ms", { limits, signal }));
  const other = call(pool, "ok", of("b"));
  return { pool, waiting, computing, other };
}

describe("calls that are sent ahead, to where others of their tool wait", () => {
  test("come back when those before them compute: they take turns with others, are not late, and pass nobody", async () => {
    const { pool, waiting, computing, other } = await crowd(Array.from({ length: 5 }));
    using _ = pool;
    const order: string[] = [];
    await Promise.all([
      call(pool, "ok", { ...of("c"), client: "another" }).then(() => order.push("of another client")),
      other.then(() => order.push("of another tool")),
      ...computing.map((outcome) => outcome.then(() => order.push("computed"))),
    ]);
    // On a machine that is busy the other client may be the very first.
    expect(order).toEqual([
      expect.any(String),
      expect.any(String),
      expect.any(String),
      "computed",
      "computed",
      "computed",
      "of another tool",
    ]);
    expect(order.indexOf("of another client")).toBeLessThanOrEqual(2);
    const names = await Promise.all(computing);
    expect(names).toEqual(names.map(() => expect.stringMatching(/^[\da-f-]{36}$/)));
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => expect.stringMatching(/^DEADLINE_EXCEEDED/)));
  });

  test("end when they are cancelled before their turn, and the rest go on", async () => {
    const cancelled = new AbortController();
    const { pool, computing, other } = await crowd([undefined, cancelled.signal, undefined]);
    using _ = pool;
    await Bun.sleep(100);
    cancelled.abort();
    let isFirstOver = false;
    const first = computing[0]?.then(() => (isFirstOver = true));
    expect([await computing[1], isFirstOver]).toEqual([CANCELLED, false]);
    await first;
    expect([await computing[2], await other]).toEqual([expect.stringMatching(/^[\da-f-]{36}$/), "done"]);
  });
});

describe("a call that waits in a process and is to end", () => {
  for (const isCancelled of [true, false]) {
    const code = isCancelled ? /^CANCELLED/ : /^DEADLINE_EXCEEDED/;
    const limits = { ...ask("ok").limits, timeoutMs: isCancelled ? 30_000 : 1000 };

    test(`${isCancelled ? "cancelled" : "at its deadline"}: does, whether its thread is idle or busy, and the process lives on`, async () => {
      using pool = createPool();
      const stop = new AbortController();
      const wait = (): Promise<string> => call(pool, "waits until interrupted", { limits, signal: stop.signal });
      const idle = wait();
      const name = await call(pool, "names its Worker");
      if (isCancelled) await Bun.sleep(50).then(() => stop.abort());
      expect(await idle).toMatch(code);
      const next = new AbortController();
      let isComputing = true;
      const busy = call(pool, "waits until interrupted", { limits, signal: next.signal });
      await Bun.sleep(isCancelled ? 0 : 700);
      const computing = call(pool, "computes 600 ms").then((outcome) => ((isComputing = false), outcome));
      if (isCancelled) await Bun.sleep(200).then(() => next.abort());
      expect([await busy, isComputing]).toEqual([expect.stringMatching(code), true]);
      expect([await computing, await call(pool, "names its Worker")]).toEqual([name, name]);
    });
  }

  test.if(canSeeProcesses)("is CANCELLED when the pool is disposed of, and the process is gone", async () => {
    const pool = createPool();
    const calls = Array.from({ length: 30 }, () => call(pool, "waits until interrupted"));
    await call(pool, "ok");
    pool[Symbol.dispose]();
    expect(await Promise.all(calls)).toEqual(calls.map(() => CANCELLED));
    while (executorsOf(process.pid).some(isAlive)) await Bun.sleep(1);
  });
});

describe("a process that is lost", () => {
  test("fails all calls that waited there, in whatever Worker, as neighbours", async () => {
    using pool = createPool();
    const calls = Array.from({ length: 30 }, (_, index) => call(pool, "waits until interrupted", of(`d${index % 3}`)));
    await call(pool, "ok", of("d0"));
    expect(await call(pool, "exit", of("d0"))).toBe(
      "WORKER_LOST Cannot finish the call: its worker was lost (it ended)",
    );
    expect(await Promise.all(calls)).toEqual(calls.map(() => NEIGHBOUR));
    expect(await call(pool, "ok")).toBe("done");
  });

  test("because a call that waits does not answer: that one ends as it was interrupted", async () => {
    using pool = createPool();
    const stop = new AbortController();
    const neighbour = call(pool, "waits until interrupted");
    const deaf = call(pool, "waits for ever", { signal: stop.signal });
    await call(pool, "ok");
    stop.abort();
    expect(await deaf).toBe(CANCELLED);
    expect(await neighbour).toBe(
      "EXECUTOR_LOST Cannot finish the call: its executor process was lost (a worker was lost: it did not answer an interrupt within 250 ms)",
    );
  });

  test("does not happen to one whose call stands behind another for longer than the start limit", async () => {
    using pool = createPool({ process: { startLimitMs: 400, entries: { worker: ENTRY } } });
    await call(pool, "ok");
    const liar = call(pool, "computes 600 ms, and says that it waits");
    expect(await call(pool, "names its Worker")).toBe(await liar);
  });
});
