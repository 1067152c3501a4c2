/**
 * What must hold between the keys of `[[mcp.arguments]]`: names are unique, `default` and `enum` are of the declared type, and
 * a required argument has no default.
 */
import { isJsonType, JSON_TYPE_NAMES, type JsonType } from "../json-type.ts";
import { LIST_LIMITS } from "./defaults.ts";
import { broken, type BrokenRule, type KeyPath } from "./problem.ts";
import { isTable, toJsonValue } from "./value.ts";

type Table = Readonly<Record<string, unknown>>;

/**
 * Checks the declared arguments against each other and each against itself. Keys of a wrong shape are skipped: the shape's check
 * reports them.
 *
 * @param declared - `mcp.arguments` as parsed; anything.
 * @returns One problem for each broken rule.
 */
export function checkDeclarations(declared: unknown): BrokenRule[] {
  if (!Array.isArray(declared)) return [];
  const firstByName = new Map<unknown, number>();
  return declared.flatMap((argument: unknown, index) => {
    if (!isTable(argument)) return [];
    const path = ["mcp", "arguments", index];
    const name = argument["name"];
    const first = firstByName.get(name);
    if (first === undefined) firstByName.set(name, index);
    const problems = checkArgument(argument, path);
    if (first === undefined || typeof name !== "string") return problems;
    return [broken([...path, "name"], `is already the name of mcp.arguments[${first}]`), ...problems];
  });
}

function checkArgument(argument: Table, path: KeyPath): BrokenRule[] {
  return [...checkRequired(argument, path), ...checkValues(argument, path), ...checkEnum(argument, path)];
}

function checkRequired(argument: Table, path: KeyPath): BrokenRule[] {
  if (argument["required"] !== true || !("default" in argument)) return [];
  return [broken([...path, "default"], "can never be used: the argument is required")];
}

/** Checks `default` and each value of `enum` on its own. */
function checkValues(argument: Table, path: KeyPath): BrokenRule[] {
  const allowed = argument["enum"];
  // A list over the limit is refused for its length.
  const values = Array.isArray(allowed) && allowed.length <= LIST_LIMITS.enum ? allowed : [];
  const places: [KeyPath, unknown][] = values.map((value: unknown, index) => [[...path, "enum", index], value]);
  if ("default" in argument) places.push([[...path, "default"], argument["default"]]);
  return places.flatMap(([place, value]) => {
    const rule = valueRule(value, argument["type"]);
    return rule === undefined ? [] : [broken(place, rule)];
  });
}

function valueRule(value: unknown, type: unknown): string | undefined {
  const converted = toJsonValue(value);
  if (!converted.ok) return converted.rule;
  if (!isArgumentType(type) || isJsonType(converted.value, type)) return undefined;
  return `must be ${JSON_TYPE_NAMES[type]}, as the argument's type says`;
}

/** Checks that the values of `enum` differ, and that `default` is one of them. */
function checkEnum(argument: Table, path: KeyPath): BrokenRule[] {
  const allowed = argument["enum"];
  if (!Array.isArray(allowed) || allowed.length === 0 || allowed.length > LIST_LIMITS.enum) return [];
  const texts = allowed.map(canonicalText);
  const firstByText = new Map<string | undefined, number>();
  const problems = texts.flatMap((text, index) => {
    const first = firstByText.get(text);
    if (first === undefined) firstByText.set(text, index);
    if (first === undefined || text === undefined) return [];
    return [broken([...path, "enum", index], `repeats the value of enum[${first}]`)];
  });
  const text = "default" in argument ? canonicalText(argument["default"]) : undefined;
  if (text === undefined || firstByText.has(text)) return problems;
  return [...problems, broken([...path, "default"], "must be one of the values of enum")];
}

/** Equal values have equal text; a value that JSON cannot hold has none. */
function canonicalText(value: unknown): string | undefined {
  const converted = toJsonValue(value);
  return converted.ok ? JSON.stringify(converted.value) : undefined;
}

function isArgumentType(type: unknown): type is JsonType {
  return typeof type === "string" && Object.hasOwn(JSON_TYPE_NAMES, type);
}
