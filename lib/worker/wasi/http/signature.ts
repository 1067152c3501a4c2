/**
 * The types of `wasi:http/types`, as the linker compares them. Data only.
 *
 * Source: wasi:http 0.2, wit/types.wit.
 */
import {
  borrow,
  bytes,
  list,
  option,
  own,
  record,
  result,
  string,
  tuple,
  u16,
  u32,
  u64,
  u8,
  type ValueType,
  variant,
} from "../../../schema/value-type.ts";

/** The resources of `wasi:http/types`. */
export const RESOURCES = [
  "fields",
  "incoming-request",
  "outgoing-request",
  "request-options",
  "response-outparam",
  "incoming-response",
  "incoming-body",
  "future-trailers",
  "outgoing-response",
  "outgoing-body",
  "future-incoming-response",
] as const;

/** A resource of `wasi:http/types`. */
export type HttpResource = (typeof RESOURCES)[number];

/** `own<resource>`. */
export function ownHttp(resource: HttpResource): ValueType {
  return own(`wasi:http/types/${resource}`);
}

/** `borrow<resource>`, as the parameter of a method. */
export function self(resource: HttpResource): { readonly self: ValueType } {
  return { self: borrow(`wasi:http/types/${resource}`) };
}

export const POLLABLE: ValueType = own("wasi:io/poll/pollable");
export const INPUT_STREAM: ValueType = own("wasi:io/streams/input-stream");
export const OUTPUT_STREAM: ValueType = own("wasi:io/streams/output-stream");
export const IO_ERROR: ValueType = borrow("wasi:io/error/error");

/** `result`: neither has a payload. */
export const DONE: ValueType = result();

/** `method`. */
export const METHOD: ValueType = variant({
  get: undefined,
  head: undefined,
  post: undefined,
  put: undefined,
  delete: undefined,
  connect: undefined,
  options: undefined,
  trace: undefined,
  patch: undefined,
  other: string,
});

/** `scheme`. */
export const SCHEME: ValueType = variant({ HTTP: undefined, HTTPS: undefined, other: string });

const FIELD_SIZE = record({ "field-name": option(string), "field-size": option(u32) });

/** `error-code`. */
export const ERROR_CODE: ValueType = variant({
  "DNS-timeout": undefined,
  "DNS-error": record({ rcode: option(string), "info-code": option(u16) }),
  "destination-not-found": undefined,
  "destination-unavailable": undefined,
  "destination-IP-prohibited": undefined,
  "destination-IP-unroutable": undefined,
  "connection-refused": undefined,
  "connection-terminated": undefined,
  "connection-timeout": undefined,
  "connection-read-timeout": undefined,
  "connection-write-timeout": undefined,
  "connection-limit-reached": undefined,
  "TLS-protocol-error": undefined,
  "TLS-certificate-error": undefined,
  "TLS-alert-received": record({ "alert-id": option(u8), "alert-message": option(string) }),
  "HTTP-request-denied": undefined,
  "HTTP-request-length-required": undefined,
  "HTTP-request-body-size": option(u64),
  "HTTP-request-method-invalid": undefined,
  "HTTP-request-URI-invalid": undefined,
  "HTTP-request-URI-too-long": undefined,
  "HTTP-request-header-section-size": option(u32),
  "HTTP-request-header-size": option(FIELD_SIZE),
  "HTTP-request-trailer-section-size": option(u32),
  "HTTP-request-trailer-size": FIELD_SIZE,
  "HTTP-response-incomplete": undefined,
  "HTTP-response-header-section-size": option(u32),
  "HTTP-response-header-size": FIELD_SIZE,
  "HTTP-response-body-size": option(u64),
  "HTTP-response-trailer-section-size": option(u32),
  "HTTP-response-trailer-size": FIELD_SIZE,
  "HTTP-response-transfer-coding": option(string),
  "HTTP-response-content-coding": option(string),
  "HTTP-response-timeout": undefined,
  "HTTP-upgrade-failed": undefined,
  "HTTP-protocol-error": undefined,
  "loop-detected": undefined,
  "configuration-error": undefined,
  "internal-error": option(string),
});

/** `header-error`. */
export const HEADER_ERROR: ValueType = variant({
  "invalid-syntax": undefined,
  forbidden: undefined,
  immutable: undefined,
});

/** `field-name`. */
export const FIELD_NAME: ValueType = string;

/** `field-value`. */
export const FIELD_VALUE: ValueType = bytes;

/** `list<tuple<field-name, field-value>>`. */
export const ENTRIES: ValueType = list(tuple(FIELD_NAME, FIELD_VALUE));

/** `status-code`. */
export const STATUS_CODE: ValueType = u16;
