/**
 * Test support: numbers that look random and are the same in every run of a seed.
 */

/** A stream of numbers. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 bits. Source: mulberry32. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** An integer from 0, below a limit. */
  below(limit: number): number {
    return this.bits() % limit;
  }

  /** Whether something of a chance happens. @param chance - From 0 to 1. */
  happens(chance: number): boolean {
    return this.bits() < chance * 2 ** 32;
  }

  /** One of several. */
  pick<T>(choices: readonly [T, ...T[]] | readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new Error("nothing to pick from");
    return choice;
  }
}
