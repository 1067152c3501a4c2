import { describe, expect, test } from "bun:test";
import { parseManifest } from "../../lib/manifest/parse.ts";
import { told } from "../cli/support/failure.ts";

const HEAD = '[tool]\nid = "a.b"\nname = "n"\nversion = "1.0.0"\nwasm = "t.wasm"\n[mcp]\ndescription = "d"\n';

function manifest(prompts: string): string {
  return `${HEAD}${prompts}`;
}

const ONE = '[[mcp.prompts]]\nname = "sum-up"\ndescription = "D"\ntext = "Sum up {{ topic }}"\n';
const ARGUMENT = '[[mcp.prompts.arguments]]\nname = "topic"\ndescription = "T"\n';

const MANY = '[[mcp.prompts]]\nname = "sum-up"\ndescription = "D"\n';
const MESSAGE = "[[mcp.prompts.messages]]\n";
const RESOURCE = '[[mcp.resources]]\nuri = "x://text"\nname = "n"\nmime_type = "text/plain"\nfile = "f"\n';

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
        messages: [{ role: "user", text: "Sum up {{ topic }}" }],
        arguments: [{ name: "topic", description: "T", required: false }],
      },
    ]);
    expect(parseManifest(HEAD, "tool.toml").mcp).toEqual({ description: "d", arguments: [] });
  });

  test("are read with several messages, whose resources are the package's own", () => {
    const image = RESOURCE.replace("x://text", "x://image").replace("text/plain", "image/png");
    const messages = [
      `${MESSAGE}text = "{{topic}}"\n`,
      `${MESSAGE}resource = "x://text"\nrole = "assistant"\n`,
      `${MESSAGE}resource = "x://{{topic}}"\n`,
      `${MESSAGE}image = "x://image"\n`,
    ];
    const text = `${MANY}${ARGUMENT}values = ["a", "b"]\n${messages.join("")}${RESOURCE}${image}`;
    expect(parseManifest(manifest(text), "tool.toml").mcp.prompts?.[0]).toEqual({
      name: "sum-up",
      description: "D",
      messages: [
        { role: "user", text: "{{topic}}" },
        { role: "assistant", resource: "x://text" },
        { role: "user", resource: "x://{{topic}}" },
        { role: "user", image: "x://image" },
      ],
      arguments: [{ name: "topic", description: "T", required: false, values: ["a", "b"] }],
    });
  });

  test.each([
    [ONE, "names {{topic}}, which is not among the prompt's arguments"],
    [`${ONE}${ARGUMENT}${ONE}${ARGUMENT}`, "is already the name of number 0"],
    [`${ONE}${ARGUMENT}${ARGUMENT}`, "is already the name of number 0"],
    [`${ONE}${ARGUMENT}type = "string"\n`, "mcp.prompts[0].arguments[0].type"],
    [`${ONE}${ARGUMENT}`.replace("text =", "txt ="), "mcp.prompts[0].txt"],
    [ONE.replace("sum-up", "Sum_up"), 'must be of a-z, 0-9 and inner "-" and "_"'],
    [ONE.replace("sum-up", "a__b"), 'must be of a-z, 0-9 and inner "-" and "_", no two "_" in a row'],
    [ONE.replace("sum-up", "a_"), 'must be of a-z, 0-9 and inner "-" and "_"'],
    [ONE.replace('text = "Sum up {{ topic }}"\n', ""), 'mcp.prompts[0].text" is missing'],
    [`${ONE}${ARGUMENT}${MESSAGE}text = "x"\n`, "must be left out: the prompt has messages"],
    [`${MANY}${MESSAGE}`, 'mcp.prompts[0].messages[0].text" is missing'],
    [`${MANY}${MESSAGE}text = "x"\nimage = "x://a"\n`, 'must be left out: the message has "text"'],
    [`${MANY}${MESSAGE}text = "{{a}}"\n`, "names {{a}}, which is not among the prompt's arguments"],
    [`${MANY}${MESSAGE}resource = "{{a}}"\n`, "names {{a}}, which is not among the prompt's arguments"],
    [`${MANY}${MESSAGE}resource = "x://none"\n`, "must be the uri of one of mcp.resources"],
    [`${MANY}${MESSAGE}image = "x://text"\n${RESOURCE}`, "must be the uri of one of mcp.resources that is an image"],
    [`${MANY}${MESSAGE}role = "system"\ntext = "x"\n`, 'must be one of "user", "assistant"'],
    [`${MANY}${MESSAGE}txt = "x"\n`, "mcp.prompts[0].messages[0].txt"],
    [`${MANY}${`${MESSAGE}text = "x"\n`.repeat(17)}`, "must have at most 16 entries"],
    [`${ONE}${ARGUMENT}values = ["a\\nb"]\n`, "must not contain the control or invisible character"],
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
