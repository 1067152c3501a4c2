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
/** Memories kept in all: a process has a few of the kind that grows in place, and those that are kept are nobody else's. */
const KEPT = 16;
/** Bytes kept in all. */
const KEPT_BYTES = 64 * 1_048_576;
/**
 * What a dropped memory counts for among the bytes that are left, beside an eighth of its own: the engine knows its pages and lets some hundred MiB
 * of them gather; it does not know its 4 GiB of addresses.
 */
const DROPPED_BYTES = 65_536;
const DROPPED_SHARE = 1 / 8;

/** The size of a memory, in pages of 64 KiB. */
export interface MemorySize {
  readonly initialPages: number;
  readonly maximumPages: number | undefined;
}

interface Kept {
  readonly key: string;
  readonly memory: WebAssembly.Memory;
}

/** The memories of one Worker. */
export class MemoryPool {
  /** Bytes that ended calls have left to the engine's collector, which does not know of them: those of tables, and some for each memory. */
  leftBytes = 0;
  /** The one given back longest ago first. */
  readonly #kept: Kept[] = [];
  #keptBytes = 0;

  /** Takes a memory of all zeros. @throws {RangeError} when the engine has no room for it. */
  take(size: MemorySize): WebAssembly.Memory {
    const key = keyOf(size);
    const kept = this.#remove(this.#kept.findLastIndex((each) => each.key === key));
    if (kept !== undefined) return kept.memory;
    const { initialPages: initial, maximumPages: maximum } = size;
    return new WebAssembly.Memory(maximum === undefined ? { initial } : { initial, maximum });
  }

  /** Gives a memory back. One that grew cannot shrink again and is dropped; one that finds no room takes the place of the oldest. */
  give(size: MemorySize, memory: WebAssembly.Memory): void {
    const bytes = memory.buffer.byteLength;
    const key = keyOf(size);
    const isFit = bytes === size.initialPages * PAGE_BYTES && bytes <= LARGEST_BYTES;
    if (!isFit || this.#kept.filter((each) => each.key === key).length >= KEPT_PER_SIZE) return this.#drop(memory);
    new Uint8Array(memory.buffer).fill(0);
    this.#kept.push({ key, memory });
    this.#keptBytes += bytes;
    while (this.#kept.length > KEPT || this.#keptBytes > KEPT_BYTES) this.#drop(this.#remove(0)?.memory);
  }

  #drop(memory: WebAssembly.Memory | undefined): void {
    this.leftBytes += DROPPED_BYTES + (memory?.buffer.byteLength ?? 0) * DROPPED_SHARE;
  }

  #remove(index: number): Kept | undefined {
    const [kept] = index < 0 ? [] : this.#kept.splice(index, 1);
    this.#keptBytes -= kept?.memory.buffer.byteLength ?? 0;
    return kept;
  }
}

function keyOf(size: MemorySize): string {
  return `${size.initialPages}:${size.maximumPages ?? ""}`;
}
