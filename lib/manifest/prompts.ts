/**
 * What must hold between the keys of `[[mcp.prompts]]`: names are unique, and a text names no argument that is not declared.
 */
import { checkDeclarations } from "./arguments.ts";
import type { BrokenRule, KeyPath } from "./problem.ts";
import { isTable } from "./value.ts";

/** Where an argument's value goes in a prompt's text: `{{name}}`. */
export const PLACEHOLDER: RegExp = /\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}/g;

/** Checks what `[mcp]` declares against itself. */
export function checkAgreement(mcp: unknown): BrokenRule[] {
  return isTable(mcp) ? [...checkDeclarations(mcp["arguments"]), ...checkPrompts(mcp["prompts"])] : [];
}

/**
 * Checks the declared prompts. Keys of a wrong shape are skipped: the shape's check reports them.
 *
 * @param declared - `mcp.prompts` as parsed; anything.
 * @returns One problem for each broken rule.
 */
function checkPrompts(declared: unknown): BrokenRule[] {
  if (!Array.isArray(declared)) return [];
  return [
    ...checkNames(declared, ["mcp", "prompts"]),
    ...declared.flatMap((prompt: unknown, index) =>
      isTable(prompt) ? checkPrompt(prompt, ["mcp", "prompts", index]) : [],
    ),
  ];
}

function checkPrompt(prompt: Readonly<Record<string, unknown>>, path: KeyPath): BrokenRule[] {
  const { arguments: declared, text } = prompt;
  const list: readonly unknown[] = Array.isArray(declared) ? declared : [];
  const known = new Set(list.map((argument) => (isTable(argument) ? argument["name"] : undefined)));
  const used = typeof text === "string" ? [...text.matchAll(PLACEHOLDER)].map(([, name]) => name) : [];
  const unknown = used.find((name) => !known.has(name));
  const rule = `names {{${unknown}}}, which is not among the prompt's arguments`;
  return [
    ...checkNames(list, [...path, "arguments"]),
    ...(unknown === undefined ? [] : [{ kind: "invalid", path: [...path, "text"], rule } as const]),
  ];
}

function checkNames(tables: readonly unknown[], path: KeyPath): BrokenRule[] {
  const firstByName = new Map<unknown, number>();
  return tables.flatMap((each, index) => {
    const name = isTable(each) ? each["name"] : undefined;
    const first = firstByName.get(name);
    if (first === undefined) firstByName.set(name, index);
    if (first === undefined || typeof name !== "string") return [];
    return [
      { kind: "invalid", path: [...path, index, "name"], rule: `is already the name of number ${first}` } as const,
    ];
  });
}
