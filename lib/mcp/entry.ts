/**
 * What an agent reads about the tools before it calls one: the entries of `tools/list` and the server's `instructions`.
 * Everything that a manifest says is cleaned and bounded here.
 *
 * Source: MCP 2026-07-28, "Server features / Tools"; MCP 2025-11-25, the same section.
 */
import type { Tool, ToolAnnotations } from "@modelcontextprotocol/server";
import { clean } from "../errors.ts";
import type { Weighed } from "../policy/effective.ts";
import type { Limits } from "../protocol/limits.ts";
import type { InstalledTool } from "../registry/registry.ts";
import { toInputSchema } from "../schema/arguments.ts";
import type { NamedTool } from "./catalog.ts";

/** Most code units of a manifest's description that an agent gets. With what is added it stays under 2048, where clients cut. */
export const DESCRIPTION_LIMIT = 1800;

/** Most code units of the instructions. They are part of every conversation that the server is in. */
export const INSTRUCTIONS_LIMIT = 4000;

/** Key of the dotted id in an entry's `_meta`. */
const ID_META_KEY = "dev.kami/id";

const NO_ACCESS = "without network, file or environment access";

/** Most code units of what an agent reads about what a tool may touch. */
const ACCESS_LIMIT = 120;

/**
 * Makes the entry of `tools/list` for a tool.
 *
 * @param named - The tool and its alias.
 * @param limits - What one of its calls may use.
 * @param weighed - What it may touch.
 */
export function describeTool(named: NamedTool, limits: Limits, weighed: Weighed): Tool {
  const { name, tool } = named;
  const title = `${clean(tool.name, 100)} (${tool.id})`;
  return {
    name,
    title,
    description: `${sentence(clean(tool.description, DESCRIPTION_LIMIT))}${functionOf(named)}${budget(limits, weighed.granted)}`,
    ...schemasOf(named),
    annotations: { title, ...hintsOf(weighed) },
    _meta: { [ID_META_KEY]: tool.id, "dev.kami/version": tool.version },
  };
}

/**
 * Writes the server's instructions: how tools run here, and which there are. They name tools by alias, id and version and carry none of
 * their authors' prose: instructions weigh more with a model than a tool's own description does.
 *
 * @param tools - The tools that can be called.
 * @returns At most {@link INSTRUCTIONS_LIMIT} code units.
 */
export function writeInstructions(tools: readonly NamedTool[]): string {
  const head =
    `KAMI runs each tool in a sandbox of its own, ${NO_ACCESS} but what the user granted it, within a budget of fuel, time and memory that its description ` +
    "states. A call keeps nothing for the next one but files that it was granted. A failed call says what stopped it.";
  if (tools.length === 0)
    return `${head}\nNo tool is installed: the user can install one with: kami install <directory>`;
  const lines = tools.map(({ name, tool }) => `- ${name}: ${tool.id} ${clean(tool.version, 64)}`);
  const room = INSTRUCTIONS_LIMIT - head.length - 60;
  const shown = takeWhileRoom(lines, room);
  const rest = lines.length - shown.length;
  return [head, "Installed tools:", ...shown, ...(rest > 0 ? [`and ${rest} more: see tools/list`] : [])].join("\n");
}

/** What a tool that may touch nothing reaches or changes outside of the call is nothing; what others do there is not known: the worst is said. */
function hintsOf({ network, listen, hasSandbox, mounts, granted }: Weighed): Omit<ToolAnnotations, "title"> {
  const isOpen = network.length > 0 || listen.length > 0;
  const mayChange = isOpen || hasSandbox || mounts.some(({ access }) => access === "read-write");
  return {
    readOnlyHint: !mayChange,
    destructiveHint: mayChange,
    idempotentHint: granted.length === 0,
    openWorldHint: isOpen,
  };
}

/** Names the function that an entry stands for. */
function functionOf({ function: found }: NamedTool): string {
  return found === undefined ? "" : ` This is its function ${clean(found.name, 100)}.`;
}

/** The schemas of what goes in and, where that is an object, of what comes out: MCP has no other structured results. */
function schemasOf({ tool, function: found }: NamedTool): Pick<Tool, "inputSchema" | "outputSchema"> {
  const { inputSchema, outputSchema } = found ?? ownSchemas(tool);
  if (outputSchema?.["type"] !== "object") return { inputSchema: copySchema(inputSchema) };
  return { inputSchema: copySchema(inputSchema), outputSchema: copySchema(outputSchema) };
}

/** What the manifest declares stands above what the component says. */
function ownSchemas({ manifest, described }: InstalledTool) {
  const declared = manifest.mcp.arguments;
  const said = declared.length === 0 ? described?.inputSchema : undefined;
  return { inputSchema: said ?? toInputSchema(declared), outputSchema: described?.outputSchema };
}

/** Copies a schema: as plain JSON it has the type that the SDK wants, and nothing shared with the registry. */
function copySchema(schema: object): Tool["inputSchema"] {
  const copy: Tool["inputSchema"] = JSON.parse(JSON.stringify(schema));
  return copy;
}

function sentence(text: string): string {
  return text === "" || /[.!?…]$/.test(text) ? text : `${text}.`;
}

function budget({ fuel, timeoutMs, memoryBytes }: Limits, granted: readonly string[]): string {
  const access = granted.length === 0 ? NO_ACCESS : `with access to ${clean(granted.join(", "), ACCESS_LIMIT)}`;
  const mebibytes = Number((memoryBytes / 1_048_576).toFixed(2));
  return ` [Runs in a sandbox ${access}. One call has at most ${fuel} fuel, ${timeoutMs} ms and ${mebibytes} MiB of memory.]`;
}

function takeWhileRoom(lines: readonly string[], room: number): readonly string[] {
  let used = 0;
  const end = lines.findIndex((line) => (used += line.length + 1) > room);
  return end === -1 ? lines : lines.slice(0, end);
}
