/**
 * Growing lists of numbers: what a large module has a hundred thousand of takes four bytes each, and no garbage collector looks through them.
 */

/** A growing list of whole numbers, -2^31 to 2^31 - 1. */
export class IntegerList {
  #values: Int32Array;
  /** Numbers so far. */
  length = 0;

  constructor(capacity = 64) {
    this.#values = new Int32Array(capacity);
  }

  /** Returns the number at a place; 0 where there is none. */
  at(place: number): number {
    return this.#values[place] ?? 0;
  }

  /** Adds a number. @returns Its place. */
  push(value: number): number {
    if (this.length === this.#values.length) this.#grow(this.length + 1);
    this.#values[this.length] = value;
    return this.length++;
  }

  /** Puts a number at a place, which there may not have been. */
  set(place: number, value: number): void {
    if (place >= this.#values.length) this.#grow(place + 1);
    this.#values[place] = value;
    if (place >= this.length) this.length = place + 1;
  }

  #grow(least: number): void {
    const grown = new Int32Array(Math.max(this.#values.length * 2, least));
    grown.set(this.#values);
    this.#values = grown;
  }
}
