/**
 * Reads the WebAssembly binary format from untrusted bytes. Pure; every read is bounds-checked.
 *
 * Source: WebAssembly 3.0, 5.2 Values (LEB128, names).
 */
import { refuse } from "../errors.ts";

const TEXT = new TextDecoder("utf-8", { fatal: true });

/** A cursor over the bytes of one module. */
export class Reader {
  readonly bytes: Uint8Array;
  /** Offset of the next byte, from the start of the module. */
  pos: number;
  /** Offset after the last byte that may be read. */
  readonly end: number;

  constructor(bytes: Uint8Array, pos = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
  }

  /** Whether all bytes have been read. */
  get done(): boolean {
    return this.pos >= this.end;
  }

  /** Reads one byte. @throws {Failure} COMPONENT_INVALID at the end. */
  u8(): number {
    if (this.pos >= this.end) throw this.malformed("unexpected end");
    return this.bytes[this.pos++] ?? 0;
  }

  /** Reads an unsigned LEB128 of at most 32 bits. @throws {Failure} COMPONENT_INVALID when it is longer or cut. */
  u32(): number {
    const first = this.u8();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.u8();
      if (shift === 28 && byte > 0x0f) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw this.malformed("an integer is too long");
  }

  /** Passes over a LEB128 of at most `bits` bits. @throws {Failure} COMPONENT_INVALID when it is longer or cut. */
  skipLeb(bits: number): void {
    for (let left = bits; left > 0; left -= 7) {
      if (this.u8() < 0x80) return;
    }
    throw this.malformed("an integer is too long");
  }

  /** Passes over `count` bytes. @throws {Failure} COMPONENT_INVALID when there are fewer. */
  skip(count: number): void {
    if (count > this.end - this.pos) throw this.malformed("unexpected end");
    this.pos += count;
  }

  /** Reads a vector of UTF-8 bytes. @throws {Failure} COMPONENT_INVALID when it is cut or not UTF-8. */
  name(): string {
    const length = this.u32();
    const start = this.pos;
    this.skip(length);
    try {
      return TEXT.decode(this.bytes.subarray(start, this.pos));
    } catch (error) {
      throw refuse(
        "COMPONENT_INVALID",
        { reason: `malformed core module: a name is not UTF-8 at byte ${start}` },
        error,
      );
    }
  }

  /** Makes the failure for a malformed module, with the current offset. */
  malformed(what: string): Error {
    return refuse("COMPONENT_INVALID", { reason: `malformed core module: ${what} at byte ${this.pos}` });
  }
}
