/**
 * What the network can fail of, in words of our own: the interfaces translate them into their error codes. The guest's side of the trust
 * boundary.
 */

/** Why a lookup, a connection or a socket failed. */
export type NetFailureKind =
  | "name-unknown"
  | "name-unresolvable"
  | "name-timeout"
  | "prohibited"
  | "refused"
  | "reset"
  | "aborted"
  | "timeout"
  | "unreachable"
  | "address-in-use"
  | "address-not-bindable"
  | "certificate"
  | "tls"
  | "tls-alert"
  | "datagram-too-large"
  | "too-many-bytes"
  | "no-room"
  | "ended"
  | "unknown";

/** Why a server ended a handshake. Source: RFC 8446 §6. */
export interface TlsAlert {
  /** 0-255. */
  readonly id: number;
  /** `handshake_failure`. */
  readonly name: string;
}

/** A failure of the network's: an outcome for the guest. Its message names nothing of the host's. */
export class NetFailure extends Error {
  readonly kind: NetFailureKind;
  /** Of a `tls-alert`. */
  readonly alert: TlsAlert | undefined;

  constructor(kind: NetFailureKind, alert?: TlsAlert) {
    super(TEXTS[kind]);
    this.name = "NetFailure";
    this.kind = kind;
    this.alert = alert;
  }
}

const TEXTS: Readonly<Record<NetFailureKind, string>> = {
  "name-unknown": "the name does not exist",
  "name-unresolvable": "the name could not be resolved",
  "name-timeout": "the name was not resolved in time",
  prohibited: "the address is not one that may be connected to",
  refused: "the connection was refused",
  reset: "the connection was reset",
  aborted: "the connection was aborted",
  timeout: "the connection was not made in time",
  unreachable: "the address cannot be reached",
  "address-in-use": "the address is in use",
  "address-not-bindable": "the address is not one of this machine's",
  certificate: "the server's certificate is not valid for its name",
  tls: "the secure connection could not be made",
  "tls-alert": "the server refused the secure connection",
  "datagram-too-large": "the datagram is too large",
  "too-many-bytes": "the call has moved as many bytes over the network as it may",
  "no-room": "the buffers of the call are full",
  ended: "the call has ended",
  unknown: "the network failed",
};

/** By the code of the system's, of the resolver's or of the TLS library's error. */
const KINDS: ReadonlyMap<string, NetFailureKind> = new Map([
  ["ECONNREFUSED", "refused"],
  ["ECONNRESET", "reset"],
  ["EPIPE", "reset"],
  ["ECONNABORTED", "aborted"],
  ["ETIMEDOUT", "timeout"],
  ["ENETUNREACH", "unreachable"],
  ["EHOSTUNREACH", "unreachable"],
  ["ENETDOWN", "unreachable"],
  ["EADDRINUSE", "address-in-use"],
  ["EADDRNOTAVAIL", "address-not-bindable"],
  ["EACCES", "address-not-bindable"],
  ["EAFNOSUPPORT", "address-not-bindable"],
  ["EMSGSIZE", "datagram-too-large"],
  ["DNS_ENOTFOUND", "name-unknown"],
  ["DNS_ENODATA", "name-unknown"],
  ["DNS_ENONAME", "name-unknown"],
  ["DNS_ETIMEOUT", "name-timeout"],
  ["ENOTFOUND", "name-unknown"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "certificate"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "certificate"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "certificate"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "certificate"],
  ["UNABLE_TO_GET_ISSUER_CERT", "certificate"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "certificate"],
  ["EPROTO", "tls"],
]);

/** Translates an error of the system's or of the TLS library's. */
export function netFailure(error: unknown): NetFailure {
  if (error instanceof NetFailure) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const alert = error instanceof Error ? alertOf(code, error.message) : undefined;
  return alert === undefined ? new NetFailure(KINDS.get(code) ?? kindOf(code)) : new NetFailure("tls-alert", alert);
}

/** BoringSSL's number of an alert that was received is 1000 more than the alert's own, in the last three digits of its error. */
function alertOf(code: string, message: string): TlsAlert | undefined {
  const name = /_ALERT_(?<name>[A-Z_]+)$/.exec(code)?.groups?.["name"];
  const digits = /^error:[0-9a-f]{5}(?<digits>[0-9a-f]{3}):/.exec(message)?.groups?.["digits"];
  const id = Number.parseInt(digits ?? "", 16) - 1000;
  return name !== undefined && id >= 0 && id <= 255 ? { id, name: name.toLowerCase() } : undefined;
}

function kindOf(code: string): NetFailureKind {
  if (/CERT|CRL/.test(code)) return "certificate";
  if (/^ERR_(?:SSL|TLS)/.test(code)) return "tls";
  if (code.startsWith("DNS_")) return "name-unresolvable";
  return "unknown";
}
