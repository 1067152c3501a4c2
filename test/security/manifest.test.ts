/**
 * Attack class: a manifest as a weapon. It may try to reach files outside its package, to hide what it asks for, to inject text into
 * terminals and models, to pollute prototypes, or to exhaust the process that reads it.
 */
import { describe, expect, test } from "bun:test";
import { clean } from "../../lib/errors.ts";
import { MANIFEST_LIMIT_BYTES } from "../../lib/manifest/defaults.ts";
import { parseManifest } from "../../lib/manifest/parse.ts";
import { growthOf } from "../growth.ts";
import {
  ARGUMENT,
  failureOf,
  MINIMAL,
  outcomeOf,
  ruleOf,
  TOOL,
  withArgument,
  withSecurity,
  withValue,
} from "../manifest/sample.ts";

describe("a manifest that hides text", () => {
  const invisible = [
    ["\\u0000", "U+0000", "NUL"],
    ["\\u0007", "U+0007", "bell"],
    ["\\u0008", "U+0008", "backspace"],
    ["\\u000b", "U+000B", "vertical tab"],
    ["\\r", "U+000D", "carriage return: overwrites the line in a terminal"],
    ["\\u001b[2J", "U+001B", "escape sequence"],
    ["\\u007f", "U+007F", "delete"],
    ["\\u009b2J", "U+009B", "C1 escape sequence"],
    ["\\u061c", "U+061C", "Arabic letter mark"],
    ["\\u00ad", "U+00AD", "soft hyphen"],
    ["\\u3164", "U+3164", "Hangul filler: a letter that looks like a space"],
    ["\\ufe00", "U+FE00", "variation selector: sixteen of them carry any bytes"],
    ["\\u200b", "U+200B", "zero width space"],
    ["\\u200e", "U+200E", "left-to-right mark"],
    ["\\u2028", "U+2028", "line separator"],
    ["\\u202a", "U+202A", "left-to-right embedding"],
    ["\\u202e", "U+202E", "right-to-left override"],
    ["\\u2060", "U+2060", "word joiner"],
    ["\\u2066", "U+2066", "left-to-right isolate"],
    ["\\u2069", "U+2069", "pop isolate"],
    ["\\ufeff", "U+FEFF", "byte order mark"],
    ["\\U000e0041", "U+E0041", "tag letter: text that only a model reads"],
    ["\\U000e01ef", "U+E01EF", "variation selector"],
  ] as const;
  for (const [escape, name, why] of invisible) {
    test(`${why} is refused in every string`, () => {
      const rule = `must not contain the control or invisible character ${name}`;
      const value = `"a${escape}b"`;
      expect(ruleOf(withValue("name", value))).toBe(`3:8: "tool.name" ${rule}`);
      expect(ruleOf(withValue("wasm", value))).toBe(`5:8: "tool.wasm" ${rule}`);
      expect(ruleOf(withValue("description", value))).toBe(`7:15: "mcp.description" ${rule}`);
      expect(ruleOf(withArgument("").replace('"The URL to fetch"', value))).toBe(
        `11:15: "mcp.arguments[0].description" ${rule}`,
      );
      expect(ruleOf(withArgument(`default = ${value}`))).toBe(`12:11: "mcp.arguments[0].default" ${rule}`);
      expect(ruleOf(withArgument(`enum = [${value}]`))).toBe(`12:9: "mcp.arguments[0].enum[0]" ${rule}`);
      for (const key of ["id", "version"]) expect(outcomeOf(withValue(key, value))).toStartWith("MANIFEST_INVALID: ");
      for (const key of ["net_allow_list", "env_allow_list"]) {
        expect(outcomeOf(withSecurity(`${key} = [${value}]`))).toStartWith("MANIFEST_INVALID: ");
      }
      expect(outcomeOf(withArgument("").replace('"url"', value))).toStartWith("MANIFEST_INVALID: ");
    });
  }

  test("the same characters written raw are refused too", () => {
    expect(ruleOf(withValue("description", '"a\u202eb"'))).toBe(
      '7:15: "mcp.description" must not contain the control or invisible character U+202E',
    );
    expect(ruleOf(withValue("description", '"a\ud800b"'))).toBe(
      '7:15: "mcp.description" must not contain the control or invisible character U+D800',
    );
  });

  test("ordinary text of the world's scripts is accepted", () => {
    for (const text of ["Größe", "ファイル", "می\u200cخواهم", "क्\u200dष", "👩\u200d💻 ❤️", "שלום", "a\tb\nc"]) {
      expect(parseManifest(withValue("description", JSON.stringify(text)), "tool.toml").mcp.description).toBe(text);
    }
  });

  test("newlines and tabs are refused where one line is shown", () => {
    for (const [escape, name] of [
      ["\\n", "U+000A"],
      ["\\t", "U+0009"],
    ]) {
      const rule = `must not contain the control or invisible character ${name}`;
      expect(ruleOf(withValue("name", `"a${escape}b"`))).toBe(`3:8: "tool.name" ${rule}`);
      expect(ruleOf(withValue("wasm", `"a${escape}b"`))).toBe(`5:8: "tool.wasm" ${rule}`);
    }
  });

  test("a message about a manifest is one clean, short line", () => {
    const sources = [
      `"\\u001b[31mred\\n\\u202e" = 1\n${MINIMAL}`,
      `"${"k".repeat(10_000)}" = 1\n${MINIMAL}`,
      withValue("id", '"\\u001b[31m"'),
      withSecurity(`fs_access = "${"x".repeat(10_000)}"`),
      "a = \u001b",
      `${"a".repeat(5000)}!`,
    ];
    for (const source of sources) {
      const message = failureOf(source)?.message ?? "";
      expect(message).toStartWith("Cannot ");
      expect(message.length).toBeLessThan(700);
      expect(message).toBe(clean(message, 700));
    }
  });
});

