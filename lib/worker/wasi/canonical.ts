/**
 * The types that the host's functions take and give, each as the canonical ABI passes it. The guest's side of the trust boundary.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md, Flattening, Loading and Storing.
 */
import { type CanonicalOptions, type CoreFunction, type CoreValue, Frame } from "./boundary.ts";
import type { Host } from "./host.ts";
import { ResultError } from "./result.ts";

/** Takes an argument: from core values, or from where they point to. */
export type Parameter = (frame: Frame) => unknown;

/** A function of the host's. */
export type Run = (...args: readonly unknown[]) => unknown;

/** Runs a function, and gives its result as a core value or in the guest's memory. */
export type Result = (frame: Frame, run: Run, args: readonly unknown[]) => CoreValue;

/** A function's type: its parameters, and its result. A method's leaves out the resource itself. */
export type Signature = readonly [parameters: readonly Parameter[], result: Result];

/** The types of functions, by their names at the glue. */
export type Signatures = Readonly<Record<string, Signature>>;

/** Writes a value at its place. Runs nothing of the guest's. */
type Store = (place: DataView, at: number) => void;

/** A type that a result may have in memory. */
interface Stored {
  readonly size: number;
  readonly align: number;
  /** Makes room for what the value points to, and returns what writes the value itself. */
  prepare(frame: Frame, value: unknown): Store;
}

/** Bytes of a text that are decoded at once. */
const PIECE_BYTES = 65_536;
const ENCODER = new TextEncoder();

/** `u64`, and types that are one. */
export const u64Parameter: Parameter = (frame) => frame.takeI64();

/** `u8`. */
export const u8Parameter: Parameter = (frame) => frame.takeI32();

/** `result` without payloads. */
export const resultParameter: Parameter = (frame) => ({ tag: frame.takeI32() === 0 ? "ok" : "err" });

/** Makes the type `enum`. @param cases - Their names, in the order of their definition. */
export function enumParameter(cases: readonly string[]): Parameter {
  return (frame) => cases[frame.takeI32()];
}

/** `list<u8>`: a view of the guest's memory. Who keeps it copies it. */
export const bytesParameter: Parameter = (frame) => {
  const pointer = frame.takeI32();
  const bytes = frame.view(pointer, frame.takeI32());
  frame.host.chargeBytes(bytes.length);
  return bytes;
};

/** `string`, in pieces of at most {@link PIECE_BYTES} bytes, at least one: a text may be as long as the guest's memory. */
export const textParameter: Parameter = (frame) => {
  const { encoding } = frame;
  if (encoding !== "utf-8" && encoding !== "utf-16le") return frame.refuse();
  const pointer = frame.takeI32();
  const bytes = frame.view(pointer, frame.takeI32() * (encoding === "utf-8" ? 1 : 2));
  frame.host.chargeBytes(bytes.length);
  return decodePieces(frame, bytes, encoding);
};

/**
 * Makes the type `list<borrow<T>>`.
 *
 * @param limit - Most elements that the function takes. A longer list arrives with one element more, all empty.
 * @param take - Takes an element by its handle.
 */
export function handlesParameter(limit: number, take: (frame: Frame, handle: number) => unknown): Parameter {
  return (frame) => {
    const pointer = frame.takeI32();
    const length = frame.takeI32();
    const place = frame.place(pointer, length * 4, 4);
    if (length > limit) return Array.from({ length: limit + 1 });
    frame.host.context.charge(length);
    return Array.from({ length }, (_, index) => take(frame, place.getUint32(index * 4, true)));
  };
}

/** No result. */
export const nothing: Result = (_, run, args) => void run(...args);

/** No result; the last argument is a text, and the function runs for each of its pieces. */
export const nothingInPieces: Result = (_, run, [first, pieces]) => {
  const texts: Iterator<unknown> = pieces instanceof Iterator ? pieces : unexpected(pieces);
  for (let next = texts.next(); next.done !== true; next = texts.next()) run(first, next.value);
  return undefined;
};

/** `u64`. */
export const u64Result: Result = (_, run, args) => requireBigInt(run(...args));

/** `bool`. */
export const boolResult: Result = (_, run, args) => (run(...args) === true ? 1 : 0);

const BYTES: Stored = {
  size: 8,
  align: 4,
  prepare(frame, value) {
    const bytes = value instanceof Uint8Array ? value : unexpected(value);
    frame.host.chargeBytes(bytes.length);
    const pointer = frame.allocate(bytes.length, 1);
    frame.view(pointer, bytes.length).set(bytes);
    return storePair(pointer, bytes.length);
  },
};

/** `list<u8>`. */
export const bytesResult: Result = stored(BYTES);

/** `list<u32>`. */
export const numbersResult: Result = stored({
  size: 8,
  align: 4,
  prepare(frame, value) {
    const numbers: readonly unknown[] = Array.isArray(value) ? value : unexpected(value);
    const pointer = frame.allocate(numbers.length * 4, 4);
    const room = frame.place(pointer, numbers.length * 4, 4);
    for (const [index, number] of numbers.entries()) room.setUint32(index * 4, Number(number), true);
    return storePair(pointer, numbers.length);
  },
});

