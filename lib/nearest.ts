/**
 * The nearest known word for a misspelt one: keys of a manifest, flags, tool ids, argument names.
 */

/** Longer words are never compared: nobody misspells them by hand, and comparing costs their length squared. */
const LONGEST_WORD = 128;

/**
 * Finds the candidate that a misspelt word most likely stands for, ignoring case.
 *
 * @param word - What was written; of any length, from outside.
 * @param candidates - What is known. The first of equally near ones wins.
 * @returns The nearest candidate within a third of the word's length (at least one edit), or `undefined`.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length === 0 || word.length > LONGEST_WORD) return undefined;
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    // The difference in length is a lower bound of the distance.
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** Counts insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const replaced = at(last, column - 1) + (left[row - 1] === right[column - 1] ? 0 : 1);
      const swapped = isSwap(left, right, { row, column }) ? at(beforeLast, column - 2) + 1 : Infinity;
      current.push(Math.min(at(last, column) + 1, at(current, column - 1) + 1, replaced, swapped));
    }
    beforeLast = last;
    last = current;
  }
  return at(last, right.length);
}

function isSwap(left: string, right: string, { row, column }: { row: number; column: number }): boolean {
  return row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
