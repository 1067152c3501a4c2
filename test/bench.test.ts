/**
 * The benchmarks run, and print what they promise. Figures depend on the machine: no time is asserted here.
 */
import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { WORKLOADS } from "../bench/compute.ts";
import type { Report } from "../bench/report.ts";
import { TemporaryDirectory } from "./cli/support/directory.ts";

const RUN = join(import.meta.dir, "..", "bench", "run.ts");
const SUITES = ["meter", "rewrite", "compile", "call", "instantiate", "exec", "mcp", "crowd", "io", "leaks"];
/** And those that take minutes, or that other tests go through. */
const ALL = [...SUITES.slice(0, 6), "dev", "newcomer", ...SUITES.slice(6, -1), "interrupt", "leaks"];
const USAGE = `usage: bun bench/run.ts [suite…] [--only NAME]… [--json] [--quick]
       bun bench/run.ts [suite…] --gate | --record
suites: ${ALL.join(", ")}; all of them when none is named
`;

type Bench = Bun.Subprocess<"ignore", "pipe", "pipe">;

/** Starts the benchmarks with a temporary directory of their own. */
function start(words: readonly string[], temporary: TemporaryDirectory): Bench {
  return Bun.spawn([process.execPath, RUN, ...words], {
    env: { PATH: process.env.PATH, TMPDIR: temporary.path },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function finish(child: Bench): Promise<{ stdout: string; stderr: string; exitCode: number }> {
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { stdout, stderr, exitCode: await child.exited };
}

/** The same value without what depends on the machine: "above 0" in place of every number that is. */
function withoutFigures(report: unknown): unknown {
  return JSON.parse(JSON.stringify(report), (_key, value: unknown) =>
    typeof value === "number" && value > 0 ? "above 0" : value,
  );
}

function figures(...names: string[]): unknown[] {
  return names.map((name) => ({
    name,
    medianNs: "above 0",
    meanNs: "above 0",
    p99Ns: "above 0",
    samples: "above 0",
    ratio: "above 0",
    ratioRange: ["above 0", "above 0"],
  }));
}

describe("bench/run.ts", () => {
  test("measures metering, prints JSON alone on stdout, and leaves no file behind", async () => {
    using temporary = new TemporaryDirectory();
    const named = ["meter", "rewrite", "compile"];
    const { stdout, stderr, exitCode } = await finish(start([...named, "--quick", "--json"], temporary));

    expect([stderr, exitCode]).toEqual([named.map((name) => `bench: ${name} …\n`).join(""), 0]);
    const { suites, ...header } = JSON.parse(stdout);
    expect(withoutFigures(header)).toEqual({
      machine: {
        cpu: expect.any(String),
        cores: "above 0",
        memoryBytes: "above 0",
        platform: `${process.platform} ${process.arch}`,
      },
      bun: Bun.version,
      quick: true,
    });
    expect(suites.map(({ name }: { name: string }) => name)).toEqual(named);
    const ways = figures("unmetered", "metered");
    expect(withoutFigures(suites[0])).toEqual({
      name: "meter",
      question: "What does metering add to computing?",
      comparisons: WORKLOADS.map(({ name }) => ({ name, figures: ways })),
      summary: [
        { name: "metered over unmetered, geometric mean", value: "above 0", unit: "x" },
        { name: "metered over unmetered, the worst", value: "above 0", unit: "x", note: expect.any(String) },
      ],
    });
    const passes = figures("the engine validates it", "the meter rewrites it");
    expect(withoutFigures(suites[1])).toEqual({
      name: "rewrite",
      question: "How fast is a module rewritten, and in how much memory?",
      comparisons: ["SpiderMonkey, 10.5 MB", "QuickJS, 0.8 MB"].map((name) => ({ name, figures: passes })),
      summary: [
        ...["rewriting SpiderMonkey", "validating SpiderMonkey", "rewriting QuickJS", "validating QuickJS"].map(
          (name) => ({ name, value: "above 0", unit: "MB/s" }),
        ),
        { name: "peak memory over size of SpiderMonkey", value: "above 0", unit: "x" },
      ],
    });
    expect(withoutFigures(suites[2])).toEqual({
      name: "compile",
      question: "What does metering add to compiling, and to a module's size?",
      comparisons: ["SpiderMonkey", "QuickJS"].map((name) => ({ name, figures: ways })),
      summary: ["SpiderMonkey", "QuickJS"].map((name) => ({
        name: `size of ${name}, metered`,
        value: "above 0",
        unit: "x",
      })),
    });
    expect(readdirSync(temporary.path)).toEqual([]);
  }, 120_000);

  test("measures calls, and leaves no file behind", async () => {
    using temporary = new TemporaryDirectory();
    // Leaks take long even when they are quick; `exec` runs below.
    const named = ["call", "instantiate", "mcp", "crowd"];
    const { stdout, exitCode } = await finish(start([...named, "--quick", "--json"], temporary));

    expect(exitCode).toBe(0);
    const { suites }: Report = JSON.parse(stdout);
    expect(suites.map(({ name }) => name)).toEqual(named);
    for (const { name, comparisons, summary } of suites) {
      expect([name, comparisons.length + summary.length > 0]).toEqual([name, true]);
      expect(comparisons.map(({ figures: [baseline] }) => baseline?.ratio)).toEqual(comparisons.map(() => 1));
    }
    expect(readdirSync(temporary.path)).toEqual([]);
  }, 120_000);

  test("measures only what is named", async () => {
    using temporary = new TemporaryDirectory();
    const words = ["meter", "--quick", "--json", "--only", "crc32", "--only", "micro: loop"];
    const { stdout, exitCode } = await finish(start(words, temporary));

    const [suite] = JSON.parse(stdout).suites;
    expect([exitCode, suite.comparisons.map(({ name }: { name: string }) => name), suite.summary[1].note]).toEqual([
      0,
      ["crc32 (C)", "micro: loop"],
      "crc32 (C)",
    ]);
  });

  test("prints a table of the suites that are named", async () => {
    using temporary = new TemporaryDirectory();
    const { stdout, stderr, exitCode } = await finish(start(["instantiate", "--quick"], temporary));

    expect([stderr, exitCode]).toEqual(["bench: instantiate …\n", 0]);
    const time = String.raw` +[\d.]+ (?:ns|us|ms)`;
    const ratio = String.raw` +[\d.]+ x`;
    expect(stdout).toMatch(
      new RegExp(
        `^instantiate: What does the memory pool save when an instance is made\\?

 +median +mean +p99 +ratio
  1 page
    fresh memory${time}${time}${time}${ratio}
    pooled memory, zeroed after use${time}${time}${time}${ratio}  \\([\\d.]+ to [\\d.]+\\)
`,
        "m",
      ),
    );
  });

  test.each([
    { words: ["nothing"], problem: 'there is no suite "nothing"' },
    { words: ["--fast"], problem: "Unknown option '--fast'" },
    { words: ["--gate", "--record"], problem: "--gate and --record are two things" },
    { words: ["--gate", "--quick"], problem: "--gate and --record measure whole suites" },
    { words: ["--record", "--only", "sort"], problem: "--gate and --record measure whole suites" },
  ])("refuses $words and names the suites", async ({ words, problem }) => {
    using temporary = new TemporaryDirectory();
    const { stdout, stderr, exitCode } = await finish(start(words, temporary));
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: "", stderr: `bench: ${problem}\n${USAGE}`, exitCode: 2 });
  });

  test.each([
    { words: ["exec"], why: "the suite runs in this process" },
    { words: ["exec", "instantiate"], why: "the suite runs in a process of its own" },
  ])("interrupted, it ends at once and leaves no file behind: $why", async ({ words }) => {
    using temporary = new TemporaryDirectory();
    const child = start([...words, "--quick"], temporary);
    const isInstalling = (): boolean => [...new Glob("**/exec-echo/registry.db").scanSync(temporary.path)].length > 0;
    while (!isInstalling()) await Bun.sleep(1);
    child.kill("SIGINT");

    expect((await finish(child)).exitCode).toBe(130);
    expect(readdirSync(temporary.path)).toEqual([]);
  });
});
