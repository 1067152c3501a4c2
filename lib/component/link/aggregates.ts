/**
 * Codecs of records, tuples and flags.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md, `load_record`, `load_flags` and the like.
 */
import { alignTo, type Codec, type CoreType, type CoreValues, flattenAll, unexpected } from "./codec.ts";
import type { Context, CoreValue } from "./context.ts";

/** Bytes that an array stands for here, beside its elements. */
const FIELDS_BYTES = 32;

/** A record or a tuple: an array of its fields' values. */
class FieldsCodec implements Codec {
  readonly size: number;
  readonly align: number;
  readonly weight: number;
  readonly flat: readonly CoreType[] | undefined;
  readonly #fields: readonly { readonly codec: Codec; readonly offset: number }[];

  constructor(codecs: readonly Codec[]) {
    let end = 0;
    this.#fields = codecs.map((codec) => {
      const offset = alignTo(end, codec.align);
      end = offset + codec.size;
      return { codec, offset };
    });
    this.align = codecs.reduce((most, { align }) => Math.max(most, align), 1);
    this.weight = codecs.reduce((sum, { weight }) => sum + weight, FIELDS_BYTES);
    this.size = alignTo(end, this.align);
    this.flat = flattenAll(codecs);
  }

  load(context: Context, at: number): unknown[] {
    return this.#fields.map(({ codec, offset }) => codec.load(context, at + offset));
  }

  store(context: Context, value: unknown, at: number): void {
    const values = this.#require(value);
    for (const [index, { codec, offset }] of this.#fields.entries()) codec.store(context, values[index], at + offset);
  }

  lift(context: Context, values: CoreValues): unknown[] {
    return this.#fields.map(({ codec }) => codec.lift(context, values));
  }

  lower(context: Context, value: unknown, out: CoreValue[]): void {
    const values = this.#require(value);
    for (const [index, { codec }] of this.#fields.entries()) codec.lower(context, values[index], out);
  }

  #require(value: unknown): readonly unknown[] {
    return Array.isArray(value) && value.length === this.#fields.length ? value : unexpected(value);
  }
}

/** Flags: a number whose bit n is the label n. Bits without a label are dropped. */
class FlagsCodec implements Codec {
  readonly size: number;
  readonly align: number;
  readonly weight = 8;
  readonly flat: readonly CoreType[] = ["i32"];
  readonly #mask: number;

  constructor(count: number) {
    this.size = flagsSize(count);
    this.align = this.size;
    this.#mask = 2 ** count - 1;
  }

  load({ view }: Context, at: number): number {
    if (this.size === 1) return (view.getUint8(at) & this.#mask) >>> 0;
    return ((this.size === 2 ? view.getUint16(at, true) : view.getUint32(at, true)) & this.#mask) >>> 0;
  }

  store({ view }: Context, value: unknown, at: number): void {
    const bits = requireBits(value);
    if (this.size === 1) view.setUint8(at, bits);
    else if (this.size === 2) view.setUint16(at, bits, true);
    else view.setUint32(at, bits, true);
  }

  lift(context: Context, values: CoreValues): number {
    return (values.number(context) & this.#mask) >>> 0;
  }

  lower(_: Context, value: unknown, out: CoreValue[]): void {
    out.push(requireBits(value));
  }
}

/** Makes the codec of a record or a tuple. */
export function fieldsCodec(codecs: readonly Codec[]): Codec {
  return new FieldsCodec(codecs);
}

/** Makes the codec of flags. @param count - How many labels: 1 to 32. */
export function flagsCodec(count: number): Codec {
  return new FlagsCodec(count);
}

function flagsSize(count: number): number {
  if (count <= 8) return 1;
  return count <= 16 ? 2 : 4;
}

function requireBits(value: unknown): number {
  return typeof value === "number" ? value : unexpected(value);
}
