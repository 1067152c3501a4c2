/**
 * Recycles linear memories: an instance over a zeroed memory costs a few microseconds, a fresh memory a few hundred.
 *
 * A memory is zeroed when its call ends, so that nothing of one call is left for the next, nor stays in the process for long.
 */
import { PAGE_BYTES } from "./memory-account.ts";

/** Larger memories cost less to make anew than to zero. */
const LARGEST_BYTES = 16 * 1_048_576;
/** Memories kept for each size. */
const KEPT_PER_SIZE = 4;
/** Bytes kept in all. */
const KEPT_BYTES = 64 * 1_048_576;

/** The size of a memory, in pages of 64 KiB. */
export interface MemorySize {
  readonly initialPages: number;
  readonly maximumPages: number | undefined;
}

/** The memories of one Worker. */
export class MemoryPool {
  /** Bytes that ended calls have left to the engine's collector, which does not know how many they are: those of tables. */
  leftBytes = 0;
  readonly #free = new Map<string, WebAssembly.Memory[]>();
  #keptBytes = 0;

  /** Takes a memory of all zeros. @throws {RangeError} when the engine has no room for it. */
  take(size: MemorySize): WebAssembly.Memory {
    const memory = this.#free.get(keyOf(size))?.pop();
    if (memory !== undefined) {
      this.#keptBytes -= memory.buffer.byteLength;
      return memory;
    }
    const { initialPages: initial, maximumPages: maximum } = size;
    return new WebAssembly.Memory(maximum === undefined ? { initial } : { initial, maximum });
  }

  /** Gives a memory back. One that grew cannot shrink again and is dropped. */
  give(size: MemorySize, memory: WebAssembly.Memory): void {
    const bytes = memory.buffer.byteLength;
    if (bytes !== size.initialPages * PAGE_BYTES || bytes > LARGEST_BYTES) return;
    const key = keyOf(size);
    const free = this.#free.get(key) ?? [];
    if (free.length >= KEPT_PER_SIZE || this.#keptBytes + bytes > KEPT_BYTES) return;
    new Uint8Array(memory.buffer).fill(0);
    free.push(memory);
    this.#free.set(key, free);
    this.#keptBytes += bytes;
  }
}

function keyOf(size: MemorySize): string {
  return `${size.initialPages}:${size.maximumPages ?? ""}`;
}
