/**
 * Callers that wait in line for something of which there is not enough: bounded, in turns, and left at once by who is cancelled.
 */
import { type Failure, refuse } from "../errors.ts";
import { FairQueue } from "./queue.ts";

interface Waiting<T, W> {
  readonly wants: W;
  readonly isBack: boolean;
  readonly give: (given: T | Failure) => void;
}

/** Who waits in line. */
export interface Caller<W> {
  /** Whose turn it takes. */
  readonly client: string;
  /** By what a `T` is chosen for it. */
  readonly wants: W;
  readonly signal?: AbortSignal | undefined;
  /** Whether it had a turn before that came to nothing: then it comes before its client's others, behind those that came back before, and no bound keeps it out. */
  readonly isBack?: boolean | undefined;
}

/** A line of callers, each of whom waits for a `T`. */
export class Line<T, W> {
  readonly #queue: FairQueue<Waiting<T, W>>;
  readonly #retryAfterMs: () => number;

  /**
   * @param limit - Callers that may wait.
   * @param retryAfterMs - When one that finds no room should try again.
   */
  constructor(limit: number, retryAfterMs: () => number) {
    this.#queue = new FairQueue(limit);
    this.#retryAfterMs = retryAfterMs;
  }

  /** Callers that wait. */
  get size(): number {
    return this.#queue.size;
  }

  /** What the caller wants whose turn it is; undefined when nobody waits. */
  get next(): W | undefined {
    return this.#queue.first?.wants;
  }

  /** Waits for a turn. @returns What {@link give} gives; or a failure: CANCELLED, or BUSY when there is no room. */
  wait({ client, wants, signal, isBack = false }: Caller<W>): Promise<T | Failure> {
    const { promise, resolve } = Promise.withResolvers<T | Failure>();
    const waiting: Waiting<T, W> = {
      wants,
      isBack,
      give: (given) => {
        signal?.removeEventListener("abort", leave);
        resolve(given);
      },
    };
    const leave = (): void => {
      if (this.#queue.remove(client, waiting)) resolve(refuse("CANCELLED", {}));
    };
    signal?.addEventListener("abort", leave, { once: true });
    if (isBack) this.#queue.putBack(client, waiting, (other) => other.isBack);
    else this.#queue.push(client, waiting)?.give(refuse("BUSY", { retryAfterMs: this.#retryAfterMs() }));
    return promise;
  }

  /**
   * Ends the waiting of the first caller in turn for whom there is something.
   *
   * @param choose - Finds it; a caller for whom it finds nothing lets others pass.
   * @returns Whether there was one.
   */
  give(choose: (wants: W) => T | undefined): boolean {
    let chosen: T | undefined;
    const next = this.#queue.shift(({ wants }) => (chosen = choose(wants)) !== undefined);
    if (next === undefined || chosen === undefined) return false;
    next.give(chosen);
    return true;
  }

  /** Ends everyone's waiting. */
  clear(failure: Failure = refuse("CANCELLED", {})): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next.give(failure);
  }
}
