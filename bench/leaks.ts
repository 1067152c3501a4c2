/**
 * Does a call leave anything behind? How much memory KAMI and its processes hold after a few calls, and after very many, of a tool that does nothing;
 * then the same for calls that end badly, in every way that there is.
 */
import { readPackage } from "../lib/registry/package.ts";
import { Runtime } from "../lib/runtime.ts";
import { ECHO } from "./tools.ts";
import { BadCalls } from "./bad-calls.ts";
import { residentMebibytes } from "./resident.ts";
import type { Findings, Suite, SummaryFigure, Surroundings } from "./suite.ts";

/** The most that memory may grow by, in MiB. */
const GROWTH_LIMIT = 20;
/** Calls before the first look and before the last one. */
const FULL = { good: [5000, 105_000], bad: [5000, 15_000] } as const;
const QUICK = { good: [50, 150], bad: [40, 80] } as const;
const ISOLATIONS = ["worker", "process"] as const;
const NAMES = { worker: "Workers", process: "executor processes" } as const;
const CONCURRENCY = 2;
const LOOKS = 8;

type Isolation = (typeof ISOLATIONS)[number];

/** `bun bench/run.ts leaks` */
export const LEAKS: Suite = {
  name: "leaks",
  question: "Does a call leave anything behind?",
  async run(surroundings): Promise<Findings> {
    const isQuick = surroundings.effort.leastSamples === 1;
    const summary: SummaryFigure[] = [];
    for (const isolation of ISOLATIONS) summary.push(...(await watch(isolation, surroundings, isQuick)));
    const worst = Math.max(...summary.filter(({ name }) => name.endsWith("growth")).map(({ value }) => value));
    // In a quick run the engine still compiles and fills its caches.
    if (worst > GROWTH_LIMIT && !isQuick)
      throw new Error(
        `memory grew by ${worst.toFixed(1)} MiB, the limit is ${GROWTH_LIMIT}: ${JSON.stringify(summary)}`,
      );
    return { comparisons: [], summary };
  },
};

async function watch(isolation: Isolation, { scratch }: Surroundings, isQuick: boolean): Promise<SummaryFigure[]> {
  const plan = isQuick ? QUICK : FULL;
  await using runtime = new Runtime({
    home: scratch.directory("leaks"),
    isolation,
    concurrency: CONCURRENCY,
    queueLimit: CONCURRENCY * 4,
  });
  await runtime.install(ECHO.directory);
  const { id } = (await readPackage(ECHO.directory)).manifest.tool;
  const good = await grow(plan.good, () => echo(runtime, id));
  const bad = await BadCalls.open(runtime);
  const badGrowth = await grow(plan.bad, () => bad.next());
  return [
    ...figures(`in ${NAMES[isolation]}, small calls`, plan.good, good),
    ...figures(`in ${NAMES[isolation]}, bad calls`, plan.bad, badGrowth),
  ];
}

/** Measures before and after. `step` makes one call or several, and says how many. */
async function grow(
  [few, many]: readonly [few: number, many: number],
  step: () => Promise<number>,
): Promise<readonly [before: number, after: number]> {
  const make = async (calls: number): Promise<void> => {
    for (let made = 0; made < calls;) made += await step();
  };
  // A Worker collects its garbage now and then: the least of several looks within that time is what it holds without.
  const apart = Math.ceil(few / (LOOKS * 2));
  const look = async (): Promise<number> => {
    let least = Infinity;
    for (let looks = 0; looks < LOOKS; looks++) {
      await make(apart);
      least = Math.min(least, await residentMebibytes());
    }
    return least;
  };
  await make(few - apart * LOOKS);
  const before = await look();
  await make(many - few - apart * LOOKS);
  return [before, await look()];
}

async function echo(runtime: Runtime, id: string): Promise<number> {
  const results = await Promise.all(Array.from({ length: CONCURRENCY * 2 }, () => runtime.call(id, ECHO.input)));
  for (const result of results) if (!result.ok) throw result.failure;
  return results.length;
}

function figures(
  name: string,
  [few, many]: readonly [number, number],
  [before, after]: readonly [number, number],
): SummaryFigure[] {
  return [
    { name: `${name}: after ${few}`, value: before, unit: "MiB" },
    { name: `${name}: after ${many}`, value: after, unit: "MiB" },
    { name: `${name}: growth`, value: after - before, unit: "MiB" },
  ];
}
