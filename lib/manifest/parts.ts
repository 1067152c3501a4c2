/**
 * What the shape of a `tool.toml` is put together from: tables, lists, texts with a limit and a rule, choices, integers.
 */
import * as v from "valibot";
import { forbiddenCharacter } from "./characters.ts";
import type { IntegerRange } from "./defaults.ts";
import { describeToml, isTable } from "./value.ts";

/** Says which rule a text breaks. */
export type Rule = (value: string) => string | undefined;

/** A table with these keys; others are looked at elsewhere. */
export function table<const E extends v.ObjectEntries>(
  entries: E,
): v.GenericSchema<unknown, v.InferOutput<v.ObjectSchema<E, undefined>>> {
  return v.pipe(v.custom<Readonly<Record<string, unknown>>>(isTable, typed("a table")), v.object(entries));
}

/** An array of at most so many. */
export function list<T>(item: v.GenericSchema<unknown, T>, limit: number): v.GenericSchema<unknown, T[]> {
  return v.pipe(v.array(item, typed("an array")), v.maxLength(limit, `must have at most ${limit} entries`));
}

/** A text of at most so many UTF-16 code units. */
export function text(limit: number, rule: Rule): v.GenericSchema<unknown, string> {
  return v.pipe(
    v.string(typed("a string")),
    v.maxLength(limit, `must have at most ${limit} characters`),
    v.rawCheck(({ dataset, addIssue }) => {
      const message = dataset.typed ? rule(dataset.value) : undefined;
      if (message !== undefined) addIssue({ message });
    }),
  );
}

/** One of these words. */
export function choice<const T extends string>(options: readonly T[]): v.GenericSchema<unknown, T> {
  const names = options.map((option) => `"${option}"`).join(", ");
  return v.picklist(options, `must be one of ${names}`);
}

/** An integer in a range. */
export function integer({ least, most }: IntegerRange): v.GenericSchema<unknown, number> {
  return v.pipe(
    v.bigint(typed("an integer")),
    v.check((value) => value >= least && value <= most, `must be from ${least} to ${most}`),
    v.transform(Number),
  );
}

/** Says what was expected and what came. */
export function typed(name: string): (issue: { readonly input: unknown }) => string {
  return (issue) => `must be ${name}, got ${describeToml(issue.input)}`;
}

/** Holds a text to a pattern of known cost. */
export function matches(value: string, pattern: RegExp, rule: string): string | undefined {
  return pattern.test(value) ? undefined : rule;
}

/** One line that says something. */
export function line(value: string): string | undefined {
  return notBlank(value) ?? forbiddenCharacter(value, "one line");
}

/** Lines that say something. */
export function prose(value: string): string | undefined {
  return notBlank(value) ?? forbiddenCharacter(value, "lines");
}

function notBlank(value: string): string | undefined {
  return value.trim() === "" ? "must not be empty" : undefined;
}

/** A plain path below the package. */
export function relativePath(value: string): string | undefined {
  if (value.startsWith("/") || /^[A-Za-z]:/.test(value)) return "must be a relative path inside the package";
  if (value.includes("\\")) return 'must separate its segments with "/", not with a backslash';
  const segments = value.split("/");
  if (segments.includes("..")) return 'must stay inside the package: no ".." segment';
  if (segments.includes("") || segments.includes(".")) return 'must be a plain path: no empty or "." segment';
  return forbiddenCharacter(value, "one line");
}
