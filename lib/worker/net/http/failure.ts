/**
 * `wasi:http/types` `error-code`, as a thing that is thrown. The guest's side of the trust boundary.
 *
 * Source: wasi:http 0.2, wit/types.wit, `error-code`, whose cases are those of the IANA registry of HTTP proxy error types (RFC 9209 §2.3).
 */
import { netFailure, type NetFailureKind } from "../failure.ts";

/** A payload of two options. */
type Pair<A, B> = readonly [A | undefined, B | undefined];

/** `error-code`. */
export type ErrorCode =
  | {
      readonly tag:
        | "DNS-timeout"
        | "destination-not-found"
        | "destination-unavailable"
        | "destination-IP-prohibited"
        | "destination-IP-unroutable"
        | "connection-refused"
        | "connection-terminated"
        | "connection-timeout"
        | "connection-read-timeout"
        | "connection-write-timeout"
        | "connection-limit-reached"
        | "TLS-protocol-error"
        | "TLS-certificate-error"
        | "HTTP-request-denied"
        | "HTTP-request-length-required"
        | "HTTP-request-method-invalid"
        | "HTTP-request-URI-invalid"
        | "HTTP-request-URI-too-long"
        | "HTTP-response-incomplete"
        | "HTTP-response-timeout"
        | "HTTP-upgrade-failed"
        | "HTTP-protocol-error"
        | "loop-detected"
        | "configuration-error";
    }
  | { readonly tag: "DNS-error"; readonly value: Pair<string, number> }
  | { readonly tag: "TLS-alert-received"; readonly value: Pair<number, string> }
  | {
      readonly tag: "HTTP-request-body-size" | "HTTP-response-body-size";
      /** Bytes. */
      readonly value: bigint | undefined;
    }
  | {
      readonly tag:
        | "HTTP-request-header-section-size"
        | "HTTP-request-trailer-section-size"
        | "HTTP-response-header-section-size"
        | "HTTP-response-trailer-section-size";
      /** Bytes. */
      readonly value: number | undefined;
    }
  | {
      readonly tag:
        | "HTTP-request-header-size"
        | "HTTP-request-trailer-size"
        | "HTTP-response-header-size"
        | "HTTP-response-trailer-size";
      readonly value: Pair<string, number> | undefined;
    }
  | {
      readonly tag: "HTTP-response-transfer-coding" | "HTTP-response-content-coding" | "internal-error";
      readonly value: string | undefined;
    };

/** A request or a response that failed: an outcome for the guest. */
export class HttpFailure extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(`the request failed: ${code.tag}`);
    this.name = "HttpFailure";
    this.code = code;
  }
}

/** Translates what the network failed of. */
export function httpFailure(error: unknown): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const { kind, alert } = netFailure(error);
  if (alert !== undefined) return new HttpFailure({ tag: "TLS-alert-received", value: [alert.id, alert.name] });
  return new HttpFailure(CODES[kind]);
}

const CODES: Readonly<Record<NetFailureKind, ErrorCode>> = {
  "name-unknown": { tag: "DNS-error", value: ["NXDOMAIN", undefined] },
  "name-unresolvable": { tag: "DNS-error", value: ["SERVFAIL", undefined] },
  "name-timeout": { tag: "DNS-timeout" },
  prohibited: { tag: "destination-IP-prohibited" },
  refused: { tag: "connection-refused" },
  reset: { tag: "connection-terminated" },
  aborted: { tag: "connection-terminated" },
  ended: { tag: "connection-terminated" },
  timeout: { tag: "connection-timeout" },
  unreachable: { tag: "destination-unavailable" },
  "address-in-use": { tag: "destination-unavailable" },
  "address-not-bindable": { tag: "destination-unavailable" },
  certificate: { tag: "TLS-certificate-error" },
  tls: { tag: "TLS-protocol-error" },
  "tls-alert": { tag: "TLS-protocol-error" },
  "too-many-bytes": { tag: "HTTP-response-body-size", value: undefined },
  "no-room": { tag: "connection-limit-reached" },
  "datagram-too-large": { tag: "internal-error", value: undefined },
  unknown: { tag: "internal-error", value: undefined },
};
