/**
 * Compares the ratios of a run with those that were recorded. Pure: figures in, problems out.
 *
 * Only ratios are compared, each of two things measured in turns in one process: times depend on the machine, ratios much less. Less is always better.
 */
import type { SuiteReport } from "./report.ts";

/** A ratio may be so many times the recorded one: beyond it has worsened. */
export const TOLERANCE = 1.2;

/** Times that a suite is run again. */
const MORE_ATTEMPTS = 2;

/** Ratios by name, by suite. */
export type Ratios = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Why the gate fails. */
export type Problem =
  /** The ratio is more than {@link TOLERANCE} times the recorded one. */
  | {
      readonly kind: "worse";
      readonly suite: string;
      readonly ratio: string;
      readonly recorded: number;
      readonly value: number;
    }
  /** The ratio is measured and not recorded, or recorded and not measured. */
  | { readonly kind: "new" | "missing"; readonly suite: string; readonly ratio: string };

/**
 * Takes the ratios out of reports: each comparison's, but for baselines and what is there for context only, and those of the summaries.
 *
 * @throws {Error} BUG when two have the same name, or one is not a number above 0.
 */
export function takeRatios(reports: readonly SuiteReport[]): Ratios {
  return new Map(reports.map((report) => [report.name, takeSuite(report)]));
}

/**
 * Compares ratios with recorded ones.
 *
 * @param measured - Of the suites that were run; other suites are not looked at.
 * @returns What is wrong, in the order of the names.
 */
function findProblems(recorded: Ratios, measured: Ratios): readonly Problem[] {
  return [...measured].flatMap(([suite, values]) => compareSuite(suite, recorded.get(suite) ?? new Map(), values));
}

/**
 * Measures a suite and compares. What has worsened must do so each time: the machine may have been busy. What is new or missing stays so.
 *
 * @param measure - Runs the suite; called once, and again at most {@link MORE_ATTEMPTS} times.
 */
export async function judge(recorded: Ratios, measure: () => Promise<Ratios>): Promise<readonly Problem[]> {
  let best = await measure();
  let problems = findProblems(recorded, best);
  for (let left = MORE_ATTEMPTS; left > 0 && problems.some(({ kind }) => kind === "worse"); left--) {
    best = takeBetter(best, await measure());
    problems = findProblems(recorded, best);
  }
  return problems;
}

/** Takes the better of two attempts for each ratio: what has worsened is worse in all of them. */
function takeBetter(first: Ratios, second: Ratios): Ratios {
  const better = new Map(first);
  for (const [suite, values] of second) {
    const before = first.get(suite);
    better.set(suite, new Map([...values].map(([name, value]) => [name, Math.min(value, before?.get(name) ?? value)])));
  }
  return better;
}

/** Takes the median of several runs for each ratio. @param runs - At least one; of an even number the lower middle counts. */
export function takeMedians(runs: readonly Ratios[]): Ratios {
  const [first = new Map<string, never>()] = runs;
  const median = (suite: string, name: string): number => {
    const values = runs.map((run) => run.get(suite)?.get(name) ?? NaN).toSorted((a, b) => a - b);
    return values[Math.floor((values.length - 1) / 2)] ?? NaN;
  };
  return new Map(
    [...first].map(([suite, values]) => [
      suite,
      new Map([...values.keys()].map((name) => [name, median(suite, name)])),
    ]),
  );
}

/** Says what is wrong, in one line. */
export function formatProblem(problem: Problem): string {
  const { kind, suite, ratio } = problem;
  return `${suite}: ${ratio} ${kind === "worse" ? describeWorse(problem) : `${STATES[kind]}, run: bun run bench ${suite} --record`}`;
}

const STATES = {
  new: "is not recorded; to record it",
  missing: "is recorded but not measured; to record what there is",
} as const;

function describeWorse({ recorded, value }: { readonly recorded: number; readonly value: number }): string {
  const percent = ((value / recorded - 1) * 100).toFixed(0);
  return `is ${value.toFixed(2)} x, ${percent} % worse than the recorded ${recorded.toFixed(2)} x`;
}

function takeSuite({ name: suite, comparisons, summary }: SuiteReport): ReadonlyMap<string, number> {
  const ratios = new Map<string, number>();
  const add = (name: string, value: number): void => {
    if (ratios.has(name)) throw new Error(`BUG: ${suite} has two ratios named "${name}"`);
    if (!(value > 0 && value < Infinity)) throw new Error(`BUG: the ratio "${name}" of ${suite} is ${value}`);
    ratios.set(name, value);
  };
  for (const { name, figures } of comparisons) {
    const [, ...candidates] = figures;
    for (const figure of candidates) {
      if (figure.isContext !== true) add(`${name}, ${figure.name}`, figure.ratio);
    }
  }
  for (const { name, value, unit } of summary) if (unit === "x") add(name, value);
  return ratios;
}

function compareSuite(
  suite: string,
  recorded: ReadonlyMap<string, number>,
  measured: ReadonlyMap<string, number>,
): readonly Problem[] {
  const names = [...new Set([...recorded.keys(), ...measured.keys()])].toSorted();
  return names.flatMap((ratio): Problem[] => {
    const [before, value] = [recorded.get(ratio), measured.get(ratio)];
    if (value === undefined) return [{ kind: "missing", suite, ratio }];
    if (before === undefined) return [{ kind: "new", suite, ratio }];
    return value > before * TOLERANCE ? [{ kind: "worse", suite, ratio, recorded: before, value }] : [];
  });
}
