/**
 * Tells whether the calls of a process may take more memory together. What each has is published in its control block; adding it up for each new
 * call would cost the square of their number, so it is done again only when what has come since could make a difference.
 */
import type { Job } from "./held-call.ts";

/** Milliseconds after which the sum is made anew: calls grow. */
const STALE_MS = 50;

/** The sum of the memory of some calls. */
export class MemoryGauge {
  readonly #limitBytes: number;
  #summedAtMs = -Infinity;
  #summedBytes = 0;
  /** The most that calls which came since may have, in bytes. */
  #addedBytes = 0;

  readonly #now: () => number;

  /**
   * @param limitBytes - From this sum on there is no room.
   * @param now - Milliseconds of a clock that never goes back.
   */
  constructor(limitBytes: number, now: () => number = () => performance.now()) {
    this.#limitBytes = limitBytes;
    this.#now = now;
  }

  /** Notes a call that begins. */
  add(job: Job): void {
    this.#addedBytes += job.limits.memoryBytes;
  }

  /** Whether the calls have all that they may have together. @param jobs - Makes the list of all calls that are held. */
  isFull(jobs: () => readonly Job[]): boolean {
    const isStale = this.#now() - this.#summedAtMs > STALE_MS;
    if (!isStale && this.#summedBytes + this.#addedBytes < this.#limitBytes) return false;
    this.#summedAtMs = this.#now();
    this.#addedBytes = 0;
    // The Worker's claim, but no more than the call may have.
    this.#summedBytes = jobs().reduce(
      (sum, { control, limits }) => sum + Math.min(control.memoryInUseBytes, limits.memoryBytes),
      0,
    );
    return this.#summedBytes >= this.#limitBytes;
  }
}
