/**
 * The strict reading of a command line. citty ignores what it does not know; here every word is accounted for, and what is
 * left over is an error with a suggestion. The result is a canonical line that leaves citty nothing to guess.
 */
import type { ArgDef, ArgsDef } from "citty";
import { clean, quote, refuse, type Failure } from "../errors.ts";
import { nearest } from "../nearest.ts";

/** What a command takes. */
export interface Syntax {
  /** One word: what follows `kami`. */
  readonly name: string;
  readonly args: ArgsDef;
  /** Names of flags that may be given more than once, and of the last positional when there may be any number of it. */
  readonly many?: readonly string[];
}

/** A checked command line. */
export interface CheckedLine {
  /** Whether help was asked for. Then nothing else was checked. */
  readonly help: boolean;
  /** The same line with every value joined to its flag by `=` and the positionals behind `--`. */
  readonly words: readonly string[];
}

interface Flag {
  readonly name: string;
  /** Undefined for a switch. */
  readonly value: string | undefined;
  /** Whether the value was the next word. */
  readonly tookNext: boolean;
}

/** Between the values of what may be given more than once: no word of a command line can hold it. */
const BETWEEN = "\0";

/** Takes the values apart of what may be given more than once. */
export function valuesOf(joined: string | undefined): readonly string[] {
  return joined === undefined || joined === "" ? [] : joined.split(BETWEEN);
}

/** Whether a command line asks for help, for the version or for JSON: `name` stands among its flags. */
export function hasSwitch(words: readonly string[], name: string): boolean {
  return words.slice(0, endOfFlags(words)).includes(name);
}

/**
 * Checks the words after the command's name.
 *
 * @param words - As the shell gave them.
 * @param syntax - What the command takes. `--help` and `-h` are taken by every command.
 * @throws {Failure} USAGE for an unknown flag, one that is given twice, without its value or with one that it does not take,
 *   and for a missing or an extra argument.
 */
export function checkArguments(words: readonly string[], syntax: Syntax): CheckedLine {
  if (hasSwitch(words, "--help") || hasSwitch(words, "-h")) return { help: true, words: [] };
  const end = endOfFlags(words);
  const flags = new Map<string, string | undefined>();
  const positionals: string[] = [];
  for (let index = 0; index < end; index++) {
    const word = words[index] ?? "";
    if (!isFlag(word)) {
      positionals.push(word);
      continue;
    }
    const flag = readFlag(word, index + 1 < end ? words[index + 1] : undefined, syntax);
    const before = flags.get(flag.name);
    const mayRepeat = flag.value !== undefined && isMany(flag.name, syntax);
    if (flags.has(flag.name) && !mayRepeat) throw usage(syntax, `--${flag.name} is given twice`, "give it once");
    flags.set(flag.name, before === undefined ? flag.value : `${before}${BETWEEN}${flag.value}`);
    if (flag.tookNext) index++;
  }
  positionals.push(...words.slice(end + 1));
  const gathered = gather(positionals, syntax);
  checkPositionals(gathered, syntax);
  return { help: false, words: canonical(flags, gathered) };
}

/** Names the arguments that a command takes by position, in order. */
export function positionalNames(args: ArgsDef): readonly string[] {
  return Object.keys(args).filter((name) => args[name]?.type === "positional");
}

/** Names the flags of a command, without dashes, in order. */
export function flagNames(args: ArgsDef): readonly string[] {
  return Object.keys(args).filter((name) => args[name]?.type !== "positional");
}

/** Writes the one-line usage of a command. */
export function usageLine(syntax: Syntax): string {
  const words = positionalNames(syntax.args).map((name) => usageWord(name, syntax));
  return ["kami", syntax.name, ...words, "[flags]"].join(" ");
}

/** A positional that may be left out: it says so, or has a default. Those behind it may be as well. */
export function isOptional(definition: ArgDef | undefined): boolean {
  if (definition?.type !== "positional") return false;
  return definition.required === false || definition.default !== undefined;
}

