/**
 * Runs calls in Workers: as many at once as it may, the others wait in a bounded queue in which clients take turns.
 */
import type { LoadableArtifact } from "../component/loadable.ts";
import { Failure, refuse } from "../errors.ts";
import type { Policy } from "../policy/policy.ts";
import type { ControlBlock } from "../protocol/control.ts";
import type { Limits } from "../protocol/limits.ts";
import { ControlPool } from "./controls.ts";
import { Line } from "./line.ts";
import { Pace } from "./pace.ts";
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
  /** What it may touch. */
  readonly policy: Policy;
  /** Whose turn in the queue this takes. */
  readonly client: string;
  readonly signal?: AbortSignal | undefined;
  /** Shared with whoever wants to look how far it is; default: a block of its own. */
  readonly control?: ControlBlock | undefined;
}

/** A pool of Workers behind a queue. */
export class Executor implements Disposable {
  readonly #options: ExecutorOptions;
  readonly #line: Line<WorkerHandle>;
  #idle: WorkerHandle[] = [];
  readonly #busy = new Set<WorkerHandle>();
  readonly #pace = new Pace();
  readonly #controls = new ControlPool();
  #isClosed = false;

  constructor(options: ExecutorOptions) {
    const { queueLimit, concurrency } = options;
    this.#options = options;
    this.#line = new Line(queueLimit, () => this.#pace.retryAfterMs(queueLimit, concurrency));
  }

  /** Runs a call when its turn comes. Never throws for what a guest does. */
  async call(call: ExecutorCall): Promise<Settled> {
    if (this.#isClosed || call.signal?.aborted === true) return failed(refuse("CANCELLED", {}));
    const worker = this.#takeWorker(call.artifact.digest) ?? (await this.#line.wait(call.client, call.signal));
    return worker instanceof Failure ? failed(worker) : await this.#run(worker, call);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#line.close();
    for (const worker of [...this.#busy, ...this.#idle]) worker[Symbol.dispose]();
    this.#idle = [];
  }

  /** A Worker that has the component already, or any, or a new one; none when all that may be are busy. */
  #takeWorker(digest: string): WorkerHandle | undefined {
    // A Worker can be lost at any time, also while it has nothing to do.
    this.#idle = this.#idle.filter((worker) => !worker.isLost);
    const warm = this.#idle.findIndex((worker) => worker.has(digest));
    const [idle] = this.#idle.splice(Math.max(warm, 0), 1);
    const mayStart = this.#busy.size < this.#options.concurrency;
    const worker = idle ?? (mayStart ? new WorkerHandle(this.#options.worker) : undefined);
    if (worker !== undefined) this.#busy.add(worker);
    return worker;
  }

  async #run(worker: WorkerHandle, call: ExecutorCall): Promise<Settled> {
    const { artifact, input, limits, policy, signal } = call;
    const job: Job = { artifact, input, limits, policy, control: call.control ?? this.#controls.take() };
    const cancel = (): void => worker.interrupt(job.control, "cancelled");
    signal?.addEventListener("abort", cancel, { once: true });
    // Both can come about between a turn and its use.
    if (signal?.aborted === true || this.#isClosed) cancel();
    try {
      const startedAt = performance.now();
      const settled = await worker.run(job);
      this.#pace.note(performance.now() - startedAt);
      return settled;
    } finally {
      signal?.removeEventListener("abort", cancel);
      if (call.control === undefined && !worker.isLost) this.#controls.give(job.control);
      this.#release(worker);
    }
  }

  #release(worker: WorkerHandle): void {
    this.#busy.delete(worker);
    if (this.#isClosed) return;
    if (this.#line.size === 0) {
      if (!worker.isLost) this.#idle.push(worker);
      return;
    }
    const next = worker.isLost ? new WorkerHandle(this.#options.worker) : worker;
    this.#busy.add(next);
    this.#line.give(next);
  }
}
