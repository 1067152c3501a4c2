/**
 * What a checked `tool.toml` says, with the defaults filled in.
 */
import { MANIFEST_DEFAULTS } from "./defaults.ts";
import type {
  Manifest,
  ManifestArgument,
  ManifestMessage,
  ManifestPrompt,
  ManifestResource,
  ManifestSecurity,
  ManifestTemplate,
} from "./manifest.ts";
import type { ShapedManifest, ShapedSecurity } from "./shape.ts";
import type { ShapedArgument, ShapedMessage, ShapedPrompt, ShapedResource, ShapedTemplate } from "./shape-mcp.ts";
import { isTable, toJsonValue } from "./value.ts";

/**
 * Fills in what a manifest leaves out.
 *
 * @param shaped - Checked in shape and agreement.
 */
export function buildManifest({ tool, mcp, security }: ShapedManifest): Manifest {
  return {
    tool: { id: tool.id, name: tool.name, version: tool.version, wasm: tool.wasm },
    mcp: {
      description: mcp.description,
      arguments: (mcp.arguments ?? []).map(buildArgument),
      ...listed("prompts", mcp.prompts, buildPrompt),
      ...listed("resources", mcp.resources, buildResource),
      ...listed("templates", mcp.resource_templates, buildTemplate),
      ...(mcp.input_schema !== undefined && { inputSchema: jsonTable(mcp.input_schema) }),
      ...(mcp.output_schema !== undefined && { outputSchema: jsonTable(mcp.output_schema) }),
    },
    security: buildSecurity(security ?? {}),
  };
}

function buildArgument(shaped: ShapedArgument): ManifestArgument {
  return {
    name: shaped.name,
    type: shaped.type,
    description: shaped.description,
    required: shaped.required ?? MANIFEST_DEFAULTS.argument.required,
    ...(shaped.default === undefined ? {} : { default: jsonValue(shaped.default) }),
    ...(shaped.enum === undefined ? {} : { enum: shaped.enum.map(jsonValue) }),
  };
}

/** An empty list is left out, as one that is not there. */
function listed<K extends string, T, R>(
  key: K,
  items: readonly T[] | undefined,
  build: (item: T) => R,
): Partial<Record<K, readonly R[]>> {
  const made: Partial<Record<K, readonly R[]>> = {};
  if (items !== undefined && items.length > 0) made[key] = items.map(build);
  return made;
}

function buildPrompt({ name, description, text, messages, arguments: declared = [] }: ShapedPrompt): ManifestPrompt {
  return {
    name,
    description,
    messages: text === undefined ? (messages ?? []).map(buildMessage) : [{ role: "user", text }],
    arguments: declared.map((argument) => ({
      name: argument.name,
      description: argument.description,
      required: argument.required ?? MANIFEST_DEFAULTS.argument.required,
      ...(argument.values !== undefined && { values: argument.values }),
    })),
  };
}

function buildMessage({ role = "user", text, resource, image }: ShapedMessage): ManifestMessage {
  if (text !== undefined) return { role, text };
  if (resource !== undefined) return { role, resource };
  if (image !== undefined) return { role, image };
  throw new Error("BUG: a prompt's message was not checked");
}

function buildResource({ uri, file, mime_type: mimeType, ...named }: ShapedResource): ManifestResource {
  return { ...buildNamed(named), uri, file, mimeType };
}

function buildTemplate({ uri_template: uriTemplate, mime_type: mimeType, ...named }: ShapedTemplate): ManifestTemplate {
  return { ...buildNamed(named), uriTemplate, ...(mimeType !== undefined && { mimeType }) };
}

function buildNamed({ name, title, description }: Pick<ShapedTemplate, "name" | "title" | "description">) {
  return { name, ...(title !== undefined && { title }), ...(description !== undefined && { description }) };
}

function buildSecurity(shaped: ShapedSecurity): ManifestSecurity {
  const defaults = MANIFEST_DEFAULTS.security;
  return {
    netAllowList: shaped.net_allow_list ?? defaults.netAllowList,
    fsAccess: shaped.fs_access ?? defaults.fsAccess,
    envAllowList: shaped.env_allow_list ?? defaults.envAllowList,
    elicitation: shaped.elicitation ?? defaults.elicitation,
    maxMemoryMb: shaped.max_memory_mb ?? defaults.maxMemoryMb,
    maxExecutionMs: shaped.max_execution_ms ?? defaults.maxExecutionMs,
    maxFuel: shaped.max_fuel ?? defaults.maxFuel,
  };
}

function jsonTable(toml: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const value = jsonValue(toml);
  if (!isTable(value)) throw new Error("BUG: a table is none as JSON");
  return value;
}

function jsonValue(toml: unknown): unknown {
  const converted = toJsonValue(toml);
  if (!converted.ok) throw new Error("BUG: a value of an argument was not checked");
  return converted.value;
}
