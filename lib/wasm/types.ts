/**
 * The types of a module: what the meter must know of them to tell how large an object is. Pure; untrusted bytes.
 *
 * Source: WebAssembly 3.0, 5.3 Types.
 */
import { refuse } from "../errors.ts";
import { checkLimit } from "./limits.ts";
import type { Reader } from "./reader.ts";

/** What the meter knows of a defined type. */
export type Shape =
  /** `parameterBytes`: what its parameters take together. */
  | { readonly form: "function"; readonly parameters: number; readonly parameterBytes: number }
  /** `bytes`: what the fields take, each at an address that its size divides. */
  | { readonly form: "struct"; readonly fields: number; readonly bytes: number }
  /** `shift`: binary logarithm of an element's bytes, 0 to 4. */
  | { readonly form: "array"; readonly shift: number };

const RECURSIVE = 0x4e;
const SUBTYPE = 0x50;
const FINAL_SUBTYPE = 0x4f;
const FUNCTION = 0x60;
const STRUCTURE = 0x5f;
const ARRAY = 0x5e;

/** Forms that the engine, or jco's validator, knows of later proposals. */
const REFUSED_FORMS: ReadonlyMap<number, string> = new Map([
  [0x65, "a shared type (threads)"],
  [0x5d, "a continuation type (stack switching)"],
  [0x4d, "a type with a descriptor (custom descriptors)"],
  [0x4c, "a type that describes another (custom descriptors)"],
]);

const NULLABLE_REFERENCE = 0x63;
const REFERENCE = 0x64;

/** Binary logarithms of the sizes of number, vector and packed types in bytes. A reference takes 8 bytes. */
const SIZE_SHIFTS: ReadonlyMap<number, number> = new Map([
  [0x78, 0],
  [0x77, 1],
  [0x7f, 2],
  [0x7d, 2],
  [0x7e, 3],
  [0x7c, 3],
  [0x7b, 4],
]);
const REFERENCE_SHIFT = 3;

/**
 * Reads a value type or a storage type.
 *
 * @returns The binary logarithm of its size in bytes.
 */
export function readValueType(reader: Reader): number {
  const first = reader.u8();
  // (ref null ht) and (ref ht) carry a heap type; every other type is one byte.
  if (first === NULLABLE_REFERENCE || first === REFERENCE) reader.skipLeb(33);
  return SIZE_SHIFTS.get(first) ?? REFERENCE_SHIFT;
}

/**
 * Reads the type section: a shape for each type of the index space, those inside recursive groups one by one.
 *
 * @throws {Failure} COMPONENT_INVALID, COMPONENT_LIMIT, COMPONENT_UNSUPPORTED
 */
export function readTypes(reader: Reader | undefined): readonly Shape[] {
  const shapes: Shape[] = [];
  if (reader === undefined) return shapes;
  for (let left = reader.u32(); left > 0; left--) {
    const form = reader.u8();
    const members = form === RECURSIVE ? reader.u32() : 1;
    checkLimit("types", shapes.length + members, "the number of types");
    for (let member = 0; member < members; member++) {
      shapes.push(readSubtype(reader, form === RECURSIVE ? reader.u8() : form));
    }
  }
  return shapes;
}

function readSubtype(reader: Reader, form: number): Shape {
  if (form !== SUBTYPE && form !== FINAL_SUBTYPE) return readComposite(reader, form);
  for (let supers = reader.u32(); supers > 0; supers--) reader.u32();
  return readComposite(reader, reader.u8());
}

function readComposite(reader: Reader, form: number): Shape {
  if (form === FUNCTION) {
    const parameters = readFields(reader, false);
    readFields(reader, false);
    return { form: "function", parameters: parameters.fields, parameterBytes: parameters.bytes };
  }
  if (form === STRUCTURE) return { form: "struct", ...readFields(reader, true) };
  if (form === ARRAY) {
    const shift = readValueType(reader);
    reader.u8();
    return { form: "array", shift };
  }
  const what = REFUSED_FORMS.get(form);
  if (what !== undefined) throw refuse("COMPONENT_UNSUPPORTED", { what });
  throw reader.malformed(`type form 0x${form.toString(16)}`);
}

/** Reads a vector of types, with or without a byte for mutability behind each. */
function readFields(reader: Reader, hasMutability: boolean): { readonly fields: number; readonly bytes: number } {
  const fields = reader.u32();
  let bytes = 0;
  for (let left = fields; left > 0; left--) {
    const size = 2 ** readValueType(reader);
    bytes = Math.ceil(bytes / size) * size + size;
    if (hasMutability) reader.u8();
  }
  return { fields, bytes };
}
