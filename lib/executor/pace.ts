/**
 * How long calls take of late: tells a caller that was refused when to try again.
 */

/** The shortest and longest time after which a caller is told to try again, in milliseconds. */
const RETRY_MS = { least: 50, most: 5000 } as const;
/** The share of the newest call in the average. */
const WEIGHT = 1 / 16;

/** A moving average of the time of calls. */
export class Pace {
  #averageMs = 100;

  /** Notes how long a call took, in milliseconds. */
  note(callMs: number): void {
    this.#averageMs += (callMs - this.#averageMs) * WEIGHT;
  }

  /**
   * Estimates when half of a full queue has had its turn.
   *
   * @param queueLimit - Calls that wait; without a queue, one has to end.
   * @param concurrency - Calls that run at once.
   * @returns Whole milliseconds, 50 to 5,000.
   */
  retryAfterMs(queueLimit: number, concurrency: number): number {
    const rounds = Math.max(queueLimit / 2, 1) / concurrency;
    return Math.round(Math.min(RETRY_MS.most, Math.max(RETRY_MS.least, rounds * this.#averageMs)));
  }
}
