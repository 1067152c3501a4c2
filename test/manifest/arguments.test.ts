import { describe, expect, test } from "bun:test";
import { parseManifest } from "../../lib/manifest/parse.ts";
import { ARGUMENT, MINIMAL, listOf, outcomeOf, ruleOf, textOf, withArgument, withValue } from "./sample.ts";

const described = (value: string): string => withArgument("").replace('"The URL to fetch"', value);
const named = (name: string): string => withArgument("").replace('"url"', () => `"${name}"`);
const typed = (type: string, lines: string): string => withArgument(lines).replace('"string"', `"${type}"`);
const nested = (levels: number): string => typed("array", `default = ${"[".repeat(levels)}${"]".repeat(levels)}`);
const many = (count: number): string =>
  MINIMAL + Array.from({ length: count }, (_, index) => ARGUMENT.replace('"url"', `"a${index}"`)).join("");

describe("parseManifest() checks [mcp]", () => {
  test("description: 1 to 4096 characters, not blank", () => {
    expect(outcomeOf(withValue("description", textOf(4096)))).toBe("accepted");
    expect(ruleOf(withValue("description", textOf(4097)))).toBe(
      '7:15: "mcp.description" must have at most 4096 characters',
    );
    expect(ruleOf(withValue("description", '" "'))).toBe('7:15: "mcp.description" must not be empty');
  });

  test("an argument's description: 1 to 1024 characters, not blank", () => {
    expect(outcomeOf(described(textOf(1024)))).toBe("accepted");
    expect(ruleOf(described(textOf(1025)))).toBe(
      '11:15: "mcp.arguments[0].description" must have at most 1024 characters',
    );
    expect(ruleOf(described('""'))).toBe('11:15: "mcp.arguments[0].description" must not be empty');
  });

  test.each(["a", "_", "A-b_9", "constructor", "toString", "__proto", "a".repeat(64)])(
    "argument %s is accepted",
    (name) => {
      expect(parseManifest(named(name), "tool.toml").mcp.arguments[0]?.name).toBe(name);
    },
  );
  test.each(["", "9a", "-a", "a b", "a.b", "ä", "a\\n", "__proto__", "$ref"])("argument %j is refused", (name) => {
    expect(ruleOf(named(name))).toBe(
      '9:8: "mcp.arguments[0].name" must be a letter or "_", then letters, digits, "_" and "-", and not "__proto__"',
    );
  });
  test("an argument's name: 64 characters at most, and unique", () => {
    expect(ruleOf(named("a".repeat(65)))).toBe('9:8: "mcp.arguments[0].name" must have at most 64 characters');
    expect(ruleOf(withArgument(ARGUMENT))).toBe(
      '13:8: "mcp.arguments[1].name" is already the name of mcp.arguments[0]',
    );
  });

  test("64 arguments at most", () => {
    expect(parseManifest(many(64), "tool.toml").mcp.arguments.length).toBe(64);
    expect(ruleOf(many(65))).toBe('8:7: "mcp.arguments" must have at most 64 entries');
  });

  test("type is one of six", () => {
    expect(ruleOf(withArgument("").replace('"string"', '"float"'))).toBe(
      '10:8: "mcp.arguments[0].type" must be one of "string", "number", "integer", "boolean", "object", "array"',
    );
  });

  test.each([
    ["string", '"x\\t\\n"', "x\t\n"],
    ["number", "1", 1],
    ["number", "1.5", 1.5],
    ["integer", "-1", -1],
    ["integer", "9007199254740991", 9_007_199_254_740_991],
    ["integer", "5.0", 5],
    ["boolean", "false", false],
    ["object", "{b = 1, a = []}", { a: [], b: 1 }],
    ["array", "[1, 'x', {}]", [1, "x", {}]],
  ])("a %s may default to %s, or be limited to it", (type, written, value) => {
    expect(parseManifest(typed(type, `default = ${written}`), "tool.toml").mcp.arguments[0]?.default).toEqual(value);
    expect(parseManifest(typed(type, `enum = [${written}]`), "tool.toml").mcp.arguments[0]?.enum).toEqual([value]);
  });
  test.each([
    ["string", "1", "must be a string, as the argument's type says"],
    ["number", '"1"', "must be a number, as the argument's type says"],
    ["integer", "1.5", "must be an integer, as the argument's type says"],
    ["boolean", '"true"', "must be a boolean, as the argument's type says"],
    ["object", "[]", "must be an object, as the argument's type says"],
    ["array", "{}", "must be an array, as the argument's type says"],
    ["number", "nan", "must be a finite number"],
    ["number", "-inf", "must be a finite number"],
    ["integer", "9007199254740992", "must be an integer from -(2^53 - 1) to 2^53 - 1"],
    ["integer", `1${"0".repeat(2000)}`, "must be an integer from -(2^53 - 1) to 2^53 - 1"],
    ["string", "2020-01-01", "must be a JSON value, got a date or time"],
    ["array", "[07:32:00]", "must be a JSON value, got a date or time"],
    ["object", "{__proto__ = 1}", 'must not have a key "__proto__"'],
    ["object", '{"a\\u202e" = 1}', "must not contain the control or invisible character U+202E"],
    ["array", '[["\\u001b"]]', "must not contain the control or invisible character U+001B"],
  ])("a %s may not default to %s, nor be limited to it", (type, written, problem) => {
    expect(ruleOf(typed(type, `default = ${written}`))).toBe(`12:11: "mcp.arguments[0].default" ${problem}`);
    expect(ruleOf(typed(type, `enum = [${written}]`))).toBe(`12:9: "mcp.arguments[0].enum[0]" ${problem}`);
  });

  test("a default nests 16 levels at most", () => {
    expect(outcomeOf(nested(16))).toBe("accepted");
    expect(ruleOf(nested(17))).toBe('12:11: "mcp.arguments[0].default" must nest at most 16 levels deep');
  });

  test("required and default contradict each other", () => {
    const problem = "can never be used: the argument is required";
    expect(ruleOf(withArgument('required = true\ndefault = "x"'))).toBe(`13:11: "mcp.arguments[0].default" ${problem}`);
    expect(outcomeOf(withArgument('required = false\ndefault = "x"'))).toBe("accepted");
  });

  test("enum: 1 to 256 different values, the default among them", () => {
    expect(outcomeOf(withArgument(`enum = ${listOf(256, (index) => `"${index}"`)}`))).toBe("accepted");
    expect(ruleOf(withArgument(`enum = ${listOf(257, (index) => `"${index}"`)}`))).toBe(
      '12:8: "mcp.arguments[0].enum" must have at most 256 entries',
    );
    expect(ruleOf(withArgument("enum = []"))).toBe(
      '12:8: "mcp.arguments[0].enum" must have at least one value, or be left out',
    );
    expect(ruleOf(withArgument('enum = ["a", "b", "a"]'))).toBe(
      '12:19: "mcp.arguments[0].enum[2]" repeats the value of enum[0]',
    );
    expect(ruleOf(typed("object", "enum = [{a = 1, b = 2}, {b = 2, a = 1}]"))).toBe(
      '12:25: "mcp.arguments[0].enum[1]" repeats the value of enum[0]',
    );
    expect(ruleOf(withArgument('default = "c"\nenum = ["a", "b"]'))).toBe(
      '12:11: "mcp.arguments[0].default" must be one of the values of enum',
    );
    expect(outcomeOf(typed("object", "default = {a = 1, b = 2}\nenum = [{b = 2, a = 1}]"))).toBe("accepted");
  });
});
