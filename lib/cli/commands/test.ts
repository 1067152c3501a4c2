/**
 * `kami test`: a tool's cases, each in a fresh sandbox, and what they used.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCases, type TestCase } from "../../author/cases.ts";
import { advise } from "../../author/judge.ts";
import { recordCase, type Rehearsing, runCase, writeRecorded } from "../../author/rehearse.ts";
import { clean, refuse } from "../../errors.ts";
import { type Limits, usageJson } from "../../protocol/limits.ts";
import { type CallResult, Runtime } from "../../runtime.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { MEBIBYTE } from "../limits.ts";
import type { Session } from "../session.ts";
import { layOut } from "../table.ts";
import { formatBytes, formatNumber } from "../words.ts";

/** For a call that the manifest's limits end, to say what it would need. */
const AMPLE: Limits = { fuel: 100_000_000_000, memoryBytes: 1024 * MEBIBYTE, timeoutMs: 60_000 };

/** `kami test [dir]`. */
export const test: Command = command({
  name: "test",
  args: {
    dir: { type: "positional", required: false, description: "The tool's directory, built; default: the current one" },
    record: { type: "boolean", description: "Make the requests of cases whose replies are not recorded yet" },
    json: { type: "boolean", description: "Print { passed, failed, cases, advice }, and an error, as JSON" },
  },
  notes: [
    "Cases are [[case]] tables in tests/*.toml: name, input, and what is expected:",
    "output (all of it), output_has (some members), error (a part of the message), or",
    "denied (a part of the capability that the call is denied); max_fuel, max_memory_mb",
    "and max_ms are ceilings. Without an expectation the call has to succeed. Calls run",
    "under the limits of the manifest, in a home of their own, with nothing granted but",
    "what follows.",
    "",
    "HTTP requests of a case with [[case.reply]] tables (url, and method, status,",
    "headers, body, body_base64 or file) get these replies, and nothing from the",
    'network; with recorded = "name" those of tests/recorded/name.toml, which --record',
    "writes and never replaces. Only what net_allow_list asks for is allowed; what has",
    "no reply is denied. requests lists those that the case makes, in order:",
    '"GET https://example.com/".',
    "",
    "A tool that asks its user gets the answers of the case: by the name of each form,",
    'a table of its fields, "decline" or "cancel". Without answers it may not ask.',
    JSON_ERROR_NOTE,
  ],
  examples: [
    { line: "kami test", meaning: "run the cases of this directory" },
    { line: "kami test ./hello --json", meaning: "those of another, for a script" },
    { line: "kami test --record", meaning: "record replies over the network, to be read and committed" },
  ],
  run: async ({ dir = ".", record }, session) => {
    const cases = readCases(dir);
    if (cases.length === 0)
      throw refuse("USAGE", {
        problem: "Cannot test the tool: there are no cases",
        hint: "write [[case]] tables in tests/*.toml: kami test --help",
      });
    const first = cases.find(isUnrecorded);
    if (first !== undefined && !record)
      throw refuse("USAGE", {
        problem: `Cannot test the tool: ${first.recorded} is not there, which ${clean(first.name, 200)} needs`,
        hint: "record it over the network: kami test --record",
      });
    const home = mkdtempSync(join(tmpdir(), "kami-test-"));
    try {
      await using runtime = new Runtime({ home });
      const { tool } = await session.end.interruptible(runtime.install(dir));
      const ran: Ran[] = [];
      for (const each of cases) ran.push(await session.end.interruptible(run({ runtime, tool }, each, dir)));
      return await report(ran, session);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  },
});

interface Ran {
  readonly name: string;
  readonly problem: string | undefined;
  readonly result: CallResult;
  /** The file that its replies were written to. */
  readonly recorded?: string | undefined;
}

function isUnrecorded({ recorded, replies }: TestCase): boolean {
  return recorded !== undefined && replies === undefined;
}

async function run(by: Rehearsing, each: TestCase, directory: string): Promise<Ran> {
  if (!isUnrecorded(each)) return runGiven(by, each);
  const { text, ...judged } = await recordCase(by, each);
  if (text === undefined || each.recorded === undefined) return { name: each.name, ...judged };
  writeRecorded(directory, each.recorded, text);
  return { name: each.name, ...judged, recorded: each.recorded };
}

async function runGiven(by: Rehearsing, each: TestCase): Promise<Ran> {
  const { result, problem } = await runCase(by, each);
  const isCut = !result.ok && ["FUEL_EXHAUSTED", "MEMORY_EXHAUSTED", "DEADLINE_EXCEEDED"].includes(result.failure.code);
  if (!isCut || problem === undefined) return { name: each.name, problem, result };
  const { result: ample } = await runCase(by, each, { limits: AMPLE });
  const { fuel, peakMemoryBytes } = ample.usage;
  const needs = ample.ok ? `; it needs ${formatNumber(fuel)} fuel and ${formatBytes(peakMemoryBytes)}` : "";
  return { name: each.name, problem: `${problem}${needs}`, result: ample.ok ? ample : result };
}

async function report(ran: readonly Ran[], session: Session): Promise<typeof EXIT.ok | typeof EXIT.toolFailed> {
  const { paint, host } = session;
  const failed = ran.filter(({ problem }) => problem !== undefined);
  const advice = advise(ran.map(({ result }) => result.usage));
  const rows = ran.map(({ name, problem, result: { usage } }) => [
    problem === undefined ? "pass" : "FAIL",
    name,
    formatNumber(usage.fuel),
    formatBytes(usage.peakMemoryBytes),
    `${formatNumber(usage.wallMs)} ms`,
  ]);
  const text = [
    ...layOut({ head: ["", "CASE", "FUEL", "MEMORY", "TIME"], rows }, host.stdout.columns),
    ...failed.flatMap(({ name, problem = "" }) => ["", paint("red", clean(name)), `  ${clean(problem, 2000)}`]),
    ...ran.flatMap(unansweredLines),
    ...ran.flatMap(({ recorded }) =>
      recorded === undefined ? [] : ["", `Recorded ${clean(recorded)}: read it before you commit it`],
    ),
    "",
    `${ran.length - failed.length} passed, ${failed.length} failed`,
    ...(advice === undefined
      ? []
      : [`By what they used: max_fuel = ${advice.maxFuel}, max_memory_mb = ${advice.maxMemoryMb}`]),
  ];
  await session.result(text.join("\n"), {
    passed: ran.length - failed.length,
    failed: failed.length,
    cases: ran.map(({ name, problem, result, recorded }) => ({
      name,
      ok: problem === undefined,
      problem: problem ?? null,
      requests: (result.requests ?? []).map(({ method, url, outcome }) => ({ method, url, outcome })),
      recorded: recorded ?? null,
      usage: usageJson(result.usage),
    })),
    advice: advice ?? null,
  });
  return failed.length === 0 ? EXIT.ok : EXIT.toolFailed;
}

const UNANSWERED = {
  denied: "denied: no rule of net_allow_list covers it",
  unknown: "denied: the case has no reply for it",
  failed: "it got no whole reply",
} as const;

/** The requests of a case that got nothing, whatever the tool made of that. */
function unansweredLines({ name, result: { requests = [] } }: Ran): readonly string[] {
  const lines = requests.flatMap(({ method, url, outcome }) =>
    outcome === "answered" ? [] : [`  ${clean(`${method} ${url}`, 200)}: ${UNANSWERED[outcome]}`],
  );
  return lines.length === 0 ? [] : ["", clean(name), ...lines];
}
