/**
 * Runs calls in executor processes: a few calls in each, so that a process that has to be killed takes few others with it. Who waits and
 * whose turn it is is decided here, so that no process takes the queue with it.
 */
import { Failure, refuse } from "../errors.ts";
import { Backoff } from "./backoff.ts";
import type { CallRequest, Calls } from "./calls.ts";
import { BOUNDS } from "./fleet.ts";
import { Line } from "./line.ts";
import { Pace } from "./pace.ts";
import { ExecutorProcess, type ProcessOptions } from "./child.ts";
import { failed, type Settled } from "./settled.ts";
import { START_LIMIT_MS } from "./worker.ts";

/** How much a pool takes on. */
export interface PoolOptions {
  /** Calls that run at once, 1 to 256, beside those that wait in a call of the host. */
  readonly concurrency: number;
  /** Calls that may wait for their turn; more are refused with `BUSY`. */
  readonly queueLimit: number;
  /** How processes are started, where it is not as usual. */
  readonly process?: Partial<Pick<ProcessOptions, "startLimitMs" | "entries">> | undefined;
}

/** Processes that there are at most: docs/rationale.md says why. */
const MOST_PROCESSES = 4;
/** Calls that one process is given at most, whatever room it says that it has. */
const MOST_CALLS = BOUNDS.calls;

/** The place of one process. */
interface Place {
  /** Calls that run here at once, beside those that wait. */
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
  /** Each waits for a process, best for one that holds the component of that digest. */
  readonly #line: Line<ExecutorProcess, string>;
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
    const { client, signal, artifact } = request;
    const executor = this.#take(artifact.digest) ?? (await this.#wait({ client, wants: artifact.digest, signal }));
    if (executor instanceof Failure) return failed(executor);
    this.#addPromise(executor, -1);
    const startedAt = performance.now();
    const job = { ...request, tenant: request.tenant ?? artifact.digest };
    if (this.#isClosed) return failed(refuse("CANCELLED", {}));
    const running = executor.run(job);
    this.#ask();
    const settled = await running;
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
  #take(digest: string): ExecutorProcess | undefined {
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
  #rank({ executor }: Place, digest: string): number {
    if (executor === undefined) return 2000;
    const load = this.#load(executor);
    if (executor.has(digest)) return load;
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
      onRoom: (places) => this.#offer(executor, places),
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

  #wait(caller: Parameters<Line<ExecutorProcess, string>["wait"]>[0]): Promise<ExecutorProcess | Failure> {
    const turn = this.#line.wait(caller);
    this.#serve();
    return turn;
  }

  /** Gives turns for as long as there is room. */
  #serve(): void {
    while (this.#line.give((digest) => this.#take(digest)));
    this.#ask();
  }

  /** Where calls wait inside of a process, there is room for more than run at once: the process knows. */
  #ask(): void {
    if (this.#line.size === 0) return;
    for (const { executor } of this.#places) {
      // Not before it has got what it was promised: it would not count that.
      if (executor !== undefined && executor.size > 0 && !this.#promised.has(executor)) executor.ask();
    }
  }

  /** Gives turns at a process that says that it has room beyond the calls that run at once. */
  #offer(executor: ExecutorProcess, places: number): void {
    const room = Math.min(places, MOST_CALLS - executor.size) - (this.#promised.get(executor) ?? 0);
    for (let left = room; left > 0 && !this.#isClosed; left--) {
      const isGiven = this.#line.give(() => {
        this.#addPromise(executor, 1);
        return executor;
      });
      if (!isGiven) return;
    }
    this.#serve();
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
