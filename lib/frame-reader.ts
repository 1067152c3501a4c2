/**
 * Cuts what comes through a pipe into frames: a length as 32 bits, the highest first, and as many bytes. Pure.
 */

/** Bytes of a frame's length. */
export const LENGTH_BYTES = 4;

/** Cuts a stream of bytes into frames, however the pipe delivers them. */
export class FrameReader {
  readonly #limitBytes: number;
  /** Of what came, that which is not yet a whole frame: its first {@link #kept} bytes. */
  #buffer: Uint8Array = new Uint8Array();
  #kept = 0;

  /** @param limitBytes - Most bytes of a frame, without its length. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /**
   * Takes the next bytes.
   *
   * @returns The frames that are whole now, without their lengths; undefined when one is longer than the limit.
   */
  push(chunk: Uint8Array): Uint8Array[] | undefined {
    const bytes = this.#kept === 0 ? chunk : this.#append(chunk);
    const frames: Uint8Array[] = [];
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = readLength(bytes, at);
      if (length > this.#limitBytes) return undefined;
      const end = at + LENGTH_BYTES + length;
      if (end > bytes.length) break;
      frames.push(bytes.subarray(at + LENGTH_BYTES, end));
      at = end;
    }
    this.#keep(bytes.subarray(at), frames.length > 0);
    return frames;
  }

  /** Adds to what is kept, in a buffer that grows by doubling: a pipe may deliver byte by byte. */
  #append(chunk: Uint8Array): Uint8Array {
    const end = this.#kept + chunk.length;
    if (end > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(end, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, this.#kept));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#kept);
    this.#kept = end;
    return this.#buffer.subarray(0, end);
  }

  /** Keeps what is left: in a buffer of its own when frames were handed out, which lie in the old one. */
  #keep(rest: Uint8Array, hasFrames: boolean): void {
    const isInPlace = !hasFrames && this.#kept > 0;
    if (!isInPlace) this.#buffer = rest.slice();
    this.#kept = rest.length;
  }
}

/** Reads a length. @param at - Where it stands. */
export function readLength(bytes: Uint8Array, at = 0): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
}

/** Writes a length. */
export function lengthOf(bytes: number): Uint8Array {
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, bytes);
  return length;
}
