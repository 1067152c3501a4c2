/**
 * What a server sends, by lines and by bytes. The guest's side of the trust boundary: every byte may be hostile.
 */
import { latin1 } from "./syntax.ts";
import type { Wire } from "./wire.ts";

const LF = 0x0a;
const CR = 0x0d;
const READ_SIZE = 16_384;
const NOTHING: Uint8Array = new Uint8Array();

/** A line that cannot be read. */
export class LineFault extends Error {}

/** Reads a connection. */
export class Inflow {
  readonly connection: Wire;
  #buffer: Uint8Array = NOTHING;
  #start = 0;
  #end = 0;
  /** No line ends before this one of the bytes. */
  #scanned = 0;

  constructor(connection: Wire) {
    this.connection = connection;
  }

  /**
   * Takes a line.
   *
   * @param limit - Most bytes of it, its end not counted.
   * @returns One byte a character; undefined when its end has not come yet.
   * @throws {LineFault} When it is longer, or ends in LF alone.
   *
   * Source: RFC 9112 §2.2. That a lone LF could be taken for the end of a line is left out on purpose: no server needs it.
   */
  line(limit: number): string | undefined {
    let end = this.#buffer.subarray(0, this.#end).indexOf(LF, this.#scanned);
    while (end === -1) {
      this.#scanned = this.#end;
      if (this.#end - this.#start > limit + 1) throw new LineFault("too long");
      if (!this.#fill()) return undefined;
      end = this.#buffer.subarray(0, this.#end).indexOf(LF, this.#scanned);
    }
    if (end - this.#start > limit + 1) throw new LineFault("too long");
    if (end === this.#start || this.#buffer[end - 1] !== CR) throw new LineFault("ends in LF");
    const text = latin1(this.#buffer.subarray(this.#start, end - 1));
    this.#start = end + 1;
    this.#scanned = this.#start;
    return text;
  }

  /** Takes bytes, at most `limit`; none when there are none now. */
  bytes(limit: number): Uint8Array {
    if (this.#start === this.#end) return this.connection.read(limit);
    const size = Math.min(limit, this.#end - this.#start);
    // Copied: the buffer is used again.
    const piece = this.#buffer.slice(this.#start, this.#start + size);
    this.#start += size;
    this.#scanned = Math.max(this.#scanned, this.#start);
    return piece;
  }

  /** Reads on behind what is there. @returns False when nothing has come. */
  #fill(): boolean {
    const piece = this.connection.read(READ_SIZE);
    if (piece.length === 0) return false;
    if (this.#start > 0) this.#compact();
    const needed = this.#end + piece.length;
    if (needed > this.#buffer.length) this.#grow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.set(piece, this.#end);
    this.#end = needed;
    return true;
  }

  #compact(): void {
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#scanned -= this.#start;
    this.#start = 0;
  }

  #grow(size: number): void {
    const grown = new Uint8Array(size);
    grown.set(this.#buffer.subarray(0, this.#end));
    this.#buffer = grown;
  }
}
