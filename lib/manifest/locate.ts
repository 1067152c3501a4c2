/**
 * Finds where each key and value of a TOML document stands. The parser gives values without places; this gives places
 * without values, for text that the parser has already accepted: it never decides what is valid.
 *
 * Source: TOML 1.1 (newlines and comments may stand inside inline tables; also reads all of 1.0).
 */
import { parse } from "smol-toml";
import type { KeyPath } from "./problem.ts";

/** A place in the tree of a document. Offsets are UTF-16 code units from the start of the text. */
export interface TomlNode {
  /** Where its key starts, in its header for a table; in an array, where the element starts. */
  readonly keyOffset: number;
  /** Where its value starts; for a table with a header, the same as `keyOffset`. */
  readonly valueOffset: number;
  /** What a table holds, in document order; `undefined` when that is nothing. */
  readonly keys: ReadonlyMap<string, TomlNode> | undefined;
  /** What an array holds; `undefined` when that is nothing. */
  readonly items: readonly TomlNode[] | undefined;
}

interface OpenNode extends TomlNode {
  keyOffset: number;
  valueOffset: number;
  // Made with the first entry: most nodes are leaves, and a map for each would be most of the cost.
  keys: Map<string, OpenNode> | undefined;
  items: OpenNode[] | undefined;
}

interface Cursor {
  readonly text: string;
  at: number;
}

interface Segment {
  readonly name: string;
  readonly offset: number;
}

/**
 * Builds the tree of places of a document, in one pass, in time linear in its length.
 *
 * @param text - Text that smol-toml parses without an error, its inline values nested no deeper than the stack allows.
 * @returns The root table, at offset 0.
 */
export function locateAll(text: string): TomlNode {
  const cursor: Cursor = { text, at: text.startsWith("\ufeff") ? 1 : 0 };
  const root = openNode(0);
  let table = root;
  for (skipBlank(cursor); cursor.at < text.length; skipBlank(cursor)) {
    if (text[cursor.at] === "[") table = readHeader(cursor, root);
    else readEntry(cursor, table);
  }
  return root;
}

/**
 * Walks down the tree.
 *
 * @param root - What {@link locateAll} returned.
 * @param path - Keys and indices.
 * @returns The node, or `undefined` when the document does not have it.
 */
export function findNode(root: TomlNode, path: KeyPath): TomlNode | undefined {
  let node: TomlNode | undefined = root;
  for (const segment of path) {
    node = typeof segment === "number" ? node?.items?.[segment] : node?.keys?.get(segment);
  }
  return node;
}

function openNode(offset: number): OpenNode {
  return { keyOffset: offset, valueOffset: offset, keys: undefined, items: undefined };
}

/** Reads `[a.b]` or `[[a.b]]` and opens the table that the lines after it belong to. */
function readHeader(cursor: Cursor, root: OpenNode): OpenNode {
  const brackets = cursor.text[cursor.at + 1] === "[" ? 2 : 1;
  cursor.at += brackets;
  const segments = readKey(cursor);
  cursor.at += brackets;
  const parent = segments.slice(0, -1).reduce(descend, root);
  const last = segments.at(-1);
  if (last === undefined) return parent;
  return brackets === 2 ? openElement(parent, last) : openTable(parent, last);
}

/** A header names the last element of an array of tables that it goes through. */
function descend(parent: OpenNode, segment: Segment): OpenNode {
  const child = childOf(parent, segment);
  return child.items?.at(-1) ?? child;
}

function openTable(parent: OpenNode, segment: Segment): OpenNode {
  const table = childOf(parent, segment);
  // A table that deeper headers implied gets its own place when its header comes.
  table.keyOffset = segment.offset;
  table.valueOffset = segment.offset;
  return table;
}

function openElement(parent: OpenNode, segment: Segment): OpenNode {
  return addItem(childOf(parent, segment), segment.offset);
}

