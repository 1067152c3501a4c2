/**
 * Messages as bytes on a pipe between the host and an executor process: a length and as many bytes; in these the length of a header, the
 * header in JSON, and raw bytes behind it. Pure.
 */
import type { ExecutorOrder } from "../protocol/messages.ts";
import { parsePolicy } from "./sent-policy.ts";

/** A header and the bytes behind it. */
export interface Letter<Header> {
  readonly header: Header;
  readonly body: Uint8Array;
}

const LENGTH_BYTES = 4;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** Makes a frame. @returns Its bytes; those of `body` are the last, uncopied. */
export function encodeFrame(header: object, body: Uint8Array = new Uint8Array()): Uint8Array[] {
  const text = ENCODER.encode(JSON.stringify(header));
  const head = new Uint8Array(2 * LENGTH_BYTES + text.length);
  const view = new DataView(head.buffer);
  view.setUint32(0, LENGTH_BYTES + text.length + body.length);
  view.setUint32(LENGTH_BYTES, text.length);
  head.set(text, 2 * LENGTH_BYTES);
  return body.length === 0 ? [head] : [head, body];
}

/**
 * Takes a frame of the host apart, which is trusted, and of the same version.
 *
 * @throws {Error} for a call whose policy cannot be read.
 */
export function decodeOrder(frame: Uint8Array): Letter<ExecutorOrder> {
  const end = LENGTH_BYTES + readLength(frame);
  const header: ExecutorOrder = JSON.parse(DECODER.decode(frame.subarray(LENGTH_BYTES, end)));
  const body = frame.subarray(end);
  return { header: header.type === "call" ? { ...header, policy: parsePolicy(header.policy) } : header, body };
}

/**
 * Takes a frame of a process apart.
 *
 * @param headerLimitBytes - Most bytes of the header: what a parser makes of JSON can take many times its bytes, and its time.
 * @returns Undefined when it is no frame.
 */
export function decodeReport(frame: Uint8Array, headerLimitBytes: number): Letter<unknown> | undefined {
  if (frame.length < LENGTH_BYTES) return undefined;
  const length = readLength(frame);
  const end = LENGTH_BYTES + length;
  if (length > headerLimitBytes || end > frame.length) return undefined;
  try {
    return { header: JSON.parse(DECODER.decode(frame.subarray(LENGTH_BYTES, end))), body: frame.subarray(end) };
  } catch {
    return undefined;
  }
}

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

function readLength(bytes: Uint8Array, at = 0): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
}
