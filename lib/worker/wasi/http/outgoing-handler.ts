/**
 * `wasi:http/outgoing-handler`: sends a request, if the policy lets it out. The guest's side of the trust boundary.
 *
 * Redirects are answers like any other: who follows one asks again, and is checked again (docs/rationale.md).
 *
 * Source: wasi:http 0.2, wit/handler.wit.
 */
import { define, ResultError } from "../../../component/link/host.ts";
import { option, result } from "../../../schema/value-type.ts";
import { type HttpTarget, permitTarget, readTarget, type Verdict } from "../../../policy/network.ts";
import { Exchange, type Request, type Timeouts } from "../../net/http/exchange.ts";
import type { ErrorCode } from "../../net/http/failure.ts";
import { contentLength, FIELD_COUNT_LIMIT, SECTION_LIMIT_BYTES, sectionSize } from "../../net/http/syntax.ts";
import { networkOf } from "../../net/network.ts";
import { type Host, serve, type WasiInterface } from "../host.ts";
import { FutureIncomingResponse } from "./incoming.ts";
import type { OutgoingRequest, RequestOptions, Scheme } from "./outgoing-request.ts";
import { ERROR_CODE, ownHttp } from "./signature.ts";

/** Milliseconds of the timeouts that the guest does not set. The call's deadline ends it before, as a rule. */
const DEFAULT_TIMEOUTS: Timeouts = Object.freeze({
  connectMs: 30_000,
  firstByteMs: 600_000,
  betweenBytesMs: 600_000,
});

/** Bytes of a path with its query: what most servers take. */
const PATH_LIMIT = 16_384;
/** The most that a timer takes, in milliseconds: 24 days. */
const TIMER_LIMIT_MS = 2_147_483_647;
const NS_PER_MS = 1_000_000n;

/** `wasi:http/outgoing-handler`. */
export const HTTP_OUTGOING_HANDLER: WasiInterface = serve("wasi:http/outgoing-handler", {
  /**
   * Begins a request. Fails at once with `HTTP-request-denied` when no rule covers it.
   *
   * Source: `handle`: "This function may return an error if the `outgoing-request` is invalid or not allowed to be made".
   */
  handle: define(
    [
      { request: ownHttp("outgoing-request"), options: option(ownHttp("request-options")) },
      result(ownHttp("future-incoming-response"), ERROR_CODE),
    ],
    handle,
  ),
});

function handle(host: Host, request: OutgoingRequest, options: RequestOptions | undefined): FutureIncomingResponse {
  const timeouts = readTimeouts(options);
  options?.[Symbol.dispose]();
  const body = request.consume();
  try {
    const target = readRequestTarget(request);
    checkFields(request, body !== undefined);
    const method = methodOf(request);
    const { rule, part } = permit(host, method, target);
    const sent = { method, fields: request.fields, body, target, rule, timeouts, part };
    return new FutureIncomingResponse(host, Exchange.begin(networkOf(host), sent));
  } catch (error) {
    body?.refuse();
    throw error;
  }
}

/** Asks the policy, and the rehearsal when there is one: what it has no reply for is denied as what no rule covers is. */
function permit(host: Host, method: string, target: HttpTarget): Pick<Request, "rule" | "part"> {
  const verdict = permitTarget(host.policy.network, target);
  const { rehearsed } = host;
  if (!verdict.ok) {
    rehearsed?.deny(method, target.url);
    return denyRequest(host, verdict);
  }
  const part = rehearsed?.begin(method, target.url);
  if (rehearsed !== undefined && part === undefined) return denyRequest(host, permitTarget([], target));
  return { rule: verdict.rule, part };
}

function denyRequest(host: Host, verdict: Verdict): never {
  if (!verdict.ok) host.context.noteDenial(verdict.capability, verdict.target);
  return fail({ tag: "HTTP-request-denied" });
}

/** Source: RFC 9110 §9.3.6: `CONNECT` makes a tunnel, through which anything could be reached. */
function methodOf({ method }: OutgoingRequest): string {
  const name = method.tag === "other" ? (method.value ?? "") : method.tag.toUpperCase();
  return name.toUpperCase() === "CONNECT" ? fail({ tag: "HTTP-request-method-invalid" }) : name;
}

function readRequestTarget({ scheme, authority, path }: OutgoingRequest): HttpTarget {
  if (authority === undefined) return fail({ tag: "HTTP-request-URI-invalid" });
  if ((path?.length ?? 0) > PATH_LIMIT) return fail({ tag: "HTTP-request-URI-too-long" });
  const line = { scheme: schemeOf(scheme), authority, path: path === "" ? undefined : path };
  return readTarget(line) ?? fail({ tag: "HTTP-request-URI-invalid" });
}

/** `https` unless the guest says `http`; nothing else is spoken here. */
function schemeOf(scheme: Scheme | undefined): "http" | "https" {
  const name = scheme?.tag === "other" ? scheme.value?.toLowerCase() : (scheme?.tag.toLowerCase() ?? "https");
  return name === "http" || name === "https" ? name : fail({ tag: "HTTP-protocol-error" });
}

function checkFields({ fields }: OutgoingRequest, hasBody: boolean): void {
  if (fields.length > FIELD_COUNT_LIMIT || sectionSize(fields) > SECTION_LIMIT_BYTES)
    fail({ tag: "HTTP-request-header-section-size", value: SECTION_LIMIT_BYTES });
  const length = contentLength(fields);
  if (length === "invalid") fail({ tag: "HTTP-protocol-error" });
  if (!hasBody && length !== undefined && length !== 0) fail({ tag: "HTTP-request-body-size", value: 0n });
}

function readTimeouts(options: RequestOptions | undefined): Timeouts {
  return {
    connectMs: milliseconds(options?.connectTimeout) ?? DEFAULT_TIMEOUTS.connectMs,
    firstByteMs: milliseconds(options?.firstByteTimeout) ?? DEFAULT_TIMEOUTS.firstByteMs,
    betweenBytesMs: milliseconds(options?.betweenBytesTimeout) ?? DEFAULT_TIMEOUTS.betweenBytesMs,
  };
}

/** Rounds up: a wait is never shorter than asked for. */
function milliseconds(ns: bigint | undefined): number | undefined {
  if (ns === undefined) return undefined;
  return Math.min(Number((ns + NS_PER_MS - 1n) / NS_PER_MS), TIMER_LIMIT_MS);
}

function fail(code: ErrorCode): never {
  throw new ResultError(code);
}