function childOf(parent: OpenNode, { name, offset }: Segment): OpenNode {
  parent.keys ??= new Map();
  const known = parent.keys.get(name);
  if (known !== undefined) return known;
  const child = openNode(offset);
  parent.keys.set(name, child);
  return child;
}

function addItem(parent: OpenNode, offset: number): OpenNode {
  const item = openNode(offset);
  parent.items ??= [];
  parent.items.push(item);
  return item;
}

function readEntry(cursor: Cursor, table: OpenNode): void {
  const node = readKey(cursor).reduce(childOf, table);
  cursor.at += 1; // the equals sign
  skipSpace(cursor);
  readValue(cursor, node);
}

/** Reads a dotted key, and stops at what follows it: `=` or `]`. */
function readKey(cursor: Cursor): Segment[] {
  const segments: Segment[] = [];
  do {
    if (cursor.text[cursor.at] === ".") cursor.at += 1;
    skipSpace(cursor);
    const offset = cursor.at;
    segments.push({ name: readKeySegment(cursor), offset });
    skipSpace(cursor);
  } while (cursor.text[cursor.at] === ".");
  return segments;
}

function readKeySegment(cursor: Cursor): string {
  const start = cursor.at;
  const first = cursor.text[start];
  if (first !== '"' && first !== "'") {
    skipPattern(cursor, /[A-Za-z0-9_-]*/y);
    return cursor.text.slice(start, cursor.at);
  }
  skipString(cursor);
  const raw = cursor.text.slice(start, cursor.at);
  if (!raw.includes("\\")) return raw.slice(1, -1);
  // Escapes are decoded by the parser itself, so that both always agree on the name.
  const decoded: unknown = parse(`key = ${raw}`)["key"];
  return String(decoded);
}

function readValue(cursor: Cursor, node: OpenNode): void {
  node.valueOffset = cursor.at;
  switch (cursor.text[cursor.at]) {
    case "[":
      return readList(cursor, "]", () => readValue(cursor, addItem(node, cursor.at)));
    case "{":
      return readList(cursor, "}", () => readEntry(cursor, node));
    case '"':
    case "'":
      return skipString(cursor);
    default:
      // A number, a boolean or a date: none holds one of these characters.
      return skipPattern(cursor, /[^,\]}#\n]*/y);
  }
}

function readList(cursor: Cursor, end: string, readItem: () => void): void {
  cursor.at += 1;
  for (skipBlank(cursor); cursor.at < cursor.text.length && cursor.text[cursor.at] !== end; skipBlank(cursor)) {
    readItem();
    skipBlank(cursor);
    if (cursor.text[cursor.at] === ",") cursor.at += 1;
  }
  cursor.at += 1;
}

/** Skips a string of any of the four kinds. */
function skipString(cursor: Cursor): void {
  const { text } = cursor;
  const quote = text[cursor.at] ?? "";
  const fence = text.startsWith(quote.repeat(3), cursor.at) ? quote.repeat(3) : quote;
  cursor.at += fence.length;
  while (cursor.at < text.length && !text.startsWith(fence, cursor.at)) {
    cursor.at += quote === '"' && text[cursor.at] === "\\" ? 2 : 1;
  }
  cursor.at += fence.length;
  // One or two quotes before the closing three are content.
  for (let extra = 0; fence.length === 3 && extra < 2 && text[cursor.at] === quote; extra++) cursor.at += 1;
}

/** Skips spaces, tabs, newlines and comments. */
function skipBlank(cursor: Cursor): void {
  skipPattern(cursor, /[ \t\r\n]*/y);
  while (cursor.text[cursor.at] === "#") {
    skipPattern(cursor, /[^\n]*/y);
    skipPattern(cursor, /[ \t\r\n]*/y);
  }
}

function skipSpace(cursor: Cursor): void {
  skipPattern(cursor, /[ \t]*/y);
}

function skipPattern(cursor: Cursor, pattern: RegExp): void {
  pattern.lastIndex = cursor.at;
  cursor.at += pattern.exec(cursor.text)?.[0].length ?? 0;
}
