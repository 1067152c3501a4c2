/**
 * How calls of one Worker take turns at its thread, and what a wait does to the one that waits.
 */
import { describe, expect, test } from "bun:test";
import { ControlBlock } from "../../lib/protocol/control.ts";
import { Budget } from "../../lib/worker/budget.ts";
import { threadCpuMicroseconds } from "../../lib/worker/cpu-clock.ts";
import { LiveCalls } from "../../lib/worker/live-calls.ts";
import { Suspension } from "../../lib/worker/suspension.ts";
import { AMPLE } from "../support/runtime.ts";

/** Calls of a thread, as the entry makes them: each is a function that runs with the thread. */
class Thread {
  readonly live: LiveCalls = new LiveCalls();
  readonly parked: number[] = [];
  #nextId = 1;

  constructor() {
    this.live.onParked = () => void this.parked.push(this.live.thread.suspended);
  }

  async run<T>(act: (call: TestCall) => Promise<T>): Promise<T> {
    const id = this.#nextId++;
    this.live.hold();
    await this.live.takeTurn(id);
    const call = new TestCall(id, this.live);
    try {
      return await act(call);
    } finally {
      call.suspension[Symbol.dispose]();
      this.live.release();
    }
  }
}

class TestCall {
  readonly control: ControlBlock = new ControlBlock();
  readonly budget: Budget;
  readonly suspension: Suspension;

  constructor(id: number, live: LiveCalls) {
    this.control.begin();
    this.budget = new Budget(AMPLE, this.control, performance.now());
    this.suspension = new Suspension(id, this.budget, live);
  }
}

/** Burns CPU time of this thread, in milliseconds. */
function burn(ms: number): void {
  const startedAt = threadCpuMicroseconds();
  while (threadCpuMicroseconds() - startedAt < ms * 1000);
}

describe("Suspension.wait()", () => {
  test("gives what it waited for, and lets the host see how the call is", async () => {
    const thread = new Thread();
    const states = await thread.run(async ({ control, suspension, budget }) => {
      budget.enterHost();
      const waited = Promise.withResolvers<string>();
      const waiting = suspension.wait(waited.promise);
      const meanwhile = [control.state, thread.live.thread.suspended, control.hostCalls];
      waited.resolve("here");
      return [...meanwhile, await waiting, control.state, thread.live.thread.suspended];
    });
    expect(states).toEqual(["suspended", 1, 1, "here", "running", 0]);
  });

  test("throws what it waited for was rejected with", async () => {
    const denied = new Error("denied");
    const thrown = await new Thread().run(({ suspension }) =>
      suspension.wait(Promise.reject(denied)).catch((error: unknown) => error),
    );
    expect(thrown).toBe(denied);
  });

  test("counts a call's own CPU time, and not what others take meanwhile", async () => {
    const thread = new Thread();
    const turn = Promise.withResolvers<void>();
    let clock: Budget | undefined;
    const waiting = thread.run(async ({ suspension, budget, control }) => {
      clock = budget;
      burn(5);
      await suspension.wait(turn.promise);
      const published = control.cpuMs;
      burn(5);
      return [published, budget.cpuMs];
    });
    await thread.run(async () => burn(100));
    expect(clock?.cpuMs).toBeLessThan(100);
    turn.resolve();
    const [published = 0, cpuMs = 0] = await waiting;
    expect(published).toBeGreaterThanOrEqual(5);
    expect(cpuMs).toBeGreaterThanOrEqual(10);
    expect(cpuMs).toBeLessThan(100);
  });

  test("goes on one call at a time, in turns, though all that they wait for comes at once", async () => {
    const thread = new Thread();
    const event = Promise.withResolvers<void>();
    const said: string[] = [];
    const calls = ["a", "b", "c"].map((name) =>
      thread.run(async ({ suspension }) => {
        await suspension.wait(event.promise);
        said.push(`${name} goes on`);
        // As an engine continues a guest: some microtasks later.
        for (let ticks = 0; ticks < 5; ticks++) await undefined;
        said.push(`${name} ends`);
      }),
    );
    event.resolve();
    await Promise.all(calls);
    expect(said).toEqual(["a goes on", "a ends", "b goes on", "b ends", "c goes on", "c ends"]);
  });
});

describe("an interrupt", () => {
  for (const reason of ["cancelled", "deadline", "shutdown"] as const) {
    test(`of a call that waits ends it by a trap: ${reason}`, async () => {
      const thread = new Thread();
      const { thrown, budget } = await thread.run(async ({ control, suspension, budget: own }) => {
        const waiting = suspension.wait(new Promise(() => undefined));
        suspension.interrupt();
        control.interrupt(reason);
        thread.live.interrupt(1);
        return { budget: own, thrown: await waiting.catch((error: unknown) => error) };
      });
      expect(thrown).toBeInstanceOf(WebAssembly.RuntimeError);
      expect(budget.stopped?.code).toBe(reason === "deadline" ? "DEADLINE_EXCEEDED" : "CANCELLED");
      expect(thread.live.thread.suspended).toBe(0);
    });
  }

  test("that came while the call had the thread breaks its next wait", async () => {
    const thread = new Thread();
    const thrown = await thread.run(({ control, suspension }) => {
      control.interrupt("cancelled");
      thread.live.interrupt(1);
      return suspension.wait(new Promise(() => undefined)).catch((error: unknown) => error);
    });
    expect(thrown).toBeInstanceOf(WebAssembly.RuntimeError);
  });

  test("of a call that has ended, or was never there, does nothing", async () => {
    const thread = new Thread();
    await thread.run(async () => undefined);
    thread.live.interrupt(1);
    thread.live.interrupt(7);
    expect(thread.live.thread.suspended).toBe(0);
  });

  test("and an abandoned call: it does not go on, whatever it waited for has come", async () => {
    const { thrown, state } = await new Thread().run(async ({ control, suspension }) => {
      const waiting = suspension.wait(Promise.resolve("here"));
      control.interrupt("deadline");
      control.abandon();
      return { thrown: await waiting.catch((error: unknown) => error), state: control.state };
    });
    expect(thrown).toBeInstanceOf(WebAssembly.RuntimeError);
    expect(state).toBe("abandoned");
  });
});

describe("LiveCalls", () => {
  test("says once that all calls wait, when the host wants to know, and not before", async () => {
    const thread = new Thread();
    const events = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
    thread.live.thread.want();
    const calls = events.map(({ promise }) => thread.run(({ suspension }) => suspension.wait(promise)));
    for (let ticks = 0; ticks < 10; ticks++) await undefined;
    expect([thread.parked.splice(0), thread.live.thread.suspended]).toEqual([[3], 3]);
    thread.live.thread.want();
    const waitAgain = (): Promise<void> => thread.run(({ suspension }) => suspension.wait(Bun.sleep(1)));
    await waitAgain();
    await waitAgain();
    expect(thread.parked).toEqual([4]);
    for (const { resolve } of events) resolve();
    await Promise.all(calls);
    expect([thread.parked, thread.live.thread.suspended]).toEqual([[4], 0]);
  });

  test("gives the thread on when a call that waited for it ends at once", async () => {
    const thread = new Thread();
    const event = Promise.withResolvers<void>();
    const calls = Array.from({ length: 50 }, () => thread.run(({ suspension }) => suspension.wait(event.promise)));
    event.resolve();
    await Promise.all(calls);
    expect(await thread.run(async () => "runs")).toBe("runs");
  });
});
