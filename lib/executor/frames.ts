/**
 * Messages as bytes on a pipe between the host and an executor process: a length and as many bytes; in these the length of a header, the
 * header in JSON, and raw bytes behind it. Pure.
 */
import { LENGTH_BYTES, readLength } from "../frame-reader.ts";
import type { ExecutorOrder } from "../protocol/messages.ts";
import { parsePolicy } from "./sent-policy.ts";

/** A header and the bytes behind it. */
export interface Letter<Header> {
  readonly header: Header;
  readonly body: Uint8Array;
}

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
