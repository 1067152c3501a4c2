/**
 * What does metering add to computing? The same module runs twice in the same process: as it was written, and metered.
 */
import { WORKLOADS, type WorkloadSource } from "./compute.ts";
import { compareCopies } from "./copies.ts";
import { type Effort, geometricMean } from "./measure.ts";
import type { Comparison, Findings, Suite, SummaryFigure } from "./suite.ts";

/** `bun bench/run.ts meter` */
export const METER: Suite = {
  name: "meter",
  question: "What does metering add to computing?",
  async run({ effort, only }): Promise<Findings> {
    const comparisons: Comparison[] = [];
    const ratios = new Map<string, number>();
    for (const source of WORKLOADS.filter(({ name }) => only(name))) {
      const comparison = await compareWorkload(source, effort);
      comparisons.push(comparison);
      if (!source.isMicro) ratios.set(source.name, comparison.figures[1]?.ratio ?? NaN);
    }
    return { comparisons, summary: summarize(ratios) };
  },
};

/** Rounds of all copies together: there are many guests, and a run takes about a millisecond. */
const ROUNDS = 12;
const ROUND_MS = 25;
const WARM_UP_MS = 150;

function compareWorkload({ name, prepare, copies }: WorkloadSource, effort: Effort): Promise<Comparison> {
  const isQuick = effort.rounds < ROUNDS;
  return compareCopies(
    name,
    async () => {
      const { plain, metered, answer } = await prepare();
      for (const [way, run] of Object.entries({ plain, metered })) {
        const got = run();
        if (got !== answer) throw new Error(`BUG: ${name} computes ${String(got)} ${way}, not ${String(answer)}`);
      }
      return [
        { name: "unmetered", run: plain },
        { name: "metered", run: metered },
      ];
    },
    {
      copies: isQuick ? 1 : copies,
      rounds: isQuick ? effort.rounds : ROUNDS / copies,
      roundMs: Math.min(effort.roundMs, ROUND_MS),
      warmUpMs: Math.min(effort.warmUpMs, WARM_UP_MS),
      leastSamples: effort.leastSamples,
      // A guest is alone in its thread.
      clock: "thread",
    },
  );
}

function summarize(ratios: ReadonlyMap<string, number>): readonly SummaryFigure[] {
  const [worst] = [...ratios].toSorted(([, a], [, b]) => b - a);
  if (worst === undefined) return [];
  return [
    { name: "metered over unmetered, geometric mean", value: geometricMean([...ratios.values()]), unit: "x" },
    { name: "metered over unmetered, the worst", value: worst[1], unit: "x", note: worst[0] },
  ];
}
