/**
 * Bytes that wait, first in, first out. Small pieces share blocks: a megabyte that comes byte by byte must not become a million objects. Pure.
 */

/** Bytes of a block that small pieces share; a piece as large has one of its own. */
const BLOCK_BYTES = 4096;

const NOTHING: Uint8Array = new Uint8Array();

interface Block {
  readonly bytes: Uint8Array;
  start: number;
  end: number;
}

/** Bytes that wait. */
export class ByteQueue {
  readonly #blocks: Block[] = [];
  #length = 0;

  /** Bytes. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds bytes.
   *
   * @param isOurs - Nobody else changes them any more: large ones are kept, not copied.
   */
  push(piece: Uint8Array, isOurs: boolean): void {
    if (piece.length === 0) return;
    const last = this.#blocks.at(-1);
    this.#length += piece.length;
    if (last !== undefined && last.bytes.length - last.end >= piece.length) {
      last.bytes.set(piece, last.end);
      last.end += piece.length;
    } else if (piece.length < BLOCK_BYTES) {
      const bytes = new Uint8Array(BLOCK_BYTES);
      bytes.set(piece);
      this.#blocks.push({ bytes, start: 0, end: piece.length });
    } else this.#blocks.push({ bytes: isOurs ? piece : piece.slice(), start: 0, end: piece.length });
  }

  /** Takes bytes. @param limit - Most of them. @returns At least one, as long as there are some and the limit is not 0; nobody changes them. */
  take(limit: number): Uint8Array {
    const [first] = this.#blocks;
    if (first === undefined) return NOTHING;
    const taken = first.bytes.subarray(first.start, Math.min(first.end, first.start + limit));
    first.start += taken.length;
    this.#length -= taken.length;
    if (first.start === first.end) this.#blocks.shift();
    return taken;
  }

  /** Forgets all. */
  clear(): void {
    this.#blocks.length = 0;
    this.#length = 0;
  }
}
