/**
 * The body of a request: read within bounds of size and time, parsed within a bound of depth, and one message or nothing.
 *
 * Source: MCP 2026-07-28 and 2025-11-25, "Transports / Streamable HTTP": the body is a single JSON-RPC message. Batches exist only in MCP
 * 2025-03-26, whose clients do not need them: they are refused.
 */
import { Failure, refuse } from "../../errors.ts";
import { findDepth } from "../../schema/json.ts";

/** Most bytes of a body. */
export const BODY_LIMIT_BYTES: number = 4 * 1_048_576;

/** Milliseconds that a body may take to arrive. */
const BODY_LIMIT_MS = 10_000;

/** Most levels of a message: 64 of a tool's arguments, and what is around them. */
const DEPTH_LIMIT = 72;

/** A message, as far as the transport looks into it. */
export interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
  readonly [key: string]: unknown;
}

/** The bounds of a body. */
export interface BodyLimits {
  readonly bytes: number;
  readonly ms: number;
  /** Is told of bytes as they come; what it throws ends the reading. */
  readonly onBytes?: (bytes: number) => void;
}

/** The bounds of a message's body. */
export const BODY_LIMITS: BodyLimits = Object.freeze({ bytes: BODY_LIMIT_BYTES, ms: BODY_LIMIT_MS });

/**
 * Reads the one message of a request.
 *
 * @param request - Its caller may use the server: nothing is read for others.
 * @param limits - Default: {@link BODY_LIMITS}.
 * @throws {Failure} `HTTP_BODY_TOO_LARGE`, `HTTP_BODY_TIMEOUT`, `HTTP_BODY_INVALID`, `HTTP_MESSAGE_INVALID`
 */
export async function readMessageBody(request: Request, limits: BodyLimits = BODY_LIMITS): Promise<Message> {
  const announced = Number(request.headers.get("content-length")) || 0;
  if (announced > limits.bytes) throw tooLarge(limits);
  // Told before any of it is read: what is refused is not read at all. No body is longer than announced.
  limits.onBytes?.(announced);
  const bytes = await readBytes(request.body, announced > 0 ? { bytes: limits.bytes, ms: limits.ms } : limits);
  return parseMessage(bytes);
}

/**
 * Reads a stream to its end, within bounds.
 *
 * @throws {Failure} `HTTP_BODY_TOO_LARGE`, `HTTP_BODY_TIMEOUT`, `HTTP_BODY_INVALID` when it breaks off
 */
export async function readBytes(body: ReadableStream<Uint8Array> | null, limits: BodyLimits): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(refuse("HTTP_BODY_TIMEOUT", { limitMs: limits.ms })), limits.ms);
  try {
    return await Promise.race([collect(reader, limits), late]);
  } catch (error) {
    void reader.cancel().catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Parses the bytes of a message.
 *
 * @throws {Failure} `HTTP_BODY_INVALID`, `HTTP_MESSAGE_INVALID`
 */
export function parseMessage(bytes: Uint8Array): Message {
  const value = parse(bytes);
  if (Array.isArray(value)) throw refuse("HTTP_MESSAGE_INVALID", { problem: "batches are not supported" });
  if (isMessage(value)) return value;
  throw refuse("HTTP_MESSAGE_INVALID", { problem: "the body is no JSON-RPC 2.0 request, notification or response" });
}

/** The id of a request that can be answered by it; undefined for notifications, responses and ids that are none. */
export function requestId(message: Message): string | number | undefined {
  const { id, method } = message;
  if (typeof method !== "string") return undefined;
  return typeof id === "string" || (typeof id === "number" && Number.isSafeInteger(id)) ? id : undefined;
}

async function collect(reader: ReadableStreamDefaultReader<Uint8Array>, limits: BodyLimits): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.length;
      if (size > limits.bytes) throw tooLarge(limits);
      limits.onBytes?.(part.value.length);
      parts.push(part.value);
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw refuse("HTTP_BODY_INVALID", { problem: "the body broke off" }, error);
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}

function tooLarge({ bytes }: BodyLimits): Error {
  return refuse("HTTP_BODY_TOO_LARGE", { limitBytes: bytes });
}

function parse(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw refuse("HTTP_BODY_INVALID", { problem: "the body is not UTF-8" }, error);
  }
  // Before the parser, which recurses.
  if (findDepth(text, DEPTH_LIMIT + 1) !== -1) {
    throw refuse("HTTP_MESSAGE_INVALID", { problem: `the body nests deeper than ${DEPTH_LIMIT} levels` });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refuse("HTTP_BODY_INVALID", { problem: "the body is not JSON" }, error);
  }
}

function isMessage(value: unknown): value is Message {
  return typeof value === "object" && value !== null && "jsonrpc" in value && value.jsonrpc === "2.0";
}
