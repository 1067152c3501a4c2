/**
 * `kami config`: every setting, its value, and where that came from.
 */
import { type Command, command } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { settingKeys, settingRule } from "../settings.ts";
import { layOut } from "../table.ts";

/** `kami config`. */
export const config: Command = command({
  name: "config",
  args: { json: { type: "boolean", description: "Print { settings: [{ key, value, origin, source }] }" } },
  notes: [
    "Settings come from these places; a later one wins:",
    "  1. defaults",
    "  2. config.toml in $XDG_CONFIG_HOME/kami, or else in ~/.config/kami",
    "  3. kami.toml in the current directory",
    "  4. variables: KAMI_ and the setting's name in capitals",
    "  5. flags",
    "A kami.toml may come with a directory that somebody else wrote, so it may only",
    "tighten: db is refused there, and a number counts only where it is lower than what",
    "the places before it say. home is set by the variable KAMI_HOME only. Paths in files",
    "and variables are absolute.",
    "max_… are ceilings: no tool gets more, whatever its manifest says. The limits that you",
    "give a call yourself, by flags of run and exec, stand above them.",
    "",
    "Settings:",
    ...settingKeys().map((key) => `  ${key} ${settingRule(key)}`),
  ],
  examples: [
    { line: "kami config", meaning: "all settings" },
    { line: "KAMI_MAX_EXECUTION_MS=1000 kami config --json", meaning: "with a ceiling of one second, for a script" },
  ],
  run: async (_args, session) => {
    const settings = [...session.settings().values()];
    const rows = settings.map(({ key, value, origin, source }) => [key, String(value), origin, source]);
    const [head = "", ...lines] = layOut(
      { head: ["SETTING", "VALUE", "FROM", "WHERE"], rows },
      session.host.stdout.columns,
    );
    await session.result([session.paint("bold", head), ...lines].join("\n"), {
      settings: settings.map(({ key, value, origin, source }) => ({
        key,
        value,
        origin,
        source: source === "" ? null : source,
      })),
    });
    return EXIT.ok;
  },
});
