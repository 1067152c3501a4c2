/**
 * How cost grows with size, measured in one run: for tests that nothing takes quadratic time.
 */

/** Rounds after which a ratio stands. */
const MOST_ROUNDS = 20;

/** Milliseconds below which the clock's grain and a collection of garbage outweigh the work. */
const FLOOR_MS = 0.5;

/**
 * Compares the least times of two actions. Noise only ever adds time, so that more rounds only come nearer to the truth: it stops
 * as soon as the ratio is below what is asked for.
 *
 * @param small - The action on a small input.
 * @param large - The same on a larger one.
 * @param below - The ratio that the caller will accept.
 * @returns The least time of `large` over the least time of `small`.
 */
export function growthOf(small: () => unknown, large: () => unknown, below: number): number {
  let [smallMs, largeMs] = [Infinity, Infinity];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    smallMs = Math.min(smallMs, timeOf(small));
    largeMs = Math.min(largeMs, timeOf(large));
    // Three rounds at least: the first small time may be the one that is too long.
    if (round >= 2 && largeMs / Math.max(smallMs, FLOOR_MS) < below) break;
  }
  return largeMs / Math.max(smallMs, FLOOR_MS);
}

/** Processor time, not wall time: on a busy machine a long action waits for its turn more often than a short one. */
function timeOf(action: () => unknown): number {
  const start = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
