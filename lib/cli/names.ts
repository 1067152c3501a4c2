/**
 * How the user names a tool: by its id, or by what the agent sees, its own name or its id's last label, when that means one tool.
 */
import { type Failure, quote, refuse } from "../errors.ts";
import { Aliases } from "../mcp/alias.ts";
import { nearest } from "../nearest.ts";
import type { InstalledTool, Registry } from "../registry/registry.ts";

/** The tools to find one among. */
type Shelf = Pick<Registry, "find" | "list">;

/** Ids that a message lists. */
const LISTED = 5;

/**
 * Finds the name under which an agent that connects now sees each tool.
 *
 * @param tools - All installed tools.
 * @returns Names by id.
 */
export function mcpNames(tools: readonly InstalledTool[]): ReadonlyMap<string, string> {
  const aliases = new Aliases();
  aliases.admit(tools);
  return new Map(tools.map(({ id }) => [id, aliases.nameOf(id) ?? id]));
}

/**
 * Finds the tool that a word names. An exact id wins.
 *
 * @param registry - Undefined where none has been made yet.
 * @param word - From the command line.
 * @throws {Failure} TOOL_UNKNOWN with the id of the nearest name; USAGE when several tools have the name.
 */
export function resolveTool(registry: Shelf | undefined, word: string): InstalledTool {
  const exact = registry?.find(word);
  if (exact !== undefined) return exact;
  const tools = registry?.list() ?? [];
  const aliases = mcpNames(tools);
  const namesOf = (tool: InstalledTool): readonly string[] => [
    tool.name,
    lastLabel(tool.id),
    aliases.get(tool.id) ?? "",
  ];
  const named = tools.filter((tool) => namesOf(tool).includes(word));
  const [only, second] = named;
  if (only === undefined) throw unknownTool(word, new Map(tools.map((tool) => [tool.id, namesOf(tool)])));
  if (second !== undefined) throw ambiguous(word, named);
  return only;
}

function unknownTool(word: string, namesById: ReadonlyMap<string, readonly string[]>): Failure {
  const ids = [...namesById.keys()];
  const name = nearest(word, [...namesById.values()].flat());
  const byName = name === undefined ? undefined : ids.find((id) => namesById.get(id)?.includes(name));
  return refuse("TOOL_UNKNOWN", { id: word, nearest: nearest(word, ids) ?? byName });
}

function ambiguous(word: string, tools: readonly InstalledTool[]): Failure {
  const ids = tools.slice(0, LISTED).map(({ id }) => id);
  const hint = `use an id: ${ids.join(", ")}${tools.length > LISTED ? ", …" : ""}`;
  return refuse("USAGE", {
    problem: `Cannot tell which tool ${quote(word)} is: ${tools.length} tools have that name`,
    hint,
  });
}

function lastLabel(id: string): string {
  return id.slice(id.lastIndexOf(".") + 1);
}
