/**
 * One line of the protocol stream, read: a message, or the error that answers it. The line is untrusted.
 *
 * An error that answers a line without a usable id carries none: MCP's schema has the id of an error response optional and never null
 * (JSON-RPC 2.0 has null there). Something that looks like a notification or a response is never answered.
 *
 * Source: JSON-RPC 2.0 §5.1; MCP 2025-11-25 and 2026-07-28, schema, `JSONRPCErrorResponse`. Batches exist only in MCP 2025-03-26: they
 * are refused.
 */
import { type JSONRPCErrorResponse, type JSONRPCMessage, parseJSONRPCMessage } from "@modelcontextprotocol/server";

/** Most bytes of a line. The SDK's own limit. */
export const MESSAGE_LIMIT_BYTES: number = 10 * 1_048_576;

/** What a line turned out to be. `problem` is for the log. */
export type Reading =
  | { readonly kind: "message"; readonly message: JSONRPCMessage }
  | { readonly kind: "blank" }
  | { readonly kind: "bad"; readonly problem: string; readonly answer: JSONRPCErrorResponse | undefined };

const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;

/**
 * Reads a line.
 *
 * @param line - Bytes, without the newline; a carriage return and a byte-order mark are tolerated.
 */
export function readMessage(line: Uint8Array): Reading {
  let value: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(line);
    if (text.trim() === "") return { kind: "blank" };
    value = JSON.parse(text);
  } catch (error) {
    const problem = error instanceof TypeError ? "the message is not UTF-8" : "the message is not JSON";
    return bad(PARSE_ERROR, `Parse error: ${problem}`);
  }
  return readValue(value);
}

/** Answers a line over {@link MESSAGE_LIMIT_BYTES}. */
export function refuseLongLine(): Reading {
  return bad(INVALID_REQUEST, `Invalid request: the message has more than ${MESSAGE_LIMIT_BYTES} bytes`);
}

function readValue(value: unknown): Reading {
  if (Array.isArray(value)) return bad(INVALID_REQUEST, "Invalid request: batches are not supported");
  try {
    return { kind: "message", message: parseJSONRPCMessage(value) };
  } catch {
    return refuseShape(value);
  }
}

function refuseShape(value: unknown): Reading {
  const text = "Invalid request: the message is not a JSON-RPC 2.0 request, notification or response";
  const fields: Record<string, unknown> = typeof value === "object" && value !== null ? { ...value } : {};
  const isResponse = Object.hasOwn(fields, "result") || Object.hasOwn(fields, "error");
  const isNotification = typeof fields["method"] === "string" && !Object.hasOwn(fields, "id");
  if (isResponse || isNotification) return { kind: "bad", problem: text, answer: undefined };
  return bad(INVALID_REQUEST, text, fields["id"]);
}

function bad(code: number, message: string, id?: unknown): Reading {
  const known = isRequestId(id) ? { id } : {};
  return { kind: "bad", problem: message, answer: { jsonrpc: "2.0", ...known, error: { code, message } } };
}

function isRequestId(id: unknown): id is string | number {
  return typeof id === "string" || Number.isSafeInteger(id);
}
