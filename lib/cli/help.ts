/**
 * The help, made from the commands' definitions. citty's own does not show examples, and colours what is piped.
 */
import type { ArgDef } from "citty";
import { flagNames, positionalNames, usageLine, usageWord } from "./arguments.ts";
import type { Command } from "./command.ts";
import { EXIT_MEANINGS } from "./exit-codes.ts";
import type { Paint } from "./output.ts";
import { SUMMARIES } from "./summaries.ts";
import { layOutPairs } from "./table.ts";

/** Writes the help of one command. */
export function commandHelp(command: Command, paint: Paint): string {
  const sections = [
    command.summary,
    `${paint("bold", "Usage:")} ${usageLine(command)}`,
    section("Arguments", positionalNames(command.args).map(describe(command, "positional")), paint),
    section("Flags", flagRows(command), paint),
    command.notes.join("\n"),
    examples(command, paint),
    "Exit codes: see kami --help",
  ];
  return sections.filter((text) => text !== "").join("\n\n");
}

/** Writes the help of `kami` itself. */
export function generalHelp(version: string, paint: Paint): string {
  const sections = [
    `kami ${version}: runs WebAssembly tools that nobody has to trust, for an AI agent`,
    `${paint("bold", "Usage:")} kami <command> [flags]`,
    section("Commands", Object.entries(SUMMARIES), paint),
    section(
      "Flags",
      [
        ["-h, --help", "Show this help, or with a command that command's"],
        ["--version", "Show the version; with --json of all that it is made of"],
      ],
      paint,
    ),
    section(
      "Environment",
      [
        ["KAMI_HOME", "Directory of installed tools; see: kami config"],
        ["KAMI_DEBUG", "1 shows diagnostics, and the stack of an internal error"],
        ["NO_COLOR", "Any value turns colours off"],
      ],
      paint,
    ),
    `${paint("bold", "Start with:")} kami install <directory of a tool>`,
    exitCodes(paint),
  ];
  return sections.join("\n\n");
}

function section(title: string, rows: readonly (readonly [string, string])[], paint: Paint): string {
  return rows.length === 0 ? "" : `${paint("bold", `${title}:`)}\n${layOutPairs(rows, "  ")}`;
}

function flagRows(command: Command): readonly (readonly [string, string])[] {
  return [...flagNames(command.args).map(describe(command, "flag")), ["-h, --help", "Show this help"]];
}

function describe(command: Command, kind: "positional" | "flag"): (name: string) => readonly [string, string] {
  return (name) => {
    const definition: ArgDef = command.args[name] ?? {};
    if (kind === "positional") return [usageWord(name, command), definition.description ?? ""];
    const value = definition.type === "boolean" ? "" : ` <${definition.valueHint ?? "value"}>`;
    return [`--${name}${value}`, definition.description ?? ""];
  };
}

function examples(command: Command, paint: Paint): string {
  const rows = command.examples.map(({ line, meaning }) => `  ${paint("dim", `# ${meaning}`)}\n  ${line}`);
  return `${paint("bold", "Examples:")}\n${rows.join("\n")}`;
}

function exitCodes(paint: Paint): string {
  const rows = Array.from(EXIT_MEANINGS, ([code, meaning]) => [String(code), meaning] as const);
  return section("Exit codes", rows, paint);
}
