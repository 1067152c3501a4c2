import { describe, expect, test } from "bun:test";
import { parseManifest } from "../../lib/manifest/parse.ts";
import { told } from "../cli/support/failure.ts";

const HEAD = '[tool]\nid = "a.b"\nname = "n"\nversion = "1.0.0"\nwasm = "t.wasm"\n[mcp]\ndescription = "d"\n';

function manifest(prompts: string): string {
  return `${HEAD}${prompts}`;
}

const ONE = '[[mcp.prompts]]\nname = "sum-up"\ndescription = "D"\ntext = "Sum up {{ topic }}"\n';
const ARGUMENT = '[[mcp.prompts.arguments]]\nname = "topic"\ndescription = "T"\n';

async function problemOf(prompts: string): Promise<string> {
  const [, message] = await told(() => parseManifest(manifest(prompts), "tool.toml"));
  return message;
}

describe("[[mcp.prompts]]", () => {
  test("are read, with defaults", () => {
    const { mcp } = parseManifest(manifest(`${ONE}${ARGUMENT}`), "tool.toml");
    expect(mcp.prompts).toEqual([
      {
        name: "sum-up",
        description: "D",
        text: "Sum up {{ topic }}",
        arguments: [{ name: "topic", description: "T", required: false }],
      },
    ]);
    expect(parseManifest(HEAD, "tool.toml").mcp).toEqual({ description: "d", arguments: [] });
  });

  test.each([
    [ONE, "names {{topic}}, which is not among the prompt's arguments"],
    [`${ONE}${ARGUMENT}${ONE}${ARGUMENT}`, "is already the name of number 0"],
    [`${ONE}${ARGUMENT}${ARGUMENT}`, "is already the name of number 0"],
    [`${ONE}${ARGUMENT}type = "string"\n`, "mcp.prompts[0].arguments[0].type"],
    [`${ONE}${ARGUMENT}`.replace("text =", "txt ="), "mcp.prompts[0].txt"],
    [ONE.replace("sum-up", "Sum_up"), 'must be of a-z, 0-9 and inner "-"'],
    [ONE.replace("sum-up", "a__b"), 'must be of a-z, 0-9 and inner "-"'],
    [
      `${ONE}${ARGUMENT}`.replace("Sum up", "Sum\\u001b[2J up"),
      "must not contain the control or invisible character U+001B",
    ],
    [
      `${ONE}${ARGUMENT}`.replace("Sum up", "Sum\\u202e up"),
      "must not contain the control or invisible character U+202E",
    ],
    [ONE.replace("{{ topic }}", "x".repeat(16_384)), "must have at most 16384 characters"],
    [
      Array.from({ length: 17 }, (_, index) => ONE.replace("sum-up", `p${index}`).replace("{{ topic }}", "")).join(""),
      "must have at most 16 entries",
    ],
    [`${ONE}${ARGUMENT}`.replace('"T"', '""'), "must not be empty"],
  ])("refuses %j", async (prompts, problem) => {
    expect(await problemOf(prompts)).toContain(problem);
  });
});
