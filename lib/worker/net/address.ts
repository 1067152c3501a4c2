/**
 * Addresses as the standard holds them, and as text. The guest's side of the trust boundary.
 *
 * Source: wasi:sockets 0.2, wit/network.wit; RFC 5952 for the text of IPv6 addresses.
 */

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

/** A place to connect to or to be connected from. */
export interface Endpoint {
  /** Canonical, without brackets. */
  readonly address: string;
  /** 0 to 65535. */
  readonly port: number;
}

const IPV4 = /^(?:\d{1,3}\.){3}\d{1,3}$/;

/** Tells whether a canonical host is an address. @param host - An IPv6 address in brackets or not. */
export function isAddress(host: string): boolean {
  return host.includes(":") || IPV4.test(host);
}

/** Takes the brackets off an IPv6 address. */
export function unbracket(host: string): string {
  return host.startsWith("[") ? host.slice(1, -1) : host;
}

/** Puts brackets around an IPv6 address, as a URL has it. */
export function bracket(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/**
 * Writes an address as text, canonical.
 *
 * @returns Without brackets: `127.0.0.1`, `::1`, `::ffff:7f00:1`.
 */
export function formatAddress({ tag, value }: IpAddress): string {
  if (tag === "ipv4") return value.join(".");
  const text = value.map((group) => group.toString(16)).join(":");
  return unbracket(URL.parse(`http://[${text}]/`)?.hostname ?? text);
}

/** Reads a canonical address. @param text - With or without brackets, without zone. */
export function parseAddress(text: string): IpAddress | undefined {
  if (IPV4.test(text)) return { tag: "ipv4", value: text.split(".").map(Number) };
  const canonical = URL.parse(`http://[${unbracket(text)}]/`)?.hostname;
  return canonical === undefined ? undefined : { tag: "ipv6", value: groupsOf(unbracket(canonical)) };
}

/** The host and port of a `ip-socket-address`. */
export function endpointOf(address: SocketAddress): Endpoint {
  if (address.tag === "ipv4") return { port: address.value[0], address: address.value[1].join(".") };
  return { port: address.value[0], address: formatAddress({ tag: "ipv6", value: address.value[2] }) };
}

/** Makes an `ip-socket-address`. */
export function socketAddress({ address, port }: Endpoint): SocketAddress {
  const parsed = parseAddress(address);
  if (parsed?.tag === "ipv6") return { tag: "ipv6", value: [port, 0, parsed.value, 0] };
  return { tag: "ipv4", value: [port, parsed?.value ?? [0, 0, 0, 0]] };
}

function groupsOf(text: string): readonly number[] {
  const [head = "", tail] = text.split("::");
  const before = head === "" ? [] : head.split(":");
  if (tail === undefined) return before.map((group) => Number.parseInt(group, 16));
  const after = tail === "" ? [] : tail.split(":");
  const zeroes = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeroes, ...after].map((group) => Number.parseInt(group, 16));
}
