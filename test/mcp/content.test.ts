import { describe, expect, test } from "bun:test";
import { BLOCKS_LIMIT, readContent } from "../../lib/mcp/content.ts";
import { toToolResult } from "../../lib/mcp/result.ts";
import { succeed } from "./support/host.ts";

const TEXT = { type: "text", text: "x" };
const IMAGE = { type: "image", data: "aGk=", mimeType: "image/png" };
const AUDIO = { type: "audio", data: "aGk=", mimeType: "audio/wav" };
const RESOURCE = { type: "resource", resource: { uri: "test://a", mimeType: "text/plain", text: "x" } };

describe("readContent()", () => {
  test.each([
    { block: TEXT },
    { block: IMAGE },
    { block: AUDIO },
    { block: RESOURCE },
    { block: { type: "resource", resource: { uri: "https://a.example/b", blob: "aGk=" } } },
  ])("takes $block", ({ block }) => {
    expect(read({ content: [block] })).toEqual({ content: [block] });
  });

  test("takes structured content beside it", () => {
    expect(read({ content: [TEXT], structuredContent: { a: 1 } })).toEqual({
      content: [TEXT],
      structuredContent: { a: 1 },
    });
  });

  test("leaves out what would steer a client", () => {
    const extra = {
      _meta: { "dev.kami/usage": {} },
      annotations: { audience: ["assistant"], priority: 1 },
      title: "x",
    };
    const blocks = [
      { ...TEXT, ...extra },
      { ...IMAGE, ...extra },
    ];
    expect(read({ content: blocks })).toEqual({ content: [TEXT, IMAGE] });
  });

  test.each([
    { value: {}, why: "no content" },
    { value: { content: [] }, why: "none in it" },
    { value: { content: "x" }, why: "content that is no list" },
    { value: { content: [TEXT], isError: true }, why: "the claim to be an error" },
    { value: { content: [TEXT], _meta: {} }, why: "_meta of its own" },
    { value: { content: [TEXT], resultType: "input_required" }, why: "another type of result" },
    { value: { content: [TEXT], structuredContent: [1] }, why: "structured content that is no object" },
    { value: { content: [TEXT, null] }, why: "one block that is none" },
    { value: { content: [{ type: "text", text: 1 }] }, why: "a text that is none" },
    { value: { content: [{ type: "resource_link", uri: "https://a.example", name: "a" }] }, why: "a link" },
    { value: { content: [{ ...IMAGE, mimeType: "image/svg+xml" }] }, why: "an image that holds programs" },
    { value: { content: [{ ...IMAGE, mimeType: "text/html" }] }, why: "a page in the place of an image" },
    { value: { content: [{ ...IMAGE, data: "a b=" }] }, why: "data that is no base64" },
    { value: { content: [{ ...IMAGE, data: "aGk" }] }, why: "base64 that is cut" },
    { value: { content: [{ ...IMAGE, data: "" }] }, why: "an empty image" },
    { value: { content: [{ ...AUDIO, mimeType: "image/png" }] }, why: "a sound that is an image" },
    {
      value: { content: [{ type: "resource", resource: { uri: "kami://result/x", text: "x" } }] },
      why: "a name of KAMI's own",
    },
    {
      value: { content: [{ type: "resource", resource: { uri: "file:///etc/passwd", text: "x" } }] },
      why: "a file's name",
    },
    {
      value: { content: [{ type: "resource", resource: { uri: "javascript:alert(1)", text: "x" } }] },
      why: "a program",
    },
    {
      value: { content: [{ type: "resource", resource: { uri: "FILE:///x", text: "x" } }] },
      why: "a file in capitals",
    },
    {
      value: { content: [{ type: "resource", resource: { uri: "ui://a", mimeType: "text/html", text: "<script>" } }] },
      why: "a page that clients run",
    },
    { value: { content: [{ type: "resource", resource: { uri: "a", text: "x" } }] }, why: "a name without a scheme" },
    { value: { content: [{ type: "resource", resource: { uri: "t:x", text: "x", blob: "aGk=" } }] }, why: "both" },
    { value: { content: [{ type: "resource", resource: { uri: "t:x" } }] }, why: "neither" },
  ])("takes for data what has $why", ({ value }) => {
    expect(readContent(value)).toBeUndefined();
  });

  test.each([
    [BLOCKS_LIMIT - 1, true],
    [BLOCKS_LIMIT, true],
    [BLOCKS_LIMIT + 1, false],
  ])("%d blocks: %p", (count, isTaken) => {
    expect(readContent({ content: Array.from({ length: count }, () => TEXT) }) !== undefined).toBe(isTaken);
  });
});

describe("toToolResult()", () => {
  test("hands content in MCP's own shape on, with KAMI's own _meta", () => {
    const result = toToolResult(succeed(JSON.stringify({ content: [IMAGE] })));
    expect(result).toMatchObject({ content: [IMAGE], _meta: { "dev.kami/usage": expect.anything() } });
    expect(result).not.toHaveProperty("structuredContent");
    expect(result).not.toHaveProperty("isError");
  });

  test("hands what is not quite in that shape on as data, in both parts", () => {
    const value = { content: [{ type: "resource_link", uri: "file:///etc/passwd", name: "a" }] };
    expect(toToolResult(succeed(JSON.stringify(value)))).toMatchObject({
      content: [{ type: "text", text: JSON.stringify(value) }],
      structuredContent: value,
    });
  });
});

/** What is read, as plain data. */
function read(value: Record<string, unknown>): object {
  return { ...readContent(value) };
}
