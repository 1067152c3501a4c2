import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { conformanceDirectory } from "../../fixtures/paths.ts";
import { bringRows, bringsJson } from "../../lib/cli/brings.ts";
import { parseManifest } from "../../lib/manifest/parse.ts";

const { mcp } = parseManifest(
  readFileSync(join(conformanceDirectory("test-documents"), "tool.toml"), "utf8"),
  "tool.toml",
);

describe("bringRows()", () => {
  test("has a row for each prompt, resource and template", () => {
    expect(bringRows(mcp)).toEqual([
      ["prompt", "test_simple_prompt()"],
      ["prompt", "test_prompt_with_arguments(arg1, arg2)"],
      ["prompt", "test_prompt_with_embedded_resource(resourceUri)"],
      ["prompt", "test_prompt_with_image()"],
      ["resource", "test://static-text, text/plain, from static.txt"],
      ["resource", "test://static-binary, image/png, from red.png"],
      ["resource", "test://watched-resource, text/plain, from watched.txt"],
      ["resource", "test://example-resource, text/plain, from example.txt"],
      ["template", "test://template/{id}/data, which the tool makes the content of"],
    ]);
    expect(bringRows({ description: "d", arguments: [] })).toEqual([]);
  });
});

describe("bringsJson()", () => {
  test("has all that the manifest says", () => {
    expect(bringsJson(mcp)).toEqual({
      prompts: mcp.prompts,
      resources: mcp.resources,
      resourceTemplates: mcp.templates,
    });
    expect(bringsJson({ description: "d", arguments: [] })).toEqual({
      prompts: [],
      resources: [],
      resourceTemplates: [],
    });
  });
});
