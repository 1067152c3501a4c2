/**
 * A counter of one core module instance, from the host's side: a global of the module's own, read and written through functions
 * that the meter exports. What is said here of units of fuel goes for bytes of objects as well.
 */

/** The exports of a metered instance that the host uses. */
export interface CounterExports {
  /** What is left of the slice; negative when more was used. */
  readonly read: () => number;
  readonly write: (left: number) => void;
}

/** One instance's counter. */
export class FuelCounter {
  readonly #next: (used: number) => number;
  #exports: CounterExports | undefined;
  /** What the counter was last set to. */
  #granted = 0;

  /** @param next - Takes over what was burned and returns the next slice; negative when the call must end. */
  constructor(next: (used: number) => number) {
    this.#next = next;
  }

  /** Units that may be burned before the code asks again. */
  get left(): number {
    return Math.max(0, this.#exports?.read() ?? 0);
  }

  /** Units burned since the last slice was granted. */
  get used(): number {
    return this.#exports === undefined ? 0 : this.#granted - this.#exports.read();
  }

  /** Connects the counter to its instance, before any of its code runs. */
  attach(exports: CounterExports): void {
    this.#exports = exports;
  }

  /** The metered code's import: takes what is left and returns the next slice, which the code puts into the counter. */
  readonly refill = (left: number): number => {
    const used = this.#granted - left;
    // Until the code has stored the next slice, the counter holds what is left: it must not count again.
    this.#granted = left;
    const slice = this.#next(used);
    this.#granted = slice;
    return slice;
  };

  /** Takes back what is left: the code asks before it burns more. Returns what was used. */
  withdraw(): number {
    const { used } = this;
    this.#granted = 0;
    this.#exports?.write(0);
    return used;
  }

  /** Makes the next check ask, and be refused. */
  exhaust(): void {
    this.#granted = -1;
    this.#exports?.write(-1);
  }
}
