/**
 * How long to wait before a lost process is replaced: a process that cannot live must not be started again and again.
 */

/** The wait before the second replacement in a row, and the longest, in milliseconds. The first one is at once. */
const WAIT_MS = { first: 100, most: 2000 } as const;

/** The losses in one place. */
export class Backoff {
  #inARow = 0;

  /**
   * Notes a loss.
   *
   * @param wasHealthy - Whether the process had answered a call: then this is the first loss in a row.
   * @returns Milliseconds until its replacement, 0 to 2,000.
   */
  lose(wasHealthy: boolean): number {
    this.#inARow = wasHealthy ? 1 : this.#inARow + 1;
    if (this.#inARow === 1) return 0;
    return Math.min(WAIT_MS.first * 2 ** (this.#inARow - 2), WAIT_MS.most);
  }
}
