/**
 * Runs suites: one in this process, several each in a process of its own.
 */
import { CHILD_ENVIRONMENTS } from "../lib/roles.ts";
import { fileURLToPath } from "node:url";
import { EFFORTS } from "./measure.ts";
import type { Report, SuiteReport } from "./report.ts";
import { carried, type Scratch } from "./scratch.ts";
import type { Suite } from "./suite.ts";

/** How to run them. */
export interface Manner {
  readonly quick: boolean;
  /** Parts of names of comparisons; empty for all. */
  readonly only: readonly string[];
}

const ENTRY = fileURLToPath(new URL("run.ts", import.meta.url));

/** Whether this process has its memories as an executor process has them. */
export function isSetUp(): boolean {
  return Object.entries(CHILD_ENVIRONMENTS.executor).every(([name, value]) => process.env[name] === value);
}

/**
 * Runs a suite in a process of its own, set up as an executor process is: a heap that another suite filled makes every garbage collection
 * slower.
 */
export async function runApart({ name }: Suite, { quick, only }: Manner, scratch: Scratch): Promise<SuiteReport> {
  const options = [...(quick ? ["--quick"] : []), ...only.flatMap((part) => ["--only", part])];
  const report: Report = JSON.parse(
    await scratch.run([ENTRY, name, "--json", ...options], { ...carried(), ...CHILD_ENVIRONMENTS.executor }),
  );
  const [suite] = report.suites;
  if (suite === undefined) throw new Error(`BUG: the suite ${name} reports nothing`);
  return suite;
}

/** Runs a suite in this process. */
export async function runHere(suite: Suite, { quick, only }: Manner, scratch: Scratch): Promise<SuiteReport> {
  const findings = await suite.run({
    effort: EFFORTS[quick ? "quick" : "full"],
    scratch,
    only: (name) => only.length === 0 || only.some((part) => name.includes(part)),
  });
  return { name: suite.name, question: suite.question, ...findings };
}
