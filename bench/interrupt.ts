/**
 * How soon does a guest end that is told to? From the moment that the host asks to the moment that it hears of the end: how much passes on the wall,
 * and how much CPU time the guest's thread takes meanwhile. For a deadline, a cancellation and a shutdown, wherever the guest is.
 */
import { readFileSync } from "node:fs";
import { guestPath, hostilePath } from "../fixtures/paths.ts";
import { compileComponent } from "../lib/component/compile.ts";
import { compileArtifact } from "../lib/component/loadable.ts";
import { Executor } from "../lib/executor/executor.ts";
import type { Settled } from "../lib/executor/settled.ts";
import { ControlBlock, type InterruptReason } from "../lib/protocol/control.ts";
import { DENY_ALL } from "../lib/policy/policy.ts";
import type { Limits } from "../lib/protocol/limits.ts";
import { buildEndless, ENDLESS_WAYS, endlessInput } from "../test/security/endless.ts";
import type { Findings, Suite, SummaryFigure } from "./suite.ts";
import { makeThreadClock, ThreadListener } from "./thread-clock.ts";

/** Milliseconds of the guest's CPU time within which it has to end. */
const LIMIT_MS = 10;
/** Runs for each guest and reason. */
const RUNS = { full: 30, quick: 2 } as const;
/** The first runs are in the interpreter, the later ones after the engine's compilers. */
const LATEST_MS = 60;
const LIMITS: Limits = Object.freeze({
  fuel: Number.MAX_SAFE_INTEGER,
  memoryBytes: 1024 * 1_048_576,
  timeoutMs: 60_000,
});
const REASONS: readonly InterruptReason[] = ["deadline", "cancelled", "shutdown"];

/** A guest that never ends. */
interface Guest {
  readonly name: string;
  /** Its component. */
  readonly bytes: Uint8Array;
  readonly input: string;
  /** Whether the engine forgets between runs what it compiled. */
  readonly isCold?: boolean;
}

type Loaded = Awaited<ReturnType<typeof compileArtifact>>;

/** One interruption, in milliseconds. */
interface Sample {
  readonly wall: number;
  readonly cpu: number;
}

/** `bun bench/run.ts interrupt` */
export const INTERRUPT: Suite = {
  name: "interrupt",
  question: "How soon does a guest end that is told to?",
  async run({ effort, only }): Promise<Findings> {
    const isQuick = effort.leastSamples === 1;
    const runs = RUNS[isQuick ? "quick" : "full"];
    const summary: SummaryFigure[] = [];
    for (const guest of (await listGuests()).filter(({ name }) => only(name))) {
      for (const reason of REASONS) {
        const samples = await interruptOften(guest, { reason, runs }).catch((error: unknown) => {
          throw new Error(`${guest.name}, ${reason}: ${String(error)}`, { cause: error });
        });
        summary.push(...figures(`${guest.name}, ${reason}`, samples));
      }
    }
    const late = summary.filter(({ name, value }) => name.endsWith("CPU max") && !(value <= LIMIT_MS));
    if (late.length > 0 && !isQuick) {
      throw new Error(`guests took more than ${LIMIT_MS} ms of CPU time to end: ${JSON.stringify(late)}`);
    }
    return { comparisons: [], summary };
  },
};

async function listGuests(): Promise<readonly Guest[]> {
  const endless = await buildEndless();
  const straight = "1 MB of straight code, again and again";
  return [
    ...ENDLESS_WAYS.map(({ name }) => ({ name, bytes: endless, input: endlessInput(name) })),
    { name: "1 MB of straight code, cold", bytes: endless, input: endlessInput(straight), isCold: true },
    named("a start function", guestPath("spin-start")),
    named("cabi_realloc for the input", guestPath("spin-realloc")),
    named("cabi_realloc for a result of the host's", hostilePath("realloc-late")),
    named("a post-return function", hostilePath("post-late")),
    named("texts between inner components", hostilePath("inner-strings-late")),
    named("an inner component", hostilePath("inner-spin")),
  ];
}

function named(name: string, path: string): Guest {
  return { name, bytes: readFileSync(path), input: "{}" };
}

async function interruptOften(
  guest: Guest,
  { reason, runs }: { readonly reason: InterruptReason; readonly runs: number },
): Promise<readonly Sample[]> {
  const artifact = await compileComponent(guest.bytes);
  let loaded = await compileArtifact(artifact);
  const samples: Sample[] = [];
  // A shutdown meets Workers that have done nothing before.
  const isWarm = reason !== "shutdown";
  let runner = await Runner.start(loaded, isWarm);
  for (let run = 0; run < runs; run++) {
    const afterMs = guest.isCold === true ? 1 + (run % 5) : 1 + Math.round((LATEST_MS * run) / runs);
    samples.push(await runner.interrupt(guest.input, { reason, afterMs }));
    if (reason !== "shutdown" && guest.isCold !== true) continue;
    // A shutdown ends the Worker as well.
    runner[Symbol.dispose]();
    if (guest.isCold === true) loaded = await compileArtifact(artifact);
    if (run + 1 < runs) runner = await Runner.start(loaded, isWarm);
  }
  runner[Symbol.dispose]();
  return samples;
}

