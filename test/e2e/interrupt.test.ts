/**
 * Interruption: wherever a guest is, it ends when it is told to, by itself, for the reason that it was told first.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { guestPath, hostilePath } from "../../fixtures/paths.ts";
import { compileComponent } from "../../lib/component/compile.ts";
import { compileArtifact, type LoadableArtifact } from "../../lib/component/loadable.ts";
import { Executor } from "../../lib/executor/executor.ts";
import type { Settled } from "../../lib/executor/settled.ts";
import { ControlBlock, type InterruptReason, SLICE } from "../../lib/protocol/control.ts";
import type { Limits } from "../../lib/protocol/limits.ts";
import { Budget } from "../../lib/worker/budget.ts";
import { buildEndless, ENDLESS_WAYS, endlessInput } from "../security/endless.ts";
import { TestRuntime } from "../support/runtime.ts";
import { DENY_ALL } from "../../lib/policy/policy.ts";

const DEADLINE_MS = 40;
const LIMITS: Limits = { fuel: Number.MAX_SAFE_INTEGER, memoryBytes: 64 * 1_048_576, timeoutMs: 60_000 };
const CANCELLED = "CANCELLED The call was cancelled";
const TOO_LATE = `DEADLINE_EXCEEDED Cannot finish the call: it ran longer than ${DEADLINE_MS} ms`;
/** Guests that are in code which the host has called, or in another part of the component. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["a start function", guestPath("spin-start")],
  ["cabi_realloc for its input", guestPath("spin-realloc")],
  ["cabi_realloc for a result of the host's", hostilePath("realloc-late")],
  ["its post-return function", hostilePath("post-late")],
  ["an inner component", hostilePath("inner-spin")],
  ["texts between inner components", hostilePath("inner-strings-late")],
]);

let kami: TestRuntime;
let endlessPath: string;
/** By the path of the component. */
const artifacts = new Map<string, LoadableArtifact>();

beforeAll(async () => {
  kami = new TestRuntime({ isolation: "process", concurrency: 1 });
  endlessPath = kami.home.join("endless.wasm");
  await Bun.write(endlessPath, await buildEndless());
  for (const path of [endlessPath, ...ELSEWHERE.values()]) {
    artifacts.set(path, await compileArtifact(await compileComponent(await readFile(path))));
  }
}, 60_000);
afterAll(() => kami[Symbol.asyncDispose]());

/** A guest that runs, in a Worker of this process. */
class Run implements Disposable {
  readonly control: ControlBlock = new ControlBlock();
  readonly #stop = new AbortController();
  readonly #executor = new Executor({ concurrency: 1, queueLimit: 0 });
  readonly #settled: Promise<Settled>;

  constructor(path: string, input: string, limits: Partial<Limits> = {}) {
    const artifact = artifacts.get(path);
    if (artifact === undefined) throw new Error(`${path} was not compiled`);
    this.#settled = this.#executor.call({
      artifact,
      input,
      limits: { ...LIMITS, ...limits },
      policy: DENY_ALL,
      client: "test",
      signal: this.#stop.signal,
      control: this.control,
    });
  }

  /** Resolves when its code runs. */
  async started(): Promise<this> {
    while (this.control.state === "waiting" || this.control.fuelUsed === 0) await Bun.sleep(1);
    return this;
  }

  interrupt(reason: InterruptReason): void {
    if (reason === "cancelled") this.#stop.abort();
    else this.control.interrupt(reason);
  }

  /** How it ended. One whose Worker was given up has not ended. */
  async ended(): Promise<string> {
    const settled = await this.#settled;
    const ended = settled.ok ? settled.output : `${settled.failure.code} ${settled.failure.message}`;
    return settled.usage.isPartial ? `given up: ${ended}` : ended;
  }

  [Symbol.dispose](): void {
    this.#executor[Symbol.dispose]();
  }
}

/** A guest that waits in slices of some milliseconds: what happens between two of them it sees at once. */
function blocked(): Run {
  return new Run(endlessPath, endlessInput("a blocking pollable"));
}

