import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { guestPath } from "../../fixtures/paths.ts";
import { compileComponent } from "../../lib/component/compile.ts";
import { closeSync, openSync } from "node:fs";
import type { Artifact } from "../../lib/component/artifact.ts";
import { ProcessPool, type PoolOptions } from "../../lib/executor/pool.ts";
import type { Settled } from "../../lib/executor/settled.ts";
import { ask, emptyArtifact, ENTRY, outcomeOf, SILENT_ENTRY } from "./support/calls.ts";
import { TemporaryDirectory } from "../support/temporary.ts";
import {
  canSeeProcesses,
  environmentOf,
  EXECUTOR_ENVIRONMENT,
  executorsOf,
  isAlive,
  strangeDescriptors,
} from "./support/processes.ts";
import { POLICY } from "./support/policy.ts";
import type { Behaviour } from "./support/worker-entry.ts";

/** What a wedged Worker or process may take beyond its deadline, with room for a slow machine's timers. */
const LIMIT_MS = 300 + 150;

const HOSTILE = new URL("./support/hostile-process.ts", import.meta.url);
const CANCELLED = "CANCELLED The call was cancelled";
const TOO_LATE = "DEADLINE_EXCEEDED Cannot finish the call: it ran longer than 100 ms";

const lost = (reason: string): string =>
  `EXECUTOR_LOST Cannot finish the call: its executor process was lost (${reason})`;
const workerLost = (reason: string): string => `WORKER_LOST Cannot finish the call: its worker was lost (${reason})`;
const MUTE = lost("it did not say within 250 ms how far the call is");
const NEIGHBOUR = lost("a call beside this one lost it");

function createPool(options: Partial<PoolOptions> = {}): ProcessPool {
  return new ProcessPool({ concurrency: 1, queueLimit: 16, process: { entries: { worker: ENTRY } }, ...options });
}

/** A pool whose processes do to the host what the name says. */
function createHostile(behaviour: string, startLimitMs = 5000): ProcessPool {
  const worker = new URL(`hostile:${encodeURIComponent(behaviour)}`);
  return createPool({ process: { startLimitMs, entries: { process: HOSTILE, worker } } });
}

/** Tells whether more time than that has passed, by a timer of the very thread whose timers are tested. */
function lateness(deadlineMs: number): { isLate: boolean } {
  const late = { isLate: false };
  setTimeout(() => (late.isLate = true), deadlineMs + LIMIT_MS).unref();
  return late;
}

const call = async (pool: ProcessPool, behaviour: Behaviour, options?: Parameters<typeof ask>[1]): Promise<string> =>
  outcomeOf(await pool.call(ask(behaviour, options)));

describe("a hostile process is killed, and its call fails", () => {
  for (const [behaviour, reason] of [
    ["ends at once", "it ended"],
    ["ready twice", "it said twice that it is ready"],
    ["garbage", "it sent a message that is too long"],
    ["no JSON", "it sent a message that makes no sense"],
    ["deep JSON", "it sent a message that makes no sense"],
    ["null", "it sent a message that makes no sense"],
    ["prototype", "it sent a message that makes no sense"],
    ["too long", "it sent a message that is too long"],
    ["a header that is too long", "it sent a message that makes no sense"],
    ["a header beyond the frame", "it sent a message that makes no sense"],
    ["an empty frame", "it sent a message that makes no sense"],
    ["a body where there is none", "it sent a message that makes no sense"],
    ["endless output", "it sent a message that is too long"],
    ["endless stderr", "it wrote too much to standard error"],
    ["another's answer", "it answered a call that it was not running"],
    ["answers before it is asked", "it answered a call that it was not running"],
    ["tells unasked", "it told about a call that nobody asked about"],
    ["gives back what is not ahead", "it gave back a call that was not sent ahead"],
    ["tells of room unasked", "it told about room that nobody asked about"],
    ["parks as a Worker does", "it sent a message that makes no sense"],
    ["loses what it does not run", "it lost a call that it was not running"],
    ["a reason without end", "it sent a message that makes no sense"],
    ["a result that is too large", "it sent a message that makes no sense"],
    ["a result that is no text, and too large as one", "it sent a message that makes no sense"],
  ] as const) {
    test(`${behaviour}: ${reason}`, async () => {
      using pool = createHostile(behaviour);
      const outcome = await call(pool, "ok");
      // What is no message may be taken for a length that is short enough.
      if (/garbage|endless output/.test(behaviour))
        expect(outcome).toMatch(/\((?:it sent a message that is too long|it sent a message that makes no sense)\)$/);
      else expect(outcome).toBe(lost(reason));
    });
  }

  for (const [behaviour, options, outcome] of [
    ["silent", {}, lost("it did not start within 400 ms")],
    ["says for ever that the call waits", {}, lost("it did not start on the call within 400 ms")],
    ["says for ever that the call stands behind another", {}, lost("it did not start on the call within 400 ms")],
    ["says for ever that the call has just begun", { timeoutMs: 100 }, TOO_LATE],
    ["closes stdout", { timeoutMs: 100 }, lost("it ended")],
    ["spins", { timeoutMs: 100 }, MUTE],
    ["stops reading", { timeoutMs: 100 }, MUTE],
    ["stops reading", { timeoutMs: 100, input: "x".repeat(4_194_304) }, MUTE],
    ["reads nothing", { timeoutMs: 100, artifact: largeArtifact() }, MUTE],
  ] as const) {
    test(`in time: ${behaviour}${"input" in options ? ", with a large input" : ""}`, async () => {
      using pool = createHostile(behaviour, 400);
      const running = call(pool, "ok", options);
      const late = lateness(400);
      expect(await running).toBe(outcome);
      expect(late.isLate).toBe(false);
    });
  }

  test("that gives back what was sent ahead gets each once more, to be run, and no call is run twice or lost", async () => {
    using pool = createHostile("gives back all that is ahead");
    const calls = Array.from({ length: 13 }, () => call(pool, "ok"));
    const outcomes = await Promise.all(calls);
    expect(new Set(outcomes)).toEqual(new Set(["done", ...Array.from({ length: 12 }, (_, at) => `run ${at + 1}`)]));
    expect(await call(pool, "ok")).toBe("run 13");
  });

  test("that gives a call back twice is given up", async () => {
    using pool = createHostile("gives back twice what is ahead", 400);
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => call(pool, "ok")));
    expect(outcomes).toContain(lost("it gave back a call that was not sent ahead"));
  });

  test("that answers twice is not given to the next caller", async () => {
    using pool = createHostile("answers twice");
    expect(await call(pool, "ok")).toBe("done");
    expect(await call(pool, "ok")).toBe("done");
  });
});

