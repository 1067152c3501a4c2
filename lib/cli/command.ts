/**
 * The shape of a command: a citty definition with what our help adds to it.
 */
import { defineCommand, type ArgsDef, type CommandDef, type ParsedArgs } from "citty";
import type { ExitCode } from "./exit-codes.ts";
import { Session } from "./session.ts";

/** One way to call a command, for its help. */
export interface Example {
  /** What follows the shell's prompt. */
  readonly line: string;
  readonly meaning: string;
}

/** What `run` gets: positionals as text, switches as booleans, flags as text or undefined when they were not given. */
export type Arguments<T extends ArgsDef> = {
  readonly [K in keyof T]: T[K] extends { type: "positional" }
    ? string
    : T[K] extends { type: "boolean" }
      ? boolean
      : string | undefined;
};

/** What is said about a command, and what it does. */
export interface CommandSpec<T extends ArgsDef> {
  /** One word: what follows `kami`. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly args: T;
  /** Further lines for the help, of at most 80 columns. */
  readonly notes?: readonly string[];
  readonly examples: readonly Example[];
  /** @returns The exit code, when it is not 0. */
  readonly run: (args: Arguments<T>, session: Session) => Promise<ExitCode>;
}

/** A command, ready to be run by citty. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly args: ArgsDef;
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
  const definition = defineCommand<ArgsDef>({
    meta: { name: spec.name, description: spec.summary },
    args: spec.args,
    run: ({ args, data }) => spec.run(typedArguments(spec.args, args), sessionOf(data)),
  });
  const { name, summary, args, examples } = spec;
  return { name, summary, args, examples, notes: spec.notes ?? [], definition };
}

function typedArguments<T extends ArgsDef>(definitions: T, parsed: ParsedArgs): Arguments<T> {
  const entries = Object.entries(definitions).map(([name, { type }]) => {
    const value: unknown = parsed[name];
    return [name, type === "boolean" ? value === true : typeof value === "string" ? value : undefined];
  });
  return Object.fromEntries(entries) as Arguments<T>;
}

function sessionOf(data: unknown): Session {
  if (data instanceof Session) return data;
  throw new Error("BUG: a command was started without its session");
}
