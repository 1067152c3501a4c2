/**
 * What sockets fail of, in the standard's words. The guest's side of the trust boundary.
 *
 * Source: wasi:sockets 0.2, wit/network.wit, `error-code`.
 */
import { ResultError } from "../../../component/link/host.ts";
import { type NetFailure, netFailure, type NetFailureKind } from "../../net/failure.ts";
import { StreamFault } from "../streams.ts";
import type { NetworkErrorCode } from "./signature.ts";

const CODES: Readonly<Record<NetFailureKind, NetworkErrorCode>> = {
  "name-unknown": "name-unresolvable",
  "name-unresolvable": "permanent-resolver-failure",
  "name-timeout": "temporary-resolver-failure",
  prohibited: "access-denied",
  refused: "connection-refused",
  reset: "connection-reset",
  aborted: "connection-aborted",
  ended: "connection-aborted",
  timeout: "timeout",
  unreachable: "remote-unreachable",
  "address-in-use": "address-in-use",
  "address-not-bindable": "address-not-bindable",
  certificate: "unknown",
  tls: "unknown",
  "tls-alert": "unknown",
  "datagram-too-large": "datagram-too-large",
  "too-many-bytes": "connection-aborted",
  "no-room": "out-of-memory",
  unknown: "unknown",
};

/** Translates what the network failed of. */
export function networkCode(error: unknown): NetworkErrorCode {
  return CODES[netFailure(error).kind];
}

/** Fails a function. */
export function fail(code: NetworkErrorCode): never {
  throw new ResultError(code);
}

/** A fault of a stream, from what the network failed of. */
export function streamFault(failure: NetFailure): StreamFault {
  return new StreamFault(failure.message, { network: CODES[failure.kind] });
}
