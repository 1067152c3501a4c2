import { describe, expect, test } from "bun:test";
import type { ArgsDef } from "citty";
import { checkArguments, hasSwitch, type Syntax, usageLine, valuesOf } from "../../lib/cli/arguments.ts";
import { told } from "./support/failure.ts";

const args: ArgsDef = {
  id: { type: "positional" },
  input: { type: "string", valueHint: "json" },
  "input-file": { type: "string", valueHint: "path" },
  fuel: { type: "string", valueHint: "units" },
  "timeout-ms": { type: "string", valueHint: "ms" },
  json: { type: "boolean" },
};
const exec: Syntax = { name: "exec", args };
const list: Syntax = { name: "list", args: { filter: { type: "string" }, json: { type: "boolean" } } };

describe("a positional with a default", () => {
  const token: Syntax = {
    name: "token",
    args: { action: { type: "positional" }, name: { type: "positional", default: "" } },
  };

  test("may be left out, and is the only one that may", () => {
    expect(checkArguments(["list"], token).words).toEqual(["--", "list"]);
    expect(checkArguments(["create", "ci"], token).words).toEqual(["--", "create", "ci"]);
    expect(() => checkArguments([], token)).toThrow("<action> is missing");
    expect(() => checkArguments(["create", "ci", "x"], token)).toThrow('unexpected argument "x"');
    expect(usageLine(token)).toBe("kami token <action> [name] [flags]");
  });
});

describe("checkArguments()", () => {
  const accepted: readonly { words: readonly string[]; canonical: readonly string[]; why: string }[] = [
    { words: ["x"], canonical: ["--", "x"], why: "a positional" },
    { words: ["x", "--fuel", "5"], canonical: ["--fuel=5", "--", "x"], why: "the value as the next word" },
    { words: ["--fuel=5", "x"], canonical: ["--fuel=5", "--", "x"], why: "the value behind =" },
    { words: ["x", "--input={}="], canonical: ["--input={}=", "--", "x"], why: "only the first = counts" },
    { words: ["x", "--input", "-5"], canonical: ["--input=-5", "--", "x"], why: "a negative number is a value" },
    { words: ["x", "--input-file", "-"], canonical: ["--input-file=-", "--", "x"], why: "a dash is standard input" },
    { words: ["x", "--input=--json"], canonical: ["--input=--json", "--", "x"], why: "behind = anything is a value" },
    { words: ["--json", "x"], canonical: ["--json", "--", "x"], why: "a switch takes no word" },
    { words: ["--json", "--", "--fuel"], canonical: ["--json", "--", "--fuel"], why: "behind -- nothing is a flag" },
    { words: ["--", "--help"], canonical: ["--", "--help"], why: "not even --help" },
  ];
  test.each(accepted)("takes $words: $why", ({ words, canonical }) => {
    expect(checkArguments(words, exec)).toEqual({ help: false, words: canonical });
  });

  const refused: readonly { words: readonly string[]; syntax: Syntax; problem: string; hint: string }[] = [
    { words: [], syntax: exec, problem: "<id> is missing", hint: "usage: kami exec <id> [flags]" },
    { words: [""], syntax: exec, problem: "<id> is missing", hint: "usage: kami exec <id> [flags]" },
    {
      words: ["x", "y"],
      syntax: exec,
      problem: 'unexpected argument "y"',
      hint: "usage: kami exec <id> [flags]",
    },
    {
      words: ["x", '{"a":1}'],
      syntax: exec,
      problem: 'unexpected argument "{"a":1}"',
      hint: "pass the input with: --input <json>",
    },
    { words: ["{}"], syntax: list, problem: 'unexpected argument "{}"', hint: "usage: kami list [flags]" },
    {
      words: ["x", "--inptu", "{}"],
      syntax: exec,
      problem: 'there is no flag "--inptu"',
      hint: 'did you mean "--input"?',
    },
    {
      words: ["x", "--timeout", "5"],
      syntax: exec,
      problem: 'there is no flag "--timeout"',
      hint: 'did you mean "--timeout-ms"?',
    },
    { words: ["x", "-json"], syntax: exec, problem: 'there is no flag "-json"', hint: 'did you mean "--json"?' },
    {
      words: ["x", "--verbose"],
      syntax: exec,
      problem: 'there is no flag "--verbose"',
      hint: "see its flags with: kami exec --help",
    },
    {
      words: ["x", "--id=y"],
      syntax: exec,
      problem: 'there is no flag "--id"',
      hint: "see its flags with: kami exec --help",
    },
    {
      words: ["x", "--toString"],
      syntax: exec,
      problem: 'there is no flag "--toString"',
      hint: "see its flags with: kami exec --help",
    },
    {
      words: ["x", "--no-json"],
      syntax: exec,
      problem: 'there is no flag "--no-json"',
      hint: "see its flags with: kami exec --help",
    },
    { words: ["x", "--fuel"], syntax: exec, problem: "--fuel needs a value", hint: "write: --fuel <units>" },
    { words: ["x", "--fuel="], syntax: exec, problem: "--fuel needs a value", hint: "write: --fuel <units>" },
    { words: ["x", "--fuel", "--json"], syntax: exec, problem: "--fuel needs a value", hint: "write: --fuel <units>" },
    { words: ["--fuel", "--", "x"], syntax: exec, problem: "--fuel needs a value", hint: "write: --fuel <units>" },
    { words: ["x", "--json=yes"], syntax: exec, problem: "--json takes no value", hint: "write: --json" },
    { words: ["x", "--fuel", "1", "--fuel=1"], syntax: exec, problem: "--fuel is given twice", hint: "give it once" },
    { words: ["x", "--json", "--json"], syntax: exec, problem: "--json is given twice", hint: "give it once" },
    {
      words: ["x", "--\u001b[31mred"],
      syntax: exec,
      problem: 'there is no flag "--red"',
      hint: "see its flags with: kami exec --help",
    },
  ];
  test.each(refused)("refuses $words: $problem", async ({ words, syntax, problem, hint }) => {
    const message = `Cannot run "kami ${syntax.name}": ${problem}`;
    expect(await told(() => checkArguments(words, syntax))).toEqual(["USAGE", message, hint]);
  });

  const helps: readonly { words: readonly string[] }[] = [
    { words: ["--help"] },
    { words: ["-h"] },
    { words: ["x", "--bogus", "--help"] },
  ];
  test.each(helps)("gives help for $words before anything is checked", ({ words }) => {
    expect(checkArguments(words, exec)).toEqual({ help: true, words: [] });
  });
});

