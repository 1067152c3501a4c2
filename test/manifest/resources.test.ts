import { describe, expect, test } from "bun:test";
import { parseManifest } from "../../lib/manifest/parse.ts";
import { told } from "../cli/support/failure.ts";

const HEAD = '[tool]\nid = "a.b"\nname = "n"\nversion = "1.0.0"\nwasm = "t.wasm"\n[mcp]\ndescription = "d"\n';
const RESOURCE = '[[mcp.resources]]\nuri = "x://a"\nname = "n"\nmime_type = "text/plain"\nfile = "f.txt"\n';
const TEMPLATE = '[[mcp.resource_templates]]\nuri_template = "x://b/{id}"\nname = "n"\n';

function argument(name: string, type: string, isRequired: boolean): string {
  return `[[mcp.arguments]]\nname = "${name}"\ntype = "${type}"\ndescription = "d"\nrequired = ${isRequired}\n`;
}

describe("[[mcp.resources]] and [[mcp.resource_templates]]", () => {
  test("are read", () => {
    const more = 'title = "T"\ndescription = "D"\n';
    const text = `${HEAD}${argument("id", "string", true)}${RESOURCE}${more}${TEMPLATE}${more}mime_type = "a/b"\n${TEMPLATE.replace("x://b", "x://c")}`;
    const { resources, templates } = parseManifest(text, "tool.toml").mcp;
    const named = { name: "n", title: "T", description: "D" };
    expect({ resources, templates }).toEqual({
      resources: [{ ...named, uri: "x://a", mimeType: "text/plain", file: "f.txt" }],
      templates: [
        { ...named, uriTemplate: "x://b/{id}", mimeType: "a/b" },
        { name: "n", uriTemplate: "x://c/{id}" },
      ],
    });
  });

  test.each([
    [RESOURCE.replace("x://a", "file:///a"), 'mcp.resources[0].uri" must not have the scheme "file"'],
    [RESOURCE.replace("text/plain", "text/html;profile=mcp-app"), "must be a media type without parameters"],
    [RESOURCE.replace("f.txt", "../f.txt"), 'no ".." segment'],
    [RESOURCE.replace("f.txt", "t.wasm"), "must be a file of its own"],
    [RESOURCE.replace("f.txt", "tool.toml"), "must be a file of its own"],
    [RESOURCE.replace('file = "f.txt"', 'path = "f.txt"'), "mcp.resources[0].path"],
    [`${RESOURCE}${RESOURCE}`, 'mcp.resources[1].uri" is, or may be, the URI of resources 0 as well'],
    [
      `${RESOURCE}${TEMPLATE.replace("x://b/{id}", "x://a/{id}")}${RESOURCE.replace("x://a", "x://A/1")}`,
      "is, or may be, the URI of",
    ],
    [`${TEMPLATE}${TEMPLATE.replace("{id}", "{x}")}`, "may be, the URI of resource_templates 0 as well"],
    [TEMPLATE.replace("{id}", "id"), "must have a place for a variable"],
    [TEMPLATE.replace("name =", "nam ="), "mcp.resource_templates[0].nam"],
    [`${argument("other", "string", false)}${TEMPLATE}`, "has the variable {id}, which is not an argument of the tool"],
    [`${argument("id", "integer", false)}${TEMPLATE}`, 'which is not an argument of the tool with the type "string"'],
    [
      `${argument("id", "string", true)}${argument("b", "string", true)}${TEMPLATE}`,
      'has no variable for the argument "b", which is required',
    ],
    [
      Array.from({ length: 65 }, (_, index) => RESOURCE.replace("x://a", `x://a${index}`)).join(""),
      "must have at most 64 entries",
    ],
    [
      Array.from({ length: 17 }, (_, index) => TEMPLATE.replace("x://b", `x://b${index}`)).join(""),
      "must have at most 16 entries",
    ],
  ])("are refused: %j", async (tables, problem) => {
    expect((await told(() => parseManifest(HEAD + tables, "tool.toml")))[1]).toContain(problem);
  });
});