/** `string`. */
export const stringResult: Result = stored({
  size: 8,
  align: 4,
  prepare(frame, value) {
    if (frame.encoding !== "utf-8") return frame.refuse();
    return BYTES.prepare(frame, ENCODER.encode(String(value)));
  },
});

/** `list<T>` of any type, always empty. */
export const emptyResult: Result = stored({
  size: 8,
  align: 4,
  prepare: (frame) => storePair(frame.allocate(0, 4), 0),
});

/** `tuple<u64, u64>`. */
export const pairResult: Result = stored({
  size: 16,
  align: 8,
  prepare: (_, value) => (place) => {
    const words: readonly unknown[] = Array.isArray(value) ? value : unexpected(value);
    place.setBigUint64(0, requireBigInt(words[0]), true);
    place.setBigUint64(8, requireBigInt(words[1]), true);
  },
});

/** `datetime`: a record of a `u64` and a `u32`. */
export const datetimeResult: Result = stored({
  size: 16,
  align: 8,
  prepare: (_, value) => (place) => {
    const { seconds, nanoseconds }: { seconds?: unknown; nanoseconds?: unknown } = Object(value);
    place.setBigUint64(0, requireBigInt(seconds), true);
    place.setUint32(8, Number(nanoseconds), true);
  },
});

/** Makes the type `option<T>`, always `none`. @param size - Bytes that the option takes, a multiple of `align`. */
export function noneResult(size: number, align: number): Result {
  return stored({ size, align, prepare: () => (place) => place.setUint8(0, 0) });
}

/** `result<_, stream-error>`. */
export const streamResult: Result = fallible({ size: 0, align: 1, prepare: () => () => undefined });

/** `result<u64, stream-error>`. */
export const streamU64Result: Result = fallible({
  size: 8,
  align: 8,
  prepare: (_, value) => (place, at) => place.setBigUint64(at, requireBigInt(value), true),
});

/** `result<list<u8>, stream-error>`. */
export const streamBytesResult: Result = fallible(BYTES);

/** Makes the function that the glue asks for an import's core function. @param name - The import, for a trap's reason. */
export function lowerFunction(
  { host, name }: { readonly host: Host; readonly name: string },
  [parameters, result]: Signature,
  run: Run,
): (options: CanonicalOptions) => CoreFunction {
  return (options) =>
    (...values) => {
      if (host.isAllocating) host.context.trap(`it called ${name} from its allocator`);
      const frame = new Frame({ host, name, options }, values);
      return result(
        frame,
        run,
        parameters.map((take) => take(frame)),
      );
    };
}

/** A result of more than one core value: stored where the last argument points to. */
function stored(type: Stored): Result {
  return (frame, run, args) => {
    const store = type.prepare(frame, run(...args));
    store(frame.place(frame.takeI32(), type.size, type.align), 0);
    return undefined;
  };
}

/** `result<T, stream-error>`. The only error that streams here have is `closed`, the second case of its variant. */
function fallible(type: Stored): Result {
  const at = Math.max(type.align, 4);
  const prepare = (frame: Frame, value: unknown): Store => {
    const isClosed = value instanceof ResultError;
    const store = isClosed ? (place: DataView) => place.setUint8(at, 1) : type.prepare(frame, value);
    return (place) => {
      place.setUint8(0, isClosed ? 1 : 0);
      store(place, at);
    };
  };
  const result = stored({ size: at + Math.max(type.size, 8), align: at, prepare });
  return (frame, run, args) => result(frame, () => settle(run, args), []);
}

/** @returns The error of a `result` that is one, as a value. */
function settle(run: Run, args: readonly unknown[]): unknown {
  try {
    return run(...args);
  } catch (error) {
    if (error instanceof ResultError) return error;
    throw error;
  }
}

function storePair(pointer: number, length: number): Store {
  return (place, at) => {
    place.setUint32(at, pointer, true);
    place.setUint32(at + 4, length, true);
  };
}

/** Decodes while it is used. Nothing of the guest's runs in between, so its memory stays where it is. */
function* decodePieces(frame: Frame, bytes: Uint8Array, encoding: "utf-8" | "utf-16le"): Generator<string> {
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  for (let start = 0, end = 0; start === 0 || start < bytes.length; start = end) {
    end = start + PIECE_BYTES;
    yield decodePiece(frame, () => decoder.decode(bytes.subarray(start, end), { stream: end < bytes.length }));
  }
}

function decodePiece(frame: Frame, decode: () => string): string {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return frame.host.context.trap(`it called ${frame.name} with text that is not ${frame.encoding.toUpperCase()}`);
  }
}

function requireBigInt(value: unknown): bigint {
  return typeof value === "bigint" ? value : unexpected(value);
}

function unexpected(value: unknown): never {
  throw new Error(`BUG: an import gave a ${typeof value} that its signature does not have`);
}
