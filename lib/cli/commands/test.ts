/**
 * `kami test`: a tool's cases, each in a fresh sandbox, and what they used.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCases, type TestCase } from "../../author/cases.ts";
import { advise, judge } from "../../author/judge.ts";
import { clean, refuse } from "../../errors.ts";
import type { Limits } from "../../protocol/limits.ts";
import { type CallResult, Runtime } from "../../runtime.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { MEBIBYTE } from "../limits.ts";
import type { Session } from "../session.ts";
import { layOut } from "../table.ts";
import { formatBytes, formatNumber, usageJson } from "../words.ts";

/** For a call that the manifest's limits end, to say what it would need. */
const AMPLE: Limits = { fuel: 100_000_000_000, memoryBytes: 1024 * MEBIBYTE, timeoutMs: 60_000 };

/** `kami test [dir]`. */
export const test: Command = command({
  name: "test",
  args: {
    dir: { type: "positional", required: false, description: "The tool's directory, built; default: the current one" },
    json: { type: "boolean", description: "Print { passed, failed, cases, advice }, and an error, as JSON" },
  },
  notes: [
    "Cases are [[case]] tables in tests/*.toml: name, input, and what is expected:",
    "output (all of it), output_has (some members), error (a part of the message), or",
    "denied (a part of the capability that the call is denied); max_fuel, max_memory_mb",
    "and max_ms are ceilings. Without an expectation the call has to succeed. Calls run",
    "under the limits of the manifest, in a home of their own, with nothing granted.",
    JSON_ERROR_NOTE,
  ],
  examples: [
    { line: "kami test", meaning: "run the cases of this directory" },
    { line: "kami test ./hello --json", meaning: "those of another, for a script" },
  ],
  run: async ({ dir = "." }, session) => {
    const cases = readCases(dir);
    if (cases.length === 0)
      throw refuse("USAGE", {
        problem: "Cannot test the tool: there are no cases",
        hint: "write [[case]] tables in tests/*.toml: kami test --help",
      });
    const home = mkdtempSync(join(tmpdir(), "kami-test-"));
    try {
      await using runtime = new Runtime({ home });
      const { tool } = await session.end.interruptible(runtime.install(dir));
      const ran: Ran[] = [];
      for (const each of cases) ran.push(await session.end.interruptible(runCase(runtime, tool.id, each)));
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
}

async function runCase(runtime: Runtime, id: string, each: TestCase): Promise<Ran> {
  const result = await runtime.call(id, each.input);
  const problem = judge(each, result);
  const isCut = !result.ok && ["FUEL_EXHAUSTED", "MEMORY_EXHAUSTED", "DEADLINE_EXCEEDED"].includes(result.failure.code);
  if (!isCut || problem === undefined) return { name: each.name, problem, result };
  const ample = await runtime.call(id, each.input, { limits: AMPLE });
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
    "",
    `${ran.length - failed.length} passed, ${failed.length} failed`,
    ...(advice === undefined
      ? []
      : [`By what they used: max_fuel = ${advice.maxFuel}, max_memory_mb = ${advice.maxMemoryMb}`]),
  ];
  await session.result(text.join("\n"), {
    passed: ran.length - failed.length,
    failed: failed.length,
    cases: ran.map(({ name, problem, result }) => ({
      name,
      ok: problem === undefined,
      problem: problem ?? null,
      usage: usageJson(result.usage),
    })),
    advice: advice ?? null,
  });
  return failed.length === 0 ? EXIT.ok : EXIT.toolFailed;
}
