/**
 * The types of values that cross the boundary between components, and between a component and its host. Data only.
 *
 * How JavaScript holds a value of each:
 *
 * | type                     | value                                                                                   |
 * | ------------------------ | --------------------------------------------------------------------------------------- |
 * | `bool`                   | boolean                                                                                 |
 * | `s8` … `u32`, `f32` `f64`| number                                                                                  |
 * | `s64`, `u64`             | bigint                                                                                  |
 * | `char`, `string`         | string                                                                                  |
 * | `list<u8>`               | Uint8Array: as an argument a view of the guest's memory, valid until anything of it runs |
 * | other lists              | array                                                                                   |
 * | records, tuples          | array, in the order of their fields                                                     |
 * | variants                 | `{ tag, value }`, `tag` being the case's name                                           |
 * | enums                    | the case's name                                                                         |
 * | flags                    | number: bit n is the label n                                                            |
 * | `option<T>`              | undefined, or the value; for an option of an option `{ some }`                          |
 * | `result<T, E>`           | `{ tag: "ok" \| "error", value }`                                                       |
 * | `own<T>`, `borrow<T>`    | the host's object; a number for a resource of a guest's                                 |
 *
 * Source: WebAssembly Component Model, Explainer.md, Type Definitions.
 */

/** Types without parts. */
export type Primitive =
  "bool" | "s8" | "u8" | "s16" | "u16" | "s32" | "u32" | "s64" | "u64" | "f32" | "f64" | "char" | "string";

/** A field of a record. */
export interface Field {
  readonly name: string;
  readonly type: ValueType;
}

/** A case of a variant. */
export interface Case {
  readonly name: string;
  /** Undefined for a case without a payload. */
  readonly type: ValueType | undefined;
}

/** The type of a value. Types may share parts: treat them as a graph, never as a tree. */
export type ValueType =
  | { readonly kind: Primitive }
  | { readonly kind: "list"; readonly element: ValueType }
  | { readonly kind: "record"; readonly fields: readonly Field[] }
  | { readonly kind: "tuple"; readonly elements: readonly ValueType[] }
  | { readonly kind: "variant"; readonly cases: readonly Case[] }
  | { readonly kind: "enum"; readonly names: readonly string[] }
  | { readonly kind: "flags"; readonly names: readonly string[] }
  | { readonly kind: "option"; readonly some: ValueType }
  | { readonly kind: "result"; readonly ok: ValueType | undefined; readonly error: ValueType | undefined }
  | { readonly kind: "own" | "borrow"; readonly resource: ResourceId };

/** A resource type: of the host by its name (`wasi:io/streams/input-stream`), of a guest by its number in the plan. */
export type ResourceId = string | number;

/** The type of a function. */
export interface FunctionType {
  readonly parameters: readonly Field[];
  readonly result: ValueType | undefined;
}

export const bool: ValueType = { kind: "bool" };
export const u8: ValueType = { kind: "u8" };
export const u16: ValueType = { kind: "u16" };
export const u32: ValueType = { kind: "u32" };
export const u64: ValueType = { kind: "u64" };
export const s32: ValueType = { kind: "s32" };
export const s64: ValueType = { kind: "s64" };
export const string: ValueType = { kind: "string" };
export const bytes: ValueType = { kind: "list", element: u8 };

/** Makes `list<T>`. */
export function list(element: ValueType): ValueType {
  return { kind: "list", element };
}

/** Makes a record. @param fields - Its fields by their WIT names, in order. */
export function record(fields: Readonly<Record<string, ValueType>>): ValueType {
  return { kind: "record", fields: Object.entries(fields).map(([name, type]) => ({ name, type })) };
}

/** Makes `tuple<…>`. */
export function tuple(...elements: readonly ValueType[]): ValueType {
  return { kind: "tuple", elements };
}

/** Makes a variant. @param cases - Its cases by their WIT names, in order; undefined for one without a payload. */
export function variant(cases: Readonly<Record<string, ValueType | undefined>>): ValueType {
  return { kind: "variant", cases: Object.entries(cases).map(([name, type]) => ({ name, type })) };
}

/** Makes an enum. @param names - Its cases' WIT names, in order. */
export function enumeration(...names: readonly string[]): ValueType {
  return { kind: "enum", names };
}

/** Makes flags. @param names - Their WIT names, in order. */
export function flags(...names: readonly string[]): ValueType {
  return { kind: "flags", names };
}

/** Makes `option<T>`. */
export function option(some: ValueType): ValueType {
  return { kind: "option", some };
}

/** Makes `result<T, E>`. */
export function result(ok?: ValueType, error?: ValueType): ValueType {
  return { kind: "result", ok, error };
}

/** Makes `own<T>`. @param resource - The host's name of the resource type: `wasi:io/streams/input-stream`. */
export function own(resource: string): ValueType {
  return { kind: "own", resource };
}

/** Makes `borrow<T>`. @param resource - The host's name of the resource type. */
export function borrow(resource: string): ValueType {
  return { kind: "borrow", resource };
}
