/**
 * Completes arguments of prompts and variables of resource templates, out of what manifests list: a prompt's `values`, an argument's `enum`. No guest
 * is asked.
 *
 * Source: MCP 2026-07-28 and 2025-11-25, "Utilities / Completion".
 */
import {
  type CompleteRequest,
  type CompleteResult,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
} from "@modelcontextprotocol/server";
import { quote } from "../errors.ts";
import { parseTemplate } from "../manifest/uri.ts";
import type { InstalledTool } from "../registry/registry.ts";
import type { CatalogView } from "./catalog.ts";
import { findTemplateByText, packagesOf } from "./package-resources.ts";
import type { Guarded } from "./server.ts";

/** Most values of an answer. Source: MCP, "Completion / Implementation": 100. */
const VALUES_LIMIT = 100;

/** Whether a package has anything to complete. */
export function hasCompletions(catalog: CatalogView): boolean {
  return packagesOf(catalog).some(({ manifest: { mcp } }) => {
    const hasValues = (mcp.prompts ?? []).some((prompt) => prompt.arguments.some(({ values }) => values !== undefined));
    return (
      hasValues ||
      (mcp.templates ?? []).some((template) => {
        return parseTemplate(template.uriTemplate).names.some((name) => enumOf(mcp.arguments, name).length > 0);
      })
    );
  });
}

/** Serves `completion/complete`. */
export function serveCompletion(mcp: McpServer, catalog: CatalogView, guarded: Guarded): void {
  mcp.server.setRequestHandler("completion/complete", ({ params }) => guarded(() => complete(catalog, params)));
}

function complete(catalog: CatalogView, { ref, argument }: CompleteRequest["params"]): CompleteResult {
  const listed =
    ref.type === "ref/prompt"
      ? ofPrompt(catalog, ref.name, argument.name)
      : ofTemplate(catalog, ref.uri, argument.name);
  const begun = argument.value.toLowerCase();
  const fitting = listed.filter((value) => value.toLowerCase().startsWith(begun));
  return {
    completion: {
      values: fitting.slice(0, VALUES_LIMIT),
      total: fitting.length,
      hasMore: fitting.length > VALUES_LIMIT,
    },
  };
}

function ofPrompt(catalog: CatalogView, name: string, argumentName: string): readonly string[] {
  const found = catalog.findPrompt(name);
  if (found === undefined) throw invalid(`Unknown prompt: ${quote(name)}`);
  const argument = found.prompt.arguments.find((each) => each.name === argumentName);
  if (argument === undefined) throw invalid(`Unknown argument: ${quote(argumentName)}`);
  return argument.values ?? [];
}

function ofTemplate(catalog: CatalogView, uri: string, variable: string): readonly string[] {
  const found = findTemplateByText(catalog, uri);
  if (found === undefined) throw invalid(`Unknown resource template: ${quote(uri)}`);
  if (!parseTemplate(uri).names.includes(variable)) throw invalid(`Unknown argument: ${quote(variable)}`);
  return enumOf(found.tool.manifest.mcp.arguments, variable);
}

function enumOf(declared: InstalledTool["manifest"]["mcp"]["arguments"], name: string): readonly string[] {
  const allowed = declared.find((argument) => argument.name === name)?.enum ?? [];
  return allowed.filter((value) => typeof value === "string");
}

function invalid(text: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, text);
}
