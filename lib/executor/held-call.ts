/**
 * One call that a Worker holds, from the host's side: from when the Worker takes it on until it has answered, which may be after the host has
 * ended the call.
 */
import type { LoadableArtifact } from "../component/loadable.ts";
import { type Failure, refuse } from "../errors.ts";
import type { Policy } from "../policy/policy.ts";
import type { ControlBlock } from "../protocol/control.ts";
import { type Limits, NO_USAGE, type Usage } from "../protocol/limits.ts";
import { failed, type Settled } from "./settled.ts";
import type { Watch } from "./watch.ts";

/** What a Worker needs in order to run a call. */
export interface Job {
  readonly artifact: LoadableArtifact;
  /** The function that is called, by its name among the artifact's entries; default: `run`. */
  readonly entry?: string | undefined;
  /** JSON text. */
  readonly input: string;
  readonly limits: Limits;
  /** What it may touch. */
  readonly policy: Policy;
  readonly control: ControlBlock;
  /** Takes what the guest logs while it runs; default: nobody wants to hear. @returns False when it is more than may be. */
  readonly hear?: ((said: string) => boolean) | undefined;
  /** Told when the Worker holds the call no more; `isIntact` when nobody has the control block any more. */
  readonly onLeft?: ((isIntact: boolean) => void) | undefined;
}

/** A call that a Worker holds. */
export class HeldCall {
  readonly id: number;
  readonly job: Job;
  /** Undefined until the Worker was given the call. */
  watch: Watch | undefined;
  readonly #ending = Promise.withResolvers<Settled>();
  #isEnded = false;

  constructor(id: number, job: Job) {
    this.id = id;
    this.job = job;
  }

  /** Resolves when the call has ended. */
  get ended(): Promise<Settled> {
    return this.#ending.promise;
  }

  /** Whether it has ended, though the Worker may not have answered yet. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether the Worker is at it, or should be: it was given the call, and the call neither waits nor has ended. */
  get isActive(): boolean {
    return this.watch !== undefined && !this.#isEnded && this.job.control.state !== "suspended";
  }

  /** Whether the Worker says that the call has its thread. */
  get hasThread(): boolean {
    const { state } = this.job.control;
    return !this.#isEnded && (state === "running" || state === "settled");
  }

  /** Ends the call. */
  end(settled: Settled): void {
    this.#isEnded = true;
    this.watch?.[Symbol.dispose]();
    this.#ending.resolve(settled);
  }

  /**
   * Ends the call without a word from the Worker.
   *
   * @param otherwise - Why, unless it was interrupted: then it failed as that.
   */
  fail(otherwise: Failure): void {
    const usage = this.watch === undefined ? NO_USAGE : publishedUsage(this.job, this.watch.wallMs);
    this.end(failed(this.#interruption() ?? otherwise, usage));
  }

  #interruption(): Failure | undefined {
    const { control, limits } = this.job;
    if (control.interrupted === undefined) return undefined;
    if (control.interrupted === "deadline") return refuse("DEADLINE_EXCEEDED", { limitMs: limits.timeoutMs });
    return refuse("CANCELLED", {});
  }
}

/** The call that a Worker is at: the one that runs, or else the first that should have begun. */
export function findActive(held: readonly HeldCall[]): HeldCall | undefined {
  const open = held.filter(({ isEnded }) => !isEnded);
  return open.find(({ hasThread }) => hasThread) ?? open.find(({ job }) => job.control.state === "waiting");
}

/**
 * What a call has used, as far as its Worker has published it.
 *
 * @param wallMs - Milliseconds since the Worker started on it.
 */
export function publishedUsage(job: Pick<Job, "control" | "limits" | "input">, wallMs: number): Usage {
  const { control, limits, input } = job;
  return {
    ...NO_USAGE,
    fuel: Math.min(control.fuelUsed, limits.fuel),
    cpuMs: Math.min(control.cpuMs, wallMs),
    wallMs,
    peakMemoryBytes: Math.min(control.peakMemoryBytes, limits.memoryBytes),
    hostCalls: control.hostCalls,
    inputBytes: Buffer.byteLength(input),
    isPartial: true,
  };
}
