/**
 * The counter of the objects that one core module instance makes, from the host's side: a global of the module's own, read and written
 * through functions that the meter exports. It counts bytes.
 */

/** The exports of a metered instance that the host uses. */
export interface CounterExports {
  /** What is left of the grant; negative when more was used. */
  readonly read: () => number;
  readonly write: (left: number) => void;
}

/** One instance's counter. */
export class HeapCounter {
  readonly #next: (used: number) => number;
  #exports: CounterExports | undefined;
  /** What the counter was last set to. */
  #granted = 0;

  /** @param next - Takes over what was used and returns the next grant; negative when the call must end. */
  constructor(next: (used: number) => number) {
    this.#next = next;
  }

  /** Bytes that may be used before the code asks again. */
  get left(): number {
    return Math.max(0, this.#exports?.read() ?? 0);
  }

  /** Bytes used since the last grant. */
  get used(): number {
    return this.#exports === undefined ? 0 : this.#granted - this.#exports.read();
  }

  /** Connects the counter to its instance, before any of its code runs. */
  attach(exports: CounterExports): void {
    this.#exports = exports;
  }

  /** The metered code's import `allocate`: takes what is left and returns the next grant, which the code puts into the counter. */
  readonly refill = (left: number): number => {
    const used = this.#granted - left;
    // Until the code has stored the next grant, the counter holds what is left: it must not count again.
    this.#granted = left;
    const granted = this.#next(used);
    this.#granted = granted;
    return granted;
  };

  /** Takes back what is left: the code asks before it uses more. Returns what was used. */
  withdraw(): number {
    const { used } = this;
    this.#granted = 0;
    this.#exports?.write(0);
    return used;
  }
}
