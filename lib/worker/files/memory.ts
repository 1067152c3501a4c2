/**
 * Memory that the system's calls read and write: names with a NUL behind them, times, errors. The guest's side of the trust boundary.
 */
import { type Pointer, ptr, toArrayBuffer } from "bun:ffi";
import { FileError } from "./error.ts";
import type { NewTime, NewTimes } from "./system.ts";

/** Bytes that a name may have in a call, its NUL included. Source: limits.h, PATH_MAX of Linux. */
const NAME_BYTES = 4096;
const NS_PER_SECOND = 1_000_000_000n;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** A place for a name, used again for each call. */
export class NameBuffer {
  readonly #bytes = new Uint8Array(NAME_BYTES);
  readonly #address: number = ptr(this.#bytes);

  /**
   * Puts a name there, and a NUL behind it.
   *
   * @returns Its address, good until the next name.
   * @throws {FileError} `invalid` for a NUL within, `name-too-long`.
   */
  put(name: string): number {
    if (name.includes("\0")) throw new FileError("invalid");
    const { read, written } = encoder.encodeInto(name, this.#bytes);
    if (read < name.length || written >= NAME_BYTES) throw new FileError("name-too-long");
    this.#bytes[written] = 0;
    return this.#address;
  }
}

/** How a system says that a timestamp is now, or stays. */
export interface TimeWords {
  readonly now: bigint;
  readonly keep: bigint;
}

/** A place for the two timestamps of `utimensat`. */
export class TimesBuffer {
  readonly #words = new BigInt64Array(4);
  readonly #address: number = ptr(this.#words);
  readonly #special: TimeWords;

  constructor(special: TimeWords) {
    this.#special = special;
  }

  /** Puts them there. @returns Their address. */
  put(times: NewTimes): number {
    this.#words.set([...this.#timespec(times.accessed), ...this.#timespec(times.modified)]);
    return this.#address;
  }

  #timespec(time: NewTime): readonly [seconds: bigint, nanoseconds: bigint] {
    if (typeof time === "string") return [0n, this.#special[time]];
    return [time / NS_PER_SECOND, time % NS_PER_SECOND];
  }
}

/**
 * Gives a view of this thread's `errno`, which lies at the same place as long as the thread lives.
 *
 * It is read as plain memory right after a call, with no other call in between. Were it ever changed there nevertheless, the guest would be told another
 * error: whether a call failed is known from its result alone, and nothing that keeps a guest in hangs on which error it is.
 *
 * @param location - What the C library says about it.
 */
export function viewErrno(location: Pointer | bigint | null): Int32Array {
  if (location === null) throw new Error("BUG: this thread has no errno");
  return new Int32Array(toArrayBuffer(location, 0, 4));
}

/** Reads a name. @returns Undefined when it is not UTF-8. */
export function decodeName(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