/** A budget of 1000 units, as a guest leaves it. @param stack - Bytes that its counter says are left. */
function makeBudget(stack = 0): { readonly control: ControlBlock; readonly budget: Budget } {
  const control = new ControlBlock();
  const budget = new Budget({ ...LIMITS, fuel: 1000 }, control, performance.now());
  budget.addFuel({ read: () => SLICE, write: () => undefined, stack: () => stack });
  return { control, budget };
}

type Place = readonly [name: string, find: () => readonly [path: string, input: string]];

const PLACES: readonly Place[] = [
  ...ENDLESS_WAYS.map(({ name }): Place => [name, () => [endlessPath, endlessInput(name)]]),
  ...[...ELSEWHERE].map(([name, path]): Place => [name, () => [path, "{}"]]),
];

describe.each(PLACES)("a guest in %s", (_name, find) => {
  test("ends at its deadline", async () => {
    using run = new Run(...find(), { timeoutMs: DEADLINE_MS });
    expect(await run.ended()).toBe(TOO_LATE);
  });

  test("ends at its deadline in an executor process, and the process lives on", async () => {
    const [path, input] = find();
    const result = await kami.runtime.runFile(path, input, { limits: { ...LIMITS, timeoutMs: DEADLINE_MS } });
    expect([result.ok || result.failure.code, result.usage.isPartial]).toEqual(["DEADLINE_EXCEEDED", false]);
  });

  test("ends when it is cancelled", async () => {
    using run = await new Run(...find()).started();
    run.interrupt("cancelled");
    expect(await run.ended()).toBe(CANCELLED);
  });

  test("ends when KAMI does", async () => {
    using run = await new Run(...find()).started();
    run.interrupt("shutdown");
    expect(await run.ended()).toBe(CANCELLED);
  });
});

describe("when several fall together", () => {
  const cases: readonly (readonly [together: readonly InterruptReason[], ends: string])[] = [
    [["cancelled", "deadline"], CANCELLED],
    [["deadline", "cancelled"], "DEADLINE_EXCEEDED Cannot finish the call: it ran longer than 60000 ms"],
  ];

  test.each(cases)("%j: the first one stands", async (together, ends) => {
    using run = await blocked().started();
    for (const reason of together) run.interrupt(reason);
    expect(await run.ended()).toBe(ends);
  });

  // What the guest's side makes of it, without a race between the two sides.
  test.each(["cancelled", "deadline", "shutdown"] as const)("fuel and %s: it is the fuel, which is exact", (reason) => {
    const { control, budget } = makeBudget();
    control.burnFuel(1001);
    control.interrupt(reason);
    expect(() => budget.checkInterrupt()).toThrow(WebAssembly.RuntimeError);
    expect(budget.stopped).toEqual({ code: "FUEL_EXHAUSTED", detail: { fuelLimit: 1000 } });
  });

  test.each(["cancelled", "deadline", "shutdown"] as const)("stack and %s: it is the stack that ended it", (reason) => {
    const { control, budget } = makeBudget(-1);
    control.interrupt(reason);
    budget.settle();
    expect(budget.stopped).toEqual({ code: "STACK_OVERFLOW", detail: {} });
  });

  test("a trap and a cancel: it is the cancel, for nobody waits for the other", () => {
    const { control, budget } = makeBudget();
    control.interrupt("cancelled");
    control.interrupt("deadline");
    budget.settle();
    expect(budget.stopped).toEqual({ code: "CANCELLED", detail: {} });
  });

  test("a guest of an executor that ends is told so, and its call does not wait for it", async () => {
    const run = await new Run(endlessPath, endlessInput("a tight loop")).started();
    run[Symbol.dispose]();
    expect([await run.ended(), run.control.interrupted]).toEqual([`given up: ${CANCELLED}`, "shutdown"]);
  });

  test("a deadline of no time and a cancel before the start: nothing runs", async () => {
    using run = new Run(endlessPath, endlessInput("a tight loop"), { timeoutMs: 1 });
    run.interrupt("cancelled");
    expect(await run.ended()).toBe(CANCELLED);
    expect(run.control.fuelUsed).toBe(0);
  });
});