function endOfFlags(words: readonly string[]): number {
  const end = words.indexOf("--");
  return end === -1 ? words.length : end;
}

/** A lone dash names standard input, and a negative number is a value. */
function isFlag(word: string): boolean {
  return word.startsWith("-") && word !== "-" && !/^-\d/.test(word);
}

function readFlag(word: string, next: string | undefined, syntax: Syntax): Flag {
  const equals = word.indexOf("=");
  const written = equals === -1 ? word : word.slice(0, equals);
  const name = written.slice(2);
  const definition = written.startsWith("--") ? flagDefinition(name, syntax.args) : undefined;
  if (definition === undefined) throw unknownFlag(written, syntax);
  const joined = equals === -1 ? undefined : word.slice(equals + 1);
  if (definition.type === "boolean") {
    if (joined !== undefined) throw usage(syntax, `--${name} takes no value`, `write: --${name}`);
    return { name, value: undefined, tookNext: false };
  }
  const tookNext = joined === undefined && next !== undefined && !isFlag(next);
  const value = tookNext ? next : joined;
  if (value === undefined || value === "") {
    throw usage(syntax, `--${name} needs a value`, `write: --${name} <${definition.valueHint ?? "value"}>`);
  }
  return { name, value, tookNext };
}

function flagDefinition(name: string, args: ArgsDef): ArgDef | undefined {
  return Object.hasOwn(args, name) && args[name]?.type !== "positional" ? args[name] : undefined;
}

function unknownFlag(written: string, syntax: Syntax): Failure {
  const name = written.replace(/^-+/, "");
  const names = [...flagNames(syntax.args), "help"];
  // `--timeout` for `--timeout-ms` is further away than a mistyped letter, and meant.
  const near = names.find((candidate) => candidate.startsWith(`${name}-`)) ?? nearest(name, names);
  const hint = near === undefined ? `see its flags with: kami ${syntax.name} --help` : `did you mean "--${near}"?`;
  return usage(syntax, `there is no flag ${quote(written)}`, hint);
}

/** How a positional is written in a usage. */
export function usageWord(name: string, syntax: Syntax): string {
  if (isMany(name, syntax)) return `[${name}…]`;
  return isOptional(syntax.args[name]) ? `[${name}]` : `<${name}>`;
}

function isRequired(name: string, syntax: Syntax): boolean {
  return !isMany(name, syntax) && !isOptional(syntax.args[name]);
}

function isMany(name: string, { many = [] }: Syntax): boolean {
  return many.includes(name);
}

/** Joins the words for a last positional that there may be any number of. */
function gather(positionals: readonly string[], syntax: Syntax): readonly string[] {
  const names = positionalNames(syntax.args);
  const last = names.length - 1;
  if (!isMany(names[last] ?? "", syntax) || positionals.length < last) return positionals;
  return [...positionals.slice(0, last), positionals.slice(last).join(BETWEEN)];
}

function checkPositionals(positionals: readonly string[], syntax: Syntax): void {
  const names = positionalNames(syntax.args);
  const missing = names.find((name, index) => (positionals[index] ?? "") === "" && isRequired(name, syntax));
  if (missing !== undefined) throw usage(syntax, `<${missing}> is missing`, `usage: ${usageLine(syntax)}`);
  const extra = positionals[names.length];
  if (extra === undefined) return;
  const isJson = /^\s*[[{"]/.test(extra) && Object.hasOwn(syntax.args, "input");
  const hint = isJson ? "pass the input with: --input <json>" : `usage: ${usageLine(syntax)}`;
  throw usage(syntax, `unexpected argument ${quote(extra)}`, hint);
}

function canonical(flags: ReadonlyMap<string, string | undefined>, positionals: readonly string[]): readonly string[] {
  const words = Array.from(flags, ([name, value]) => (value === undefined ? `--${name}` : `--${name}=${value}`));
  return [...words, "--", ...positionals];
}

function usage(syntax: Syntax, problem: string, hint: string): Failure {
  return refuse("USAGE", { problem: `Cannot run "kami ${clean(syntax.name)}": ${problem}`, hint });
}
