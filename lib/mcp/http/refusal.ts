/**
 * Failures as HTTP responses: the status of each code, the headers that go with it, and a JSON-RPC error as the body.
 *
 * Source: RFC 9110 §15 for the statuses; RFC 6750 §3 for `WWW-Authenticate`; RFC 9728 §5.1 for its `resource_metadata`.
 */
import type { Failure, FailureCode } from "../../errors.ts";

/** What a response to a failure needs besides it. */
export interface RefusalContext {
  /** The request's id, where it could be read. */
  readonly id?: string | number | undefined;
  /** URL of the protected resource's metadata, when there is an issuer. */
  readonly metadataUrl?: string | undefined;
}

const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;
const INTERNAL_ERROR = -32_603;
/** The first code that JSON-RPC leaves to servers: what the SDK answers for the transport's own refusals. */
const TRANSPORT_ERROR = -32_000;
/** What the SDK answers for a session that is not there. */
const SESSION_ERROR = -32_001;

const STATUS: ReadonlyMap<FailureCode, number> = new Map<FailureCode, number>([
  ["HTTP_UNAUTHORIZED", 401],
  ["HTTP_SCOPE", 403],
  ["HTTP_HOST", 403],
  ["HTTP_ORIGIN", 403],
  ["HTTP_PATH", 404],
  ["HTTP_METHOD", 405],
  ["HTTP_MEDIA_TYPE", 415],
  ["HTTP_BODY_TOO_LARGE", 413],
  ["HTTP_BODY_TIMEOUT", 408],
  ["HTTP_BODY_INVALID", 400],
  ["HTTP_MESSAGE_INVALID", 400],
  ["HTTP_SESSION_UNKNOWN", 404],
  ["HTTP_RATE_LIMITED", 429],
  ["HTTP_OVERLOADED", 503],
  ["HTTP_DRAINING", 503],
  ["ISSUER_UNUSABLE", 503],
]);

const JSON_RPC_CODES: ReadonlyMap<FailureCode, number> = new Map<FailureCode, number>([
  ["HTTP_BODY_INVALID", PARSE_ERROR],
  ["HTTP_MESSAGE_INVALID", INVALID_REQUEST],
  ["HTTP_SESSION_UNKNOWN", SESSION_ERROR],
]);

/** Failures after which the connection is of no further use: its body was not read, or the server ends. */
const ENDS_CONNECTION: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "HTTP_BODY_TOO_LARGE",
  "HTTP_BODY_TIMEOUT",
  "HTTP_DRAINING",
]);

/** Milliseconds after which a client may try again at a server that is ending: others may have taken over. */
const DRAINING_RETRY_MS = 5000;

/**
 * Makes the response to a failure. One that an agent may not read says nothing but that there was one.
 *
 * @param failure - Of a request.
 * @param context - What else is known.
 */
export function refusalResponse(failure: Failure, context: RefusalContext = {}): Response {
  const status = STATUS.get(failure.code);
  const isReadable = failure.agentMayRead && status !== undefined;
  const body = {
    jsonrpc: "2.0",
    ...(context.id !== undefined && { id: context.id }),
    error: isReadable
      ? { code: JSON_RPC_CODES.get(failure.code) ?? TRANSPORT_ERROR, message: failure.message, data: dataOf(failure) }
      : { code: INTERNAL_ERROR, message: "KAMI could not answer; its log says why" },
  };
  return Response.json(body, { status: status ?? 500, headers: headersOf(failure, context) });
}

function dataOf(failure: Failure): Record<string, string> {
  return { code: failure.code, ...(failure.agentHint !== undefined && { hint: failure.agentHint }) };
}

function headersOf(failure: Failure, { metadataUrl }: RefusalContext): Headers {
  const headers = new Headers({ "cache-control": "no-store" });
  if (ENDS_CONNECTION.has(failure.code)) headers.set("connection", "close");
  if (failure.code === "HTTP_METHOD") headers.set("allow", "POST, GET, DELETE");
  const retryMs = retryAfter(failure);
  if (retryMs !== undefined) headers.set("retry-after", String(Math.ceil(retryMs / 1000)));
  const challenge = challengeOf(failure, metadataUrl);
  if (challenge !== undefined) headers.set("www-authenticate", challenge);
  return headers;
}

function retryAfter(failure: Failure): number | undefined {
  if (failure.code === "HTTP_DRAINING" || failure.code === "ISSUER_UNUSABLE") return DRAINING_RETRY_MS;
  const { detail } = failure;
  return "retryAfterMs" in detail && typeof detail.retryAfterMs === "number" ? detail.retryAfterMs : undefined;
}

function challengeOf({ code, message }: Failure, metadataUrl: string | undefined): string | undefined {
  if (code !== "HTTP_UNAUTHORIZED" && code !== "HTTP_SCOPE") return undefined;
  const fields = [
    `error="${code === "HTTP_SCOPE" ? "insufficient_scope" : "invalid_token"}"`,
    `error_description="${message.replaceAll(/[^\u0020-\u007e]|["\\]/g, "'")}"`,
    ...(code === "HTTP_SCOPE" ? ['scope="tools"'] : []),
    ...(metadataUrl === undefined ? [] : [`resource_metadata="${metadataUrl}"`]),
  ];
  return `Bearer ${fields.join(", ")}`;
}
