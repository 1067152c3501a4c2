/**
 * A bounded number of things at once; others wait for their turn, first come, first served. The guest's side of the trust boundary.
 */

/** Turns of which so many are taken at once. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(limit: number) {
    this.#free = limit;
  }

  /** Waits for a turn. @returns Gives it back; to be called once. */
  async take(): Promise<() => void> {
    const release = this.tryTake();
    if (release !== undefined) return release;
    await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    return () => this.#giveBack();
  }

  /** Takes a turn if one is free. */
  tryTake(): (() => void) | undefined {
    if (this.#free === 0) return undefined;
    this.#free -= 1;
    return () => this.#giveBack();
  }

  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
