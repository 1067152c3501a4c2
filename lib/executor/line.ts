/**
 * Callers that wait in line for something of which there is not enough: bounded, in turns, and left at once by who is cancelled.
 */
import { type Failure, refuse } from "../errors.ts";
import { FairQueue } from "./queue.ts";

interface Waiting<T> {
  readonly give: (given: T | Failure) => void;
}

/** A line of callers, each of whom waits for a `T`. */
export class Line<T> {
  readonly #queue: FairQueue<Waiting<T>>;
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

  /** Waits for a turn. @returns What {@link give} gives; or a failure: CANCELLED, or BUSY when there is no room. */
  wait(client: string, signal?: AbortSignal): Promise<T | Failure> {
    const { promise, resolve } = Promise.withResolvers<T | Failure>();
    const waiting: Waiting<T> = {
      give: (given) => {
        signal?.removeEventListener("abort", leave);
        resolve(given);
      },
    };
    const leave = (): void => {
      if (this.#queue.remove(client, waiting)) resolve(refuse("CANCELLED", {}));
    };
    signal?.addEventListener("abort", leave, { once: true });
    this.#queue.push(client, waiting)?.give(refuse("BUSY", { retryAfterMs: this.#retryAfterMs() }));
    return promise;
  }

  /** Ends the waiting of the caller whose turn it is. @returns Whether there was one. */
  give(item: T): boolean {
    const next = this.#queue.shift();
    next?.give(item);
    return next !== undefined;
  }

  /** Ends everyone's waiting: CANCELLED. */
  close(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      next.give(refuse("CANCELLED", {}));
    }
  }
}
