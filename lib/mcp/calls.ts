/**
 * The calls of one connection that have not ended: so that the end of the connection interrupts them all, and can wait for them.
 *
 * Each call has a controller of its own. `AbortSignal.any` over the connection's signal would be shorter, and keeps about a kilobyte in that
 * signal for every call there ever was.
 */

/** The calls in flight of one connection. */
export class CallsInFlight {
  readonly #calls = new Map<AbortController, Promise<unknown>>();
  #isInterrupted = false;

  /**
   * Starts a call.
   *
   * @param signals - Each one interrupts this call.
   * @param call - Gets a signal that also {@link interrupt} aborts.
   */
  async start<T>(signals: readonly (AbortSignal | undefined)[], call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    if (this.#isInterrupted || signals.some((signal) => signal?.aborted === true)) abort();
    for (const signal of signals) signal?.addEventListener("abort", abort, { once: true });
    const running = call(controller.signal);
    this.#calls.set(controller, running);
    try {
      return await running;
    } finally {
      this.#calls.delete(controller);
      for (const signal of signals) signal?.removeEventListener("abort", abort);
    }
  }

  /** Calls that have not ended. */
  get size(): number {
    return this.#calls.size;
  }

  /** Interrupts every call, and every one that starts later. */
  interrupt(): void {
    this.#isInterrupted = true;
    for (const controller of this.#calls.keys()) controller.abort();
  }

  /** Resolves when no call is left and the answers to all of them have been handed on. */
  async settled(): Promise<void> {
    do {
      await Promise.allSettled(this.#calls.values());
      // The SDK hands messages and answers on in microtasks: a turn of the loop lets through all that came before the end.
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.#calls.size > 0);
  }
}
