/**
 * Runs the benchmarks: `bun bench/run.ts [suite…] [--json] [--quick]`. Tables or JSON on stdout, progress on stderr.
 */
import { parseArgs } from "node:util";
import { CALL } from "./call.ts";
import { EXEC } from "./exec.ts";
import { INSTANTIATE } from "./instantiate.ts";
import { EFFORTS } from "./measure.ts";
import { METER } from "./meter.ts";
import { describeMachine, formatHeader, formatSuite, type Report, type SuiteReport } from "./report.ts";
import { Scratch } from "./scratch.ts";
import type { Suite } from "./suite.ts";

const SUITES: readonly Suite[] = [METER, CALL, INSTANTIATE, EXEC];
const USAGE = `usage: bun bench/run.ts [suite…] [--json] [--quick]
suites: ${SUITES.map(({ name }) => name).join(", ")}; all of them when none is named`;
const EXIT = { usage: 2, interrupted: 130, terminated: 143 } as const;

interface Order {
  readonly suites: readonly Suite[];
  readonly json: boolean;
  readonly quick: boolean;
}

const order = parseOrder(process.argv.slice(2));
if (typeof order === "string") {
  console.error(`bench: ${order}\n${USAGE}`);
  process.exitCode = EXIT.usage;
} else await run(order);

/** @returns What is wrong, when something is. */
function parseOrder(words: string[]): Order | string {
  try {
    const options = { json: { type: "boolean", default: false }, quick: { type: "boolean", default: false } } as const;
    const { values, positionals } = parseArgs({ args: words, options, allowPositionals: true });
    const unknown = positionals.find((name) => !SUITES.some((suite) => suite.name === name));
    if (unknown !== undefined) return `there is no suite ${JSON.stringify(unknown)}`;
    const suites = SUITES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
    return { suites, json: values.json, quick: values.quick };
  } catch (error) {
    // The rest is advice about options that there are none of.
    if (error instanceof TypeError) return error.message.split(". ", 1)[0] ?? "";
    throw error;
  }
}

async function run({ suites, json, quick }: Order): Promise<void> {
  using scratch = new Scratch();
  const end = (exitCode: number): never => {
    scratch[Symbol.dispose]();
    process.exit(exitCode);
  };
  process.on("SIGINT", () => end(EXIT.interrupted));
  process.on("SIGTERM", () => end(EXIT.terminated));

  const header = { machine: describeMachine(), bun: Bun.version, quick };
  if (!json) console.log(`${formatHeader(header)}\n`);
  const reports: SuiteReport[] = [];
  for (const suite of suites) {
    console.error(`bench: ${suite.name} …`);
    const report = suites.length > 1 ? await runApart(suite, quick, scratch) : await runHere(suite, quick, scratch);
    if (!json) console.log(formatSuite(report));
    reports.push(report);
  }
  if (json) console.log(JSON.stringify({ ...header, suites: reports }, null, 2));
}

/** Each suite has a process of its own: a heap that another one filled makes every garbage collection slower. */
async function runApart({ name }: Suite, quick: boolean, scratch: Scratch): Promise<SuiteReport> {
  const options = quick ? ["--json", "--quick"] : ["--json"];
  const report: Report = JSON.parse(await scratch.run([import.meta.path, name, ...options]));
  const [suite] = report.suites;
  if (suite === undefined) throw new Error(`BUG: the suite ${name} reports nothing`);
  return suite;
}

async function runHere(
  { name, question, run: measure }: Suite,
  quick: boolean,
  scratch: Scratch,
): Promise<SuiteReport> {
  return { name, question, ...(await measure({ effort: EFFORTS[quick ? "quick" : "full"], scratch })) };
}
