/**
 * `kami uninstall`: removes an installed tool.
 */
import { clean } from "../../errors.ts";
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { resolveTool } from "../names.ts";
import { openRuntime } from "../open.ts";

/** `kami uninstall <id>`. */
export const uninstall: Command = command({
  name: "uninstall",
  args: {
    id: { type: "positional", description: "Id of an installed tool, or its name when no other has it" },
    json: { type: "boolean", description: "Print { uninstalled: { id, version } }, and an error, as JSON" },
  },
  notes: ["What it was granted, and the directory of its own with all files in it, go with it.", JSON_ERROR_NOTE],
  examples: [{ line: "kami uninstall dev.example.csv-summary", meaning: "remove one tool" }],
  run: async ({ id }, session) => {
    await using runtime = await openRuntime(session, session.settings());
    const tool = await runtime.uninstall(resolveTool(runtime.registry, id).id);
    await session.result(`Uninstalled ${tool.id} ${clean(tool.version)}`, {
      uninstalled: { id: tool.id, version: tool.version },
    });
    return EXIT.ok;
  },
});
