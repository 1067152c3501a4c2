/**
 * Codecs of lists.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md, `load_list`, `store_list`.
 */
import { type Codec, type CoreType, type CoreValues, unexpected } from "./codec.ts";
import type { Context, CoreValue } from "./context.ts";

const FLAT: readonly CoreType[] = ["i32", "i32"];

/** What all lists have in common: a pointer and a length. */
abstract class ListCodec implements Codec {
  readonly size = 8;
  readonly align = 4;
  readonly weight = 32;
  readonly flat = FLAT;

  load(context: Context, at: number): unknown {
    const { view } = context;
    return this.read(context, view.getUint32(at, true), view.getUint32(at + 4, true));
  }

  store(context: Context, value: unknown, at: number): void {
    const [pointer, length] = this.write(context, value);
    context.view.setUint32(at, pointer, true);
    context.view.setUint32(at + 4, length, true);
  }

  lift(context: Context, values: CoreValues): unknown {
    const pointer = values.number(context) >>> 0;
    return this.read(context, pointer, values.number(context) >>> 0);
  }

  lower(context: Context, value: unknown, out: CoreValue[]): void {
    out.push(...this.write(context, value));
  }

  protected abstract read(context: Context, pointer: number, length: number): unknown;
  protected abstract write(context: Context, value: unknown): readonly [pointer: number, length: number];
}

/** `list<u8>`. */
class ByteList extends ListCodec {
  protected override read(context: Context, pointer: number, length: number): Uint8Array {
    const view = context.bytes(pointer, length);
    if (context.destination !== "host") {
      context.count(length);
      return view.slice();
    }
    context.payer.chargeBytes(length);
    return view;
  }

  protected override write(context: Context, value: unknown): readonly [number, number] {
    if (!(value instanceof Uint8Array)) return unexpected(value);
    const pointer = context.allocate(value.length, 1);
    context.bytes(pointer, value.length).set(value);
    return [pointer, value.length];
  }
}

/** `list<T>`. */
class ElementList extends ListCodec {
  readonly #element: Codec;

  constructor(element: Codec) {
    super();
    this.#element = element;
  }

  protected override read(context: Context, pointer: number, length: number): unknown[] {
    const { size, align, weight } = this.#element;
    context.check(pointer, length * size, align);
    context.count(length * weight);
    const elements: unknown[] = [];
    for (let index = 0; index < length; index++) elements.push(this.#element.load(context, pointer + index * size));
    return elements;
  }

  protected override write(context: Context, value: unknown): readonly [number, number] {
    if (!Array.isArray(value)) return unexpected(value);
    const { size, align } = this.#element;
    const pointer = context.allocate(value.length * size, align);
    for (const [index, element] of value.entries()) {
      // Each may run the guest's allocator, which cannot take this piece back.
      this.#element.store(context, element, pointer + index * size);
    }
    return [pointer, value.length];
  }
}

/** `list<u8>`. */
export const BYTES: Codec = new ByteList();

/** Makes the codec of `list<T>`. */
export function listCodec(element: Codec): Codec {
  return new ElementList(element);
}