describe("what a call may touch", () => {
  test("reaches a Worker in a process as it was decided, and its denials come back, escaped as they may be", async () => {
    using pool = createPool();
    expect(JSON.parse(await call(pool, "policy", { policy: POLICY }))).toEqual(JSON.parse(JSON.stringify(POLICY)));
    const { denials } = await pool.call(ask("denials"));
    const text = "\u0001".repeat(300);
    expect(denials).toEqual(Array.from({ length: 32 }, () => ({ capability: text, target: text })));
  });

  test("costs the process when it cannot be read: nothing runs under a policy that nobody decided", async () => {
    using pool = createPool();
    const policy = { ...POLICY, clockTickNs: 0 };
    expect(outcomeOf(await pool.call(ask("ok", { policy })))).toBe(lost("it ended"));
  });
});

describe("a wedged Worker costs its process, within its deadline and 300 ms", () => {
  for (const behaviour of ["wedged", "spins"] as const) {
    test.if(canSeeProcesses)(`${behaviour}, and no other process's calls`, async () => {
      using pool = createPool({ concurrency: 2 });
      await Promise.all([call(pool, "takes 50 ms"), call(pool, "takes 50 ms")]);
      const before = executorsOf(process.pid);
      const wedged = pool.call(ask(behaviour, { timeoutMs: 100 }));
      const late = lateness(100);
      const others = Array.from({ length: 8 }, () => call(pool, "takes 50 ms"));
      const settled = await wedged;
      expect(late.isLate).toBe(false);
      // A machine too busy for the process to say anything in time loses all of it.
      expect([TOO_LATE, MUTE]).toContain(outcomeOf(settled));
      if (outcomeOf(settled) === TOO_LATE)
        expect(settled.usage).toMatchObject({ fuel: 77, peakMemoryBytes: 131_072, isPartial: true });
      expect(await Promise.all(others)).toEqual(others.map(() => "done"));
      expect(await Promise.all([call(pool, "takes 50 ms"), call(pool, "takes 50 ms")])).toEqual(["done", "done"]);
      const after = executorsOf(process.pid).filter(isAlive);
      expect(after.filter((pid) => before.includes(pid)).length).toBe(1);
      expect(after.length).toBe(2);
    });
  }

  test("a cancelled one is CANCELLED, and calls beside it are lost with the process", async () => {
    using pool = createPool({ concurrency: 16 });
    await Promise.all(Array.from({ length: 16 }, () => call(pool, "takes 50 ms")));
    const stop = new AbortController();
    const wedged = call(pool, "wedged", { signal: stop.signal });
    const others = Array.from({ length: 15 }, () => call(pool, "answers an interrupt", { timeoutMs: 1000 }));
    await Bun.sleep(100);
    stop.abort();
    expect(await wedged).toBe(CANCELLED);
    const outcomes = await Promise.all(others);
    expect(outcomes.filter((outcome) => outcome === NEIGHBOUR).length).toBe(3);
    expect(new Set(outcomes)).toEqual(new Set([NEIGHBOUR, CANCELLED]));
  });

  const broken: readonly (readonly [behaviour: Behaviour, reason: string])[] = [
    ["throw", "it threw outside of a call"],
    ["exit", "it ended"],
    ["nonsense", "it sent a message that makes no sense"],
    ["unknown id", "it answered a call that it was not running"],
  ];
  for (const [behaviour, reason] of broken) {
    test(`so does one that breaks the protocol: ${behaviour}`, async () => {
      using pool = createPool();
      const queued = [call(pool, behaviour), call(pool, "ok")];
      expect(await Promise.all(queued)).toEqual([workerLost(reason), "done"]);
    });
  }
});

