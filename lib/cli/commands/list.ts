/**
 * `kami list`: the installed tools.
 */
import type { InstalledTool } from "../../registry/registry.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { mcpNames } from "../names.ts";
import { openRegistryToRead } from "../open.ts";
import { layOut } from "../table.ts";
import { toolJson } from "../words.ts";

/** `kami list [--filter name]`. */
export const list: Command = command({
  name: "list",
  args: {
    filter: { type: "string", valueHint: "text", description: "Only tools with this text in their id or name" },
    json: { type: "boolean", description: "Print { tools: […] }, and an error, as JSON" },
  },
  notes: ["MCP NAME is what an agent that connects now calls the tool.", JSON_ERROR_NOTE],
  examples: [
    { line: "kami list", meaning: "all tools" },
    { line: "kami list --filter csv --json", meaning: "those about CSV, for a script" },
  ],
  run: async ({ filter }, session) => {
    using registry = await openRegistryToRead(session.settings());
    const tools = registry?.list(filter) ?? [];
    // Which name a tool has depends on all others.
    const names = mcpNames(registry?.list() ?? []);
    const nameOf = (tool: InstalledTool): string => names.get(tool.id) ?? tool.id;
    const rows = tools.map((tool) => [
      tool.id,
      nameOf(tool),
      tool.version,
      tool.enabled ? "enabled" : "disabled",
      tool.description,
    ]);
    const [head = "", ...lines] = layOut(
      { head: ["ID", "MCP NAME", "VERSION", "STATE", "DESCRIPTION"], rows },
      session.host.stdout.columns,
    );
    const text = tools.length === 0 ? "" : [session.paint("bold", head), ...lines].join("\n");
    const listed =
      registry === undefined ? [] : tools.map((tool) => toolJson(tool, nameOf(tool), registry.grants.weigh(tool)));
    await session.result(text, { tools: listed });
    if (tools.length === 0) await session.note(emptyNote(filter));
    return EXIT.ok;
  },
});

function emptyNote(filter: string | undefined): string {
  if (filter === undefined) return "no tools are installed; install one with: kami install <directory>";
  return `no installed tool has "${filter}" in its id or name; see all with: kami list`;
}
