/**
 * Writes requests as HTTP/1.1. Pure. What comes in was checked for its syntax before: nothing here can break out of its line.
 *
 * Source: RFC 9112 §3, §6, §7.1.
 */
import type { HttpTarget } from "../../../policy/network.ts";
import { contentLength, type Field, isTrailerName } from "./syntax.ts";
import type { RequestBody } from "./request-body.ts";

/** A request, without what it needs to be sent. */
export interface Message {
  readonly method: string;
  readonly target: HttpTarget;
  /** Of the guest's, in its order. */
  readonly fields: readonly Field[];
  /** Undefined when the guest never asked for one. */
  readonly body: RequestBody | undefined;
}

const DEFAULT_PORTS = { https: 443, http: 80 } as const;
const CRLF = Buffer.from("\r\n");
/** Methods whose requests say that they have no body. Source: RFC 9110 §8.6. */
const EXPECT_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/** Writes the request line and the fields. */
export function encodeHead(message: Message): Uint8Array {
  const { method, target, fields } = message;
  const { host, port, scheme, url } = target;
  const path = url.slice(url.indexOf("/", scheme.length + 3));
  const authority = port === DEFAULT_PORTS[scheme] ? host : `${host}:${port}`;
  return Buffer.concat([
    Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: ${authority}\r\n`, "latin1"),
    ...fields.flatMap(encodeField),
    Buffer.from(`${framing(message)}Connection: close\r\n\r\n`, "latin1"),
  ]);
}

/** Writes a chunk. @param piece - At least one byte: a chunk of none is the last. */
export function encodeChunk(piece: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`, "latin1"), piece, CRLF]);
}

/** Writes the end of a body in chunks. */
export function encodeLastChunk(trailers: readonly Field[]): Uint8Array {
  const kept = trailers.filter(([name]) => isTrailerName(name));
  return Buffer.concat([Buffer.from("0\r\n"), ...kept.flatMap(encodeField), CRLF]);
}

function encodeField([name, value]: Field): readonly Uint8Array[] {
  return [Buffer.from(`${name}: `, "latin1"), value, CRLF];
}

/** Source: RFC 9112 §6.3; the guest's own `Content-Length` stands. */
function framing({ method, fields, body }: Message): string {
  if (contentLength(fields) !== undefined) return "";
  if (body === undefined) return EXPECT_BODY.has(method) ? "Content-Length: 0\r\n" : "";
  if (body.length === undefined || body.trailers.length > 0) return "Transfer-Encoding: chunked\r\n";
  return body.length === 0 && !EXPECT_BODY.has(method) ? "" : `Content-Length: ${body.length}\r\n`;
}
