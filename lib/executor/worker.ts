/**
 * One Worker, from the host's side: starts it, gives it one call at a time, and gives up on it when it does not answer.
 */
import type { LoadableArtifact } from "../component/loadable.ts";
import { type FailureCode, type FailureDetail, refuse } from "../errors.ts";
import type { ControlBlock, InterruptReason } from "../protocol/control.ts";
import { type Limits, NO_OUTPUT, NO_USAGE } from "../protocol/limits.ts";
import type { HostMessage } from "../protocol/messages.ts";
import { parseWorkerMessage, type Settled, type SettledMessage } from "./settled.ts";

/** Milliseconds that a Worker has to answer an interrupt before it is given up. */
const GRACE_MS = 250;
/** Milliseconds more that a call may take when its component has to be loaded first; the Worker starts the call's own clock after that. */
const LOADING_MS = 5000;
/** Components that a Worker keeps loaded. */
const LOADED_LIMIT = 32;

/** What a Worker needs in order to run a call. */
export interface Job {
  readonly artifact: LoadableArtifact;
  /** JSON text. */
  readonly input: string;
  readonly limits: Limits;
  readonly control: ControlBlock;
}

interface Running {
  readonly id: number;
  readonly job: Job;
  readonly settle: (settled: Settled) => void;
  timer: Timer | undefined;
}

type Timer = ReturnType<typeof setTimeout>;

/** A Worker that runs one call at a time. */
export class WorkerHandle implements Disposable {
  /** Whether the Worker was given up: it takes no more calls. */
  isLost = false;
  readonly #worker: Worker;
  readonly #ready: Promise<void>;
  /** Digests of loaded components, the one used longest ago first. */
  readonly #loaded = new Set<string>();
  #running: Running | undefined;
  #nextId = 1;

  constructor() {
    this.#worker = new Worker(new URL("../worker/entry.ts", import.meta.url), { env: {} });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ready = promise;
    this.#worker.onmessage = (event: MessageEvent<unknown>) => {
      const message = parseWorkerMessage(event.data);
      if (message === "ready") resolve();
      else if (message === undefined) this.#lose("it sent a message that makes no sense");
      else this.#settled(message);
    };
    this.#worker.onerror = (event) => {
      resolve();
      this.#lose(event.message);
    };
  }

  /** Whether a component is already loaded here. */
  has(digest: string): boolean {
    return this.#loaded.has(digest);
  }

  /** Runs one call to its end. Must not be called while another one runs. */
  async run(job: Job): Promise<Settled> {
    await this.#ready;
    if (this.isLost) return failed("WORKER_LOST", { reason: "it did not start" });
    if (job.control.interrupted !== undefined) return failed("CANCELLED", {});
    const loadingMs = this.#load(job.artifact) ? LOADING_MS : 0;
    const { promise, resolve } = Promise.withResolvers<Settled>();
    const running: Running = { id: this.#nextId++, job, settle: resolve, timer: undefined };
    this.#running = running;
    running.timer = setTimeout(() => this.interrupt(job.control, "deadline"), job.limits.timeoutMs + loadingMs);
    this.#post({
      type: "call",
      id: running.id,
      digest: job.artifact.digest,
      input: job.input,
      limits: job.limits,
      control: job.control.buffer,
    });
    return promise;
  }

  /** Interrupts the call of a control block, also before it starts; gives the Worker up when it does not answer in time. */
  interrupt(control: ControlBlock, reason: InterruptReason): void {
    control.interrupt(reason);
    const running = this.#running;
    if (running?.job.control !== control) return;
    clearTimeout(running.timer);
    running.timer = setTimeout(() => this.#lose(`it did not answer an interrupt within ${GRACE_MS} ms`), GRACE_MS);
  }

  [Symbol.dispose](): void {
    this.#lose("KAMI is shutting down");
  }

  /** Returns whether the component has to be loaded. */
  #load(artifact: LoadableArtifact): boolean {
    const isLoaded = this.#loaded.delete(artifact.digest);
    if (!isLoaded) this.#post({ type: "load", digest: artifact.digest, artifact });
    this.#loaded.add(artifact.digest);
    for (const digest of this.#loaded) {
      if (this.#loaded.size <= LOADED_LIMIT) break;
      this.#loaded.delete(digest);
      this.#post({ type: "unload", digest });
    }
    return !isLoaded;
  }

  #settled(message: SettledMessage): void {
    if (this.#running?.id === message.id) this.#finish(message.settled);
  }

  #lose(reason: string): void {
    this.isLost = true;
    // Not awaited: it never settles for a Worker that spins.
    this.#worker.terminate();
    const interrupted = this.#running?.job.control.interrupted;
    const limits = this.#running?.job.limits;
    if (interrupted === "deadline" && limits !== undefined) {
      this.#finish(failed("DEADLINE_EXCEEDED", { limitMs: limits.timeoutMs }));
    } else if (interrupted === undefined) this.#finish(failed("WORKER_LOST", { reason }));
    else this.#finish(failed("CANCELLED", {}));
  }

  #finish(settled: Settled): void {
    const running = this.#running;
    this.#running = undefined;
    clearTimeout(running?.timer);
    running?.settle(settled);
  }

  #post(message: HostMessage<LoadableArtifact>): void {
    this.#worker.postMessage(message);
  }
}

/** A call that ended without a word from the Worker. */
export function failed<C extends FailureCode>(code: C, detail: FailureDetail<C>): Settled {
  return { ok: false, failure: refuse(code, detail), usage: NO_USAGE, captured: NO_OUTPUT };
}