describe("what may be given more than once", () => {
  const syntax: Syntax = {
    name: "grant",
    args: {
      id: { type: "positional" },
      name: { type: "positional" },
      net: { type: "string" },
      all: { type: "boolean" },
    },
    many: ["name", "net"],
  };
  const canonical = (...words: readonly string[]): readonly string[] => checkArguments(words, syntax).words;

  test("is joined by what no word can hold, and taken apart again", () => {
    expect(canonical("x", "a", "--net", "1", "b", "--net=2", "--", "--c")).toEqual([
      "--net=1\u00002",
      "--",
      "x",
      "a\u0000b\u0000--c",
    ]);
    expect([valuesOf("1\u00002"), valuesOf("a"), valuesOf(""), valuesOf(undefined)]).toEqual([
      ["1", "2"],
      ["a"],
      [],
      [],
    ]);
  });

  test("may be left out, and nothing else may", async () => {
    expect(canonical("x")).toEqual(["--", "x", ""]);
    const missing = [
      "USAGE",
      'Cannot run "kami grant": <id> is missing',
      "usage: kami grant <id> [name…] [flags]",
    ] as const;
    expect(await told(() => canonical())).toEqual([...missing]);
    expect(await told(() => canonical("--all", "x", "--all"))).toEqual([
      "USAGE",
      'Cannot run "kami grant": --all is given twice',
      "give it once",
    ]);
    expect(await told(() => canonical("x", "--net"))).toEqual([
      "USAGE",
      'Cannot run "kami grant": --net needs a value',
      "write: --net <value>",
    ]);
  });
});

describe("hasSwitch()", () => {
  test("finds a flag, and not behind --", () => {
    expect(hasSwitch(["list", "--json"], "--json")).toBe(true);
    expect(hasSwitch(["exec", "--", "--json"], "--json")).toBe(false);
  });
});

describe("usageLine()", () => {
  test("names the positionals", () => {
    expect([usageLine(exec), usageLine(list)]).toEqual(["kami exec <id> [flags]", "kami list [flags]"]);
  });
});
