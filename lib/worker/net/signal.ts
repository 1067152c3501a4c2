/**
 * Wakes who waits for something of the network's to change. The guest's side of the trust boundary.
 */

/** A change that can be waited for, again and again. */
export class Signal {
  readonly #wakes = new Set<() => void>();

  /** Has `wake` called at the next {@link notify}, once. @returns Takes the wish back. */
  whenReady(wake: () => void): () => void {
    const wish = (): void => wake();
    this.#wakes.add(wish);
    return () => void this.#wakes.delete(wish);
  }

  /** Wakes all who wait now; who begins to wait meanwhile waits for the next time. */
  notify(): void {
    const wakes = [...this.#wakes];
    this.#wakes.clear();
    for (const wake of wakes) wake();
  }

  /** Waits for the next {@link notify}. */
  next(): Promise<void> {
    return new Promise((resolve) => void this.whenReady(resolve));
  }
}

/** Waits until one of several signals is given. */
export function anyOf(signals: readonly Signal[]): Promise<void> {
  return new Promise((resolve) => {
    const takeBacks = signals.map((signal) =>
      signal.whenReady(() => {
        for (const takeBack of takeBacks) takeBack();
        resolve();
      }),
    );
  });
}
