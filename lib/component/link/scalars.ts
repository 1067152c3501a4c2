/**
 * Codecs of types without parts, but for text.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md, Loading, Storing, Flat Lifting, Flat Lowering.
 */
import { type Codec, type CoreType, type CoreValues, unexpected } from "./codec.ts";
import type { Context, CoreValue } from "./context.ts";
import type { Primitive } from "../../schema/value-type.ts";

type Access<T> = readonly [
  load: (view: DataView, at: number) => T,
  store: (view: DataView, at: number, value: T) => void,
];

/** Integers that an i32 holds: it wraps to their width. */
class SmallInteger implements Codec {
  readonly weight = 8;
  readonly flat: readonly CoreType[] = ["i32"];
  readonly size: number;
  readonly align: number;
  readonly #access: Access<number>;
  readonly #wrap: (value: number) => number;

  constructor(size: number, access: Access<number>, wrap: (value: number) => number) {
    this.size = size;
    this.align = size;
    this.#access = access;
    this.#wrap = wrap;
  }

  load(context: Context, at: number): number {
    return this.#access[0](context.view, at);
  }

  store(context: Context, value: unknown, at: number): void {
    this.#access[1](context.view, at, requireNumber(value));
  }

  lift(context: Context, values: CoreValues): number {
    return this.#wrap(values.number(context));
  }

  lower(_: Context, value: unknown, out: CoreValue[]): void {
    out.push(requireNumber(value));
  }
}

class LargeInteger implements Codec {
  readonly weight = 24;
  readonly flat: readonly CoreType[] = ["i64"];
  readonly size = 8;
  readonly align = 8;
  readonly #isSigned: boolean;

  constructor(isSigned: boolean) {
    this.#isSigned = isSigned;
  }

  load({ view }: Context, at: number): bigint {
    return this.#isSigned ? view.getBigInt64(at, true) : view.getBigUint64(at, true);
  }

  store({ view }: Context, value: unknown, at: number): void {
    view.setBigUint64(at, requireBigInt(value), true);
  }

  lift(context: Context, values: CoreValues): bigint {
    const value = values.bigint(context);
    return this.#isSigned ? value : BigInt.asUintN(64, value);
  }

  lower(_: Context, value: unknown, out: CoreValue[]): void {
    out.push(BigInt.asIntN(64, requireBigInt(value)));
  }
}

class Float implements Codec {
  readonly weight = 8;
  readonly flat: readonly CoreType[];
  readonly size: number;
  readonly align: number;

  constructor(size: 4 | 8) {
    this.size = size;
    this.align = size;
    this.flat = [size === 4 ? "f32" : "f64"];
  }

  load({ view }: Context, at: number): number {
    return this.size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
  }

  store({ view }: Context, value: unknown, at: number): void {
    if (this.size === 4) view.setFloat32(at, requireNumber(value), true);
    else view.setFloat64(at, requireNumber(value), true);
  }

  lift(context: Context, values: CoreValues): number {
    return values.number(context);
  }

  lower(_: Context, value: unknown, out: CoreValue[]): void {
    out.push(requireNumber(value));
  }
}

/** `bool`: any integer but 0 is true. */
const BOOL: Codec = {
  size: 1,
  align: 1,
  weight: 8,
  flat: ["i32"],
  load: ({ view }, at) => view.getUint8(at) !== 0,
  store: ({ view }, value, at) => view.setUint8(at, value === true ? 1 : 0),
  lift: (context, values) => values.number(context) !== 0,
  lower: (_, value, out) => void out.push(value === true ? 1 : 0),
};

/** `char`: a Unicode scalar value. */
const CHAR: Codec = {
  size: 4,
  align: 4,
  weight: 24,
  flat: ["i32"],
  load: (context, at) => toCharacter(context, context.view.getUint32(at, true)),
  store: ({ view }, value, at) => view.setUint32(at, toCodePoint(value), true),
  lift: (context, values) => toCharacter(context, values.number(context) >>> 0),
  lower: (_, value, out) => void out.push(toCodePoint(value)),
};

/** Codecs by type; `string` has its own file. */
export const SCALARS: Readonly<Record<Exclude<Primitive, "string">, Codec>> = {
  bool: BOOL,
  char: CHAR,
  s8: new SmallInteger(
    1,
    [(view, at) => view.getInt8(at), (view, at, value) => view.setInt8(at, value)],
    (value) => (value << 24) >> 24,
  ),
  u8: new SmallInteger(
    1,
    [(view, at) => view.getUint8(at), (view, at, value) => view.setUint8(at, value)],
    (value) => value & 0xff,
  ),
  s16: new SmallInteger(
    2,
    [(view, at) => view.getInt16(at, true), (view, at, value) => view.setInt16(at, value, true)],
    (value) => (value << 16) >> 16,
  ),
  u16: new SmallInteger(
    2,
    [(view, at) => view.getUint16(at, true), (view, at, value) => view.setUint16(at, value, true)],
    (value) => value & 0xffff,
  ),
  s32: new SmallInteger(
    4,
    [(view, at) => view.getInt32(at, true), (view, at, value) => view.setInt32(at, value, true)],
    (value) => value | 0,
  ),
  u32: new SmallInteger(
    4,
    [(view, at) => view.getUint32(at, true), (view, at, value) => view.setUint32(at, value, true)],
    (value) => value >>> 0,
  ),
  s64: new LargeInteger(true),
  u64: new LargeInteger(false),
  f32: new Float(4),
  f64: new Float(8),
};

/** Source: CanonicalABI.md, `convert_i32_to_char`: surrogates and what is beyond 0x10FFFF trap. */
function toCharacter(context: Context, code: number): string {
  if (code > 0x10_ff_ff || (code >= 0xd8_00 && code <= 0xdf_ff)) context.refuse("a character that does not exist");
  return String.fromCodePoint(code);
}

function toCodePoint(value: unknown): number {
  return typeof value === "string" ? (value.codePointAt(0) ?? unexpected(value)) : unexpected(value);
}

function requireNumber(value: unknown): number {
  return typeof value === "number" ? value : unexpected(value);
}

function requireBigInt(value: unknown): bigint {
  return typeof value === "bigint" ? value : unexpected(value);
}
