/**
 * Writes the WebAssembly binary format into a growing buffer. Pure.
 *
 * Source: WebAssembly 3.0, 5.2 Values.
 */
const TEXT = new TextEncoder();

/** Bytes of a padded 32-bit LEB128: room to fill in a number that is known later. */
const PADDED_U32_BYTES = 5;

/** Up to here, bytes are copied one by one. */
const SHORT_BYTES = 128;

/** A growing buffer. */
export class Writer {
  #bytes: Uint8Array;
  /** Bytes written so far. */
  length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Appends one byte. */
  u8(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = byte;
  }

  /** Appends an unsigned LEB128, 0 to 2^32 - 1. */
  u32(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  /** Appends a signed LEB128, -2^31 to 2^32 - 1; what is above 2^31 - 1 as the number of the same 32 bits. */
  s32(value: number): void {
    let rest = value | 0;
    while (rest < -0x40 || rest > 0x3f) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.u8(rest & 0x7f);
  }

  /** Appends a copy of bytes. */
  copy(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Appends a copy of `bytes[start, end)`; without a subarray, which is garbage, for the short pieces that code is made of. */
  copyRange(bytes: Uint8Array, start: number, end: number): void {
    const count = end - start;
    if (count > SHORT_BYTES) return this.copy(bytes.subarray(start, end));
    this.#reserve(count);
    const target = this.#bytes;
    const to = this.length;
    for (let i = 0; i < count; i++) target[to + i] = bytes[start + i] ?? 0;
    this.length = to + count;
  }

  /** Appends a vector of UTF-8 bytes. */
  name(text: string): void {
    const bytes = TEXT.encode(text);
    this.u32(bytes.length);
    this.copy(bytes);
  }

  /** Leaves room for a number and returns where. Filled in by {@link Writer.patchU32}. */
  padded(): number {
    this.#reserve(PADDED_U32_BYTES);
    const at = this.length;
    this.length += PADDED_U32_BYTES;
    return at;
  }

  /** Fills in a number, 0 to 2^32 - 1 (0 to 2^31 - 1 where it is read as signed), at a place that {@link Writer.padded} left. */
  patchU32(at: number, value: number): void {
    const bytes = this.#bytes;
    bytes[at] = (value & 0x7f) | 0x80;
    bytes[at + 1] = ((value >>> 7) & 0x7f) | 0x80;
    bytes[at + 2] = ((value >>> 14) & 0x7f) | 0x80;
    bytes[at + 3] = ((value >>> 21) & 0x7f) | 0x80;
    bytes[at + 4] = value >>> 28;
  }

  /** Fills in the size of content, which {@link writeSized} left in front of it. */
  patchSize(start: number, end: number): void {
    this.patchU32(start - PADDED_U32_BYTES, end - start);
  }

  /** Overwrites `[start, end)` with one byte. */
  fill(start: number, end: number, byte: number): void {
    this.#bytes.fill(byte, start, end);
  }

  /** Puts bytes between what was written: everything behind `at` moves. */
  insert(at: number, bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.copyWithin(at + bytes.length, at, this.length);
    this.#bytes.set(bytes, at);
    this.length += bytes.length;
  }

  /** Puts pieces between what was written, each at its own place; places are in order, and count from before. */
  insertAll(places: Uint32Array, pieces: readonly Uint8Array[]): void {
    let added = pieces.reduce((sum, { length }) => sum + length, 0);
    this.#reserve(added);
    let end = this.length;
    this.length += added;
    for (let index = places.length - 1; index >= 0; index--) {
      const place = places[index] ?? 0;
      const piece = pieces[index] ?? new Uint8Array();
      this.#bytes.copyWithin(place + added, place, end);
      added -= piece.length;
      this.#bytes.set(piece, place + added);
      end = place;
    }
  }

  /** Adds to a size in front of `start` that was filled in. @returns The new size. */
  growSize(start: number, added: number): number {
    const at = start - PADDED_U32_BYTES;
    let size = 0;
    for (let index = 0; index < PADDED_U32_BYTES; index++)
      size |= ((this.#bytes[at + index] ?? 0) & 0x7f) << (7 * index);
    this.patchU32(at, size + added);
    return size + added;
  }

  /** Returns what was written: no copy, which would double the memory that a large module takes. Nothing may be written after it. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + count));
    grown.set(this.#bytes.subarray(0, this.length));
    this.#bytes = grown;
  }
}

/** Encodes what is written more than once. */
export function encode(write: (out: Writer) => void): Uint8Array {
  const out = new Writer(64);
  write(out);
  return out.finish();
}

/** Writes something behind its size in bytes. @returns That size. */
export function writeSized(out: Writer, write: () => void): number {
  const at = out.padded();
  const start = out.length;
  write();
  const size = out.length - start;
  out.patchU32(at, size);
  return size;
}

/** Writes an instruction with an index, or a block type, behind it. */
export function writeIndexed(out: Writer, opcode: number, index: number): void {
  out.u8(opcode);
  out.u32(index);
}

/** Writes a call. */
export function writeCall(out: Writer, functionIndex: number): void {
  writeIndexed(out, 0x10, functionIndex);
}

/** Writes a constant of the opcode's type. @param value - -2^31 to 2^32 - 1. */
export function writeNumber(out: Writer, opcode: number, value: number): void {
  out.u8(opcode);
  out.s32(value);
}

/** Encodes a signed LEB128, see {@link Writer.s32}. */
export function signedBytes(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  while (rest < -0x40 || rest > 0x3f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  bytes.push(rest & 0x7f);
  return bytes;
}
