/**
 * Codecs of variants and of the types that are special variants: enums, options and results.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md, `load_variant`, `lift_flat_variant`, `flatten_variant` and the like.
 */
import { alignTo, type Codec, type CoreType, CoreValues, MOST_FLAT, unexpected } from "./codec.ts";
import type { Context, CoreValue } from "./context.ts";

/** A case by its number, and its payload. */
type Chosen = readonly [index: number, payload: unknown];

/** How JavaScript holds the values of such a type. */
interface Shape {
  /** Makes a value. */
  readonly make: (index: number, payload: unknown) => unknown;
  /** Takes a value apart. */
  readonly choose: (value: unknown) => Chosen;
}

/** Bytes that a variant stands for here, beside its payload. */
const VARIANT_BYTES = 32;

const CONVERTER = new DataView(new ArrayBuffer(8));

class VariantCodec implements Codec {
  readonly size: number;
  readonly align: number;
  readonly weight: number;
  readonly flat: readonly CoreType[] | undefined;
  readonly #cases: readonly (Codec | undefined)[];
  readonly #shape: Shape;
  readonly #tagSize: number;
  readonly #payloadAt: number;

  constructor(cases: readonly (Codec | undefined)[], shape: Shape) {
    this.#cases = cases;
    this.#shape = shape;
    this.#tagSize = tagSize(cases.length);
    const payloadAlign = most(cases, "align", 1);
    this.align = Math.max(this.#tagSize, payloadAlign);
    this.#payloadAt = alignTo(this.#tagSize, payloadAlign);
    this.size = alignTo(this.#payloadAt + most(cases, "size", 0), this.align);
    this.weight = VARIANT_BYTES + most(cases, "weight", 0);
    this.flat = joinCases(cases);
  }

  load(context: Context, at: number): unknown {
    const { view } = context;
    const index = this.#tagSize === 1 ? view.getUint8(at) : view.getUint16(at, true);
    this.#check(context, index);
    return this.#shape.make(index, this.#cases[index]?.load(context, at + this.#payloadAt));
  }

  store(context: Context, value: unknown, at: number): void {
    const [index, payload] = this.#shape.choose(value);
    if (this.#tagSize === 1) context.view.setUint8(at, index);
    else context.view.setUint16(at, index, true);
    this.#cases[index]?.store(context, payload, at + this.#payloadAt);
  }

  lift(context: Context, values: CoreValues): unknown {
    const index = values.number(context) >>> 0;
    this.#check(context, index);
    const codec = this.#cases[index];
    const wanted = codec?.flat ?? [];
    const joined = (this.flat ?? []).slice(1).map((type, at) => convert(values.any(), type, wanted[at]));
    return this.#shape.make(index, codec?.lift(context, new CoreValues(joined)));
  }

  lower(context: Context, value: unknown, out: CoreValue[]): void {
    const [index, payload] = this.#shape.choose(value);
    out.push(index);
    const own: CoreValue[] = [];
    this.#cases[index]?.lower(context, payload, own);
    const types = this.#cases[index]?.flat ?? [];
    for (const [at, type] of (this.flat ?? []).slice(1).entries()) {
      const given = own[at];
      out.push(given === undefined ? zero(type) : widen(given, types[at], type));
    }
  }

  #check(context: Context, index: number): void {
    if (index >= this.#cases.length) context.refuse("a discriminant that its type does not have");
  }
}

/** Makes the codec of a variant. @param cases - Names and payloads, in order. */
export function variantCodec(cases: readonly (readonly [name: string, codec: Codec | undefined])[]): Codec {
  const numbers = new Map(cases.map(([name], index) => [name, index]));
  return new VariantCodec(
    cases.map(([, codec]) => codec),
    {
      make: (index, value) => ({ tag: cases[index]?.[0] ?? "", value }),
      choose: (value) => [numbers.get(tagOf(value)) ?? unexpected(value), payloadOf(value)],
    },
  );
}

/** Makes the codec of an enum. */
export function enumCodec(names: readonly string[]): Codec {
  const numbers = new Map(names.map((name, index) => [name, index]));
  return new VariantCodec(
    names.map(() => undefined),
    {
      make: (index) => names[index],
      choose: (value) => [(typeof value === "string" ? numbers.get(value) : undefined) ?? unexpected(value), undefined],
    },
  );
}

/** Makes the codec of `option<T>`. @param isNested - Whether T is an option itself: its values then come in a box. */
export function optionCodec(some: Codec, isNested: boolean): Codec {
  return new VariantCodec([undefined, some], {
    make: (index, value) => (index === 0 || !isNested ? value : { some: value }),
    choose: (value) => {
      if (value === undefined) return [0, undefined];
      return [1, isNested && isObject(value) ? value["some"] : value];
    },
  });
}

/** Makes the codec of `result<T, E>`. */
export function resultCodec(ok: Codec | undefined, error: Codec | undefined): Codec {
  return new VariantCodec([ok, error], {
    make: (index, value) => ({ tag: index === 0 ? "ok" : "error", value }),
    choose: (value) => [tagOf(value) === "ok" ? 0 : 1, payloadOf(value)],
  });
}

function most(cases: readonly (Codec | undefined)[], what: "align" | "size" | "weight", least: number): number {
  return cases.reduce((found, codec) => Math.max(found, codec?.[what] ?? 0), least);
}

function tagSize(cases: number): number {
  return cases <= 256 ? 1 : 2;
}

/** The core values of all cases, each wide enough for any of them. */
function joinCases(cases: readonly (Codec | undefined)[]): readonly CoreType[] | undefined {
  const joined: CoreType[] = [];
  for (const codec of cases) {
    if (codec === undefined) continue;
    if (codec.flat === undefined) return undefined;
    for (const [at, type] of codec.flat.entries()) joined[at] = joinTypes(joined[at], type);
  }
  return joined.length + 1 > MOST_FLAT ? undefined : ["i32", ...joined];
}

function joinTypes(a: CoreType | undefined, b: CoreType): CoreType {
  if (a === undefined || a === b) return b;
  return isNarrow(a) && isNarrow(b) ? "i32" : "i64";
}

function isNarrow(type: CoreType): boolean {
  return type === "i32" || type === "f32";
}

/** Turns a joined core value into the type that a case has there. */
function convert(value: unknown, from: CoreType, to: CoreType | undefined): unknown {
  if (to === undefined || from === to) return value;
  if (from === "i64" && typeof value === "bigint") {
    if (to === "i32") return Number(BigInt.asIntN(32, value));
    CONVERTER.setBigInt64(0, value, true);
    return to === "f32" ? CONVERTER.getFloat32(0, true) : CONVERTER.getFloat64(0, true);
  }
  CONVERTER.setInt32(0, typeof value === "number" ? value : 0, true);
  return CONVERTER.getFloat32(0, true);
}

/** Turns a case's core value into the joined type. */
function widen(value: CoreValue, from: CoreType | undefined, to: CoreType): CoreValue {
  if (from === undefined || from === to) return value;
  CONVERTER.setBigInt64(0, 0n, true);
  if (from === "f32") CONVERTER.setFloat32(0, Number(value), true);
  else if (from === "f64") CONVERTER.setFloat64(0, Number(value), true);
  else CONVERTER.setInt32(0, Number(value), true);
  return to === "i32" ? CONVERTER.getInt32(0, true) : CONVERTER.getBigInt64(0, true);
}

function zero(type: CoreType): CoreValue {
  return type === "i64" ? 0n : 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function tagOf(value: unknown): string {
  return isObject(value) && typeof value["tag"] === "string" ? value["tag"] : unexpected(value);
}

function payloadOf(value: unknown): unknown {
  return isObject(value) ? value["value"] : undefined;
}
