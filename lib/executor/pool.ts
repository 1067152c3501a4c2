/**
 * Runs calls in executor processes: a few calls in each, so that a process that has to be killed takes few others with it. Who waits and
 * whose turn it is is decided here, so that no process takes the queue with it.
 */
import { Failure, refuse } from "../errors.ts";
import { Backoff } from "./backoff.ts";
import type { CallRequest, Calls } from "./calls.ts";
import { Line } from "./line.ts";
import { Pace } from "./pace.ts";
import { ExecutorProcess, type ProcessOptions } from "./child.ts";
import { failed, type Settled } from "./settled.ts";
import { START_LIMIT_MS } from "./worker.ts";

/** How much a pool takes on. */
export interface PoolOptions {
  /** Calls that run at once, 1 to 256. */
  readonly concurrency: number;
  /** Calls that may wait; more are refused with `BUSY`. */
  readonly queueLimit: number;
  /** How processes are started, where it is not as usual. */
  readonly process?: Partial<Pick<ProcessOptions, "startLimitMs" | "entries">> | undefined;
}

/** Processes that there are at most: docs/rationale.md says why. */
const MOST_PROCESSES = 4;

/** The place of one process. */
interface Place {
  /** Calls that run here at once. */
  readonly workers: number;
  readonly backoff: Backoff;
  executor: ExecutorProcess | undefined;
  /** When it may have its next process, by `performance.now()`. */
  opensAtMs: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Executor processes behind a queue. */
export class ProcessPool implements Calls {
  readonly #options: PoolOptions;
  readonly #places: readonly Place[];
  /** Calls that were promised a place and have not taken it yet, by process. */
  readonly #promised = new Map<ExecutorProcess, number>();
  readonly #line: Line<ExecutorProcess>;
  readonly #pace = new Pace();
  #isClosed = false;

  /** Starts no process yet. */
  constructor(options: PoolOptions) {
    this.#options = options;
    this.#line = new Line(options.queueLimit, () => this.#retryAfterMs());
    this.#places = shareOut(options.concurrency).map((workers) => ({
      workers,
      backoff: new Backoff(),
      executor: undefined,
      opensAtMs: 0,
      timer: undefined,
    }));
  }

  /** Runs a call when its turn comes. Never throws for what a guest or a process does. */
  async call(request: CallRequest): Promise<Settled> {
    if (this.#isClosed || request.signal?.aborted === true) return failed(refuse("CANCELLED", {}));
    const executor = this.#take(request.artifact.digest) ?? (await this.#line.wait(request.client, request.signal));
    if (executor instanceof Failure) return failed(executor);
    this.#addPromise(executor, -1);
    const startedAt = performance.now();
    const settled = this.#isClosed ? failed(refuse("CANCELLED", {})) : await executor.run(request);
    this.#pace.note(performance.now() - startedAt);
    this.#serve();
    return settled;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#line.close();
    for (const place of this.#places) {
      clearTimeout(place.timer);
      place.executor?.[Symbol.dispose]();
    }
  }

  /**
   * Finds a process with room, or starts one: best one that holds the component; else one with nothing to do, so that a component that
   * breaks when it is loaded breaks alone.
   */
  #take(digest?: string): ExecutorProcess | undefined {
    if (this.#isClosed) return undefined;
    const open = this.#places.filter((place) => this.#hasRoom(place));
    const [best] = open.toSorted((a, b) => this.#rank(a, digest) - this.#rank(b, digest));
    if (best === undefined) return undefined;
    const executor = best.executor ?? this.#start(best);
    this.#addPromise(executor, 1);
    return executor;
  }

  #hasRoom({ executor, workers, opensAtMs }: Place): boolean {
    return executor === undefined ? performance.now() >= opensAtMs : this.#load(executor) < workers;
  }

  /** The lowest is the best. */
  #rank({ executor }: Place, digest: string | undefined): number {
    if (executor === undefined) return 2000;
    const load = this.#load(executor);
    if (digest !== undefined && executor.has(digest)) return load;
    return load === 0 ? 1000 : 3000 + load;
  }

  #load(executor: ExecutorProcess): number {
    return executor.size + (this.#promised.get(executor) ?? 0);
  }

  #addPromise(executor: ExecutorProcess, more: number): void {
    const promised = (this.#promised.get(executor) ?? 0) + more;
    if (promised === 0) this.#promised.delete(executor);
    else this.#promised.set(executor, promised);
  }

  #start(place: Place): ExecutorProcess {
    const { startLimitMs = START_LIMIT_MS, entries } = this.#options.process ?? {};
    const executor = new ExecutorProcess({
      workers: place.workers,
      startLimitMs,
      entries,
      onLost: () => this.#replace(place, executor),
    });
    place.executor = executor;
    return executor;
  }

  #replace(place: Place, lost: ExecutorProcess): void {
    place.executor = undefined;
    const waitMs = place.backoff.lose(lost.wasHealthy);
    place.opensAtMs = performance.now() + waitMs;
    const open = (): void => {
      if (this.#isClosed) return;
      // One that was ready is replaced at once, for whoever comes next; one that never was is not, or it would be tried for ever.
      if (lost.wasReady && place.executor === undefined) this.#start(place);
      this.#serve();
    };
    if (waitMs === 0) open();
    else place.timer = setTimeout(open, waitMs);
  }

  /** Gives turns for as long as there is room. */
  #serve(): void {
    while (this.#line.size > 0) {
      const executor = this.#take();
      if (executor === undefined) return;
      this.#line.give(executor);
    }
  }

  #retryAfterMs(): number {
    const now = performance.now();
    const opensInMs = this.#places.map(({ executor, opensAtMs }) => (executor === undefined ? opensAtMs - now : 0));
    const { queueLimit, concurrency } = this.#options;
    return Math.max(this.#pace.retryAfterMs(queueLimit, concurrency), Math.ceil(Math.min(...opensInMs)));
  }
}

/** Shares calls out among processes, as evenly as can be. */
function shareOut(concurrency: number): number[] {
  const processes = Math.min(concurrency, MOST_PROCESSES);
  return Array.from({ length: processes }, (_, index) => Math.ceil((concurrency - index) / processes));
}
