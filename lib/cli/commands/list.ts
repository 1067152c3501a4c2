/**
 * `kami list`: the installed tools.
 */
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { openRegistry } from "../open.ts";
import { layOut } from "../table.ts";
import { toolJson } from "../words.ts";

/** `kami list [--filter name]`. */
export const list: Command = command({
  name: "list",
  args: {
    filter: { type: "string", valueHint: "text", description: "Only tools with this text in their id or name" },
    json: { type: "boolean", description: "Print { tools: […] }, and an error, as JSON" },
  },
  notes: [JSON_ERROR_NOTE],
  examples: [
    { line: "kami list", meaning: "all tools" },
    { line: "kami list --filter csv --json", meaning: "those about CSV, for a script" },
  ],
  run: async ({ filter }, session) => {
    using registry = await openRegistry(session.settings());
    const tools = registry.list(filter);
    const rows = tools.map((tool) => [tool.id, tool.version, tool.enabled ? "enabled" : "disabled", tool.description]);
    const [head = "", ...lines] = layOut(
      { head: ["ID", "VERSION", "STATE", "DESCRIPTION"], rows },
      session.host.stdout.columns,
    );
    const text = tools.length === 0 ? "" : [session.paint("bold", head), ...lines].join("\n");
    await session.result(text, { tools: tools.map(toolJson) });
    if (tools.length === 0) await session.note(emptyNote(filter));
    return EXIT.ok;
  },
});

function emptyNote(filter: string | undefined): string {
  if (filter === undefined) return "no tools are installed; install one with: kami install <directory>";
  return `no installed tool has "${filter}" in its id or name; see all with: kami list`;
}
