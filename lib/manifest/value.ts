/**
 * TOML values as JSON values: what `default` and `enum` of an argument may hold.
 */
import { forbiddenCharacter } from "./characters.ts";
import { NESTING_LIMIT } from "./defaults.ts";

/** A converted value, or the rule that it breaks. */
export type Converted = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly rule: string };

/**
 * Converts a value that smol-toml parsed with `integersAsBigInt`.
 *
 * @param value - Strings, booleans, numbers, bigints, dates, arrays, tables; nested to any depth.
 * @returns A JSON value that shares nothing with the input. Objects have a null prototype, and their keys in code-unit order, so
 *   that equal values have equal JSON text.
 */
export function toJsonValue(value: unknown): Converted {
  return convert(value, NESTING_LIMIT);
}

/** Whether a parsed TOML value is a table. */
export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Names what a parsed TOML value is, with its article. */
export function describeToml(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (value instanceof Date) return "a date or time";
  if (typeof value === "bigint") return "an integer";
  if (typeof value === "number") return "a float";
  return isTable(value) ? "a table" : `a ${typeof value}`;
}

function convert(value: unknown, levels: number): Converted {
  if (typeof value === "boolean") return { ok: true, value };
  if (typeof value === "string") return checked(value, forbiddenCharacter(value, "lines"));
  if (typeof value === "number") return checked(value, Number.isFinite(value) ? undefined : "must be a finite number");
  if (typeof value === "bigint") return convertInteger(value);
  if (value instanceof Date) return refused("must be a JSON value, got a date or time");
  if (levels === 0) return refused(`must nest at most ${NESTING_LIMIT} levels deep`);
  return Array.isArray(value) ? convertArray(value, levels) : convertTable(value, levels);
}

function convertInteger(value: bigint): Converted {
  const number = Number(value);
  return checked(number, Number.isSafeInteger(number) ? undefined : "must be an integer from -(2^53 - 1) to 2^53 - 1");
}

function convertArray(values: readonly unknown[], levels: number): Converted {
  const result: unknown[] = [];
  for (const value of values) {
    const item = convert(value, levels - 1);
    if (!item.ok) return item;
    result.push(item.value);
  }
  return { ok: true, value: result };
}

function convertTable(table: unknown, levels: number): Converted {
  const result: Record<string, unknown> = Object.create(null);
  if (!isTable(table)) return refused("must be a JSON value");
  for (const key of Object.keys(table).toSorted(byCodeUnit)) {
    const rule = key === "__proto__" ? 'must not have a key "__proto__"' : forbiddenCharacter(key, "one line");
    if (rule !== undefined) return refused(rule);
    const member = convert(table[key], levels - 1);
    if (!member.ok) return member;
    result[key] = member.value;
  }
  return { ok: true, value: result };
}

function byCodeUnit(left: string, right: string): number {
  return left < right ? -1 : 1;
}

function checked(value: unknown, rule: string | undefined): Converted {
  return rule === undefined ? { ok: true, value } : refused(rule);
}

function refused(rule: string): Converted {
  return { ok: false, rule };
}
