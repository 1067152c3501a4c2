/**
 * Measures several copies of the same code, each compiled anew. Where the engine happens to put a loop, and which registers it happens to take, makes
 * the same loop up to a third slower or faster: one copy would measure that.
 */
import { compare, type Effort, geometricMean, type Subject } from "./measure.ts";
import type { Comparison, Figure } from "./suite.ts";

/** Subjects, the baseline first. */
export type Subjects = readonly [baseline: Subject, ...candidates: Subject[]];

/**
 * Measures one copy after the other.
 *
 * @param prepare - Makes a fresh copy of each subject, under the same names.
 * @param effort - For each copy; at least 1 of them.
 * @returns Means of the copies' medians and ratios; the range is that of all rounds.
 */
export async function compareCopies(
  name: string,
  prepare: () => Promise<Subjects>,
  effort: Effort & { readonly copies: number },
): Promise<Comparison> {
  const taken: Comparison[] = [];
  for (let copy = 0; copy < effort.copies; copy++) taken.push(await compare(name, await prepare(), effort));
  const [first] = taken;
  if (first === undefined) throw new RangeError("there are no copies to measure");
  return {
    name,
    figures: first.figures.map((_, index) => merge(taken.flatMap(({ figures }) => figures[index] ?? []))),
  };
}

function merge(figures: readonly Figure[]): Figure {
  const [first] = figures;
  if (first === undefined) throw new Error("BUG: a copy has fewer subjects");
  const all = (pick: (figure: Figure) => number): number[] => figures.map(pick);
  return {
    ...first,
    medianNs: geometricMean(all(({ medianNs }) => medianNs)),
    meanNs: geometricMean(all(({ meanNs }) => meanNs)),
    p99Ns: Math.max(...all(({ p99Ns }) => p99Ns)),
    samples: all(({ samples }) => samples).reduce((sum, count) => sum + count),
    ratio: geometricMean(all(({ ratio }) => ratio)),
    ratioRange: [
      Math.min(...all(({ ratioRange }) => ratioRange[0])),
      Math.max(...all(({ ratioRange }) => ratioRange[1])),
    ],
  };
}
