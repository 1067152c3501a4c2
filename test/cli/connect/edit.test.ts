import { describe, expect, test } from "bun:test";
import { parse } from "smol-toml";
import { difference } from "../../../lib/cli/connect/difference.ts";
import { type Edit, EditError, editText } from "../../../lib/cli/connect/edit.ts";

const JSON_EDIT: Edit = { format: "json", path: ["mcpServers", "kami"], entry: { command: "bun", args: ["serve"] } };
const TOML_EDIT: Edit = {
  format: "toml",
  path: ["mcp_servers", "kami"],
  entry: { command: "bun", args: ["serve"], env: { KAMI_HOME: "/k" } },
};

function problemOf(text: string, edit: Edit): string {
  try {
    return `edited: ${editText(text, edit)}`;
  } catch (error) {
    if (error instanceof EditError) return error.message;
    throw error;
  }
}

describe("editText(), JSON", () => {
  test("keeps comments, order, indentation, trailing commas and line ends", () => {
    const text =
      '{\r\n\t// mine\r\n\t"z": [1, 2,],\r\n\t"mcpServers": {\r\n\t\t"other": { "command": "x" } /* why */\r\n\t},\r\n\t"a": 1\r\n}\r\n';
    const edited = editText(text, JSON_EDIT);
    for (const piece of ["// mine", "[1, 2,]", '"other": { "command": "x" }', "/* why */", '"a": 1\r\n}\r\n'])
      expect(edited).toContain(piece);
    expect(edited.replaceAll("\r\n", "")).not.toContain("\n");
    expect(edited).toContain('\t\t"kami": {\r\n\t\t\t"command": "bun"');
    expect(editText(edited, JSON_EDIT)).toBe(edited);
  });

  test("writes a file that is not there, or is blank", () => {
    const wanted =
      '{\n  "mcpServers": {\n    "kami": {\n      "command": "bun",\n      "args": [\n        "serve"\n      ]\n    }\n  }\n}\n';
    expect(editText("", JSON_EDIT)).toBe(wanted);
    expect(editText(" \n", JSON_EDIT)).toBe(wanted);
  });

  test("leaves a file on one line on one line, and comments in empty objects", () => {
    expect(editText('{"a":1}', JSON_EDIT)).toBe('{"mcpServers":{"kami":{"command":"bun","args":["serve"]}},"a":1}');
    const edited = editText('{\n  "mcpServers": {\n    // none yet\n  }\n}\n', JSON_EDIT);
    expect(edited).toContain("// none yet\n");
    expect(editText(edited, JSON_EDIT)).toBe(edited);
  });

  test("replaces an entry of its own that differs, whole", () => {
    const edited = editText('{"mcpServers":{"kami":{"command":"old","env":{"A":"1"}},"b":{}}}', JSON_EDIT);
    expect(JSON.parse(edited)).toEqual({ mcpServers: { kami: JSON_EDIT.entry, b: {} } });
  });

  test.each([
    ['{"mcpServers": ', "it is not JSON", "cut off"],
    ["[]", "it is not a JSON object", "another value"],
    ['"x"', "it is not a JSON object", "another value"],
    ['{"mcpServers": []}', 'its "mcpServers" is not an object', "a list in the entry's way"],
    ['{"mcpServers": "x"}', 'its "mcpServers" is not an object', "a text in the entry's way"],
    ['{"mcpServers": null}', 'its "mcpServers" is not an object', "null in the entry's way"],
    ['{"mcpServers": {}, "mcpServers": {}}', "a name comes twice in it", "programs differ in which they take"],
    [
      '{"mcpServers": {"kami": {"a": 1}, "kami": {"b": 1}}}',
      "the entry cannot be put into it without changing the rest",
      "two of ours",
    ],
    [`{"a": ${"[".repeat(200_000)}`, /^it is (?:not JSON|nested too deeply)$/, "deep"],
    [`{"a": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`, /^it is (?:not JSON|nested too deeply)$/, "deep and whole"],
  ] as const)("refuses %.40s: %s", (text, problem) => {
    const found = problemOf(text, JSON_EDIT);
    if (typeof problem === "string") expect(found).toBe(problem);
    else expect(found).toMatch(problem);
  });

  test("takes names of the object's prototype for what they are", () => {
    const edited = editText('{"constructor": {"a": 1}, "toString": 2}', JSON_EDIT);
    expect(JSON.parse(edited)).toEqual({ constructor: { a: 1 }, toString: 2, mcpServers: { kami: JSON_EDIT.entry } });
  });
});

describe("editText(), TOML", () => {
  const OTHERS = '# mine\nmodel = "o"  # why\n\n[mcp_servers.other]\ncommand = "x"\n\n[profiles."a b"]\nx = 1\n';

  test("adds its tables at the end, and keeps the rest as it is", () => {
    const edited = editText(OTHERS, TOML_EDIT);
    expect(edited).toStartWith(`${OTHERS}\n[mcp_servers.kami]\n`);
    expect(parse(edited)["mcp_servers"]).toMatchObject({ other: { command: "x" }, kami: TOML_EDIT.entry });
    expect(editText(edited, TOML_EDIT)).toBe(edited);
  });

  test("replaces its own tables where they are", () => {
    const text = `a = 1\n[mcp_servers.kami]\ncommand = "old"\n[ mcp_servers . kami . env ]\nX = "1"\n\n${OTHERS.slice(OTHERS.indexOf("[mcp"))}`;
    const edited = editText(text, TOML_EDIT);
    expect(edited).toStartWith("a = 1\n[mcp_servers.kami]\n");
    expect(edited).not.toContain("old");
    expect(parse(edited)).toMatchObject({
      a: 1,
      mcp_servers: { other: { command: "x" } },
      profiles: { "a b": { x: 1 } },
    });
  });

  test("keeps line ends of other systems", () => {
    const edited = editText(OTHERS.replaceAll("\n", "\r\n"), TOML_EDIT);
    expect(edited.replaceAll("\r\n", "")).not.toContain("\n");
  });

  test.each([
    ["a = ", /^it is not TOML: line 1, column \d+$/, "cut off"],
    ["mcp_servers = 1", 'its "mcp_servers" is not a table', "a number in the entry's way"],
    ["[[mcp_servers]]\na = 1", 'its "mcp_servers" is not a table', "a list in the entry's way"],
    ["mcp_servers = { kami = { command = 'x' } }", /not TOML|without changing the rest/, "an inline table"],
    ["mcp_servers.kami.command = 'x'", /not TOML|without changing the rest/, "dotted keys"],
    ['["mcp_servers".kami]\ncommand = "x"', /not TOML|without changing the rest/, "quoted names"],
    ['s = """\n[mcp_servers.kami]\n"""', /not TOML|without changing the rest|edited/, "a text that looks like it"],
  ] as const)("refuses %s: %s", (text, problem) => {
    const found = problemOf(text, TOML_EDIT);
    if (typeof problem === "string") expect(found).toBe(problem);
    else expect(found).toMatch(problem);
    // Whatever is edited, nothing else in it changes.
    if (found.startsWith("edited: ")) expect(parse(found.slice(8))).toMatchObject(parse(text));
  });
});

describe("difference()", () => {
  test("shows the lines that change and none around them", () => {
    expect(difference("a\nsecret\nb\nc\n", "a\nsecret\nx\ny\nc\n")).toEqual(["@@ line 3", "- b", "+ x", "+ y"]);
    expect(difference("", "a\n")).toEqual(["@@ line 1", "+ a"]);
    expect(difference("a\n", "a\n")).toEqual([]);
  });
});