describe.if(canSeeProcesses)("a process", () => {
  test("that is killed fails its call, and is replaced for the next", async () => {
    using pool = createPool();
    await call(pool, "ok");
    for (let round = 0; round < 3; round++) {
      const running = call(pool, "answers an interrupt");
      const pid = executorsOf(process.pid).find(isAlive) ?? 0;
      process.kill(pid, "SIGKILL");
      expect(await running).toBe(lost("it ended"));
      expect(await call(pool, "ok")).toBe("done");
    }
  });

  test("that is stopped is killed at its call's deadline", async () => {
    using pool = createPool();
    await call(pool, "ok");
    const running = call(pool, "answers an interrupt", { timeoutMs: 200 });
    const pid = executorsOf(process.pid).find(isAlive) ?? 0;
    process.kill(pid, "SIGSTOP");
    const late = lateness(200);
    expect(await running).toBe(MUTE);
    expect(late.isLate).toBe(false);
    while (isAlive(pid)) await Bun.sleep(1);
    expect(await call(pool, "ok")).toBe("done");
  });

  test("that is stopped is killed when its call is cancelled", async () => {
    using pool = createPool();
    await call(pool, "ok");
    const stop = new AbortController();
    const running = call(pool, "answers an interrupt", { signal: stop.signal });
    process.kill(executorsOf(process.pid).find(isAlive) ?? 0, "SIGSTOP");
    stop.abort();
    expect(await running).toBe(CANCELLED);
    expect(await call(pool, "ok")).toBe("done");
  });

  test("is gone when its pool is disposed of, whatever it does or stopped, and its calls are cancelled", async () => {
    for (const behaviour of ["ok", "wedged", "spins"] as const) {
      const pool = createPool({ concurrency: 2 });
      await Promise.all([call(pool, "takes 50 ms"), call(pool, "takes 50 ms")]);
      const pids = executorsOf(process.pid).filter(isAlive);
      expect(pids.length).toBe(2);
      const calls = [call(pool, behaviour), call(pool, "wedged"), call(pool, "ok")];
      for (const pid of pids.slice(1)) process.kill(pid, "SIGSTOP");
      pool[Symbol.dispose]();
      calls.push(call(pool, "ok"));
      expect(await Promise.all(calls)).toEqual(calls.map(() => CANCELLED));
      while (pids.some(isAlive)) await Bun.sleep(1);
    }
  });

  test("is gone when its pool is disposed of while it starts", async () => {
    const pool = createPool();
    const running = call(pool, "ok");
    pool[Symbol.dispose]();
    expect(await running).toBe(CANCELLED);
    while (executorsOf(process.pid).some(isAlive)) await Bun.sleep(1);
  });
});

describe.if(canSeeProcesses)("what a process inherits", () => {
  test("is one variable of KAMI's own, and no file, socket or database of its parent", async () => {
    using directory = new TemporaryDirectory();
    const file = openSync(directory.join("file"), "w");
    using database = new Database(directory.join("registry.db"));
    database.run("create table t (a)");
    using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
    using pool = createPool();
    expect(await call(pool, "ok")).toBe("done");
    const pid = executorsOf(process.pid).find(isAlive) ?? 0;
    expect([environmentOf(pid), strangeDescriptors(pid)]).toEqual([EXECUTOR_ENVIRONMENT, []]);
    expect(await call(pool, "environment")).toBe("{}");
    expect(server.port).toBeGreaterThan(0);
    closeSync(file);
  });
});

