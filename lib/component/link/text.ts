/**
 * The codec of `string`.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md, `load_string`, `store_string`.
 */
import { type Codec, type CoreValues, unexpected } from "./codec.ts";
import type { Context, CoreValue } from "./context.ts";

/** Says that a text in `latin1+utf16` is UTF-16. Source: CanonicalABI.md, `UTF16_TAG`. */
const UTF16_TAG = 2 ** 31;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const UTF16 = new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** `string`. */
export const STRING: Codec = {
  size: 8,
  align: 4,
  weight: 24,
  flat: ["i32", "i32"],
  load: (context, at) => read(context, context.view.getUint32(at, true), context.view.getUint32(at + 4, true)),
  store: (context, value, at) => {
    const [pointer, length] = write(context, value);
    context.view.setUint32(at, pointer, true);
    context.view.setUint32(at + 4, length, true);
  },
  lift: (context: Context, values: CoreValues) => {
    const pointer = values.number(context) >>> 0;
    return read(context, pointer, values.number(context) >>> 0);
  },
  lower: (context: Context, value: unknown, out: CoreValue[]) => void out.push(...write(context, value)),
};

function read(context: Context, pointer: number, length: number): string {
  if (context.encoding === "utf8") return decode(context, UTF8, take(context, pointer, length));
  context.check(pointer, 0, 2);
  if (context.encoding === "utf16") return decode(context, UTF16, take(context, pointer, length * 2));
  if (length >= UTF16_TAG) return decode(context, UTF16, take(context, pointer, (length - UTF16_TAG) * 2));
  return Buffer.from(take(context, pointer, length)).toString("latin1");
}

function take(context: Context, pointer: number, size: number): Uint8Array {
  context.check(pointer, size, 1);
  context.count(size);
  return context.bytes(pointer, size);
}

function decode(context: Context, decoder: TextDecoder, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return context.refuse("text that is not valid in its encoding");
  }
}

/** @returns Where it is, and its length in the encoding's units. */
function write(context: Context, value: unknown): readonly [pointer: number, length: number] {
  if (typeof value !== "string") return unexpected(value);
  if (context.encoding === "utf8") {
    const bytes = ENCODER.encode(value);
    return [copy(context, bytes, 1), bytes.length];
  }
  // oxlint-disable-next-line no-control-regex -- all of Latin-1, which begins with the control characters
  if (context.encoding === "latin1+utf16" && /^[\u0000-\u00ff]*$/.test(value))
    return [copy(context, Buffer.from(value, "latin1"), 2), value.length];
  const pointer = copy(context, Buffer.from(value.toWellFormed(), "utf16le"), 2);
  return [pointer, value.length + (context.encoding === "utf16" ? 0 : UTF16_TAG)];
}

function copy(context: Context, bytes: Uint8Array, align: number): number {
  const pointer = context.allocate(bytes.length, align);
  context.bytes(pointer, bytes.length).set(bytes);
  return pointer;
}
