import { describe, expect, test } from "bun:test";
import { parseCases, type TestCase } from "../../lib/author/cases.ts";
import { advise, judge } from "../../lib/author/judge.ts";
import { refuse } from "../../lib/errors.ts";
import { NO_OUTPUT, NO_USAGE } from "../../lib/protocol/limits.ts";
import type { CallResult } from "../../lib/runtime.ts";
import { told } from "../cli/support/failure.ts";

const usage = { ...NO_USAGE, fuel: 1000, peakMemoryBytes: 2_097_152, wallMs: 5 };
const ok = (output: string): CallResult => ({ ok: true, output, usage, captured: NO_OUTPUT });
const failed = (message: string): CallResult => ({
  ok: false,
  failure: refuse("TOOL_ERROR", { message }),
  usage,
  captured: NO_OUTPUT,
});
const denied: CallResult = {
  ok: false,
  failure: refuse("CAPABILITY_DENIED", { capability: "network access" }),
  usage,
  captured: NO_OUTPUT,
};

const noFile = (path: string): never => {
  throw refuse("FILE_NOT_FOUND", { path });
};

function oneCase(toml: string): TestCase {
  const [only] = parseCases(`[[case]]\nname = "x"\n${toml}`, "tests/a.toml", noFile);
  if (only === undefined) throw new Error("no case");
  return only;
}

describe("judge()", () => {
  const table: readonly (readonly [toml: string, result: CallResult, problem: string | undefined])[] = [
    ["", ok("1"), undefined],
    ["", failed("no"), "no"],
    ["output = { a = [1, 2] }", ok('{"a":[1,2]}'), undefined],
    ["output = { a = [1, 2] }", ok('{"a":[1,2],"b":1}'), 'the output is {"a":[1,2],"b":1}, and should be {"a":[1,2]}'],
    ["output_has = { a = 1 }", ok('{"a":1,"b":2}'), undefined],
    ["output_has = { a = 1 }", ok('{"b":2}'), '"a" is missing, and should be 1'],
    ['output = "text"', ok("text"), undefined],
    ['error = "too"', failed("it is too large"), undefined],
    ['error = "too"', failed("no"), 'it should fail with "too": no'],
    ['error = "too"', ok("1"), 'it succeeds with 1, and should fail with "too"'],
    ['denied = "network"', denied, undefined],
    [
      'denied = "files"',
      denied,
      "it should be denied files: The tool was stopped: it asked for network access, which is denied",
    ],
    ['denied = "network"', failed("network"), "it should be denied network: network"],
    ["max_fuel = 1000", ok("1"), undefined],
    ["max_fuel = 999", ok("1"), "it uses 1000 fuel, and should use 999 at most"],
    ["max_memory_mb = 2", ok("1"), undefined],
    ["max_memory_mb = 1.9", ok("1"), "it uses 2.00 MiB, and should use 1.9 at most"],
    ["max_ms = 4.9", ok("1"), "it takes 5.0 ms, and should take 4.9 at most"],
  ];
  test.each(table)("%s", (toml, result, problem) => {
    expect(judge(oneCase(toml), result)).toBe(problem);
  });
});

describe("parseCases()", () => {
  test.each([
    [
      '[[case]]\nname = "a"\noutputs = 1\n',
      'Cannot use the test cases in t.toml: "case.0.outputs": Invalid key: Expected never but received "outputs"',
    ],
    [
      "[[case]]\noutput = 1\n",
      'Cannot use the test cases in t.toml: "case.0.name": Invalid key: Expected "name" but received undefined',
    ],
    [
      '[[case]]\nname = "a"\noutput = 1\nerror = "x"\n',
      'Cannot use the test cases in t.toml: "a": expects an output, an error or a denial, not several',
    ],
    ["[[case]\n", "Cannot parse t.toml:1:8:"],
  ])("refuses %j", async (toml, message) => {
    expect((await told(() => parseCases(toml, "t.toml", noFile)))[1]).toStartWith(message);
  });
});

describe("advise()", () => {
  test("leaves room above the hungriest call, in round numbers", () => {
    expect(advise([usage, { ...usage, fuel: 123_456, peakMemoryBytes: 3_000_000 }])).toEqual({
      maxFuel: 250_000,
      maxMemoryMb: 5,
    });
    expect(advise([NO_USAGE])).toEqual({ maxFuel: 1000, maxMemoryMb: 1 });
    expect(advise([])).toBeUndefined();
  });
});
