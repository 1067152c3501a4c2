/**
 * The Workers of a process: which of them a call goes to, and how many calls there is room for.
 *
 * A Worker runs one call at a time. While all calls that it holds wait, it may have another one of the same tenant; the thread is then
 * shared, so that a guest which computes delays calls of its own tool, and nobody else's. What counts as running is a Worker that has a call which does not
 * wait.
 */
import type { LoadableArtifact } from "../component/loadable.ts";
import type { Policy } from "../policy/policy.ts";
import type { ControlBlock } from "../protocol/control.ts";
import type { Limits } from "../protocol/limits.ts";
import { ControlPool } from "./controls.ts";
import type { HeldCall, Job } from "./held-call.ts";
import { MemoryGauge } from "./memory-gauge.ts";
import { type OnProgress, ProgressWatch } from "./progress.ts";
import type { Settled } from "./settled.ts";
import { WorkerHandle, type WorkerOptions } from "./worker.ts";

/** The most that one process takes on. Beyond it, calls wait for their turn. */
export interface Bounds {
  /** Calls that one Worker holds: one that runs, or any number that wait. */
  readonly callsPerWorker: number;
  /** Calls of all Workers together. */
  readonly calls: number;
  /** Workers; never fewer than calls that run at once. */
  readonly workers: number;
  /** Bytes that all calls together have in use, from which on no other one begins. */
  readonly memoryBytes: number;
}

/** What a process takes on unless it is told otherwise. docs/rationale.md says why. */
export const BOUNDS: Bounds = Object.freeze({
  callsPerWorker: 2048,
  calls: 4096,
  workers: 64,
  memoryBytes: 2_147_483_648,
});

/** How much a fleet takes on. */
export interface FleetOptions {
  /** Calls that run at once, 1 to 256; those that wait do not count. */
  readonly concurrency: number;
  /** How Workers are started. */
  readonly worker?: WorkerOptions | undefined;
  readonly bounds?: Partial<Bounds> | undefined;
  /** Told when there may be more room than there was. */
  readonly onChange: () => void;
}

/** By what a Worker is chosen. */
export interface Wants {
  /** Who it may be shared with. */
  readonly tenant: string;
  /** The component. */
  readonly digest: string;
}

/** One call that has a Worker. */
export interface FleetCall {
  readonly artifact: LoadableArtifact;
  /** The function that is called, by its name among the artifact's entries; default: `run`. */
  readonly entry?: string | undefined;
  /** JSON text. */
  readonly input: string;
  readonly limits: Limits;
  /** What it may touch. */
  readonly policy: Policy;
  readonly signal?: AbortSignal | undefined;
  /** Told how far the call is while it runs. */
  readonly onProgress?: OnProgress | undefined;
  /** Shared with whoever wants to look how far it is; default: a block of the fleet's own. */
  readonly control?: ControlBlock | undefined;
  /** Told when no Worker holds the call any more; `isIntact` when none has its control block either. */
  readonly onLeft?: ((isIntact: boolean) => void) | undefined;
}

