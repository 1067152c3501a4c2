/**
 * Recycles linear memories: an instance over a zeroed memory costs a few microseconds, a fresh memory a few hundred.
 *
 * A memory is zeroed when its call ends, so that nothing of one call is left for the next, nor stays in the process for long.
 */
import { PAGE_BYTES } from "./memory-account.ts";

/** Larger memories cost less to make anew than to zero. */
const LARGEST_BYTES = 16 * 1_048_576;
/** Memories kept when few calls run at once: a process has a few of the kind that grows in place, and those that are kept are nobody else's. */
const KEPT_AT_LEAST = 16;
/** Memories kept for each size, of those. */
const KEPT_PER_SIZE = 4;
/** Memories kept for as many calls as were in one Worker together: where many wait, each would make a new one, and the engine collects them late. */
const KEPT_AT_MOST = 1024;
/** Calls after which it is mostly forgotten how many there were at once. */
const FORGOTTEN_AFTER = 4096;
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
  readonly #counts = new Map<string, number>();
  #keptBytes = 0;
  /** Memories that were taken and not given back. */
  #out = 0;
  /** The most of them at once, forgotten slowly. */
  #mostOut = 0;

  /** Takes a memory of all zeros. @throws {RangeError} when the engine has no room for it. */
  take(size: MemorySize): WebAssembly.Memory {
    this.#out += 1;
    this.#mostOut = Math.max(this.#mostOut, this.#out);
    const key = keyOf(size);
    const isThere = (this.#counts.get(key) ?? 0) > 0;
    const kept = isThere ? this.#remove(this.#kept.findLastIndex((each) => each.key === key)) : undefined;
    if (kept !== undefined) return kept.memory;
    const { initialPages: initial, maximumPages: maximum } = size;
    return new WebAssembly.Memory(maximum === undefined ? { initial } : { initial, maximum });
  }

  /** Gives a memory back. One that grew cannot shrink again and is dropped; one that finds no room takes the place of the oldest. */
  give(size: MemorySize, memory: WebAssembly.Memory): void {
    this.#out -= 1;
    this.#mostOut -= this.#mostOut / FORGOTTEN_AFTER;
    const bytes = memory.buffer.byteLength;
    const key = keyOf(size);
    const count = this.#counts.get(key) ?? 0;
    const isFit = bytes === size.initialPages * PAGE_BYTES && bytes <= LARGEST_BYTES;
    if (!isFit || count >= this.#room(KEPT_PER_SIZE)) return this.#drop(memory);
    new Uint8Array(memory.buffer).fill(0);
    this.#kept.push({ key, memory });
    this.#counts.set(key, count + 1);
    this.#keptBytes += bytes;
    const room = this.#room(KEPT_AT_LEAST);
    while (this.#kept.length > room || this.#keptBytes > KEPT_BYTES) this.#drop(this.#remove(0)?.memory);
  }

  /** How many are kept: the usual, or as many as were out together, where those are more than a few. */
  #room(usual: number): number {
    return this.#mostOut <= KEPT_AT_LEAST ? usual : Math.min(this.#mostOut, KEPT_AT_MOST);
  }

  #drop(memory: WebAssembly.Memory | undefined): void {
    this.leftBytes += DROPPED_BYTES + (memory?.buffer.byteLength ?? 0) * DROPPED_SHARE;
  }

  #remove(index: number): Kept | undefined {
    const [kept] = index < 0 ? [] : this.#kept.splice(index, 1);
    if (kept === undefined) return undefined;
    this.#counts.set(kept.key, (this.#counts.get(kept.key) ?? 0) - 1);
    this.#keptBytes -= kept.memory.buffer.byteLength;
    return kept;
  }
}

function keyOf(size: MemorySize): string {
  return `${size.initialPages}:${size.maximumPages ?? ""}`;
}
