/**
 * The benchmarks' gate: what it compares, when it fails, and what it says then. The reports here are made up; the comparison is a pure function.
 */
import { describe, expect, test } from "bun:test";
import { formatBaseline, parseBaseline } from "../bench/baseline.ts";
import { formatProblem, judge, type Ratios, takeMedians, takeRatios } from "../bench/gate.ts";
import type { SuiteReport } from "../bench/report.ts";
import type { Figure, SummaryFigure } from "../bench/suite.ts";

function figure(name: string, ratio: number): Figure {
  return { name, medianNs: 1, meanNs: 1, p99Ns: 1, samples: 1, ratio, ratioRange: [ratio, ratio] };
}

function report(figures: readonly Figure[], summary: readonly SummaryFigure[] = []): SuiteReport {
  return { name: "meter", question: "?", comparisons: [{ name: "sort", figures }], summary };
}

function ratios(suites: Record<string, Record<string, number>>): Ratios {
  return new Map(Object.entries(suites).map(([suite, values]) => [suite, new Map(Object.entries(values))]));
}

describe("takeRatios()", () => {
  test("takes candidates and ratios of the summary, not baselines, context, times or speeds", () => {
    const figures = [figure("unmetered", 1), { ...figure("beside", 3), isContext: true }, figure("metered", 1.25)];
    const summary = [
      { name: "geometric mean", value: 1.3, unit: "x", note: "whatever" },
      { name: "speed", value: 50, unit: "MB/s" },
    ];
    expect(takeRatios([report(figures, summary)])).toEqual(
      ratios({ meter: { "sort, metered": 1.25, "geometric mean": 1.3 } }),
    );
  });

  test.each([0, -1, NaN, Infinity])("refuses the ratio %p", (value) => {
    expect(() => takeRatios([report([figure("unmetered", 1), figure("metered", value)])])).toThrow(
      new Error(`BUG: the ratio "sort, metered" of meter is ${value}`),
    );
  });

  test("refuses two ratios of one name", () => {
    expect(() => takeRatios([report([figure("a", 1), figure("b", 1), figure("b", 2)])])).toThrow(
      new Error('BUG: meter has two ratios named "sort, b"'),
    );
  });
});

/** A suite whose runs find these ratios, one after the other. */
function runs(...found: Ratios[]): { readonly measure: () => Promise<Ratios>; readonly left: Ratios[] } {
  const left = [...found];
  const measure = async (): Promise<Ratios> => {
    const next = left.shift();
    if (next === undefined) throw new Error("the suite is run once too often");
    return next;
  };
  return { measure, left };
}

describe("judge()", () => {
  const RECORDED = ratios({ meter: { mean: 1, sort: 0.1 }, call: { worker: 2 } });
  const found = (mean: number, sort = 0.1): Ratios => ratios({ meter: { mean, sort } });

  test.each([
    { why: "better", mean: 0.5, worse: false },
    { why: "the same", mean: 1, worse: false },
    { why: "a fifth worse", mean: 1.2, worse: false },
    { why: "a little more than a fifth worse", mean: 1.2001, worse: true },
    { why: "much worse", mean: 7, worse: true },
  ])("finds a ratio worse only beyond a fifth: $why", async ({ mean, worse }) => {
    const problem = { kind: "worse", suite: "meter", ratio: "mean", recorded: 1, value: mean } as const;
    const { measure } = runs(found(mean), found(mean), found(mean));
    expect(await judge(RECORDED, measure)).toEqual(worse ? [problem] : []);
  });

  test("runs the suite once when nothing is worse", async () => {
    const { measure, left } = runs(found(1), found(9));
    expect([await judge(RECORDED, measure), left.length]).toEqual([[], 1]);
  });

  test("runs it again, and passes when each ratio was good once, if not in the same run", async () => {
    const { measure, left } = runs(found(2), found(1, 0.2), found(9));
    expect([await judge(RECORDED, measure), left.length]).toEqual([[], 1]);
  });

  test("finds worse what is worse in three runs, with the best figure, and runs no fourth", async () => {
    const { measure, left } = runs(found(3), found(2), found(4), found(1));
    const problem = { kind: "worse", suite: "meter", ratio: "mean", recorded: 1, value: 2 } as const;
    expect([await judge(RECORDED, measure), left.length]).toEqual([[problem], 1]);
  });

  test("finds what is new, missing and renamed, in the order of the names, and does not run the suite again for it", async () => {
    const { measure } = runs(ratios({ meter: { average: 1, sort: 0.1 } }));
    expect(await judge(RECORDED, measure)).toEqual([
      { kind: "new", suite: "meter", ratio: "average" },
      { kind: "missing", suite: "meter", ratio: "mean" },
    ]);
  });

  test("finds everything new in a suite that is not recorded", async () => {
    const { measure } = runs(ratios({ exec: { cold: 3 } }));
    expect(await judge(RECORDED, measure)).toEqual([{ kind: "new", suite: "exec", ratio: "cold" }]);
  });
});

describe("takeMedians()", () => {
  test.each([
    { why: "one run", values: [3], median: 3 },
    { why: "two runs: the lower", values: [3, 2], median: 2 },
    { why: "three runs", values: [10, 1, 9], median: 9 },
  ])("takes the median of each ratio: $why", ({ values, median }) => {
    expect(takeMedians(values.map((mean) => ratios({ meter: { mean } })))).toEqual(ratios({ meter: { mean: median } }));
  });
});

describe("formatProblem()", () => {
  test.each([
    {
      problem: { kind: "worse", suite: "meter", ratio: "sort, metered", recorded: 1.25, value: 1.625 },
      line: "meter: sort, metered is 1.63 x, 30 % worse than the recorded 1.25 x",
    },
    {
      problem: { kind: "new", suite: "meter", ratio: "sort, metered" },
      line: "meter: sort, metered is not recorded; to record it, run: bun run bench meter --record",
    },
    {
      problem: { kind: "missing", suite: "meter", ratio: "sort, metered" },
      line: "meter: sort, metered is recorded but not measured; to record what there is, run: bun run bench meter --record",
    },
  ] as const)("says in one line what is $problem.kind", ({ problem, line }) => {
    expect(formatProblem(problem)).toBe(line);
  });
});

describe("formatBaseline()", () => {
  const ORIGIN = { bun: "1.4.5", machine: { cpu: "CPU", cores: 2, memoryBytes: 1024, platform: "linux x64" } };

  test("writes the same text for the same ratios: in the order of the names, to three digits", () => {
    const text = formatBaseline(ratios({ meter: { b: 1.23456, a: 2 }, call: { c: 3 } }), ORIGIN);
    expect(text).toBe(`{
  "recordedOn": {
    "bun": "1.4.5",
    "machine": {
      "cpu": "CPU",
      "cores": 2,
      "memoryBytes": 1024,
      "platform": "linux x64"
    }
  },
  "ratios": {
    "call": {
      "c": 3
    },
    "meter": {
      "a": 2,
      "b": 1.235
    }
  }
}
`);
    expect(parseBaseline(text)).toEqual(ratios({ meter: { b: 1.235, a: 2 }, call: { c: 3 } }));
  });
});
