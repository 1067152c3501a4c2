/**
 * What a real `kami serve` does when its executor processes are killed, stopped or left alone, and what those processes can see.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  canSeeProcesses,
  cpuTicks,
  environmentOf,
  EXECUTOR_ENVIRONMENT,
  executorsOf,
  isAlive,
  strangeDescriptors,
} from "../executor/support/processes.ts";
import type { Message } from "../mcp/support/conversation.ts";
import { Home, type Served } from "../mcp/support/kami.ts";

const ROUNDS = 30;

let home: Home;

beforeAll(async () => {
  home = new Home();
  const endless = "max_fuel = 9007199254740991\nmax_execution_ms = 120000";
  const short = "max_fuel = 9007199254740991\nmax_execution_ms = 800";
  await home.installAll([
    home.makePackage("echo"),
    home.makePackage("spin", endless, "spin-long"),
    home.makePackage("spin", short, "spin-short"),
  ]);
});

afterAll(() => home[Symbol.dispose]());

/** What a test asserts of an answer: `ok`, or the code of its failure. */
function outcomeOf({ result }: Message): unknown {
  const meta = result?.["_meta"];
  const code =
    typeof meta === "object" && meta !== null && Object.entries(meta).find(([key]) => key === "dev.kami/failure");
  return code ? code[1] : "ok";
}

async function call(served: Served, name: string): Promise<unknown> {
  return outcomeOf(await served.ask("tools/call", { name, arguments: {} }));
}

/** The executor processes of a server, once there are so many. */
async function awaitExecutors(served: Served, count: number): Promise<number[]> {
  for (;;) {
    const pids = executorsOf(served.child.pid).filter(isAlive);
    if (pids.length === count) return pids;
    await Bun.sleep(5);
  }
}

/** Starts a server with so many executor processes, each with one Worker. */
async function serveWith(count: number): Promise<Served> {
  const served = home.serve("--concurrency", String(count));
  await served.initialize();
  const spins = Array.from({ length: count }, () => served.request("tools/call", { name: "spin-long", arguments: {} }));
  await awaitExecutors(served, count);
  for (const id of spins) served.cancel(id);
  while ((await call(served, "echo")) !== "ok");
  return served;
}

/** The process that burns the most CPU time for a while. */
async function busiest(pids: readonly number[]): Promise<number> {
  const before = pids.map(cpuTicks);
  await Bun.sleep(200);
  const burned = pids.map((pid, index) => cpuTicks(pid) - (before[index] ?? 0));
  return pids[burned.indexOf(Math.max(...burned))] ?? 0;
}

describe.if(canSeeProcesses)("kami serve", () => {
  test(`outlives ${ROUNDS} kills of its executors at random instants: every call is answered, and the next one works`, async () => {
    await using served = await serveWith(2);
    const outcomes: unknown[] = [];
    const killing = new AbortController();
    const client = async (): Promise<void> => {
      while (!killing.signal.aborted) outcomes.push(await call(served, "echo"));
    };
    const clients = Array.from({ length: 4 }, client);
    for (let round = 0; round < ROUNDS; round++) {
      await Bun.sleep(Math.random() * 60);
      for (const pid of executorsOf(served.child.pid)) if (Math.random() < 0.7) process.kill(pid, "SIGKILL");
    }
    killing.abort();
    await Promise.all(clients);
    expect(outcomes.filter((outcome) => outcome !== "ok" && outcome !== "EXECUTOR_LOST")).toEqual([]);
    expect(outcomes).toContain("ok");
    expect(outcomes).toContain("EXECUTOR_LOST");
    expect(await call(served, "echo")).toBe("ok");
    expect(await served.end()).toBe(0);
  }, 30_000);

  test("with a stopped executor answers at that call's deadline, the others' calls meanwhile, and replaces it", async () => {
    await using served = await serveWith(2);
    const before = await awaitExecutors(served, 2);
    // Whichever of the two runs it: both may be warm.
    const spinning = call(served, "spin-short");
    const pid = await busiest(before);
    process.kill(pid, "SIGSTOP");
    let others = 0;
    const stopped = new AbortController();
    const neighbour = (async () => {
      while (!stopped.signal.aborted) {
        expect(await call(served, "echo")).toBe("ok");
        others += 1;
      }
    })();
    expect(await spinning).toBe("EXECUTOR_LOST");
    stopped.abort();
    await neighbour;
    expect(others).toBeGreaterThan(1);
    while (isAlive(pid)) await Bun.sleep(5);
    await awaitExecutors(served, 2);
  });

  test("gives its executors one variable of KAMI's own, and no descriptor but their pipes", async () => {
    await using served = await serveWith(2);
    for (const pid of await awaitExecutors(served, 2)) {
      expect(environmentOf(pid)).toBe(EXECUTOR_ENVIRONMENT);
      expect(strangeDescriptors(pid)).toEqual([]);
    }
  });

  test("leaves no executor behind when it ends, or is killed", async () => {
    for (const end of ["end", "kill"] as const) {
      await using served = await serveWith(2);
      const pids = await awaitExecutors(served, 2);
      served.request("tools/call", { name: "spin-long", arguments: {} });
      await served.ask("ping");
      if (end === "end") await served.end();
      else served.child.kill("SIGKILL");
      while (pids.some(isAlive)) await Bun.sleep(5);
    }
  });
});