describe("a manifest that reaches for prototypes", () => {
  test.each([
    `__proto__.polluted = true\n${MINIMAL}`,
    `["__proto__"]\npolluted = true\n${MINIMAL}`,
    `constructor.prototype.polluted = true\n${MINIMAL}`,
    `${MINIMAL}[tool.__proto__]\npolluted = true\n`,
    `${MINIMAL}[security.constructor]\npolluted = true\n`,
    withArgument("__proto__ = {polluted = true}"),
  ])("an unsafe key is an unknown key: case %#", (source) => {
    expect(outcomeOf(source)).toStartWith("MANIFEST_UNKNOWN_KEY: ");
    expect("polluted" in {}).toBe(false);
  });

  test("inherited names do not stand in for missing keys", () => {
    expect(ruleOf("__proto__ = {tool = 1}\n")).toContain("MANIFEST_UNKNOWN_KEY");
    expect(ruleOf(`${MINIMAL}[[mcp.arguments]]\n`)).toBe('8:7: "mcp.arguments[0].name" is missing');
  });

  test("objects in a default have no prototype and no __proto__", () => {
    const source = withArgument('default = {constructor = "x"}').replace('"string"', '"object"');
    const value = parseManifest(source, "tool.toml").mcp.arguments[0]?.default;
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(JSON.stringify(value)).toBe('{"constructor":"x"}');
    const nested = withArgument("default = [{a.__proto__.b = 1}]").replace('"string"', '"array"');
    expect(ruleOf(nested)).toBe('12:11: "mcp.arguments[0].default" must not have a key "__proto__"');
  });
});

