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

/** Calls that wait in a process at most until there is room for them. */
const MOST_AHEAD = 16;

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

/** By what a process is chosen for a call. */
interface Wants {
  readonly digest: string;
  readonly tenant: string;
  /** Whether it may be sent ahead. */
  readonly mayWaitThere: boolean;
}

/** A call whose tenant is known. */
type OwnedCall = CallRequest & { readonly tenant: string };

/** Where a call goes. */
interface Seat {
  readonly executor: ExecutorProcess;
  /** Whether it waits there until there is room for it. */
  readonly isAhead: boolean;
}

/** Executor processes behind a queue. */
export class ProcessPool implements Calls {
  readonly #options: PoolOptions;
  readonly #places: readonly Place[];
  /** Calls that were promised a place and have not taken it yet, by process. */
  readonly #promised = new Map<ExecutorProcess, number>();
  /** Each waits for a process, best for one that holds the component of that digest. */
  readonly #line: Line<Seat, Wants>;
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
    const { signal, artifact } = request;
    const call = { ...request, tenant: request.tenant ?? artifact.digest };
    if (this.#isOver(signal)) return failed(refuse("CANCELLED", {}));
    const settled = await this.#runAt(this.#take(artifact.digest) ?? (await this.#wait(call, false)), call);
    if (settled !== undefined) return settled;
    if (this.#isOver(signal)) return failed(refuse("CANCELLED", {}));
    const again = await this.#runAt(await this.#wait(call, true), call);
    if (again === undefined) throw new Error("BUG: a call came back that had not been sent ahead");
    return again;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#line.clear();
    for (const place of this.#places) {
      clearTimeout(place.timer);
      place.executor?.[Symbol.dispose]();
    }
  }

  #isOver(signal: AbortSignal | undefined): boolean {
    return this.#isClosed || signal?.aborted === true;
  }

  /** @returns Undefined when the call came back: it has not begun. */
  async #runAt(seat: Seat | Failure, call: OwnedCall): Promise<Settled | undefined> {
    if (seat instanceof Failure) return failed(seat);
    const { executor, isAhead } = seat;
    this.#addPromise(executor, -1);
    const startedAt = performance.now();
    if (this.#isClosed) return failed(refuse("CANCELLED", {}));
    const running = executor.run({ ...call, isAhead });
    this.#ask();
    const settled = await running;
    if (settled !== undefined) this.#pace.note(performance.now() - startedAt);
    this.#serve();
    return settled;
  }

  /**
   * Finds a process with room, or starts one: best one that holds the component; else one with nothing to do, so that a component that
   * breaks when it is loaded breaks alone.
   */
  #take(digest: string): Seat | undefined {
    if (this.#isClosed) return undefined;
    let best: Place | undefined;
    for (const place of this.#places) {
      const isBetter = best === undefined || this.#rank(place, digest) < this.#rank(best, digest);
      if (isBetter && this.#hasRoom(place)) best = place;
    }
    if (best === undefined) return undefined;
    const executor = best.executor ?? this.#start(best);
    return this.#promise({ executor, isAhead: false });
  }

  #promise(seat: Seat): Seat {
    this.#addPromise(seat.executor, 1);
    return seat;
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

  /** @param isBack - Whether it was sent ahead and has come back: then it is not again. */
  #wait({ client, signal, tenant, artifact: { digest } }: OwnedCall, isBack: boolean): Promise<Seat | Failure> {
    const turn = this.#line.wait({ client, wants: { digest, tenant, mayWaitThere: !isBack }, signal, isBack });
    this.#serve();
    return turn;
  }

  /** Gives turns for as long as there is room. */
  #serve(): void {
    const hasRoom = (): boolean => this.#places.some((place) => this.#hasRoom(place));
    // Where there is room, it is for anyone.
    while (hasRoom() && this.#line.give(({ digest }) => this.#take(digest)));
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
    for (let left = places - (this.#promised.get(executor) ?? 0); left > 0 && !this.#isClosed; left--) {
      const tenant = this.#line.next?.tenant;
      if (tenant === undefined || this.#mostMore(executor) <= 0) break;
      this.#line.give(() => this.#promise({ executor, isAhead: false }));
      this.#sendAhead(executor, tenant);
    }
    this.#serve();
  }

  /**
   * Sends more calls of a tenant to where it has calls, all of which wait: they begin one after the other without this process, each when those
   * before it wait too. As many as there are already: it has shown that so many wait. Nobody is passed in the line.
   */
  #sendAhead(executor: ExecutorProcess, tenant: string): void {
    const most = Math.min(executor.sizeOf(tenant), MOST_AHEAD, this.#mostMore(executor));
    const isNext = (): boolean => this.#line.next?.tenant === tenant && this.#line.next.mayWaitThere;
    for (let left = most; left > 0 && isNext(); left--) {
      this.#line.give(() => this.#promise({ executor, isAhead: true }));
    }
  }

  #mostMore(executor: ExecutorProcess): number {
    return MOST_CALLS - this.#load(executor);
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
