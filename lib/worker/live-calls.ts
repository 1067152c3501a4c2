/**
 * The calls that this Worker holds: which of them has the thread, which wait, and how the host's interrupts find them. The guest's side of the trust
 * boundary.
 *
 * A thread runs one call at a time, from one wait to the next. Which one is decided here and not by the order in which promises happen to
 * be resolved: a call that had been told to go on, and stood behind another that computes, would seem to run and not to answer.
 */
import { ThreadBlock } from "../protocol/thread.ts";

/** A call that can be interrupted. */
export interface LiveCall {
  /** Breaks the call's wait, if it waits; the control block says why. A call that runs finds out by itself. */
  interrupt(): void;
}

interface Turn {
  readonly id: number;
  readonly give: () => void;
}

/** The calls of one thread, by the ids that the host gave them. */
export class LiveCalls {
  /** Shared with the host once it has sent its own. */
  thread: ThreadBlock = new ThreadBlock();
  /** Tells the host, who wants to know, that all calls wait. */
  onParked: () => void = () => undefined;
  readonly #calls = new Map<number, LiveCall>();
  readonly #turns: Turn[] = [];
  /** The call that has the thread. */
  #current: number | undefined;
  #held = 0;
  #suspended = 0;

  /** Counts a call that has come. */
  hold(): void {
    this.#held += 1;
  }

  /** Counts a call that has been answered. The answer tells the host all that a `parked` would. */
  release(): void {
    this.#held -= 1;
  }

  /** Registers a call, for its interrupts. */
  add(id: number, call: LiveCall): void {
    this.#calls.set(id, call);
  }

  /** Forgets a call. */
  remove(id: number): void {
    this.#calls.delete(id);
  }

  /** Breaks a call's wait. One that has not begun, or has ended, has none. */
  interrupt(id: number): void {
    this.#calls.get(id)?.interrupt();
  }

  /** Takes the thread. @returns What to wait for before the call runs; undefined when it may at once. */
  takeTurn(id: number): Promise<void> | undefined {
    if (this.#current === undefined || this.#current === id) {
      this.#current = id;
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turns.push({ id, give: resolve });
    return promise;
  }

  /** Gives the thread to the next, if this call has it. */
  endTurn(id: number): void {
    if (this.#current !== id) return;
    const next = this.#turns.shift();
    this.#current = next?.id;
    next?.give();
  }

  /** The call that has the thread waits. */
  suspend(id: number): void {
    this.#suspended += 1;
    this.thread.suspended = this.#suspended;
    this.endTurn(id);
    if (this.#current === undefined && this.#suspended === this.#held && this.thread.takeWant()) this.onParked();
  }

  /** A call that waited has the thread again. */
  resume(): void {
    this.#suspended -= 1;
    this.thread.suspended = this.#suspended;
  }
}

/** Those of this thread. */
export const LIVE_CALLS: LiveCalls = new LiveCalls();
