/**
 * Runs the benchmarks. Tables or JSON on stdout, progress on stderr; bench/README.md says what can be asked for.
 */
import { parseArgs } from "node:util";
import { CALL } from "./call.ts";
import { checkSuites, recordSuites } from "./check.ts";
import { COMPILE } from "./compile.ts";
import { CROWD } from "./crowd.ts";
import { DEV } from "./dev.ts";
import { EXEC } from "./exec.ts";
import { TOLERANCE } from "./gate.ts";
import { INSTANTIATE } from "./instantiate.ts";
import { IO } from "./io.ts";
import { INTERRUPT } from "./interrupt.ts";
import { LEAKS } from "./leaks.ts";
import { MCP } from "./mcp.ts";
import { METER } from "./meter.ts";
import { describeMachine, formatHeader, formatSuite, type SuiteReport } from "./report.ts";
import { NEWCOMER } from "./newcomer.ts";
import { REWRITE } from "./rewrite.ts";
import { isSetUp, type Manner, runApart, runHere } from "./runner.ts";
import { Scratch } from "./scratch.ts";
import type { Suite } from "./suite.ts";

const SUITES: readonly Suite[] = [
  METER,
  REWRITE,
  COMPILE,
  CALL,
  INSTANTIATE,
  EXEC,
  DEV,
  NEWCOMER,
  MCP,
  CROWD,
  IO,
  INTERRUPT,
  LEAKS,
];
const USAGE = `usage: bun bench/run.ts [suite…] [--only NAME]… [--json] [--quick]
       bun bench/run.ts [suite…] --gate | --record
suites: ${SUITES.map(({ name }) => name).join(", ")}; all of them when none is named`;
const EXIT = { worse: 1, usage: 2, interrupted: 130, terminated: 143 } as const;
const PERCENT = ((TOLERANCE - 1) * 100).toFixed(0);
const OPTIONS = {
  only: { type: "string", multiple: true, default: [] as string[] },
  json: { type: "boolean", default: false },
  quick: { type: "boolean", default: false },
  gate: { type: "boolean", default: false },
  record: { type: "boolean", default: false },
} as const;

interface Order extends Manner {
  readonly suites: readonly Suite[];
  readonly json: boolean;
  readonly purpose: "print" | "gate" | "record";
}

await run(parseOrder(process.argv.slice(2)));

/** @returns What is wrong, when something is. */
function parseOrder(words: string[]): Order | string {
  try {
    const { values, positionals } = parseArgs({ args: words, options: OPTIONS, allowPositionals: true });
    const { only, json, quick, gate, record } = values;
    const unknown = positionals.find((name) => !SUITES.some((suite) => suite.name === name));
    if (unknown !== undefined) return `there is no suite ${JSON.stringify(unknown)}`;
    if (gate && record) return "--gate and --record are two things";
    if ((gate || record) && (quick || json || only.length > 0)) return "--gate and --record measure whole suites";
    const suites = SUITES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
    return { suites, only, json, quick, purpose: gate ? "gate" : record ? "record" : "print" };
  } catch (error) {
    // The rest is advice about options that there are none of.
    if (error instanceof TypeError) return error.message.split(". ", 1)[0] ?? "";
    throw error;
  }
}

async function run(order: Order | string): Promise<void> {
  if (typeof order === "string") {
    console.error(`bench: ${order}\n${USAGE}`);
    process.exitCode = EXIT.usage;
    return;
  }
  using scratch = new Scratch();
  const end = (exitCode: number): never => {
    scratch[Symbol.dispose]();
    process.exit(exitCode);
  };
  process.on("SIGINT", () => end(EXIT.interrupted));
  process.on("SIGTERM", () => end(EXIT.terminated));
  if (order.purpose === "print") await print(order, scratch);
  else if (order.purpose === "record") await recordSuites(order.suites, scratch);
  else await check(order, scratch);
}

async function print(order: Order, scratch: Scratch): Promise<void> {
  const header = { machine: describeMachine(), bun: Bun.version, quick: order.quick };
  if (!order.json) console.log(`${formatHeader(header)}\n`);
  const reports: SuiteReport[] = [];
  const measure = order.suites.length > 1 || !isSetUp() ? runApart : runHere;
  for (const suite of order.suites) {
    console.error(`bench: ${suite.name} …`);
    const report = await measure(suite, order, scratch);
    if (!order.json) console.log(formatSuite(report));
    reports.push(report);
  }
  if (order.json) console.log(JSON.stringify({ ...header, suites: reports }, null, 2));
}

async function check({ suites }: Order, scratch: Scratch): Promise<void> {
  const problems = await checkSuites(suites, scratch);
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) process.exitCode = EXIT.worse;
  else
    console.log(
      `No ratio of ${suites.map(({ name }) => name).join(", ")} is more than ${PERCENT} % worse than recorded`,
    );
}
