/**
 * The types of `wasi:sockets`, as the linker compares them. Data only.
 *
 * Source: wasi:sockets 0.2, wit/network.wit, wit/tcp.wit, wit/udp.wit.
 */
import {
  borrow,
  bytes,
  enumeration,
  list,
  option,
  own,
  record,
  tuple,
  u16,
  u32,
  u8,
  type ValueType,
  variant,
} from "../../../schema/value-type.ts";

/** `own<resource>`. @param resource - With its interface: `tcp/tcp-socket`. */
export function ownSocket(resource: string): ValueType {
  return own(`wasi:sockets/${resource}`);
}

/** `borrow<resource>`, as the parameter of a method. @param resource - With its interface: `tcp/tcp-socket`. */
export function self(resource: string): { readonly self: ValueType } {
  return { self: borrow(`wasi:sockets/${resource}`) };
}

export const NETWORK_BORROW: ValueType = borrow("wasi:sockets/network/network");
export const POLLABLE: ValueType = own("wasi:io/poll/pollable");
export const INPUT_STREAM: ValueType = own("wasi:io/streams/input-stream");
export const OUTPUT_STREAM: ValueType = own("wasi:io/streams/output-stream");

/** The cases of `error-code`. */
const ERROR_CODES = [
  "unknown",
  "access-denied",
  "not-supported",
  "invalid-argument",
  "out-of-memory",
  "timeout",
  "concurrency-conflict",
  "not-in-progress",
  "would-block",
  "invalid-state",
  "new-socket-limit",
  "address-not-bindable",
  "address-in-use",
  "remote-unreachable",
  "connection-refused",
  "connection-reset",
  "connection-aborted",
  "datagram-too-large",
  "name-unresolvable",
  "temporary-resolver-failure",
  "permanent-resolver-failure",
] as const;

/** A case of `error-code`. */
export type NetworkErrorCode = (typeof ERROR_CODES)[number];

/** `error-code`. */
export const ERROR_CODE: ValueType = enumeration(...ERROR_CODES);

/** `ip-address-family`. */
export const FAMILY: ValueType = enumeration("ipv4", "ipv6");

const IPV4 = tuple(u8, u8, u8, u8);
const IPV6 = tuple(u16, u16, u16, u16, u16, u16, u16, u16);

/** `ip-address`. */
export const IP_ADDRESS: ValueType = variant({ ipv4: IPV4, ipv6: IPV6 });

/** `ip-socket-address`. */
export const SOCKET_ADDRESS: ValueType = variant({
  ipv4: record({ port: u16, address: IPV4 }),
  ipv6: record({ port: u16, "flow-info": u32, address: IPV6, "scope-id": u32 }),
});

/** `shutdown-type`. */
export const SHUTDOWN_TYPE: ValueType = enumeration("receive", "send", "both");

/** `list<incoming-datagram>`. */
export const INCOMING_DATAGRAMS: ValueType = list(record({ data: bytes, "remote-address": SOCKET_ADDRESS }));

/** `list<outgoing-datagram>`. */
export const OUTGOING_DATAGRAMS: ValueType = list(record({ data: bytes, "remote-address": option(SOCKET_ADDRESS) }));
