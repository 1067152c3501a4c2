/**
 * The syntax of a `net_allow_list` entry: `[scheme://]host[:port][/path-prefix]`. Pure: says what is written, never what is
 * allowed; hosts come out canonical, so that two spellings of a host never compare as different.
 *
 * Source: WHATWG URL §3.5 for hosts (IDNA, IPv4, IPv6); RFC 1035 §2.3.4 for the lengths of names and labels.
 */

/** A parsed entry. */
export interface NetworkRule {
  /** `undefined`: https and http. */
  readonly scheme: NetworkScheme | undefined;
  /**
   * What `host` covers: the very host; every subdomain of it but never itself (`*.host`); or, when `host` is `*`, any public host.
   */
  readonly covers: "host" | "subdomains" | "any";
  /** Lower-case, punycoded, without a trailing dot; an IPv6 address in brackets, compressed; `*` for any. */
  readonly host: string;
  /** 1-65535; `undefined`: the scheme's default port. Never `undefined` for tcp and udp. */
  readonly port: number | undefined;
  /** Starts with `/` and is canonical; `undefined`: every path. Always `undefined` for tcp and udp. */
  readonly pathPrefix: string | undefined;
}

/** A scheme that a rule can name. */
export type NetworkScheme = "https" | "http" | "tcp" | "udp";

/** A parsed entry, or the rule of the syntax that it breaks. */
export type NetworkParse =
  { readonly ok: true; readonly rule: NetworkRule } | { readonly ok: false; readonly problem: string };

