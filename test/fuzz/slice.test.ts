/**
 * A short slice of `bun run fuzz`, always the same; and that a run takes note of everything that must not happen.
 */
import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { assemble, join, MODULE_PREAMBLE, sized, vector } from "./binary.ts";
import { runCampaign } from "./campaign.ts";
import { judgeTimed } from "./child.ts";
import { buildCorpus, type Input, Schedule } from "./corpus.ts";
import { judgeModule } from "./module-oracle.ts";
import { makeMutation } from "./mutate.ts";
import { emptyTally, type Verdict } from "./verdict.ts";

const inputs = await buildCorpus();
const WITHOUT_LIMIT = Number.MAX_SAFE_INTEGER;

describe("what the fuzzer has found stays mended:", () => {
  const SLICES = [
    { target: "module", count: 3000 },
    { target: "component", count: 1500 },
  ] as const;
  for (const { target, count } of SLICES) {
    test(`${count} mutations of each ${target} end well`, async () => {
      const report = await runCampaign({ target, seed: 20, count, timeMs: WITHOUT_LIMIT, inputs });
      expect(report.findings).toEqual([]);
      expect(report.tally.mutations).toBe(count);
      expect(report.tally.valid / count).toBeGreaterThan(0.2);
      expect(report.peakBytes).toBeLessThan(512 * 1_048_576);
    });
  }

  const cases: readonly { readonly why: string; readonly body: readonly number[]; readonly outcome: string }[] = [
    {
      why: "the offset of a load in ten bytes is valid",
      body: [0x41, 0, 0x28, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x1a],
      outcome: "valid, metered",
    },
    {
      why: "a branch table may claim more labels than there are bytes",
      body: [0x41, 0, 0x0e, 0xff, 0xff, 0xff, 0x7f, 0],
      outcome: "claims many labels, refused: COMPONENT_INVALID",
    },
    {
      why: "the engine does not look at a branch table in dead code",
      body: [0x00, 0x0e, 0, 9],
      outcome: "valid to the engine only, refused: COMPONENT_INVALID",
    },
    {
      why: "a memory that is not there does not grow, and is not the one by which the host interrupts",
      body: [0x41, 0, 0x40, 1, 0x1a],
      outcome: "invalid, refused: COMPONENT_INVALID",
    },
    {
      why: "a type that is not there is one of KAMI's",
      body: [0x41, 0, 0x41, 0, 0x11, 2, 0, 0x1a],
      outcome: "invalid, metered, then invalid",
    },
  ];
  for (const { why, body, outcome } of cases) {
    test(why, () => {
      const module = assemble(MODULE_PREAMBLE, [
        { id: 1, content: Uint8Array.of(1, 0x60, 0, 0) },
        { id: 3, content: Uint8Array.of(1, 0) },
        { id: 5, content: Uint8Array.of(1, 0, 1) },
        { id: 10, content: vector([sized(join([[0], body, [0x0b]]))]) },
      ]);
      expect(judgeModule(module).outcome).toBe(outcome);
    });
  }
});

describe("makeMutation()", () => {
  test("depends on the seed and the number alone", () => {
    const corpus = { module: new Schedule(inputs.module), component: new Schedule(inputs.component) };
    const make = (seed: number, number: number): unknown =>
      Bun.hash(makeMutation(corpus, "module", [seed, number]).bytes);
    expect(make(1, 2)).toEqual(make(1, 2));
    const made = new Set(Array.from({ length: 200 }, (_, number) => make(1 + (number % 2), number)));
    expect(made.size).toBeGreaterThan(190);
  });
});

describe("runCampaign()", () => {
  test("goes on behind a crash, a hang, a hoard and an exit, and names the mutation of each", async () => {
    const single: readonly Input[] = inputs.module.filter(({ name }) => name === "many");
    const report = await runCampaign({
      target: "module",
      seed: 3,
      count: 9,
      timeMs: WITHOUT_LIMIT,
      inputs: { module: single, component: single },
      script: fileURLToPath(new URL("faulty-child.ts", import.meta.url)),
      stuckMs: 2000,
    });
    const found = report.findings.map(({ number, text }) => [number, text.split("\n", 1)[0]] as const);
    expect(found.toSorted(([one], [other]) => one - other)).toEqual([
      [2, "it ends the process: SIGKILL"],
      [4, "it hangs"],
      [5, "it is number 5"],
      [6, "it uses more than 512 MiB"],
      [7, "it ends the process: exit code 3"],
    ]);
    expect(report.tally).toMatchObject({ mutations: 5, valid: 4, outcomes: { fine: 4, FINDING: 1 } });
  });
});

describe("judgeTimed()", () => {
  test("takes what is slow twice for a hang", () => {
    const tally = emptyTally();
    expect(judgeTimed(tally, ["slow", new Uint8Array()], { judge: judgeSlowly, hangMs: 5 })).toMatch(
      /^it takes \d+ ms$/,
    );
    expect(tally).toMatchObject({ mutations: 1, valid: 1, slowest: "slow", outcomes: { FINDING: 1 } });
  });
});

function judgeSlowly(): Verdict {
  let sum = 0;
  for (let round = 0; round < 50_000_000; round++) sum = (sum + round) | 0;
  return { isValid: sum !== 0.5, outcome: "fine" };
}
