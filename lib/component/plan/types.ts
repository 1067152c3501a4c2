/**
 * Reads the types of a component, with all indices resolved. What KAMI does not run has been refused before.
 *
 * Source: WebAssembly Component Model, Binary.md, Type Definitions.
 */
import { refuse } from "../../errors.ts";
import type { Case, Field, FunctionType, ResourceId, ValueType } from "../../schema/value-type.ts";
import { present, PRIMITIVES } from "../index-space.ts";
import type { ComponentReader } from "../reader.ts";
import type { Scope, Type } from "./scope.ts";

/** Labels that one `flags` may have. Source: Explainer.md: "at most 32". */
const MOST_FLAGS = 32;

type Composite = (reader: ComponentReader, scope: Scope) => ValueType;

const COMPOSITES: ReadonlyMap<number, Composite> = new Map<number, Composite>([
  [0x72, (reader, scope) => ({ kind: "record", fields: readFields(reader, scope) })],
  [0x71, (reader, scope) => ({ kind: "variant", cases: readList(reader, () => readCase(reader, scope)) })],
  [0x70, (reader, scope) => ({ kind: "list", element: readValueType(reader, scope) })],
  [0x6f, (reader, scope) => ({ kind: "tuple", elements: readList(reader, () => readValueType(reader, scope)) })],
  [0x6e, (reader) => ({ kind: "flags", names: readFlags(reader) })],
  [0x6d, (reader) => ({ kind: "enum", names: readList(reader, () => reader.plainName()) })],
  [0x6b, (reader, scope) => ({ kind: "option", some: readValueType(reader, scope) })],
  [0x6a, (reader, scope) => ({ kind: "result", ok: readOptional(reader, scope), error: readOptional(reader, scope) })],
  [0x69, (reader, scope) => ({ kind: "own", resource: readResource(reader, scope) })],
  [0x68, (reader, scope) => ({ kind: "borrow", resource: readResource(reader, scope) })],
]);

/** Reads a definition of a value or function type, behind its first byte. @returns Undefined when that byte begins no such type. */
export function readPlainType(reader: ComponentReader, scope: Scope, form: number): Type | undefined {
  if (form === 0x40) return { form: "func", type: readFunctionType(reader, scope) };
  const kind = PRIMITIVES.get(form);
  const type = kind === undefined ? COMPOSITES.get(form)?.(reader, scope) : { kind };
  return type === undefined ? undefined : { form: "value", type };
}

/** Reads entries as often as the count in front of them says. */
function readList<T>(reader: ComponentReader, readEntry: () => T): T[] {
  const entries: T[] = [];
  for (let left = reader.count(); left > 0; left--) entries.push(readEntry());
  return entries;
}

function readFunctionType(reader: ComponentReader, scope: Scope): FunctionType {
  const parameters = readFields(reader, scope);
  if (reader.u8() === 0) return { parameters, result: readValueType(reader, scope) };
  reader.u8();
  return { parameters, result: undefined };
}

function readFields(reader: ComponentReader, scope: Scope): Field[] {
  return readList(reader, () => ({ name: reader.plainName(), type: readValueType(reader, scope) }));
}

function readCase(reader: ComponentReader, scope: Scope): Case {
  const name = reader.plainName();
  const type = readOptional(reader, scope);
  reader.u8();
  return { name, type };
}

function readOptional(reader: ComponentReader, scope: Scope): ValueType | undefined {
  return reader.u8() === 0 ? undefined : readValueType(reader, scope);
}

function readFlags(reader: ComponentReader): string[] {
  const names = readList(reader, () => reader.plainName());
  if (names.length > MOST_FLAGS) throw refuse("COMPONENT_UNSUPPORTED", { what: `more than ${MOST_FLAGS} flags` });
  return names;
}

function readValueType(reader: ComponentReader, scope: Scope): ValueType {
  const first = reader.bytes[reader.pos] ?? 0;
  // A signed integer of 33 bits: the negative ones of a single byte are the primitives, the others are indices.
  if (first >= 0x40 && first <= 0x7f) return { kind: present(PRIMITIVES.get(reader.u8()), "primitive type", first) };
  const index = reader.u32();
  const found = present(scope.types[index], "type", index);
  if (found.form !== "value") throw reader.malformed(`type ${index} is no value type`);
  return found.type;
}

function readResource(reader: ComponentReader, scope: Scope): ResourceId {
  const index = reader.u32();
  const found = present(scope.types[index], "type", index);
  if (found.form !== "resource") throw reader.malformed(`type ${index} is no resource`);
  return found.id;
}