/** Workers. */
export class Fleet implements Disposable {
  readonly #options: FleetOptions;
  readonly #bounds: Bounds;
  readonly #workers = new Set<WorkerHandle>();
  readonly #controls = new ControlPool();
  readonly #gauge: MemoryGauge;
  #isClosed = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#bounds = { ...BOUNDS, ...options.bounds };
    this.#gauge = new MemoryGauge(this.#bounds.memoryBytes);
  }

  /** Whether a call can begin, if there is a Worker for it. */
  get hasRoom(): boolean {
    return this.#room() > 0;
  }

  /** Whether any call waits in a call of the host. */
  get hasWaiting(): boolean {
    return this.#find((worker) => worker.hasWaiting) !== undefined;
  }

  /** Calls that can begin now, of whatever tenants; maybe one more of a tenant that has a Worker which is parked. */
  get places(): number {
    const idle = this.#count((worker) => worker.size === 0);
    return Math.min(this.#room(), idle + Math.max(this.#mostWorkers() - this.#workers.size, 0));
  }

  /**
   * Finds a Worker for a call when there is room, and promises it: {@link run} has to follow.
   *
   * @param isPromised - Whether the caller was told that there is room: then it gets a Worker in any case.
   */
  take(wants: Wants, isPromised = false): WorkerHandle | undefined {
    if (!isPromised && this.#room() <= 0) return undefined;
    const isWarm = (worker: WorkerHandle): boolean => worker.size === 0 && worker.has(wants.digest);
    const free = this.#find(isWarm) ?? this.#find(({ size }) => size === 0) ?? this.#findParked(wants);
    const worker = free ?? (isPromised ? this.#findShared(wants) : undefined) ?? this.#start(isPromised);
    worker?.promise(wants.tenant);
    return worker;
  }

  /** Asks to be told of the next change. Whether there is room already has to be looked at behind this. */
  want(): void {
    for (const worker of this.#workers) if (worker.size > 0 && !worker.isParked) worker.want();
  }

  /** Runs a call in a Worker that was promised. */
  async run(worker: WorkerHandle, call: FleetCall): Promise<Settled> {
    const { artifact, entry, input, limits, policy, signal, onProgress } = call;
    const control = call.control ?? this.#controls.take();
    using progress = onProgress === undefined ? undefined : new ProgressWatch({ control, limits }, onProgress);
    const job: Job = {
      artifact,
      entry,
      input,
      limits,
      policy,
      control,
      hear: progress === undefined ? undefined : (said) => progress.hear(said),
      onLeft: (isIntact) => {
        if (call.control === undefined && isIntact) this.#controls.give(job.control);
        call.onLeft?.(isIntact);
      },
    };
    // Both can come about between a turn and its use.
    if (signal?.aborted === true || this.#isClosed) job.control.interrupt("cancelled");
    this.#gauge.add(job);
    const held = worker.run(job);
    return await endOf(held, () => worker.interrupt(held, "cancelled"), signal);
  }

  /** Whether a call has not started because its Worker runs another one. */
  isBehind(control: ControlBlock): boolean {
    return this.#find((worker) => worker.isBehind(control)) !== undefined;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const worker of this.#workers) worker[Symbol.dispose]();
    this.#workers.clear();
  }

  /** Calls that can begin, if there are Workers for them. */
  #room(): number {
    if (this.#isClosed) return 0;
    let calls = 0;
    let running = 0;
    for (const { size, isParked } of this.#workers) {
      calls += size;
      if (size > 0 && !isParked) running += 1;
    }
    const room = Math.min(this.#options.concurrency - running, this.#bounds.calls - calls);
    if (room <= 0 || calls === 0) return room;
    return this.#gauge.isFull(() => [...this.#workers].flatMap(({ jobs }) => jobs)) ? 0 : room;
  }

  /** Of the Workers whose calls all wait, the one with the fewest. */
  #findParked({ tenant }: Wants): WorkerHandle | undefined {
    let found: WorkerHandle | undefined;
    for (const worker of this.#workers) {
      const mayHaveMore = worker.tenant === tenant && worker.isParked && worker.size < this.#bounds.callsPerWorker;
      if (mayHaveMore && (found === undefined || worker.size < found.size)) found = worker;
    }
    return found;
  }

  /**
   * Of a tenant that has as many Workers as calls may run, the one with the fewest calls, though it is at one of them: since the place was
   * promised, a call that had waited goes on. One more Worker for each such call would be started and ended for nothing.
   */
  #findShared({ tenant }: Wants): WorkerHandle | undefined {
    const own = [...this.#workers].filter((worker) => worker.tenant === tenant);
    if (own.length < this.#options.concurrency) return undefined;
    const shared = own.filter(({ size }) => size < this.#bounds.callsPerWorker);
    return shared.toSorted((a, b) => a.size - b.size)[0];
  }

  #start(isPromised: boolean): WorkerHandle | undefined {
    // Again: a Worker that was parked may have gone on since.
    if (!isPromised && (this.#room() <= 0 || this.#workers.size >= this.#mostWorkers())) return undefined;
    const worker = new WorkerHandle(this.#options.worker ?? {}, { changed: (changed) => this.#note(changed) });
    this.#workers.add(worker);
    return worker;
  }

  #note(worker: WorkerHandle): void {
    if (worker.isLost) this.#workers.delete(worker);
    if (this.#isClosed) return;
    this.#options.onChange();
    // More Workers than calls that may run are there only for calls that wait.
    if (worker.size > 0 || this.#workers.size <= this.#options.concurrency) return;
    if (this.#workers.delete(worker)) worker[Symbol.dispose]();
  }

  #mostWorkers(): number {
    return Math.max(this.#bounds.workers, this.#options.concurrency);
  }

  #find(fits: (worker: WorkerHandle) => boolean): WorkerHandle | undefined {
    for (const worker of this.#workers) if (fits(worker)) return worker;
    return undefined;
  }

  #count(fits: (worker: WorkerHandle) => boolean): number {
    let count = 0;
    for (const worker of this.#workers) if (fits(worker)) count += 1;
    return count;
  }
}

async function endOf(held: HeldCall, cancel: () => void, signal: AbortSignal | undefined): Promise<Settled> {
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    return await held.ended;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}
