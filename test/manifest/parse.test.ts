import { describe, expect, test } from "bun:test";
import { MANIFEST_DEFAULTS } from "../../lib/manifest/defaults.ts";
import { parseManifest } from "../../lib/manifest/parse.ts";
import {
  ARGUMENT,
  MCP,
  MINIMAL,
  TOOL,
  failureOf,
  outcomeOf,
  ruleOf,
  withArgument,
  withSecurity,
  withValue,
} from "./sample.ts";

describe("parseManifest()", () => {
  test("reads every key", () => {
    const source = `${TOOL}${MCP}${ARGUMENT}required = true

[[mcp.arguments]]
name = "method"
type = "string"
description = """
How to fetch.
\tGET reads."""
default = "GET"
enum = ["GET", "HEAD"]

[[mcp.arguments]]
name = "options"
type = "object"
description = "More"
default = { retries = 3, nested = { list = [1, 2.5, true, "x"] } }

[security]
net_allow_list = ["*.Example.com", "api.github.com:8443/v1"]
fs_access = "read-only"
env_allow_list = ["API_KEY"]
max_memory_mb = 128
max_execution_ms = 0x10
max_fuel = 9_007_199_254_740_991
`;
    expect(parseManifest(source, "tool.toml")).toEqual({
      tool: { id: "dev.example.fetch-url", name: "fetch-url", version: "1.0.0", wasm: "fetch_url.wasm" },
      mcp: {
        description: "Fetches content from a URL",
        arguments: [
          { name: "url", type: "string", description: "The URL to fetch", required: true },
          {
            name: "method",
            type: "string",
            description: "How to fetch.\n\tGET reads.",
            required: false,
            default: "GET",
            enum: ["GET", "HEAD"],
          },
          {
            name: "options",
            type: "object",
            description: "More",
            required: false,
            default: { retries: 3, nested: { list: [1, 2.5, true, "x"] } },
          },
        ],
      },
      security: {
        netAllowList: ["*.Example.com", "api.github.com:8443/v1"],
        fsAccess: "read-only",
        envAllowList: ["API_KEY"],
        elicitation: "none",
        maxMemoryMb: 128,
        maxExecutionMs: 16,
        maxFuel: 9_007_199_254_740_991,
      },
    });
  });

  test("a manifest that asks for nothing gets nothing but the default budget", () => {
    const expected = {
      netAllowList: [],
      fsAccess: "none",
      envAllowList: [],
      maxMemoryMb: 64,
      maxExecutionMs: 5000,
      maxFuel: MANIFEST_DEFAULTS.security.maxFuel,
    };
    expect(parseManifest(MINIMAL, "tool.toml").security).toEqual({
      ...expected,
      fsAccess: "none",
      elicitation: "none",
    });
    expect(parseManifest(`${MINIMAL}[security]\n`, "tool.toml").security).toEqual({
      ...expected,
      fsAccess: "none",
      elicitation: "none",
    });
    expect(parseManifest(MINIMAL, "tool.toml").mcp.arguments).toEqual([]);
  });

  test("the defaults are frozen all the way down", () => {
    const { argument: forArgument, security: forSecurity } = MANIFEST_DEFAULTS;
    const objects = [MANIFEST_DEFAULTS, forArgument, forSecurity, forSecurity.netAllowList, forSecurity.envAllowList];
    expect(objects.map(Object.isFrozen)).toEqual(objects.map(() => true));
  });

  test("a byte order mark, CRLF and inline tables are the same manifest", () => {
    const crlf = `\ufeff${withArgument("").replaceAll("\n", "\r\n")}`;
    const inline =
      'tool = {id = "dev.example.fetch-url", name = "fetch-url", version = "1.0.0", wasm = "fetch_url.wasm"}\n' +
      'mcp.description = "Fetches content from a URL"\n' +
      'mcp.arguments = [{name = "url", type = "string", description = "The URL to fetch"}]\n';
    const expected = parseManifest(withArgument(""), "tool.toml");
    expect(parseManifest(crlf, "tool.toml")).toEqual(expected);
    expect(parseManifest(inline, "tool.toml")).toEqual(expected);
    expect(parseManifest(withValue("description", '"""a\r\nb"""'), "tool.toml").mcp.description).toBe("a\nb");
  });
});

describe("parseManifest() refuses what is not TOML", () => {
  const cases = [
    { source: "[tool", place: "1:2: incomplete key-value: cannot find end of key" },
    { source: "a =", place: "1:4: invalid value" },
    { source: "a = 1\n\nb = 'x", place: "3:5: unfinished string" },
    { source: "a = 1\na = 2", place: "2:1: trying to redefine an already defined table or value" },
    { source: "\ufeffa = ", place: "1:5: invalid value" },
    { source: '[tool]\r\nid = "a\u0007"', place: "2:8: control characters are not allowed in strings" },
    { source: `a = ${"[".repeat(21)}`, place: "1:25: document contains excessively nested structures. aborting." },
  ];
  for (const { source, place } of cases) {
    test(JSON.stringify(source), () => {
      expect(outcomeOf(source)).toBe(`MANIFEST_SYNTAX: Cannot parse tool.toml:${place} | mend the TOML at that place`);
    });
  }

  test("the parser's own error is the cause, and the detail is whole", () => {
    const failure = failureOf("a =");
    expect(failure?.detail).toEqual({ file: "tool.toml", line: 1, column: 4, problem: "invalid value" });
    expect(failure?.cause).toBeInstanceOf(Error);
    expect(failure?.agentMayRead).toBe(false);
  });
});

