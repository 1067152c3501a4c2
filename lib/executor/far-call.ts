/**
 * One call that an executor process runs, from the host's side.
 */
import type { Artifact } from "../component/artifact.ts";
import { type Failure, refuse } from "../errors.ts";
import type { Policy } from "../policy/policy.ts";
import { type Limits, NO_USAGE, type Progress, type Usage } from "../protocol/limits.ts";
import type { FarWatch } from "./far-watch.ts";
import { type OnProgress, ProgressCount } from "./progress.ts";
import { failed, type Settled } from "./settled.ts";

/** What an executor process needs in order to run a call. */
export interface FarJob {
  readonly artifact: Artifact;
  /** The function that is called, by its name among the artifact's entries; default: `run`. */
  readonly entry?: string | undefined;
  /** JSON text. */
  readonly input: string;
  readonly limits: Limits;
  /** What it may touch. */
  readonly policy: Policy;
  /** Whose calls may share a Worker with it. */
  readonly tenant: string;
  /** Whether it has to wait in the process until there is room for it. */
  readonly isAhead: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told how far the call is while it runs. */
  readonly onProgress?: OnProgress | undefined;
}

/** A call from when a process takes it on until it ends. */
export class FarCall {
  readonly id: number;
  readonly job: FarJob;
  /** Undefined until the process was given the call. */
  watch: FarWatch | undefined;
  /** What the process last said that it has used. */
  told: Usage = NO_USAGE;
  readonly #told = new ProgressCount();
  readonly #ending = Promise.withResolvers<Settled | undefined>();

  constructor(id: number, job: FarJob) {
    this.id = id;
    this.job = job;
  }

  /** Resolves when the call has ended; to undefined when it was given back. */
  get ended(): Promise<Settled | undefined> {
    return this.#ending.promise;
  }

  /** Takes how far the call is. @returns False when nobody wants to hear it, or it is told too often. */
  hear(progress: Progress): boolean {
    const { onProgress, limits } = this.job;
    if (onProgress === undefined || this.watch === undefined || !this.#told.add(progress)) return false;
    onProgress({ ...progress, fuel: Math.min(progress.fuel, limits.fuel) });
    return true;
  }

  /** Ends the call. @param settled - Undefined: it was given back, and has not begun. */
  finish(settled: Settled | undefined): void {
    this.watch?.[Symbol.dispose]();
    this.#ending.resolve(settled);
  }

  /**
   * Ends the call because its process, or its Worker there, is lost.
   *
   * @param lost - Why, unless it was interrupted: then it failed as that.
   * @param usage - What is known of it; default: what was last told, over the host's own time.
   */
  lose(lost: Failure, usage: Usage = this.#usage()): void {
    const interrupted = this.watch?.interrupted;
    const { timeoutMs } = this.job.limits;
    if (interrupted === undefined) this.finish(failed(lost, usage));
    else if (interrupted === "deadline")
      this.finish(failed(refuse("DEADLINE_EXCEEDED", { limitMs: timeoutMs }), usage));
    else this.finish(failed(refuse("CANCELLED", {}), usage));
  }

  #usage(): Usage {
    if (this.watch === undefined) return NO_USAGE;
    const { wallMs } = this.watch;
    return { ...this.told, wallMs, inputBytes: Buffer.byteLength(this.job.input), isPartial: true };
  }
}
