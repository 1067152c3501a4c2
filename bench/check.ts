/**
 * The gate and the recording: runs suites apart, compares with `baseline.json` or writes it.
 */
import { readBaseline, writeBaseline } from "./baseline.ts";
import { formatProblem, judge, type Ratios, takeMedians, takeRatios } from "./gate.ts";
import { describeMachine } from "./report.ts";
import { type Manner, runApart } from "./runner.ts";
import type { Scratch } from "./scratch.ts";
import type { Suite } from "./suite.ts";

/** Runs that a recorded ratio is the median of. */
const RECORDED_RUNS = 3;
const MANNER: Manner = Object.freeze({ quick: false, only: [] });

/**
 * Runs suites and compares their ratios with the recorded ones.
 *
 * @returns A line for each problem.
 */
export async function checkSuites(suites: readonly Suite[], scratch: Scratch): Promise<readonly string[]> {
  const recorded = await readBaseline();
  const lines: string[] = [];
  for (const suite of suites) {
    const problems = await judge(recorded, () => measure(suite, scratch));
    lines.push(...problems.map(formatProblem));
  }
  return lines;
}

/** Runs suites several times and records the medians of their ratios. */
export async function recordSuites(suites: readonly Suite[], scratch: Scratch): Promise<void> {
  for (const suite of suites) {
    const runs: Ratios[] = [];
    // A suite may have no ratios: then one run shows it.
    do runs.push(await measure(suite, scratch));
    while (runs.length < RECORDED_RUNS && (runs[0]?.get(suite.name)?.size ?? 0) > 0);
    const recorded = new Map([...(await readBaseline()), ...takeMedians(runs)]);
    await writeBaseline(recorded, { bun: Bun.version, machine: describeMachine() });
  }
}

async function measure(suite: Suite, scratch: Scratch): Promise<Ratios> {
  console.error(`bench: ${suite.name} …`);
  return takeRatios([await runApart(suite, MANNER, scratch)]);
}
