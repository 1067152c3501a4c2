/**
 * One Worker, from the host's side: starts it, gives it one call at a time, and gives it up when it does not answer, breaks the protocol or
 * ends.
 */
import type { LoadableArtifact } from "../component/loadable.ts";
import { type Failure, refuse } from "../errors.ts";
import type { Policy } from "../policy/policy.ts";
import type { ControlBlock, InterruptReason } from "../protocol/control.ts";
import { type Limits, NO_USAGE, type Usage } from "../protocol/limits.ts";
import type { HostMessage } from "../protocol/messages.ts";
import { WORKER_ENTRY } from "./entries.ts";
import { failed, parseWorkerMessage, type Settled } from "./settled.ts";
import { Watch } from "./watch.ts";

/** How Workers are started. */
export interface WorkerOptions {
  /** The code that a Worker runs; default: KAMI's own. */
  readonly entry?: URL | undefined;
  /**
   * Most milliseconds until a new Worker is ready, and from giving a Worker a call until it starts on it: it loads the component
   * first. Default {@link START_LIMIT_MS}.
   */
  readonly startLimitMs?: number | undefined;
  /** Told when a Worker was given up, with the control block of the call that it ran; not when the executor ends. */
  readonly onLost?: ((reason: string, control: ControlBlock | undefined) => void) | undefined;
}

/** What a Worker needs in order to run a call. */
export interface Job {
  readonly artifact: LoadableArtifact;
  /** JSON text. */
  readonly input: string;
  readonly limits: Limits;
  readonly policy: Policy;
  readonly control: ControlBlock;
}

interface Running {
  readonly id: number;
  readonly job: Job;
  readonly settle: (settled: Settled) => void;
  /** Undefined until the Worker was given the call. */
  watch: Watch | undefined;
}

/** Most milliseconds that a Worker may take to start, unless the options say otherwise. */
export const START_LIMIT_MS = 10_000;
/** Components that a Worker keeps loaded. */
const LOADED_LIMIT = 32;
/** Most UTF-16 code units that are kept of what an engine says about a Worker that threw. */
const CAUSE_LIMIT = 2000;

/** A Worker that runs one call at a time. */
export class WorkerHandle implements Disposable {
  readonly #options: WorkerOptions;
  readonly #worker: Worker;
  readonly #startLimitMs: number;
  readonly #startTimer: ReturnType<typeof setTimeout>;
  /** Digests of loaded components, the one used longest ago first. */
  readonly #loaded = new Set<string>();
  #isReady = false;
  #isEnding = false;
  /** Why the Worker was given up, once it was. */
  #lost: Failure | undefined;
  #running: Running | undefined;
  #nextId = 1;

