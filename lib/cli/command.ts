/**
 * The shape of a command: a citty definition with what our help adds to it.
 */
import { defineCommand, type ArgsDef, type CommandDef, type ParsedArgs } from "citty";
import { isOptional } from "./arguments.ts";
import type { ExitCode } from "./exit-codes.ts";
import { Session } from "./session.ts";
import { type CommandName, SUMMARIES } from "./summaries.ts";

/** One way to call a command, for its help. */
interface Example {
  /** What follows the shell's prompt. */
  readonly line: string;
  readonly meaning: string;
}

/** What `run` gets: positionals as text, optional ones or undefined, switches as booleans, flags as text or undefined when they were not given. */
type Arguments<T extends ArgsDef> = {
  readonly [K in keyof T]: T[K] extends { type: "positional"; required: false }
    ? string | undefined
    : T[K] extends { type: "positional" }
      ? string
      : T[K] extends { type: "boolean" }
        ? boolean
        : string | undefined;
};

/** Said by every command that prints data, unless it has more to say. */
export const JSON_ERROR_NOTE = "With --json, an error is { error: { code, message, hint } } on stderr.";

/** What is said about a command, and what it does. */
export interface CommandSpec<T extends ArgsDef> {
  readonly name: CommandName;
  readonly args: T;
  /** Names among them that may be given more than once; `valuesOf` takes their values apart. */
  readonly many?: readonly (keyof T & string)[];
  /** Further lines for the help, of at most 80 columns. */
  readonly notes?: readonly string[];
  readonly examples: readonly Example[];
  /** @returns The exit code, when it is not 0. */
  readonly run: (args: Arguments<T>, session: Session) => Promise<ExitCode>;
}

/** A command, ready to be run by citty. */
export interface Command {
  readonly name: CommandName;
  /** One line. */
  readonly summary: string;
  readonly args: ArgsDef;
  readonly many: readonly string[];
  readonly notes: readonly string[];
  readonly examples: readonly Example[];
  readonly definition: CommandDef;
}

/**
 * Makes a command. Its `run` sees arguments typed by `spec.args`, which `checkArguments` has checked.
 *
 * @param spec - What is said about the command, and what it does.
 */
export function command<const T extends ArgsDef>(spec: CommandSpec<T>): Command {
  const { name, examples } = spec;
  const summary = SUMMARIES[name];
  const args: ArgsDef = spec.args;
  const definition = defineCommand({
    meta: { name, description: summary },
    args,
    run: (context) => spec.run(typedArguments(spec.args, context.args), sessionOf(context.data)),
  });
  return { name, summary, args, many: spec.many ?? [], examples, notes: spec.notes ?? [], definition };
}

function typedArguments<T extends ArgsDef>(definitions: T, parsed: ParsedArgs): Arguments<T> {
  const values: Record<string, unknown> = {};
  for (const [name, { type }] of Object.entries(definitions)) {
    values[name] = type === "boolean" ? isSwitchedOn(parsed, name) : parsed[name];
  }
  if (areArguments(values, definitions)) return values;
  throw new Error("BUG: the arguments that were checked are not the ones that citty found");
}

/** citty reads `--no-x` as that `x` is off. */
function isSwitchedOn(parsed: Readonly<Record<string, unknown>>, name: string): boolean {
  return parsed[name] === true || (name.startsWith("no-") && parsed[name.slice("no-".length)] === false);
}

function areArguments<T extends ArgsDef>(values: object, definitions: T): values is Arguments<T> {
  const found = new Map(Object.entries(values));
  return Object.entries(definitions).every(([name, definition]) => {
    const value: unknown = found.get(name);
    if (definition.type === "boolean") return typeof value === "boolean";
    return (
      typeof value === "string" || (value === undefined && (definition.type === "string" || isOptional(definition)))
    );
  });
}

function sessionOf(data: unknown): Session {
  if (data instanceof Session) return data;
  throw new Error("BUG: a command was started without its session");
}