/** An executor of one Worker, whose thread tells who it is. */
class Runner implements Disposable {
  readonly #artifact: Loaded;
  readonly #listener = new ThreadListener();
  readonly #executor: Executor;
  #cpu: (() => number) | undefined;

  private constructor(artifact: Loaded) {
    const entry = new URL("interrupt-worker.ts", import.meta.url);
    this.#artifact = artifact;
    this.#executor = new Executor({ concurrency: 1, queueLimit: 0, worker: { entry } });
  }

  /** Starts it. @param isWarm - Whether its Worker has run a call before, which has ended by a trap. */
  static async start(artifact: Loaded, isWarm: boolean): Promise<Runner> {
    const runner = new Runner(artifact);
    if (!isWarm) return runner;
    const limits = { ...LIMITS, timeoutMs: 1 };
    const ended = runner.#listener.nextEnd();
    const warmUp = await runner.#executor.call({ artifact, input: "{}", limits, policy: DENY_ALL, client: "" });
    expectEnd(warmUp, "DEADLINE_EXCEEDED", "GUEST_OUT_OF_BOUNDS", "GUEST_TRAP");
    await ended;
    runner.#cpu = makeThreadClock(await runner.#listener.thread);
    return runner;
  }

  /** Runs the guest and interrupts it. @param afterMs - Milliseconds from when it started. */
  async interrupt(
    input: string,
    { reason, afterMs }: { readonly reason: InterruptReason; readonly afterMs: number },
  ): Promise<Sample> {
    const control = new TimedControl(() => this.#cpu?.() ?? NaN);
    const stop = new AbortController();
    const ended = this.#listener.nextEnd();
    const timeoutMs = reason === "deadline" ? afterMs : LIMITS.timeoutMs;
    const limits = { ...LIMITS, timeoutMs };
    const call = this.#executor.call({
      artifact: this.#artifact,
      input,
      limits,
      control,
      policy: DENY_ALL,
      client: "",
      signal: stop.signal,
    });
    if (reason !== "deadline") {
      while (control.startedAtMs === undefined) await Bun.sleep(1);
      await Bun.sleep(afterMs);
      this.#cpu ??= makeThreadClock(await this.#listener.thread);
    }
    if (reason === "cancelled") stop.abort();
    // The executor gives its Workers up at once: here the end of the guest itself is awaited.
    if (reason === "shutdown") {
      control.interrupt("shutdown");
      while (control.state !== "settled") await Bun.sleep(0);
    }
    const settled = reason === "shutdown" ? undefined : await call;
    const wall = control.wallSince();
    expectEnd(settled ?? (await call), reason === "deadline" ? "DEADLINE_EXCEEDED" : "CANCELLED");
    return { wall, cpu: control.cpuUntil(await ended) };
  }

  [Symbol.dispose](): void {
    this.#listener[Symbol.dispose]();
    this.#executor[Symbol.dispose]();
  }
}

/** A control block that notes when it is interrupted. */
class TimedControl extends ControlBlock {
  readonly #cpu: () => number;
  #asked: Sample | undefined;

  constructor(cpu: () => number) {
    super();
    this.#cpu = cpu;
  }

  override interrupt(reason: InterruptReason): void {
    this.#asked ??= { wall: performance.now(), cpu: this.#cpu() / 1e6 };
    super.interrupt(reason);
  }

  /** Milliseconds that have passed since. The guest may have found out about its deadline by itself. */
  wallSince(): number {
    return this.#asked === undefined ? 0 : performance.now() - this.#asked.wall;
  }

  /** Milliseconds of the guest's CPU time from then on. @param cpuNs - What its thread had used when it ended. */
  cpuUntil(cpuNs: number): number {
    return this.#asked === undefined ? 0 : Math.max(0, cpuNs / 1e6 - this.#asked.cpu);
  }
}

function expectEnd(settled: Settled, ...codes: readonly string[]): void {
  // What it used is then only what was last published.
  if (settled.usage.isPartial) throw new Error("a guest did not end, and its Worker was given up");
  const end = settled.ok ? "success" : settled.failure.code;
  if (!codes.includes(end)) throw new Error(`BUG: a guest ended with ${end}, not with ${codes.join(" or ")}`);
}

function figures(name: string, samples: readonly Sample[]): SummaryFigure[] {
  const parts = [
    ["wall", samples.map(({ wall }) => wall)],
    ["CPU", samples.map(({ cpu }) => cpu)],
  ] as const;
  return parts.flatMap(([clock, values]) => {
    const ordered = values.toSorted((a, b) => a - b);
    const at = (share: number): number => ordered[Math.floor(share * (ordered.length - 1))] ?? NaN;
    return [
      { name: `${name}: ${clock} p50`, value: at(0.5), unit: "ms" },
      { name: `${name}: ${clock} p99`, value: at(0.99), unit: "ms" },
      { name: `${name}: ${clock} max`, value: at(1), unit: "ms" },
    ];
  });
}