describe("a call", () => {
  test("that is answered keeps the process and its Workers", async () => {
    using pool = createPool();
    expect(await call(pool, "ok")).toBe("done");
    const stop = new AbortController();
    const interrupted = call(pool, "answers an interrupt", { signal: stop.signal });
    await Bun.sleep(50);
    stop.abort();
    expect(await interrupted).toBe(CANCELLED);
    expect(await call(pool, "answers an interrupt", { timeoutMs: 100 })).toBe(CANCELLED);
    expect(await call(pool, "starts late", { timeoutMs: 200 })).toBe("done");
    expect(await call(pool, "said")).toBe('["load a"]');
  });

  test("is not kept by a process that has not started, when it is cancelled", async () => {
    using pool = createHostile("silent", 30_000);
    const stop = new AbortController();
    const running = call(pool, "ok", { signal: stop.signal });
    stop.abort();
    expect(await running).toBe(CANCELLED);
  });

  test("is told when its Worker does not start", async () => {
    using pool = createPool({ process: { startLimitMs: 400, entries: { worker: SILENT_ENTRY } } });
    expect(await call(pool, "ok")).toMatch(/^WORKER_LOST .*did not start within 400 ms|^EXECUTOR_LOST .*400 ms/);
  });

  test("gets its turn though the queue's process was lost, and is refused when there is no room", async () => {
    using pool = createPool({ queueLimit: 2 });
    const calls = [call(pool, "throw"), call(pool, "ok"), call(pool, "ok"), call(pool, "ok")];
    const outcomes = await Promise.all(calls);
    expect(outcomes.slice(0, 3)).toEqual([workerLost("it threw outside of a call"), "done", "done"]);
    expect(outcomes[3]).toMatch(/^BUSY Cannot start the call: the queue is full, retry in \d+ ms$/);
  });

  test("waits while a process that cannot live is not started again", async () => {
    using pool = createHostile("ends at once");
    const startedAt = performance.now();
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => call(pool, "ok")));
    expect(outcomes).toEqual(outcomes.map(() => lost("it ended")));
    // At once, then 100 and 200 ms.
    expect(performance.now() - startedAt).toBeGreaterThan(300);
  });
});

describe("components in a process", () => {
  test("32 are held, and the one used longest ago is sent again", async () => {
    using pool = createPool();
    const use = (index: number): Promise<Settled> => pool.call(ask("ok", { artifact: emptyArtifact(`d${index}`) }));
    for (let index = 0; index <= 33; index++) expect(outcomeOf(await use(index))).toBe("done");
    for (const index of [0, 33, 1]) expect(outcomeOf(await use(index))).toBe("done");
  });

  test("12 MB arrive whole, with calls and a cancelled call beside them", async () => {
    using pool = createPool({ concurrency: 1 });
    const stop = new AbortController();
    const request = ask("ok", { artifact: largeArtifact(), signal: stop.signal });
    const first = pool.call(request);
    stop.abort();
    expect(outcomeOf(await first)).toBe(CANCELLED);
    expect(outcomeOf(await pool.call({ ...request, signal: undefined }))).toBe("done");
  });

  test("one that does not compile, or cannot be linked, fails its call alone, and is sent again", async () => {
    using pool = new ProcessPool({ concurrency: 1, queueLimit: 0 });
    const broken: Artifact = {
      ...emptyArtifact("b"),
      modules: [
        {
          name: "tool.core.wasm",
          bytes: new Uint8Array([0, 97, 115, 109, 9]),
          memories: [],
          initialTableElements: 0,
          initialHeapBytes: 0,
        },
      ],
    };
    for (let round = 0; round < 2; round++) {
      expect(outcomeOf(await pool.call(ask("ok", { artifact: broken })))).toMatch(
        /^ARTIFACT_UNUSABLE Cannot use the compiled component: .*tool\.core\.wasm/,
      );
    }
    const sound = await compileComponent(await Bun.file(guestPath("echo")).bytes());
    const unlinkable = { ...sound, digest: "c", plan: { ...sound.plan, types: [] } };
    for (let round = 0; round < 2; round++) {
      expect(outcomeOf(await pool.call({ ...ask("ok"), input: "{}", artifact: unlinkable }))).toBe(
        "ARTIFACT_UNUSABLE Cannot use the compiled component: BUG: a plan names a type that it does not have",
      );
    }
    expect(outcomeOf(await pool.call({ ...ask("ok"), input: "{}", artifact: sound }))).toBe("{}");
  });
});

/** 12 MB of a core module that has nothing but a custom section. */
function largeArtifact(): Artifact {
  const size = 12_000_000;
  const bytes = new Uint8Array(8 + 1 + 4 + size);
  // The preamble, then a custom section with its size in four bytes of LEB128, and a name of no bytes.
  const encoded = [size & 0x7f, (size >> 7) & 0x7f, (size >> 14) & 0x7f, size >> 21].map((part, index) =>
    index < 3 ? part | 0x80 : part,
  );
  bytes.set([0, 97, 115, 109, 1, 0, 0, 0, 0, ...encoded]);
  return {
    ...emptyArtifact("large"),
    modules: [{ name: "tool.core.wasm", bytes, memories: [], initialTableElements: 0, initialHeapBytes: 0 }],
  };
}
