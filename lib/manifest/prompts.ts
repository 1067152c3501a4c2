/**
 * What must hold between the keys of `[[mcp.prompts]]`: names are unique, a text names no argument that is not declared, and what is embedded is a
 * resource of the same package.
 */
import { broken, type BrokenRule, type KeyPath } from "./problem.ts";
import { IMAGE_TYPE } from "./uri.ts";
import { isTable } from "./value.ts";

type Table = Readonly<Record<string, unknown>>;

/** Where an argument's value goes in a prompt's text: `{{name}}`. */
export const PLACEHOLDER: RegExp = /\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}/g;

/** What a message may be, one at a time. */
const CONTENTS = ["text", "resource", "image"];

type MediaTypes = ReadonlyMap<unknown, unknown>;

/** The declared resources' media types, by their URIs. */
function typesOf(declared: unknown): MediaTypes {
  return new Map(
    listOf(declared).map((each) => (isTable(each) ? [each["uri"], each["mime_type"]] : [undefined, undefined])),
  );
}

/**
 * Checks the declared prompts. Keys of a wrong shape are skipped: the shape's check reports them.
 *
 * @param declared - `mcp.prompts` as parsed; anything.
 * @param embeddable - `mcp.resources` as parsed; anything.
 * @returns One problem for each broken rule.
 */
export function checkPrompts(declared: unknown, embeddable: unknown): BrokenRule[] {
  const resources = typesOf(embeddable);
  return [
    ...checkNames(listOf(declared), ["mcp", "prompts"]),
    ...listOf(declared).flatMap((prompt, index) =>
      isTable(prompt) ? checkPrompt(prompt, ["mcp", "prompts", index], resources) : [],
    ),
  ];
}

function checkPrompt(prompt: Table, path: KeyPath, resources: MediaTypes): BrokenRule[] {
  const { arguments: declared, text, messages } = prompt;
  const known = new Set(listOf(declared).map((argument) => (isTable(argument) ? argument["name"] : undefined)));
  const isEmpty = text === undefined && listOf(messages).length === 0;
  const isDouble = text !== undefined && messages !== undefined;
  return [
    ...checkNames(listOf(declared), [...path, "arguments"]),
    ...(isEmpty ? [broken([...path, "text"], "is missing")] : []),
    ...(isDouble ? [broken([...path, "text"], "must be left out: the prompt has messages")] : []),
    ...checkPlaceholders(text, [...path, "text"], known),
    ...listOf(messages).flatMap((message, index) => {
      const place = [...path, "messages", index];
      return isTable(message) ? checkMessage(message, place, { known, resources }) : [];
    }),
  ];
}

function checkMessage(
  message: Table,
  path: KeyPath,
  { known, resources }: { readonly known: ReadonlySet<unknown>; readonly resources: MediaTypes },
): BrokenRule[] {
  const { text, resource, image } = message;
  const [first = "text", second] = CONTENTS.filter((key) => message[key] !== undefined);
  if (message[first] === undefined) return [broken([...path, first], "is missing")];
  if (second !== undefined) return [broken([...path, second], `must be left out: the message has "${first}"`)];
  const isOpen = typeof resource === "string" && resource.match(PLACEHOLDER) !== null;
  const isUnknown = resource !== undefined && !isOpen && !resources.has(resource);
  const isNoImage = image !== undefined && !IMAGE_TYPE.test(String(resources.get(image)));
  return [
    ...checkPlaceholders(text, [...path, "text"], known),
    ...checkPlaceholders(resource, [...path, "resource"], known),
    ...(isUnknown ? [broken([...path, "resource"], "must be the uri of one of mcp.resources")] : []),
    ...(isNoImage ? [broken([...path, "image"], "must be the uri of one of mcp.resources that is an image")] : []),
  ];
}

function checkPlaceholders(text: unknown, path: KeyPath, known: ReadonlySet<unknown>): BrokenRule[] {
  const used = typeof text === "string" ? [...text.matchAll(PLACEHOLDER)].map(([, name]) => name) : [];
  const unknown = used.find((name) => !known.has(name));
  const rule = `names {{${unknown}}}, which is not among the prompt's arguments`;
  return unknown === undefined ? [] : [broken(path, rule)];
}

function checkNames(tables: readonly unknown[], path: KeyPath): BrokenRule[] {
  const firstByName = new Map<unknown, number>();
  return tables.flatMap((each, index) => {
    const name = isTable(each) ? each["name"] : undefined;
    const first = firstByName.get(name);
    if (first === undefined) firstByName.set(name, index);
    if (first === undefined || typeof name !== "string") return [];
    return [broken([...path, index, "name"], `is already the name of number ${first}`)];
  });
}

function listOf(declared: unknown): readonly unknown[] {
  return Array.isArray(declared) ? declared : [];
}
