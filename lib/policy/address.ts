/**
 * IP addresses: from text to bytes, and what kind of network they lie in. Pure.
 *
 * Source: RFC 4291 §2.2 and RFC 5952 for the text of IPv6; the IANA special-purpose address registries (RFC 6890) for the kinds. What
 * those call reachable from everywhere but is an anycast service, a tunnel's end or not given out yet counts as reserved here: no tool
 * needs it, and more than one cloud has put something private there.
 */

/** An IP address: 4 or 16 bytes, in network order. */
export interface Address {
  readonly bytes: readonly number[];
}

/** Where an address lies. Everything but `public` is refused unless a rule names the very address. */
export type AddressKind =
  | "public"
  | "loopback"
  | "private"
  | "link-local"
  | "metadata service"
  | "shared (carrier) network"
  | "multicast"
  | "broadcast"
  | "documentation"
  | "benchmark"
  | "unspecified"
  | "IPv4 inside IPv6"
  | "reserved";

interface Range {
  readonly prefix: readonly number[];
  readonly bits: number;
  readonly kind: AddressKind;
}

const DECIMAL = /^(?:0|[1-9][0-9]{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;

/** The first that holds an address says its kind: what is single comes before what it lies in. */
const IPV4_RANGES: readonly Range[] = [
  // AWS, GCP, Azure, DigitalOcean and others; Azure's agent; Oracle; Alibaba.
  range("169.254.169.254/32", "metadata service"),
  range("168.63.129.16/32", "metadata service"),
  range("192.0.0.192/32", "metadata service"),
  range("100.100.100.200/32", "metadata service"),
  range("255.255.255.255/32", "broadcast"),
  range("0.0.0.0/8", "unspecified"),
  range("127.0.0.0/8", "loopback"),
  range("10.0.0.0/8", "private"),
  range("172.16.0.0/12", "private"),
  range("192.168.0.0/16", "private"),
  range("100.64.0.0/10", "shared (carrier) network"),
  range("169.254.0.0/16", "link-local"),
  range("192.0.2.0/24", "documentation"),
  range("198.51.100.0/24", "documentation"),
  range("203.0.113.0/24", "documentation"),
  range("198.18.0.0/15", "benchmark"),
  range("224.0.0.0/4", "multicast"),
  range("192.0.0.0/24", "reserved"),
  range("192.88.99.0/24", "reserved"),
  range("240.0.0.0/4", "reserved"),
];

const IPV6_RANGES: readonly Range[] = [
  range("fd00:ec2::254/128", "metadata service"),
  range("fd20:ce::254/128", "metadata service"),
  range("::1/128", "loopback"),
  range("::/128", "unspecified"),
  // Compatible, mapped, translated (RFC 2765), NAT64 (RFC 6052, RFC 8215), 6to4, Teredo.
  range("::/96", "IPv4 inside IPv6"),
  range("::ffff:0:0/96", "IPv4 inside IPv6"),
  range("::ffff:0:0:0/96", "IPv4 inside IPv6"),
  range("64:ff9b::/96", "IPv4 inside IPv6"),
  range("64:ff9b:1::/48", "IPv4 inside IPv6"),
  range("2002::/16", "IPv4 inside IPv6"),
  range("2001::/32", "IPv4 inside IPv6"),
  range("fc00::/7", "private"),
  range("fec0::/10", "private"),
  range("fe80::/10", "link-local"),
  range("ff00::/8", "multicast"),
  range("2001:db8::/32", "documentation"),
  range("3fff::/20", "documentation"),
  range("2001:2::/48", "benchmark"),
  range("2001::/23", "reserved"),
  range("3ffe::/16", "reserved"),
];

/** All that is given out to the internet lies here (RFC 4291 §2.4). */
const IPV6_GLOBAL: Range = range("2000::/3", "public");

/**
 * Parses an address.
 *
 * @param text - `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]`, in any case. An octal, hexadecimal or shortened IPv4 address is none: who
 *   takes a name for one has to make it canonical first. So is one with a zone (`fe80::1%eth0`): no rule can name it.
 * @returns Undefined when it is none.
 */
export function parseAddress(text: string): Address | undefined {
  const inner = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  // Fifteen code units of IPv4 behind thirty of IPv6 is the longest there is.
  if (text.length > 64) return undefined;
  const bytes = inner.includes(":") ? parseIpv6(inner) : inner === text ? parseIpv4(text) : undefined;
  return bytes === undefined ? undefined : { bytes };
}

/** Writes an address as a URL's host has it: `192.0.2.1`, `[2001:db8::1]`. */
export function formatAddress({ bytes }: Address): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  const { start, length } = longestZeros(groups);
  if (length < 2) return `[${groups.join(":")}]`;
  return `[${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}]`;
}

/** Says where an address lies. */
export function kindOf({ bytes }: Address): AddressKind {
  if (bytes.length === 4) return IPV4_RANGES.find((each) => isIn(bytes, each))?.kind ?? "public";
  const found = IPV6_RANGES.find((each) => isIn(bytes, each));
  if (found !== undefined) return found.kind;
  if (isIsatap(bytes)) return "IPv4 inside IPv6";
  return bytes.length === 16 && isIn(bytes, IPV6_GLOBAL) ? "public" : "reserved";
}

/** Whether two addresses are the same, byte for byte: an IPv4 address and its mapped form are not. */
export function isSameAddress(left: Address, right: Address): boolean {
  return left.bytes.length === right.bytes.length && left.bytes.every((byte, at) => byte === right.bytes[at]);
}

/** ISATAP writes an IPv4 address behind any prefix. Source: RFC 5214 §6.1. */
function isIsatap(bytes: readonly number[]): boolean {
  return ((bytes[8] ?? 0) & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
}

function isIn(bytes: readonly number[], { prefix, bits }: Range): boolean {
  if (bytes.length !== prefix.length) return false;
  return prefix.every((byte, at) => {
    const counted = Math.min(8, Math.max(0, bits - at * 8));
    const mask = (0xff00 >> counted) & 0xff;
    return ((bytes[at] ?? 0) & mask) === (byte & mask);
  });
}

function parseIpv4(text: string): readonly number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => DECIMAL.test(part) && Number(part) < 256)) return undefined;
  return parts.map(Number);
}

function parseIpv6(text: string): readonly number[] | undefined {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const left = parseGroups(head, tail === undefined);
  const right = tail === undefined ? [] : parseGroups(tail, true);
  if (left === undefined || right === undefined) return undefined;
  const missing = 16 - left.length - right.length;
  // A "::" stands for at least one group.
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...left, ...Array.from({ length: missing }, () => 0), ...right];
}

/** @param isEnd - Whether an IPv4 address may be the last part. */
function parseGroups(text: string, isEnd: boolean): readonly number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes = groups.flatMap((group, at) => {
    if (GROUP.test(group)) return [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff];
    const isLast = isEnd && at === groups.length - 1;
    return (isLast ? parseIpv4(group) : undefined) ?? [Number.NaN];
  });
  return bytes.some(Number.isNaN) ? undefined : bytes;
}

function longestZeros(groups: readonly string[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [at, group] of groups.entries()) {
    length = group === "0" ? length + 1 : 0;
    if (length > best.length) best = { start: at - length + 1, length };
  }
  return best;
}

function range(cidr: string, kind: AddressKind): Range {
  const [text = "", bits] = cidr.split("/");
  const prefix = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  if (prefix === undefined) throw new Error(`BUG: ${cidr} is no range`);
  return { prefix, bits: Number(bits), kind };
}
