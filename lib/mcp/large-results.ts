/**
 * Results that are too large for a conversation: a link stands in their place.
 *
 * Source: MCP 2026-07-28 and 2025-11-25, "Server features / Tools / Resource Links".
 */
import type { CallToolResult, Resource } from "@modelcontextprotocol/server";
import type { InstalledTool } from "../registry/registry.ts";
import type { CallResult } from "../runtime.ts";
import { INLINE_LIMIT_BYTES, type KeptResult, type KeptResults } from "./kept-results.ts";

/** Code units of a large result that stand inline, so that a model sees what it is. */
const HEAD = 2000;

/**
 * Keeps a large result apart, and puts a link in its place. One that a schema was promised for, or that is no plain text, stays as it is.
 *
 * @param answer - What the client would get.
 */
export function linkLarge(
  { kept, client }: { readonly kept: KeptResults; readonly client: string | undefined },
  tool: InstalledTool,
  { answer, result }: { readonly answer: CallToolResult; readonly result: CallResult },
): CallToolResult {
  const [block, ...others] = answer.content;
  const isPlain =
    result.ok && others.length === 0 && block?.type === "text" && tool.described?.outputSchema === undefined;
  if (!isPlain || tool.functions.length > 0) return answer;
  const bytes = Buffer.byteLength(block.text);
  if (bytes <= INLINE_LIMIT_BYTES) return answer;
  const mimeType = answer.structuredContent === undefined ? "text/plain" : "application/json";
  const entry = kept.keep(client, { text: block.text, mimeType, toolId: tool.id, bytes });
  const { structuredContent: _, ...rest } = answer;
  const note = `The result has ${bytes} bytes: read all of it at ${entry.uri}, for a quarter of an hour. It begins: `;
  return {
    ...rest,
    content: [
      { type: "text", text: note + block.text.slice(0, HEAD).toWellFormed() },
      { type: "resource_link", ...describeKept(entry) },
    ],
  };
}

/** Describes one as a resource. */
export function describeKept({ uri, mimeType, toolId, bytes }: KeptResult): Resource {
  return { uri, name: `a result of ${toolId}`, mimeType, size: bytes };
}