  constructor(options: WorkerOptions = {}) {
    this.#options = options;
    this.#startLimitMs = options.startLimitMs ?? START_LIMIT_MS;
    this.#worker = new Worker(options.entry ?? WORKER_ENTRY, { env: {} });
    this.#worker.onmessage = (event: MessageEvent<unknown>) => this.#receive(event.data);
    this.#worker.onerror = (event) =>
      this.#lose("it threw outside of a call", new Error(event.message.slice(0, CAUSE_LIMIT)));
    this.#worker.addEventListener("close", () => this.#lose("it ended"));
    this.#startTimer = setTimeout(
      () => this.#lose(`it did not start within ${this.#startLimitMs} ms`),
      this.#startLimitMs,
    );
  }

  /** Whether the Worker was given up: it takes no more calls. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Whether a component is already loaded here. */
  has(digest: string): boolean {
    return this.#loaded.has(digest);
  }

  /**
   * Runs one call to its end. Must not be called while another one runs.
   *
   * @returns Also when the Worker is lost: the call then failed with `WORKER_LOST`, or as it was interrupted.
   */
  run(job: Job): Promise<Settled> {
    const { promise, resolve } = Promise.withResolvers<Settled>();
    this.#running = { id: this.#nextId++, job, settle: resolve, watch: undefined };
    if (job.control.interrupted !== undefined) this.#finish(failed(refuse("CANCELLED", {})));
    else if (this.#lost !== undefined) this.#finish(failed(this.#lost));
    else if (this.#isReady) this.#give(this.#running);
    return promise;
  }

  /** Interrupts the call of a control block, also before it starts; gives the Worker up when it does not answer in time. */
  interrupt(control: ControlBlock, reason: InterruptReason): void {
    control.interrupt(reason);
    if (this.#running?.job.control !== control) return;
    if (this.#running.watch === undefined) this.#finish(failed(refuse("CANCELLED", {})));
    else this.#running.watch.interrupt(reason);
  }

  /** Ends the Worker; a call that runs is cancelled. */
  [Symbol.dispose](): void {
    this.#running?.job.control.interrupt("shutdown");
    this.#isEnding = true;
    this.#lose("KAMI is shutting down");
  }

  #receive(data: unknown): void {
    const message = parseWorkerMessage(data);
    if (message === undefined) this.#lose("it sent a message that makes no sense");
    else if (message === "ready") this.#becomeReady();
    else if (this.#running?.watch === undefined || this.#running.id !== message.id) {
      this.#lose("it answered a call that it was not running");
    } else {
      const { settled } = message;
      if (!settled.ok && settled.failure.code === "ARTIFACT_UNUSABLE") this.#unload(this.#running.job.artifact.digest);
      this.#finish(settled);
    }
  }

  #becomeReady(): void {
    if (this.#isReady) return this.#lose("it said twice that it is ready");
    this.#isReady = true;
    clearTimeout(this.#startTimer);
    if (this.#running !== undefined) this.#give(this.#running);
  }

  #give(running: Running): void {
    const { artifact, input, limits, policy, control } = running.job;
    this.#load(artifact);
    running.watch = new Watch({
      control,
      timeoutMs: limits.timeoutMs,
      startLimitMs: this.#startLimitMs,
      giveUp: (reason) => this.#lose(reason),
    });
    const { id } = running;
    this.#post({ type: "call", id, digest: artifact.digest, input, limits, policy, control: control.memory });
  }

  #load(artifact: LoadableArtifact): void {
    const isLoaded = this.#loaded.delete(artifact.digest);
    if (!isLoaded) this.#post({ type: "load", digest: artifact.digest, artifact });
    this.#loaded.add(artifact.digest);
    for (const digest of this.#loaded) {
      if (this.#loaded.size <= LOADED_LIMIT) break;
      this.#unload(digest);
    }
  }

  #unload(digest: string): void {
    this.#loaded.delete(digest);
    this.#post({ type: "unload", digest });
  }

  #lose(reason: string, cause?: Error): void {
    if (this.#lost !== undefined) return;
    this.#lost = refuse("WORKER_LOST", { reason }, cause);
    clearTimeout(this.#startTimer);
    const running = this.#running;
    if (!this.#isEnding) this.#options.onLost?.(reason, running?.job.control);
    if (running !== undefined) {
      const { job, watch } = running;
      const usage = watch === undefined ? NO_USAGE : publishedUsage(job, watch.wallMs);
      this.#finish(failed(describeLost(job, this.#lost), usage));
      // Ending the Worker does not stop a guest that spins: its own next look at the interrupt flag does.
      running.job.control.interrupt("shutdown");
    }
    // Not awaited: it never settles for a Worker that spins.
    this.#worker.terminate();
  }

  #finish(settled: Settled): void {
    const running = this.#running;
    this.#running = undefined;
    running?.watch?.[Symbol.dispose]();
    running?.settle(settled);
  }

  #post(message: HostMessage<LoadableArtifact>): void {
    this.#worker.postMessage(message);
  }
}

/** Why a call failed whose Worker was lost: as it was interrupted, if it was. */
function describeLost(job: Job, lost: Failure): Failure {
  const { interrupted } = job.control;
  if (interrupted === undefined) return lost;
  if (interrupted === "deadline") return refuse("DEADLINE_EXCEEDED", { limitMs: job.limits.timeoutMs });
  return refuse("CANCELLED", {});
}

/**
 * What a call has used, as far as its Worker has published it.
 *
 * @param wallMs - Milliseconds since the Worker started on it.
 */
export function publishedUsage(
  { control, limits, input }: Pick<Job, "control" | "limits" | "input">,
  wallMs: number,
): Usage {
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