describe("a manifest that exhausts its reader", () => {
  const attacks: [string, (bytes: number) => string][] = [
    ["nested arrays", (bytes) => `a = ${"[".repeat(bytes)}`],
    ["nested inline tables", (bytes) => `a = ${"{a=".repeat(bytes / 3)}`],
    ["a dotted key", (bytes) => `${MINIMAL}${"a.".repeat(bytes / 2)}a = 1`],
    ["a dotted header", (bytes) => `${MINIMAL}[${"a.".repeat(bytes / 2)}a]`],
    [
      "a deep default by dotted keys",
      (bytes) => withArgument(`default.${"a.".repeat(bytes / 2)}a = 1`).replace('"string"', '"object"'),
    ],
    [
      "a deep default by a header",
      (bytes) =>
        `${withArgument("").replace('"string"', '"object"')}[mcp.arguments.default.${"a.".repeat(bytes / 2)}a]`,
    ],
    ["many dotted keys that share a head", (bytes) => fill(bytes, (index) => `${"a.".repeat(50)}k${index} = 1\n`)],
    ["unknown keys", (bytes) => TOOL + fill(bytes, (index) => `k${index} = 1\n`)],
    ["unknown tables", (bytes) => fill(bytes, (index) => `[k${index}]\n`)],
    ["arguments", (bytes) => MINIMAL + fill(bytes, (index) => ARGUMENT.replace("url", `u${index}`))],
    ["arguments of one name", (bytes) => MINIMAL + fill(bytes, () => ARGUMENT)],
    ["empty arguments", (bytes) => MINIMAL + fill(bytes, () => "[[mcp.arguments]]\n")],
    ["an enum", (bytes) => withArgument(`enum = [${"0,".repeat(bytes / 2)}]`)],
    ["an allow list", (bytes) => withSecurity(`net_allow_list = [${'"*.a",'.repeat(bytes / 6)}]`)],
    ["a description", (bytes) => withValue("description", `"${"a".repeat(bytes)}"`)],
    ["escapes", (bytes) => withValue("description", `"${"\\u0061".repeat(bytes / 6)}"`)],
    ["a description that is blank", (bytes) => withValue("description", `"${" ".repeat(bytes)}x"`)],
    ["an id", (bytes) => withValue("id", `"${"a-".repeat(bytes / 2)}"`)],
    ["a version", (bytes) => withValue("version", `"1.0.0-${"0".repeat(bytes)}"`)],
    ["digits", (bytes) => withSecurity(`max_fuel = ${"9".repeat(bytes)}`)],
    ["an unknown key of great length", (bytes) => `${"k".repeat(bytes)} = 1\n${MINIMAL}`],
    ["a host", (bytes) => withSecurity(`net_allow_list = ["${"a.".repeat(bytes / 2)}"]`)],
    ["comments", (bytes) => MINIMAL + "#\n".repeat(bytes / 2) + "x = 1"],
    ["blank lines and a fault", (bytes) => "\n".repeat(bytes) + "x"],
    ["quotes", (bytes) => withValue("description", `'''${"''x".repeat(bytes / 3)}`)],
  ];
  for (const [name, make] of attacks) {
    test(`${name}: refused, in time that grows with the size`, () => {
      const small = make(MANIFEST_LIMIT_BYTES / 8);
      const large = make(MANIFEST_LIMIT_BYTES);
      expect(outcomeOf(large)).toStartWith("MANIFEST_");
      // Eight times the size: 8 when linear, 64 when quadratic.
      expect(
        growthOf(
          () => failureOf(small),
          () => failureOf(large),
          30,
        ),
      ).toBeLessThan(30);
    });
  }
});

/** Repeats a piece until it all has at least `bytes` bytes. */
function fill(bytes: number, piece: (index: number) => string): string {
  let text = "";
  for (let index = 0; text.length < bytes; index++) text += piece(index);
  return text;
}

describe("a manifest that grants itself more", () => {
  test.each([
    ["network by another spelling", 'net_allow_list = ["2130706433"]'],
    ["network by user information", 'net_allow_list = ["api.github.com@evil.example"]'],
    ["a path that leaves its prefix", 'net_allow_list = ["a.example/v1/../admin"]'],
    ["every variable", 'env_allow_list = ["*"]'],
    ["a directory", 'fs_access = "/home"'],
    ["write access", 'fs_access = "read-write"'],
    ["no limit", "max_fuel = -1"],
    ["no limit", "max_memory_mb = 0"],
    ["an infinite deadline", "max_execution_ms = inf"],
    ["a limit that is no number", "max_execution_ms = nan"],
    ["a limit beyond 64 bits", "max_fuel = 99999999999999999999999999"],
    ["a permission that does not exist", "allow_all = true"],
  ])("%s: %s", (_, line) => {
    expect(outcomeOf(withSecurity(line))).toMatch(/^MANIFEST_(INVALID|UNKNOWN_KEY): Cannot use tool\.toml:9:/);
  });
});
