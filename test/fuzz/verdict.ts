/**
 * Test support: what was found out about one input, and about many.
 */

/** What became of one input: what it counts as, or what is wrong. */
export type Verdict =
  | { readonly isValid: boolean; readonly outcome: string; readonly finding?: undefined }
  | { readonly isValid: boolean; readonly finding: string; readonly outcome?: undefined };

/** What became of many. */
export interface Tally {
  mutations: number;
  valid: number;
  /** Milliseconds of the slowest. */
  slowestMs: number;
  slowest: string;
  /** How many ended in which way. */
  readonly outcomes: Record<string, number>;
}

/** Makes an empty tally. */
export function emptyTally(): Tally {
  return { mutations: 0, valid: 0, slowestMs: 0, slowest: "", outcomes: {} };
}

/** Adds one tally to another. */
export function addTally(sum: Tally, tally: Tally): void {
  sum.mutations += tally.mutations;
  sum.valid += tally.valid;
  if (tally.slowestMs > sum.slowestMs) [sum.slowestMs, sum.slowest] = [tally.slowestMs, tally.slowest];
  for (const [outcome, count] of Object.entries(tally.outcomes))
    sum.outcomes[outcome] = (sum.outcomes[outcome] ?? 0) + count;
}
