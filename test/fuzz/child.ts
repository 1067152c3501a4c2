/**
 * Test support: judges mutations in a process of its own, and tells the parent through two channels that outlive it: the number of the
 * mutation that is being worked on, in a mapped file; and lines of JSON.
 */
import { constants, setPriority } from "node:os";
import type { Range, Task } from "./campaign.ts";
import { judgeComponent } from "./component-oracle.ts";
import { unpackCorpus } from "./corpus.ts";
import { judgeModule } from "./module-oracle.ts";
import { makeMutation, type Target } from "./mutate.ts";
import { emptyTally, type Tally, type Verdict } from "./verdict.ts";

/** A line of the child's output. */
export type Line =
  | { readonly kind: "finding"; readonly number: number; readonly text: string }
  /** All up to `next` are done; what is in the tally was not in an earlier one. */
  | { readonly kind: "done"; readonly next: number; readonly tally: Tally };

const JUDGES: Readonly<Record<Target, (bytes: Uint8Array) => Verdict>> = {
  module: judgeModule,
  component: judgeComponent,
};
/** Between two tallies. */
const BATCH = 1000;

/** Judges the mutations of a task. `judge` stands for the judge of the target. */
export async function work(task: Task, judge: (bytes: Uint8Array) => Verdict = JUDGES[task.target]): Promise<void> {
  setPriority(constants.priority.PRIORITY_LOW);
  const corpus = unpackCorpus(await Bun.file(task.corpusPath).text());
  const progress = new Uint32Array(Bun.mmap(task.progressPath).buffer);
  const skipped = new Set(task.skipped);
  const startedMs = performance.now();
  for (let { next, end }: Range = task.range; next < end;) {
    const tally = emptyTally();
    const upTo = Math.min(end, next + BATCH);
    for (; next < upTo; next++) {
      progress[0] = next;
      progress[1] = (progress[1] ?? 0) + 1;
      if (skipped.has(next)) continue;
      const { origin, bytes } = makeMutation(corpus, task.target, [task.seed, next]);
      const text = judgeTimed(tally, [`${origin} ${task.seed}:${next}`, bytes], { judge });
      if (text !== undefined) say({ kind: "finding", number: next, text });
    }
    // The memory limit is for what a mutation takes, not for what thousands of them leave to the collector.
    Bun.gc(true);
    say({ kind: "done", next, tally });
    if (performance.now() - startedMs > task.timeMs) return;
  }
}

/** Judges inputs. */
export interface Judging {
  readonly judge: (bytes: Uint8Array) => Verdict;
  /** What takes longer is a hang; default 1 s. */
  readonly hangMs?: number;
}

/**
 * Judges one input and counts it.
 *
 * @returns What is wrong.
 */
export function judgeTimed(
  tally: Tally,
  [label, bytes]: readonly [label: string, bytes: Uint8Array],
  { judge, hangMs = 1000 }: Judging,
): string | undefined {
  const [verdict, ms] = timed(() => judge(bytes));
  // Another process may have had the core: what takes long counts only if it takes the processor's time again.
  const slowMs = ms > hangMs ? timed(() => judge(bytes), cpuMs)[1] : ms;
  const finding = slowMs > hangMs ? `it takes ${Math.round(slowMs)} ms` : verdict.finding;
  tally.mutations += 1;
  if (verdict.isValid) tally.valid += 1;
  if (slowMs > tally.slowestMs) [tally.slowestMs, tally.slowest] = [slowMs, label];
  const outcome = finding === undefined ? (verdict.outcome ?? "") : "FINDING";
  tally.outcomes[outcome] = (tally.outcomes[outcome] ?? 0) + 1;
  return finding;
}

function timed<T>(run: () => T, clock = (): number => performance.now()): [result: T, ms: number] {
  const start = clock();
  const result = run();
  return [result, clock() - start];
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function say(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

if (import.meta.main) {
  const task: Task = JSON.parse(process.argv[2] ?? "");
  await work(task);
}
