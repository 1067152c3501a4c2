import { describe, expect, test } from "bun:test";
import { clockMs, ControlBlock } from "../../lib/protocol/control.ts";
import { awaitWord, dawdle, ROUNDS, WORDS } from "./support/resumer.ts";

const valuesOf = ({ interrupted, state, fuelUsed, peakMemoryBytes, cpuMs, hostCalls }: ControlBlock): unknown => [
  interrupted,
  state,
  fuelUsed,
  peakMemoryBytes,
  cpuMs,
  hostCalls,
];

describe("ControlBlock", () => {
  test("shows one side what the other wrote", () => {
    const host = new ControlBlock();
    const worker = new ControlBlock(host.memory);
    expect(valuesOf(worker)).toEqual([undefined, "waiting", 0, 0, 0, 0]);
    worker.grantFuel(2 ** 53 - 1);
    worker.burnFuel(2 ** 52 + 1);
    worker.publishMemory(65_536, 131_072);
    worker.publishEffort(1.2345, 7);
    worker.begin();
    host.interrupt("deadline");
    expect(valuesOf(host)).toEqual(["deadline", "running", 2 ** 52 + 1, 131_072, 1.235, 7]);
  });

  test("keeps the first of several reasons", () => {
    const control = new ControlBlock();
    control.interrupt("cancelled");
    control.interrupt("deadline");
    control.interrupt("shutdown");
    expect(control.interrupted).toBe("cancelled");
  });

  test("knows when the call started, also after it has ended", () => {
    const control = new ControlBlock();
    expect(control.startedAtMs).toBeUndefined();
    const before = clockMs();
    control.begin();
    const startedAtMs = control.startedAtMs ?? 0;
    expect(startedAtMs).toBeGreaterThanOrEqual(before - 0.001);
    expect(startedAtMs).toBeLessThanOrEqual(clockMs() + 0.001);
    control.settle();
    expect([control.state, control.startedAtMs]).toEqual(["settled", startedAtMs]);
  });

  test.each([
    ["waiting", [], { begin: "running", abandon: "abandoned" }],
    ["running", ["begin"], { suspend: "suspended", settle: "settled" }],
    ["suspended", ["begin", "suspend"], { resume: "running", abandon: "abandoned" }],
    ["settled", ["begin", "settle"], {}],
    ["abandoned", ["begin", "suspend", "abandon"], {}],
  ] as const)("that is %s goes where it may, and nowhere else", (state, way, next) => {
    for (const step of ["begin", "suspend", "resume", "settle", "abandon"] as const) {
      const control = new ControlBlock();
      for (const each of way) control[each]();
      expect(control.state).toBe(state);
      control[step]();
      expect([step, control.state]).toEqual([step, new Map(Object.entries(next)).get(step) ?? state]);
    }
  });

  test("knows when the call started in every state, and that an abandoned one never did", () => {
    const control = new ControlBlock();
    control.begin();
    const { startedAtMs } = control;
    for (const step of ["suspend", "resume", "suspend", "abandon"] as const) {
      control[step]();
      expect([step, control.startedAtMs]).toEqual([step, startedAtMs]);
    }
    expect(control.resume()).toBe(false);
    const unstarted = new ControlBlock();
    expect([unstarted.abandon(), unstarted.begin(), unstarted.startedAtMs]).toEqual([true, false, undefined]);
  });

  test("is either gone on with or abandoned, by two threads that try it at once", async () => {
    const worker = new Worker(new URL("support/resumer.ts", import.meta.url), { env: {} });
    const control = new ControlBlock();
    const words = new Int32Array(new SharedArrayBuffer(20));
    await new Promise((resolve) => worker.addEventListener("open", resolve, { once: true }));
    worker.postMessage({ control: control.memory, words });
    const rounds = Array.from({ length: ROUNDS }, (_, index) => {
      control.reset();
      Atomics.store(words, WORDS.round, index + 1);
      awaitWord(words, WORDS.suspended, index + 1);
      Atomics.store(words, WORDS.met, index + 1);
      dawdle();
      const isAbandoned = control.abandon();
      awaitWord(words, WORDS.ended, index + 1);
      return `${isAbandoned} ${Atomics.load(words, WORDS.hasResumed)} ${control.state}`;
    });
    worker.terminate();
    expect([...new Set(rounds)].toSorted()).toEqual(["false 1 running", "true 0 abandoned"]);
  });

  test("gives amounts that are amounts, whatever was written there", () => {
    const control = new ControlBlock();
    new BigInt64Array(control.memory.buffer).fill(-1n);
    expect(valuesOf(control)).toEqual(["cancelled", "waiting", 0, 0, 0, 0]);
    new BigInt64Array(control.memory.buffer).fill(2n ** 63n - 1n);
    const most = Number.MAX_SAFE_INTEGER;
    expect(valuesOf(control)).toEqual(["cancelled", "waiting", 0, most, most / 1000, most]);
  });

  test("counts what was settled against what was granted, and nothing else once it is reset", () => {
    const control = new ControlBlock();
    control.grantFuel(1000);
    control.burnFuel(300);
    expect([control.fuelUsed, control.fuelLeft]).toEqual([300, 700]);
    control.burnFuel(800);
    expect([control.fuelUsed, control.fuelLeft]).toEqual([1000, -100]);
    control.exhaustFuel();
    expect([control.fuelUsed, control.fuelLeft < -1e18]).toEqual([1000, true]);
    control.interrupt("shutdown");
    control.reset();
    expect([valuesOf(control), control.fuelLeft]).toEqual([[undefined, "waiting", 0, 0, 0, 0], 0]);
  });
});
