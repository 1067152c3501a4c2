/**
 * What a client can read beside tools: what packages bring, and results that were too large for a conversation.
 *
 * Source: MCP 2026-07-28 and 2025-11-25, "Server features / Resources".
 */
import {
  type ListResourcesResult,
  type McpServer,
  type ReadResourceResult,
  type Resource,
  ResourceNotFoundError,
} from "@modelcontextprotocol/server";
import { clean } from "../errors.ts";
import { readInstalledReadme, README_LIMIT_BYTES } from "../registry/readme.ts";
import type { CatalogView } from "./catalog.ts";
import type { KeptResults } from "./kept-results.ts";
import { describeKept } from "./large-results.ts";
import { findReadme, findTemplate, listPackageResources, listTemplates, readByUri } from "./package-resources.ts";
import { takePage } from "./page.ts";
import type { Connection, Guarded } from "./server.ts";
import { readTemplate } from "./template-read.ts";

/** Whose resources are served. */
interface ResourceView {
  readonly catalog: CatalogView;
  readonly kept: KeptResults;
  readonly client: string | undefined;
}

/** Serves the resources that there are for a client. */
export function serveResources(mcp: McpServer, connection: Connection, guarded: Guarded): void {
  const { catalog, calls } = connection;
  mcp.server.setRequestHandler("resources/list", ({ params }) =>
    guarded(() => listResources(connection, params?.cursor)),
  );
  mcp.server.setRequestHandler("resources/templates/list", ({ params }) =>
    guarded(() => {
      const page = takePage(
        { entries: listTemplates(catalog), keyOf: ({ uriTemplate }) => uriTemplate, mark: "templates" },
        params?.cursor,
      );
      return {
        resourceTemplates: [...page.entries],
        ...(page.nextCursor !== undefined && { nextCursor: page.nextCursor }),
      };
    }),
  );
  mcp.server.setRequestHandler("resources/read", ({ params: { uri } }, context) =>
    guarded(() => {
      const found = readResource(connection, uri);
      if (found !== undefined) return found;
      const match = findTemplate(catalog, uri);
      // The same answer for what is not there and for what is another's.
      if (match === undefined) throw new ResourceNotFoundError(clean(uri, 300), `Unknown resource: ${clean(uri, 300)}`);
      return calls.start([context.mcpReq.signal, context.http?.req?.signal], (signal) =>
        readTemplate(connection, mcp, { uri, match, signal, context }),
      );
    }),
  );
}

function listResources({ catalog, kept, client }: ResourceView, cursor: string | undefined): ListResourcesResult {
  const entries: readonly Resource[] = [...listPackageResources(catalog), ...kept.of(client).map(describeKept)];
  const page = takePage({ entries, keyOf: ({ uri }) => uri, mark: "resources" }, cursor);
  return { resources: [...page.entries], ...(page.nextCursor !== undefined && { nextCursor: page.nextCursor }) };
}

function readResource({ catalog, kept, client }: ResourceView, uri: string): ReadResourceResult | undefined {
  const result = kept.find(client, uri);
  if (result !== undefined) return { contents: [{ uri, mimeType: result.mimeType, text: result.text }] };
  const tool = findReadme(catalog, uri);
  const text = tool === undefined ? undefined : readInstalledReadme(tool);
  if (text !== undefined) return { contents: [{ uri, mimeType: "text/markdown", text: cleanLines(text) }] };
  const content = readByUri(catalog, uri);
  return content === undefined ? undefined : { contents: [content] };
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
