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

/** What is said about a command, and what it does. */
export interface CommandSpec<T extends ArgsDef> {
  /** One word: what follows `kami`. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly args: T;
  /** Further paragraphs for the help; lines of at most 80 columns. */
  readonly notes?: readonly string[];
  readonly examples: readonly Example[];
  /** @returns The exit code, when it is not 0. */
  readonly run: (args: ParsedArgs<T>, session: Session) => Promise<ExitCode | void>;
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
    run: ({ args, data }) => spec.run(args as ParsedArgs<T>, sessionOf(data)),
  });
  const { name, summary, args, examples } = spec;
  return { name, summary, args, examples, notes: spec.notes ?? [], definition };
}

function sessionOf(data: unknown): Session {
  if (data instanceof Session) return data;
  throw new Error("BUG: a command was started without its session");
}
