/**
 * Addresses as `wasi:sockets` holds them, as the system writes them, and as the policy reads them. The guest's side of the trust boundary.
 *
 * Source: wasi:sockets 0.2, wit/network.wit.
 */
import { type Address, formatAddress, parseAddress } from "../../policy/address.ts";

/** `ip-address-family`. */
export type Family = "ipv4" | "ipv6";

/** `ip-address`. */
export interface IpAddress {
  readonly tag: Family;
  /** Four numbers of 8 bits, or eight of 16. */
  readonly value: readonly number[];
}

/** `ip-socket-address`: a record of port and address, or of port, flow-info, address and scope-id. */
export type SocketAddress =
  | { readonly tag: "ipv4"; readonly value: readonly [port: number, address: readonly number[]] }
  | {
      readonly tag: "ipv6";
      readonly value: readonly [port: number, flowInfo: number, address: readonly number[], scopeId: number];
    };

/** One end of a connection, as the system takes it. */
export interface Endpoint {
  /** Without brackets. */
  readonly address: string;
  /** 0 to 65535. */
  readonly port: number;
}

/** The address of no place: all of this machine's. */
export const UNSPECIFIED: Readonly<Record<Family, string>> = { ipv4: "0.0.0.0", ipv6: "::" };

/** Takes the brackets off an IPv6 address. */
export function unbracket(host: string): string {
  return host.startsWith("[") ? host.slice(1, -1) : host;
}

/** Writes an address as the system takes it: without brackets. */
export function addressText(address: Address): string {
  return unbracket(formatAddress(address));
}

/** Reads the address and port of an `ip-socket-address`. */
export function readSocketAddress(given: SocketAddress): { readonly address: Address; readonly port: number } {
  if (given.tag === "ipv4") return { port: given.value[0], address: { bytes: [...given.value[1]] } };
  return { port: given.value[0], address: { bytes: given.value[2].flatMap((group) => [group >> 8, group & 0xff]) } };
}

/** Makes an `ip-address`. */
export function ipAddress({ bytes }: Address): IpAddress {
  if (bytes.length === 4) return { tag: "ipv4", value: bytes };
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0));
  return { tag: "ipv6", value: groups };
}

/** Makes an `ip-socket-address` of what the system says. */
export function socketAddress({ address, port }: Endpoint): SocketAddress {
  const { tag, value } = ipAddress(parseAddress(address) ?? { bytes: [0, 0, 0, 0] });
  return tag === "ipv4" ? { tag, value: [port, value] } : { tag, value: [port, 0, value, 0] };
}

/** The family of an address. */
export function familyOf({ bytes }: Address): Family {
  return bytes.length === 4 ? "ipv4" : "ipv6";
}
