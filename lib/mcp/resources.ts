/**
 * What a client can read beside tools: the READMEs of tools, and results that were too large for a conversation.
 *
 * Source: MCP 2026-07-28 and 2025-11-25, "Server features / Resources".
 */
import {
  type CallToolResult,
  type ListResourcesResult,
  type McpServer,
  type ReadResourceResult,
  type Resource,
  ResourceNotFoundError,
} from "@modelcontextprotocol/server";
import { clean } from "../errors.ts";
import { readInstalledReadme, README_LIMIT_BYTES } from "../registry/readme.ts";
import type { InstalledTool } from "../registry/registry.ts";
import type { CallResult } from "../runtime.ts";
import type { CatalogView } from "./catalog.ts";
import { INLINE_LIMIT_BYTES, type KeptResult, type KeptResults } from "./kept-results.ts";
import { takePage } from "./page.ts";

/** Code units of a large result that stand inline, so that a model sees what it is. */
const HEAD = 2000;

const README = /^kami:\/\/tool\/([a-z0-9.-]{1,128})\/readme$/;

/** Whose resources are served. */
export interface ResourceView {
  readonly catalog: CatalogView;
  readonly kept: KeptResults;
  readonly client: string | undefined;
}

/** Serves the resources that there are for a client. */
export function serveResources(mcp: McpServer, view: ResourceView, guarded: <T>(handle: () => T) => Promise<T>): void {
  mcp.server.setRequestHandler("resources/list", ({ params }) => guarded(() => listResources(view, params?.cursor)));
  mcp.server.setRequestHandler("resources/templates/list", () => guarded(() => ({ resourceTemplates: [] })));
  mcp.server.setRequestHandler("resources/read", ({ params }) => guarded(() => readResource(view, params.uri)));
}

/**
 * Keeps a large result apart, and puts a link in its place. One that a schema was promised for, or that is no plain text, stays as it is.
 *
 * @param answer - What the client would get.
 */
export function linkLarge(
  { kept, client }: Pick<ResourceView, "kept" | "client">,
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
      { type: "resource_link", ...describe(entry) },
    ],
  };
}

function listResources({ catalog, kept, client }: ResourceView, cursor: string | undefined): ListResourcesResult {
  const readmes = toolsOf(catalog)
    .filter(({ readmeDigest }) => readmeDigest !== undefined)
    .map(describeReadme);
  const entries: readonly Resource[] = [...readmes, ...kept.of(client).map(describe)];
  const page = takePage({ entries, keyOf: ({ uri }) => uri, mark: "resources" }, cursor);
  return { resources: [...page.entries], ...(page.nextCursor !== undefined && { nextCursor: page.nextCursor }) };
}

function readResource({ catalog, kept, client }: ResourceView, uri: string): ReadResourceResult {
  const result = kept.find(client, uri);
  if (result !== undefined) return { contents: [{ uri, mimeType: result.mimeType, text: result.text }] };
  const id = README.exec(uri)?.[1];
  const tool = toolsOf(catalog).find((each) => each.id === id);
  const text = tool === undefined ? undefined : readInstalledReadme(tool);
  // The same answer for what is not there and for what is another's.
  if (text === undefined) throw new ResourceNotFoundError(clean(uri, 300), `Unknown resource: ${clean(uri, 300)}`);
  return { contents: [{ uri, mimeType: "text/markdown", text: cleanLines(text) }] };
}

function describeReadme({ id, name }: InstalledTool): Resource {
  const description = `What the author of ${clean(name, 100)} (${id}) says about it`;
  return { uri: `kami://tool/${id}/readme`, name: `${id}/README.md`, description, mimeType: "text/markdown" };
}

function describe({ uri, mimeType, toolId, bytes }: KeptResult): Resource {
  return { uri, name: `a result of ${toolId}`, mimeType, size: bytes };
}

/** The tools, each once: a component of several functions is one package. */
function toolsOf(catalog: CatalogView): readonly InstalledTool[] {
  return [...new Map(catalog.enabled().map(({ tool }) => [tool.id, tool])).values()];
}

/** Cleans a text of several lines; what they are indented by stays. */
function cleanLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => {
      const indent = /^[ \t]*/.exec(line)?.[0] ?? "";
      return indent.replaceAll("\t", "  ") + clean(line.slice(indent.length), README_LIMIT_BYTES);
    })
    .join("\n");
}
