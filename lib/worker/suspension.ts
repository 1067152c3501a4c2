/**
 * How a call waits: it lets the thread go, stops counting its CPU time, and tells the host; the host's interrupt breaks the wait. The guest's side of
 * the trust boundary.
 */
import type { Budget } from "./budget.ts";
import { LIVE_CALLS, type LiveCall, type LiveCalls } from "./live-calls.ts";

/** The waits of one call, one after another. Costs nothing while there are none. */
export class Suspension implements LiveCall, Disposable {
  readonly #id: number;
  readonly #budget: Budget;
  readonly #live: LiveCalls;
  #break: (() => void) | undefined;

  /** @param id - The call's, as the host numbers it. */
  constructor(id: number, budget: Budget, live: LiveCalls = LIVE_CALLS) {
    this.#id = id;
    this.#budget = budget;
    this.#live = live;
    live.add(id, this);
  }

  /**
   * Waits, while other calls have the thread. What a suspending import gives to the engine.
   *
   * @param waited - What the guest waits for. It is told nothing when the wait is broken: whoever made it ends it with the call.
   * @returns What came of it, once the call has the thread again.
   * @throws {WebAssembly.RuntimeError} that no guest can catch, when the call must end; else what `waited` was rejected with.
   */
  async wait<T>(waited: PromiseLike<T>): Promise<T> {
    this.#budget.suspend();
    this.#live.suspend(this.#id);
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#break = () => reject(new Error("BUG: a wait was broken, and its call went on"));
        waited.then(resolve, reject);
        // The host's message may have come while the call had the thread.
        this.interrupt();
      });
    } finally {
      this.#break = undefined;
      const turn = this.#live.takeTurn(this.#id);
      if (turn !== undefined) await turn;
      this.#live.resume();
      this.#budget.resume();
    }
  }

  interrupt(): void {
    if (this.#budget.isInterrupted) this.#break?.();
  }

  /** Forgets the call, which has ended and waits no more. */
  [Symbol.dispose](): void {
    this.#live.remove(this.#id);
    this.#live.endTurn(this.#id);
  }
}
