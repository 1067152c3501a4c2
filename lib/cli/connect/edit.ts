/**
 * Puts an entry into the text of a configuration, and leaves everything else as it is: comments, order, white space. What comes out is read again
 * and compared with what went in: an edit that changed anything else is refused.
 */
import { findNodeAtLocation, type ParseError, parse as parseJson, parseTree } from "jsonc-parser";
import { parse as parseToml, stringify, TomlError } from "smol-toml";

/** Where an entry goes, and what it is. */
export interface Edit {
  readonly format: "json" | "toml";
  /** Names around the entry, and its own behind them. */
  readonly path: readonly string[];
  readonly entry: Readonly<Record<string, unknown>>;
}

/** Why a text cannot be edited, in words that read on from "Cannot change …:". */
export class EditError extends Error {}

const JSON_OPTIONS = { allowTrailingComma: true };

type Table = Readonly<Record<string, unknown>>;

/**
 * Edits a text.
 *
 * @param text - The configuration; "" for one that is not there.
 * @returns The new text; the same when the entry is there already.
 * @throws {EditError}
 */
export function editText(text: string, edit: Edit): string {
  const before = read(text, edit);
  if (Bun.deepEquals(entryOf(before, edit.path), edit.entry, true)) return text;
  const edited = edit.format === "json" ? editJson(text, edit) : editToml(text, edit);
  const after = read(edited, edit);
  const wanted = withEntry(before, edit.path, edit.entry);
  if (!Bun.deepEquals(after, wanted, true))
    throw new EditError("the entry cannot be put into it without changing the rest");
  return edited;
}

/**
 * Finds the entry that a text has.
 *
 * @returns Undefined when it has none.
 * @throws {EditError}
 */
export function findEntry(text: string, edit: Pick<Edit, "format" | "path">): unknown {
  return entryOf(read(text, edit), edit.path);
}

function read(text: string, { format, path }: Pick<Edit, "format" | "path">): Table {
  const parsed = format === "json" ? readJson(text) : readToml(text);
  let around: unknown = parsed;
  for (const name of path.slice(0, -1)) {
    around = isTable(around) && Object.hasOwn(around, name) ? around[name] : {};
    if (!isTable(around)) throw new EditError(`its "${name}" is not ${format === "json" ? "an object" : "a table"}`);
  }
  return parsed;
}

function entryOf(table: Table, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (around, name) => (isTable(around) && Object.hasOwn(around, name) ? around[name] : undefined),
    table,
  );
}

function withEntry(table: Table, [name = "", ...rest]: readonly string[], entry: unknown): Table {
  const inner = Object.hasOwn(table, name) ? table[name] : undefined;
  return { ...table, [name]: rest.length === 0 ? entry : withEntry(isTable(inner) ? inner : {}, rest, entry) };
}

function readJson(text: string): Table {
  if (text.trim() === "") return {};
  const errors: ParseError[] = [];
  try {
    const value: unknown = parseJson(text, errors, JSON_OPTIONS);
    if (errors.length > 0) throw new EditError("it is not JSON");
    if (!isTable(value)) throw new EditError("it is not a JSON object");
    refuseTwice(text);
    return value;
  } catch (error) {
    if (error instanceof RangeError) throw new EditError("it is nested too deeply", { cause: error });
    throw error;
  }
}

/** A name that comes twice at the top: programs differ in which one they take. */
function refuseTwice(text: string): void {
  const names = parseTree(text, [], JSON_OPTIONS)?.children?.map((member) => member.children?.[0]?.value);
  if (names !== undefined && new Set(names).size < names.length) throw new EditError("a name comes twice in it");
}

/** Replaces the entry, or puts it in front of its neighbours: behind them, a comment of theirs would become ours. */
function editJson(text: string, { path, entry }: Edit): string {
  const source = text.trim() === "" ? "{}\n" : text;
  const root = parseTree(source, [], JSON_OPTIONS);
  const find = (depth: number) => (root === undefined ? undefined : findNodeAtLocation(root, path.slice(0, depth)));
  let depth = path.length;
  while (depth > 0 && find(depth) === undefined) depth -= 1;
  const node = find(depth);
  if (node === undefined) throw new EditError("it is not a JSON object");
  const layout = layoutOf(source);
  if (depth === path.length) return splice(source, node, write(entry, depth, layout));
  const value = path.slice(depth + 1).reduceRight<unknown>((inner, name) => ({ [name]: inner }), entry);
  const isAlone = node.children === undefined || node.children.length === 0;
  const member = `${layout.line(depth + 1)}${JSON.stringify(path[depth])}:${layout.space}${write(value, depth + 1, layout)}`;
  const end = isAlone && layout.line(0) !== "" ? layout.line(depth) : "";
  // Of an empty object, only what holds no comment is replaced.
  const isBlank = isAlone && /^\{\s*\}$/.test(source.slice(node.offset, node.offset + node.length));
  if (isBlank) return splice(source, node, `{${member}${end}}`);
  return splice(source, { offset: node.offset + 1, length: 0 }, isAlone ? member : `${member},`);
}

/** How a file is laid out: a file on one line stays on one line. */
interface Layout {
  readonly line: (depth: number) => string;
  readonly space: string;
  readonly unit: string;
}

function layoutOf(source: string): Layout {
  if (!source.trim().includes("\n") && source.trim() !== "{}") return { line: () => "", space: "", unit: "" };
  const unit = /\n([ \t]+)"/.exec(source)?.[1] ?? "  ";
  const eol = source.includes("\r\n") ? "\r\n" : "\n";
  return { line: (depth) => eol + unit.repeat(depth), space: " ", unit };
}

function write(value: unknown, depth: number, { line, unit }: Layout): string {
  return JSON.stringify(value, null, unit).replaceAll("\n", line(depth));
}

function splice(text: string, { offset, length }: { offset: number; length: number }, replacement: string): string {
  return text.slice(0, offset) + replacement + text.slice(offset + length);
}

function readToml(text: string): Table {
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new EditError(`it is not TOML: line ${error.line}, column ${error.column}`, { cause: error });
  }
}

/** Replaces the entry's own tables, or adds it at the end. One that is written in another way is left to the user. */
function editToml(text: string, { path, entry }: Edit): string {
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const name = path.join(".");
  const lines = text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
  const kept: string[] = [];
  let at = -1;
  let isOwn = false;
  for (const line of lines) {
    const header = /^\s*\[\[?\s*([^\]]+?)\s*\]/.exec(line)?.[1]?.replaceAll(/\s*\.\s*/g, ".");
    if (header !== undefined) isOwn = header === name || header.startsWith(`${name}.`);
    if (!isOwn) kept.push(line);
    else if (at === -1) at = kept.length;
  }
  const block = stringify(path.reduceRight<Table>((inner, each) => ({ [each]: inner }), entry))
    .trimEnd()
    .split("\n");
  // smol-toml writes a header for each table on the way, and those may be there already.
  const own = block.slice(block.indexOf(`[${name}]`));
  if (at !== -1) kept.splice(at, 0, ...own, "");
  else kept.push(...(kept.length === 0 || kept.at(-1)?.trim() === "" ? [] : [""]), ...own);
  return kept.join(eol).replace(/(?:\r?\n)+$/, "") + eol;
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
