/**
 * What a suite is, and what it finds. Types only.
 */
import type { Effort } from "./measure.ts";
import type { Scratch } from "./scratch.ts";

/** One question, and how it is answered. */
export interface Suite {
  readonly name: string;
  readonly question: string;
  readonly run: (surroundings: Surroundings) => Promise<Findings>;
}

/** What a suite is given. */
export interface Surroundings {
  readonly effort: Effort;
  readonly scratch: Scratch;
  /** Whether a comparison of that name is wanted, where a suite can leave some out. */
  readonly only: (name: string) => boolean;
}

/** What a suite found. */
export interface Findings {
  readonly comparisons: readonly Comparison[];
  /** Figures that come from several comparisons, or from none. */
  readonly summary: readonly SummaryFigure[];
}

/** Candidates beside a baseline, measured in turns. */
export interface Comparison {
  readonly name: string;
  /** The first one is the baseline. */
  readonly figures: readonly Figure[];
}

/** What was measured of one subject. */
export interface Figure {
  readonly name: string;
  readonly medianNs: number;
  /** Counts what a median leaves out: garbage collections above all. */
  readonly meanNs: number;
  readonly p99Ns: number;
  /** How many times it was timed, all rounds together. */
  readonly samples: number;
  /** Its median over the baseline's median. */
  readonly ratio: number;
  /** The lowest and highest ratio of medians of a single round: how far to trust the ratio. */
  readonly ratioRange: readonly [least: number, most: number];
  /** Whether it stands there only to compare with: the gate does not look at it. */
  readonly isContext?: boolean;
}

/** A single figure. */
export interface SummaryFigure {
  readonly name: string;
  readonly value: number;
  /** `x` for a ratio. */
  readonly unit: string;
  /** Which one it is, where it is one of several. */
  readonly note?: string;
}