/** Most UTF-16 code units of an entry. */
export const NETWORK_ENTRY_LIMIT: number = 1024;
const SCHEMES: ReadonlySet<string> = new Set(["https", "http", "tcp", "udp"]);
const ENTRY = /^(?:(?<scheme>[^:/]*):\/\/)?(?<authority>[^/]*)(?<path>\/[^]*)?$/;
const AUTHORITY = /^(?<host>\[[^\]]*\]|[^:[\]]*)(?::(?<port>[^:]*))?$/;
const PORT = /^[1-9][0-9]{0,4}$/;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** Characters that a URL parser takes for something else than a part of a host, and those that it drops without a word. */
const NOT_HOST = /[\s%@?#\\<>^`{|}"/\p{Cc}\p{Default_Ignorable_Code_Point}]/u;
const IPV4 = /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/;
const HOST_LIMIT = 253;

/**
 * Parses one entry.
 *
 * @param entry - As the manifest has it.
 * @returns The rule, or what is wrong, in words that read on from the key's name.
 */
export function parseNetworkEntry(entry: string): NetworkParse {
  try {
    return { ok: true, rule: readEntry(entry) };
  } catch (error) {
    if (error instanceof SyntaxProblem) return { ok: false, problem: error.message };
    throw error;
  }
}

/** Writes a rule as an entry, canonical: two rules that are the same are written the same. */
export function formatNetworkRule({ scheme, covers, host, port, pathPrefix }: NetworkRule): string {
  const start = `${scheme === undefined ? "" : `${scheme}://`}${covers === "subdomains" ? "*." : ""}`;
  return `${start}${host}${port === undefined ? "" : `:${port}`}${pathPrefix ?? ""}`;
}

/**
 * Makes a host canonical, as whatever connects to it will read it: `EXAMPLE.com.` is `example.com`, `0x7f.1` is `127.0.0.1`.
 *
 * @param written - A name or an address, an IPv6 address in brackets, without a port.
 * @returns Undefined when it is no host, or could be read as more than one.
 */
export function canonicalHost(written: string): string | undefined {
  const host = urlHost(written);
  return host !== undefined && isHost(host) ? host : undefined;
}

/** Carries a broken rule out of the readers below; never leaves this file. */
class SyntaxProblem extends Error {}

function readEntry(entry: string): NetworkRule {
  if (entry.length > NETWORK_ENTRY_LIMIT) {
    throw new SyntaxProblem(`must have at most ${NETWORK_ENTRY_LIMIT} characters`);
  }
  const parts = ENTRY.exec(entry)?.groups;
  const authority = AUTHORITY.exec(parts?.["authority"] ?? "")?.groups;
  if (parts === undefined || authority === undefined) {
    throw new SyntaxProblem("must be [scheme://]host[:port][/path-prefix], with an IPv6 address in brackets");
  }
  const scheme = readScheme(parts["scheme"]);
  const port = readPort(authority["port"]);
  const pathPrefix = readPath(parts["path"]);
  if (scheme === "tcp" || scheme === "udp") {
    if (port === undefined) throw new SyntaxProblem(`must name a port, as in ${scheme}://host:port`);
    if (parts["path"] !== undefined) throw new SyntaxProblem(`must not have a path after ${scheme}://host:port`);
  }
  return { scheme, ...readHost(authority["host"] ?? ""), port, pathPrefix };
}

function readScheme(written: string | undefined): NetworkScheme | undefined {
  const scheme = written?.toLowerCase();
  if (scheme !== undefined && !isScheme(scheme)) {
    throw new SyntaxProblem("must use one of the schemes https, http, tcp, udp, or none");
  }
  return scheme;
}

function isScheme(scheme: string): scheme is NetworkScheme {
  return SCHEMES.has(scheme);
}

function readPort(written: string | undefined): number | undefined {
  if (written === undefined) return undefined;
  const port = PORT.test(written) ? Number(written) : 0;
  if (port < 1 || port > 65_535) throw new SyntaxProblem("must have a port from 1 to 65535 after the colon");
  return port;
}

function readPath(written: string | undefined): string | undefined {
  if (written === undefined || written === "/") return undefined;
  if (/[?#]/.test(written)) throw new SyntaxProblem("must not have a query or a fragment");
  // An encoded slash is one segment to some servers and two to others: a prefix that holds one means nothing certain.
  if (/%2f|%5c/i.test(written)) throw new SyntaxProblem("must not have an encoded slash or backslash in its path");
  const canonical = URL.parse(`https://host${written}`)?.pathname;
  if (canonical !== written) {
    throw new SyntaxProblem('must have a canonical path: percent-encoded, without "." and ".." segments');
  }
  return written;
}

function readHost(written: string): Pick<NetworkRule, "covers" | "host"> {
  if (written === "*") return { covers: "any", host: "*" };
  const wildcard = written.startsWith("*.");
  const host = writtenHost(wildcard ? written.slice(2) : written);
  if (wildcard && isAddress(host)) throw new SyntaxProblem("must not put a wildcard before an address");
  return { covers: wildcard ? "subdomains" : "host", host };
}

function writtenHost(written: string): string {
  if (written === "") throw new SyntaxProblem("must name a host");
  if (written.includes("*")) throw new SyntaxProblem('may have a wildcard only as "*" alone or as "*." at the start');
  const host = urlHost(written);
  if (host === undefined) throw new SyntaxProblem("must name a valid host or address");
  // 0x7f.1 and 2130706433 are 127.0.0.1 to a URL parser; a person who reads the entry must see that.
  if (IPV4.test(host) && written !== host) throw new SyntaxProblem(`must write this address as ${host}`);
  if (isHost(host)) return host;
  throw new SyntaxProblem("must name a valid host: labels of 1 to 63 letters, digits and hyphens, at most 253 in all");
}

function urlHost(written: string): string | undefined {
  const parsed = written === "" || NOT_HOST.test(written) ? null : URL.parse(`https://${written}/`);
  // A colon outside of brackets would be a port.
  return parsed === null || parsed.port !== "" || /^[^[].*:/.test(written)
    ? undefined
    : parsed.hostname.replace(/\.$/, "");
}

function isHost(host: string): boolean {
  if (host.startsWith("[")) return true;
  return host.length <= HOST_LIMIT && host.split(".").every((label) => LABEL.test(label));
}

function isAddress(host: string): boolean {
  return host.startsWith("[") || IPV4.test(host);
}
