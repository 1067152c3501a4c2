/**
 * Measures subjects in turns with mitata, so that the noise of a shared machine hits all of them.
 */
import { measure } from "mitata";
import { type Clock, makeClock } from "./clock.ts";
import type { Comparison, Figure } from "./suite.ts";

/** Something to time. What it returns is awaited when it is a promise. */
export interface Subject {
  readonly name: string;
  readonly run: () => unknown;
  /** Whether it stands beside the others only to compare with: how it fares is nothing that KAMI answers for. */
  readonly isContext?: boolean;
}

/** How long to measure. */
export interface Effort {
  /** Turns that each subject takes. */
  readonly rounds: number;
  /** Milliseconds of a turn. */
  readonly roundMs: number;
  /** Milliseconds that a subject runs before the first round: the engine compiles hot code in tiers. */
  readonly warmUpMs: number;
  /** Timings of a turn that there are at least, however long they take. */
  readonly leastSamples: number;
  /** Wall time when there is none. */
  readonly clock?: Clock;
}

/** Efforts by name: `quick` shows that everything runs, `full` gives figures. */
export const EFFORTS: Readonly<Record<"quick" | "full", Effort>> = Object.freeze({
  quick: { rounds: 2, roundMs: 8, warmUpMs: 8, leastSamples: 1 },
  full: { rounds: 12, roundMs: 60, warmUpMs: 300, leastSamples: 4 },
});

const NANOSECONDS = 1_000_000;

/** When compilers count as done: what one looks at, in milliseconds; their share of it; after how many times the warm-up they get no more time. */
const SETTLING = { lookMs: 60, share: 0.03, most: 6 } as const;

/**
 * Measures a baseline and what is compared with it.
 *
 * @param subjects - The baseline first.
 */
export async function compare(
  name: string,
  subjects: readonly [baseline: Subject, ...candidates: Subject[]],
  effort: Effort,
): Promise<Comparison> {
  for (const subject of subjects) await warmUp(subject, effort);
  const taken = subjects.map((subject) => ({ subject, rounds: [] as number[][] }));
  for (let round = 0; round < effort.rounds; round++) {
    // There and back again: none always comes after the same other.
    const turns = round % 2 === 0 ? taken : taken.toReversed();
    for (const { subject, rounds } of turns) rounds.push(await sample(subject, effort));
  }
  const baseline = taken[0]?.rounds ?? [];
  return { name, figures: taken.map(({ subject, rounds }) => summarize(subject, rounds, baseline)) };
}

/** An effort for what takes long each time and does not get faster: fewer timings, no time to warm up. */
export function lighten({ rounds, roundMs, leastSamples }: Effort): Effort {
  return { rounds: Math.max(1, Math.floor(rounds / 2)), roundMs, leastSamples: Math.min(2, leastSamples), warmUpMs: 0 };
}

/** Computes the geometric mean. @param ratios - At least one, each above 0. */
export function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}

/** Runs a subject for a while. One that computes also until the engine's compilers, in threads of their own, have nothing more to do with it. */
async function warmUp({ run }: Subject, { warmUpMs, clock = "wall" }: Effort): Promise<void> {
  const [now, everywhere] = [makeClock(clock), makeClock("process")];
  const until = now() + warmUpMs * NANOSECONDS;
  while (now() < until) await run();
  if (clock !== "thread" || warmUpMs < SETTLING.lookMs) return;
  const atLast = until + warmUpMs * SETTLING.most * NANOSECONDS;
  for (let others = 1; others > SETTLING.share && now() < atLast;) {
    const [start, all] = [now(), everywhere()];
    while (now() < start + SETTLING.lookMs * NANOSECONDS) await run();
    const here = now() - start;
    others = (everywhere() - all - here) / here;
  }
}

/** @returns Nanoseconds, unordered. */
async function sample(subject: Subject, { roundMs, leastSamples, clock = "wall" }: Effort): Promise<number[]> {
  const stats = await measure(subject.run, {
    now: makeClock(clock),
    min_cpu_time: roundMs * NANOSECONDS,
    min_samples: leastSamples,
    // Each call is timed by itself: the average of a batch has no p99.
    batch_threshold: -1,
    // mitata drops the two lowest and highest timings: a p99 is made of just those.
    samples_threshold: Infinity,
  });
  return stats.samples;
}

function summarize({ name, isContext }: Subject, rounds: readonly number[][], baseline: readonly number[][]): Figure {
  const all = rounds.flat();
  const medianNs = quantile(all, 0.5);
  const ratios = rounds.map((round, index) => quantile(round, 0.5) / quantile(baseline[index] ?? [], 0.5));
  return {
    name,
    medianNs,
    meanNs: all.reduce((sum, time) => sum + time, 0) / all.length,
    p99Ns: quantile(all, 0.99),
    samples: all.length,
    ratio: medianNs / quantile(baseline.flat(), 0.5),
    ratioRange: [Math.min(...ratios), Math.max(...ratios)],
    ...(isContext === true ? { isContext } : {}),
  };
}

/** The way mitata takes it: the sample at or below the rank. */
function quantile(samples: readonly number[], share: number): number {
  const ordered = samples.toSorted((a, b) => a - b);
  return ordered[Math.floor(share * (ordered.length - 1))] ?? NaN;
}
