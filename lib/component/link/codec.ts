/**
 * How a type's values pass: in memory, and as core values. One codec for each type.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md, Alignment, Element Size, Flattening.
 */
import type { Context, CoreValue } from "./context.ts";

/** Types of core values. */
export type CoreType = "i32" | "i64" | "f32" | "f64";

/** Most core values that parameters are passed in. Source: CanonicalABI.md, `MAX_FLAT_PARAMS`. */
export const MOST_FLAT = 16;

/** How the values of one type pass. */
export interface Codec {
  /** Bytes in memory. */
  readonly size: number;
  readonly align: number;
  /** Bytes that a value stands for here, but for what its texts and lists hold: those are counted when they are read. */
  readonly weight: number;
  /** Its core values; undefined when they are more than {@link MOST_FLAT}. */
  readonly flat: readonly CoreType[] | undefined;
  /** Reads a value from memory that is there and aligned. */
  load(context: Context, at: number): unknown;
  /** Writes a value to memory that is there and aligned. May run the guest's allocator. */
  store(context: Context, value: unknown, at: number): void;
  /** Takes a value from core values. */
  lift(context: Context, values: CoreValues): unknown;
  /** Turns a value into core values. May run the guest's allocator. */
  lower(context: Context, value: unknown, out: CoreValue[]): void;
}

/** Core values that are taken one after another. What core code passed is of its declared types: who links checks the function, not each call. */
export class CoreValues {
  readonly #values: readonly unknown[];
  #next = 0;

  constructor(values: readonly unknown[]) {
    this.#values = values;
  }

  /** Takes an i32, f32 or f64. */
  number(context: Context): number {
    const value = this.#values[this.#next++];
    return typeof value === "number" ? value : context.refuse("a value of another type");
  }

  /** Takes an i64, as signed. */
  bigint(context: Context): bigint {
    const value = this.#values[this.#next++];
    return typeof value === "bigint" ? value : context.refuse("a value of another type");
  }

  /** Takes any. */
  any(): unknown {
    return this.#values[this.#next++];
  }
}

/** Rounds up to a multiple of a power of two. */
export function alignTo(at: number, align: number): number {
  return Math.ceil(at / align) * align;
}

/** The core values of several types after another. @returns Undefined when they are too many. */
export function flattenAll(codecs: readonly Codec[]): readonly CoreType[] | undefined {
  const all: CoreType[] = [];
  for (const { flat } of codecs) {
    if (flat === undefined || all.length + flat.length > MOST_FLAT) return undefined;
    all.push(...flat);
  }
  return all;
}

/** A host or a codec gave a value that its type does not have. */
export function unexpected(value: unknown): never {
  throw new Error(`BUG: a ${value === null ? "null" : typeof value} where its type has something else`);
}
