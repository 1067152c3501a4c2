/**
 * What all readers of components share: finding what an index or a name refers to, and the codes of the primitive types.
 *
 * Source: WebAssembly Component Model, Binary.md, Alias Definitions and Type Definitions.
 */
import { refuse } from "../errors.ts";
import type { Primitive } from "../schema/value-type.ts";

/** The primitive value types, by their codes. Source: Binary.md, `primvaltype`. */
export const PRIMITIVES: ReadonlyMap<number, Primitive> = new Map<number, Primitive>([
  [0x7f, "bool"],
  [0x7e, "s8"],
  [0x7d, "u8"],
  [0x7c, "s16"],
  [0x7b, "u16"],
  [0x7a, "s32"],
  [0x79, "u32"],
  [0x78, "s64"],
  [0x77, "u64"],
  [0x76, "f32"],
  [0x75, "f64"],
  [0x74, "char"],
  [0x73, "string"],
]);

/** Finds the scope that is `count` scopes further out. @throws {Failure} COMPONENT_INVALID */
export function outerScope<S extends { readonly outer: S | undefined }>(scope: S, count: number): S {
  let found: S | undefined = scope;
  for (let step = 0; step < count && found !== undefined; step++) found = found.outer;
  return present(found, "scope", count);
}

/** Takes what an index or a name refers to. @throws {Failure} COMPONENT_INVALID when there is no such thing. */
export function present<T>(found: T | undefined, what: string, index: number | string): T {
  if (found !== undefined) return found;
  throw refuse("COMPONENT_INVALID", { reason: `malformed component: ${what} ${index} does not exist` });
}
