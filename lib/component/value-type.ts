/**
 * Reads the value and function types of a component as WIT text, and refuses those that only an asynchronous guest needs.
 *
 * Source: WebAssembly Component Model, Binary.md, Type Definitions.
 */
import { refuse } from "../errors.ts";
import { present, PRIMITIVES } from "./index-space.ts";
import type { ComponentReader } from "./reader.ts";
import type { Scope, Type } from "./scope.ts";

const UNSUPPORTED: ReadonlyMap<number, string> = new Map([
  [0x43, "async functions"],
  [0x63, "maps"],
  [0x64, "error contexts"],
  [0x65, "futures"],
  [0x66, "streams"],
  [0x67, "lists of fixed length"],
]);

/** Longer texts are cut: types that name each other twice would double with each step. */
const LONGEST_TEXT = 200;

type TextReader = (reader: ComponentReader, scope: Scope) => string;

const COMPOSITES: ReadonlyMap<number, TextReader> = new Map<number, TextReader>([
  [0x72, (reader, scope) => listOf(reader, "record", () => `${reader.plainName()}: ${readValueType(reader, scope)}`)],
  [0x71, (reader, scope) => listOf(reader, "variant", () => readCase(reader, scope))],
  [0x70, (reader, scope) => `list<${readValueType(reader, scope)}>`],
  [0x6f, (reader, scope) => `tuple<${readList(reader, () => readValueType(reader, scope)).join(", ")}>`],
  [0x6e, (reader) => listOf(reader, "flags", () => reader.plainName())],
  [0x6d, (reader) => listOf(reader, "enum", () => reader.plainName())],
  [0x6b, (reader, scope) => `option<${readValueType(reader, scope)}>`],
  [0x6a, readResult],
  [0x69, (reader, scope) => `own<${resourceAt(reader, scope)}>`],
  [0x68, (reader, scope) => `borrow<${resourceAt(reader, scope)}>`],
]);

/**
 * Reads a definition of a value or function type, behind its first byte.
 *
 * @param form - The definition's first byte.
 * @returns Undefined when the byte begins no such type.
 * @throws {Failure} COMPONENT_INVALID, COMPONENT_UNSUPPORTED
 */
export function readTypeText(reader: ComponentReader, scope: Scope, form: number): Type | undefined {
  refuseUnsupported(form);
  if (form === 0x40) return { form: "func", text: readFunction(reader, scope) };
  const primitive = PRIMITIVES.get(form);
  if (primitive !== undefined) return { form: "value", text: primitive };
  const text = COMPOSITES.get(form)?.(reader, scope);
  return text === undefined ? undefined : { form: "value", text: cut(text) };
}

function readValueType(reader: ComponentReader, scope: Scope): string {
  const first = reader.bytes[reader.pos] ?? 0;
  // A signed integer of 33 bits: the negative ones of a single byte are the primitives, the others are indices.
  if (first < 0x40 || first > 0x7f) return valueTypeAt(reader, scope);
  reader.u8();
  refuseUnsupported(first);
  return present(PRIMITIVES.get(first), "primitive type", first);
}

function valueTypeAt(reader: ComponentReader, scope: Scope): string {
  const index = reader.u32();
  const type = present(scope.types[index], "type", index);
  if (type.form !== "value") throw reader.malformed(`type ${index} is no value type`);
  return type.text;
}

/** Resources have no names of their own here. */
function resourceAt(reader: ComponentReader, scope: Scope): string {
  const index = reader.u32();
  present(scope.types[index], "type", index);
  return "resource";
}

function readFunction(reader: ComponentReader, scope: Scope): string {
  const parameters = readList(reader, () => {
    reader.plainName();
    return readValueType(reader, scope);
  });
  const head = `func(${parameters.join(", ")})`;
  if (reader.u8() === 0) return cut(`${head} -> ${readValueType(reader, scope)}`);
  if (reader.u8() !== 0) throw refuse("COMPONENT_UNSUPPORTED", { what: "functions with named results" });
  return cut(head);
}

function readResult(reader: ComponentReader, scope: Scope): string {
  const success = readOptional(reader, scope);
  const error = readOptional(reader, scope);
  if (error !== undefined) return `result<${success ?? "_"}, ${error}>`;
  return success === undefined ? "result" : `result<${success}>`;
}

function readCase(reader: ComponentReader, scope: Scope): string {
  const label = reader.plainName();
  const payload = readOptional(reader, scope);
  if (reader.u8() !== 0) throw refuse("COMPONENT_UNSUPPORTED", { what: "variant cases that refine others" });
  return payload === undefined ? label : `${label}(${payload})`;
}

function readOptional(reader: ComponentReader, scope: Scope): string | undefined {
  return reader.u8() === 0 ? undefined : readValueType(reader, scope);
}

function listOf(reader: ComponentReader, keyword: string, readItem: () => string): string {
  return `${keyword} { ${readList(reader, readItem).join(", ")} }`;
}

function readList(reader: ComponentReader, readItem: () => string): string[] {
  const items: string[] = [];
  for (let left = reader.count(); left > 0; left--) {
    const item = readItem();
    // Enough for the text, which is cut anyway.
    if (items.length < LONGEST_TEXT) items.push(item);
  }
  return items;
}

function cut(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}

function refuseUnsupported(form: number): void {
  const what = UNSUPPORTED.get(form);
  if (what !== undefined) throw refuse("COMPONENT_UNSUPPORTED", { what });
}
