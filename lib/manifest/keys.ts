/**
 * Which keys a `tool.toml` has, and the search for keys that it does not have.
 */
import { nearest } from "../nearest.ts";
import { findNode, type TomlNode } from "./locate.ts";
import { formatPath, type KeyPath, type UnknownKey } from "./problem.ts";

/** A table of the format: its path without array indices, and its keys. */
interface KnownTable {
  readonly path: readonly string[];
  readonly keys: readonly string[];
}

const ROOT: KnownTable = { path: [], keys: ["tool", "mcp", "security"] };
const TOOL: KnownTable = { path: ["tool"], keys: ["id", "name", "version", "wasm"] };
const MCP: KnownTable = {
  path: ["mcp"],
  keys: ["description", "arguments", "prompts", "resources", "resource_templates", "input_schema", "output_schema"],
};
const ARGUMENT: KnownTable = {
  path: ["mcp", "arguments"],
  keys: ["name", "type", "description", "required", "default", "enum"],
};
const PROMPT: KnownTable = {
  path: ["mcp", "prompts"],
  keys: ["name", "description", "text", "messages", "arguments"],
};
const PROMPT_ARGUMENT: KnownTable = {
  path: ["mcp", "prompts", "arguments"],
  keys: ["name", "description", "required", "values"],
};
const PROMPT_MESSAGE: KnownTable = {
  path: ["mcp", "prompts", "messages"],
  keys: ["role", "text", "resource", "image"],
};
const RESOURCE: KnownTable = {
  path: ["mcp", "resources"],
  keys: ["uri", "name", "title", "description", "mime_type", "file"],
};
const TEMPLATE: KnownTable = {
  path: ["mcp", "resource_templates"],
  keys: ["uri_template", "name", "title", "description", "mime_type"],
};
const SECURITY: KnownTable = {
  path: ["security"],
  keys: [
    "net_allow_list",
    "fs_access",
    "env_allow_list",
    "elicitation",
    "max_memory_mb",
    "max_execution_ms",
    "max_fuel",
  ],
};
/** Tables of which there may be several. */
const LISTED: readonly KnownTable[] = [ARGUMENT, PROMPT, PROMPT_ARGUMENT, PROMPT_MESSAGE, RESOURCE, TEMPLATE];
const SINGLE: readonly KnownTable[] = [ROOT, TOOL, MCP, SECURITY];

/**
 * Finds every key that the format does not have.
 *
 * @param root - The places of the document.
 * @returns One problem for each, without what is inside it.
 */
export function findUnknownKeys(root: TomlNode): UnknownKey[] {
  return [
    ...SINGLE.flatMap((table) => unknownIn(root, table.path, table)),
    ...LISTED.flatMap((table) => instancesOf(root, table.path).flatMap((path) => unknownIn(root, path, table))),
  ];
}

/**
 * Finds the key that an unknown one most likely stands for: a sibling with a similar name, else the same key of another table.
 *
 * @returns Its dotted path, as {@link formatPath} writes it, or `undefined`.
 */
export function nearestKey({ path }: UnknownKey): string | undefined {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  const own = [...SINGLE, ...LISTED].find((table) => isInstance(parent, table));
  const sibling = nearest(key, own?.keys ?? []);
  if (sibling !== undefined) return formatPath([...parent, sibling]);
  const home = SINGLE.find((table) => table.keys.includes(key));
  return home === undefined ? undefined : formatPath([...home.path, key]);
}

/** The paths of all tables of a kind: the items of a list, or of the lists in those of another. */
function instancesOf(root: TomlNode, path: readonly string[]): readonly KeyPath[] {
  const outer = LISTED.find(
    (table) => table.path.length < path.length && table.path.every((name, index) => name === path[index]),
  );
  if (outer === undefined) return itemsAt(root, path);
  const inner = path.slice(outer.path.length);
  return instancesOf(root, outer.path).flatMap((item) => itemsAt(root, [...item, ...inner]));
}

/** The paths of a list's items. */
function itemsAt(root: TomlNode, path: KeyPath): readonly KeyPath[] {
  const count = findNode(root, path)?.items?.length ?? 0;
  return Array.from({ length: count }, (_, index) => [...path, index]);
}

function unknownIn(root: TomlNode, path: KeyPath, table: KnownTable): UnknownKey[] {
  const keys = findNode(root, path)?.keys?.keys() ?? [];
  return [...keys].filter((key) => !table.keys.includes(key)).map((key) => ({ kind: "unknown", path: [...path, key] }));
}

function isInstance(path: KeyPath, table: KnownTable): boolean {
  const names = path.filter((segment) => typeof segment === "string");
  return names.length === table.path.length && names.every((name, index) => name === table.path[index]);
}
