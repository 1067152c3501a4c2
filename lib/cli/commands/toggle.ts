/**
 * `kami enable` and `kami disable`: whether an installed tool can be called.
 */
import { type Command, command, JSON_ERROR_NOTE } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { resolveTool } from "../names.ts";
import { openRegistry } from "../open.ts";

/** `kami enable <id>`. */
export const enable: Command = toggle(true);

/** `kami disable <id>`. */
export const disable: Command = toggle(false);

function toggle(enabled: boolean): Command {
  const name = enabled ? "enable" : "disable";
  return command({
    name,
    args: {
      id: { type: "positional", description: "Id of an installed tool, or its name when no other has it" },
      json: { type: "boolean", description: "Print { id, enabled }, and an error, as JSON" },
    },
    notes: [...(enabled ? [] : ["kami exec refuses a disabled tool, and agents no longer see it."]), JSON_ERROR_NOTE],
    examples: [{ line: `kami ${name} dev.example.csv-summary`, meaning: `${name} one tool` }],
    run: async ({ id }, session) => {
      using registry = await openRegistry(session.settings());
      const before = resolveTool(registry, id);
      const tool = registry.setEnabled(before.id, enabled);
      const isSame = before.enabled === tool.enabled;
      const text = isSame ? `${tool.id} is already ${name}d` : `${enabled ? "Enabled" : "Disabled"} ${tool.id}`;
      await session.result(text, { id: tool.id, enabled: tool.enabled });
      return EXIT.ok;
    },
  });
}
