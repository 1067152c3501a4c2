/**
 * Runs calls in Workers: as many at once as it may, the others wait in a bounded queue in which clients take turns.
 */
import type { LoadableArtifact } from "../component/loadable.ts";
import { refuse } from "../errors.ts";
import { ControlBlock } from "../protocol/control.ts";
import type { Limits } from "../protocol/limits.ts";
import { Pace } from "./pace.ts";
import { FairQueue } from "./queue.ts";
import { failed, type Settled } from "./settled.ts";
import { type Job, WorkerHandle, type WorkerOptions } from "./worker.ts";

/** How much an executor takes on. */
export interface ExecutorOptions {
  /** Calls that run at once, 1 to 256. Each has a Worker of its own. */
  readonly concurrency: number;
  /** Calls that may wait; more are refused with `BUSY`. */
  readonly queueLimit: number;
  /** How Workers are started. */
  readonly worker?: WorkerOptions | undefined;
}

/** One call. */
export interface ExecutorCall {
  readonly artifact: LoadableArtifact;
  /** JSON text. */
  readonly input: string;
  readonly limits: Limits;
  /** Whose turn in the queue this takes. */
  readonly client: string;
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  readonly start: (worker: WorkerHandle) => void;
  readonly abandon: () => void;
  /** Ends it because the queue has no room for it. */
  readonly refuse: () => void;
}

/** A pool of Workers behind a queue. */
export class Executor implements Disposable {
  readonly #options: ExecutorOptions;
  readonly #queue: FairQueue<Waiting>;
  #idle: WorkerHandle[] = [];
  readonly #busy = new Set<WorkerHandle>();
  readonly #pace = new Pace();
  #isClosed = false;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#queue = new FairQueue(options.queueLimit);
  }

  /** Runs a call when its turn comes. Never throws for what a guest does. */
  async call(call: ExecutorCall): Promise<Settled> {
    const job: Job = { ...call, control: new ControlBlock() };
    if (this.#isClosed || call.signal?.aborted === true) return failed(refuse("CANCELLED", {}));
    const free = this.#takeWorker(call.artifact.digest);
    if (free !== undefined) return this.#run(free, job, call.signal);
    return this.#wait(job, call);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next.abandon();
    for (const worker of [...this.#busy, ...this.#idle]) worker[Symbol.dispose]();
    this.#idle = [];
  }

  /** A Worker that has the component already, or any, or a new one; none when all that may be are busy. */
  #takeWorker(digest: string): WorkerHandle | undefined {
    // A Worker can be lost at any time, also while it has nothing to do.
    this.#idle = this.#idle.filter((worker) => !worker.isLost);
    const warm = this.#idle.findIndex((worker) => worker.has(digest));
    const [idle] = this.#idle.splice(Math.max(warm, 0), 1);
    if (idle !== undefined) return idle;
    return this.#busy.size < this.#options.concurrency ? new WorkerHandle(this.#options.worker) : undefined;
  }

  #wait(job: Job, call: ExecutorCall): Promise<Settled> {
    const { promise, resolve } = Promise.withResolvers<Settled>();
    const waiting: Waiting = {
      start: (worker) => {
        call.signal?.removeEventListener("abort", abandon);
        resolve(this.#run(worker, job, call.signal));
      },
      abandon: () => resolve(failed(refuse("CANCELLED", {}))),
      refuse: () => {
        call.signal?.removeEventListener("abort", abandon);
        resolve(this.#refused());
      },
    };
    const abandon = (): void => {
      if (this.#queue.remove(call.client, waiting)) waiting.abandon();
    };
    call.signal?.addEventListener("abort", abandon, { once: true });
    this.#queue.push(call.client, waiting)?.refuse();
    return promise;
  }

  #refused(): Settled {
    const { queueLimit, concurrency } = this.#options;
    return failed(refuse("BUSY", { retryAfterMs: this.#pace.retryAfterMs(queueLimit, concurrency) }));
  }

  async #run(worker: WorkerHandle, job: Job, signal: AbortSignal | undefined): Promise<Settled> {
    const cancel = (): void => worker.interrupt(job.control, "cancelled");
    this.#busy.add(worker);
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      const startedAt = performance.now();
      const settled = await worker.run(job);
      this.#pace.note(performance.now() - startedAt);
      return settled;
    } finally {
      signal?.removeEventListener("abort", cancel);
      this.#release(worker);
    }
  }

  #release(worker: WorkerHandle): void {
    this.#busy.delete(worker);
    if (this.#isClosed) return;
    const next = this.#queue.shift();
    if (next === undefined) {
      if (!worker.isLost) this.#idle.push(worker);
    } else next.start(worker.isLost ? new WorkerHandle(this.#options.worker) : worker);
  }
}