describe("parseManifest() refuses unknown keys", () => {
  const cases = [
    {
      source: withValue("wasm", "").replace("wasm = ", 'wsam = "x"'),
      place: '5:1: unknown key "tool.wsam"',
      hint: 'did you mean "tool.wasm"?',
    },
    { source: `${MINIMAL}[securty]\n`, place: '8:2: unknown key "securty"', hint: 'did you mean "security"?' },
    {
      source: `max_fuel = 1\n${MINIMAL}`,
      place: '1:1: unknown key "max_fuel"',
      hint: 'did you mean "security.max_fuel"?',
    },
    {
      source: TOOL + 'description = "x"\n' + MCP,
      place: '6:1: unknown key "tool.description"',
      hint: 'did you mean "mcp.description"?',
    },
    {
      source: withArgument("defualt = 1"),
      place: '12:1: unknown key "mcp.arguments[0].defualt"',
      hint: 'did you mean "mcp.arguments[0].default"?',
    },
    {
      source: `${withArgument("")}[mcp.arguments.pattern]\n`,
      place: '13:16: unknown key "mcp.arguments[0].pattern"',
      hint: "remove the key",
    },
    { source: `enum = []\n${MINIMAL}`, place: '1:1: unknown key "enum"', hint: "remove the key" },
    { source: withSecurity("zebra = 1"), place: '9:1: unknown key "security.zebra"', hint: "remove the key" },
    {
      source: withSecurity('"max fuel" = 1'),
      place: '9:1: unknown key "security."max fuel""',
      hint: 'did you mean "security.max_fuel"?',
    },
    {
      source: `${MINIMAL}[security]\n__proto__ = 1\n`,
      place: '9:1: unknown key "security.__proto__"',
      hint: "remove the key",
    },
    { source: `constructor.x = 1\n${MINIMAL}`, place: '1:1: unknown key "constructor"', hint: "remove the key" },
    {
      source: `${MINIMAL}security = {max_fule = 1}\n`,
      place: '8:1: unknown key "mcp.security"',
      hint: 'did you mean "security"?',
    },
  ];
  for (const { source, place, hint } of cases) {
    test(place, () => {
      expect(outcomeOf(source)).toBe(`MANIFEST_UNKNOWN_KEY: Cannot use tool.toml:${place} | ${hint}`);
    });
  }
});

describe("parseManifest() reports one problem", () => {
  test("the first in document order, whatever found it", () => {
    const source = `[security]\nfs_access = "all"\n${withValue("id", "5")}${ARGUMENT}default = 1\nenmu = []\n`;
    const lines: [string, string][] = [
      ['2:13: "security.fs_access" must be one of "none", "read-only", "sandbox"', '"all"'],
      ['4:6: "tool.id" must be a string, got an integer', "5"],
      ['14:11: "mcp.arguments[0].default" must be a string, as the argument\'s type says', "default = 1"],
    ];
    const mended = ['"none"', '"a.b"', 'default = "x"'];
    let current = source;
    for (const [index, [problem, bad]] of lines.entries()) {
      expect(ruleOf(current)).toBe(problem);
      current = current.replace(bad, mended[index] ?? "");
    }
    expect(outcomeOf(current)).toContain('15:1: unknown key "mcp.arguments[0].enmu"');
  });

  test("a missing key comes after every other problem, since a misspelt key is the likelier cause", () => {
    expect(outcomeOf(TOOL + '[mcp]\ndescribtion = "x"\n')).toContain('7:1: unknown key "mcp.describtion"');
    expect(ruleOf(TOOL + "[mcp]\n")).toBe('6:2: "mcp.description" is missing');
  });

  test.each([
    ["", '1:1: "tool" is missing'],
    [TOOL, '1:1: "mcp" is missing'],
    [MCP, '1:1: "tool" is missing'],
    [MINIMAL.replace(/^id.*\n/m, ""), '1:2: "tool.id" is missing'],
    [MINIMAL.replace(/^name.*\n/m, ""), '1:2: "tool.name" is missing'],
    [MINIMAL.replace(/^version.*\n/m, ""), '1:2: "tool.version" is missing'],
    [MINIMAL.replace(/^wasm.*\n/m, ""), '1:2: "tool.wasm" is missing'],
    [MINIMAL + '[[mcp.arguments]]\ntype = "string"\ndescription = "x"\n', '8:7: "mcp.arguments[0].name" is missing'],
    [
      withArgument("") + '[[mcp.arguments]]\nname = "x"\ndescription = "x"\n',
      '13:7: "mcp.arguments[1].type" is missing',
    ],
    [MINIMAL + '[[mcp.arguments]]\nname = "x"\ntype = "string"\n', '8:7: "mcp.arguments[0].description" is missing'],
  ])("a required key that is missing: %#", (source, problem) => {
    expect(ruleOf(source)).toBe(problem);
  });
});
