/**
 * Decides where a call may connect. Pure: it never resolves a name and never connects; whoever does asks three times: whether a rule covers the
 * target ({@link permitTarget}), whether a name may be looked up ({@link mayResolve}), and whether the address that came of it may be
 * connected to ({@link permitAddress}). It then connects to that very address, and asks anew for every redirect.
 */
import { canonicalHost, type NetworkRule, type NetworkScheme } from "../network-rule.ts";
import { type Address, formatAddress, isSameAddress, kindOf, parseAddress } from "./address.ts";

/** Where a request goes, canonical: what is checked is what is sent. */
export interface HttpTarget {
  readonly scheme: "https" | "http";
  /** Lower-case, punycoded, without a trailing dot; an IPv6 address in brackets. */
  readonly host: string;
  /** 1-65535. */
  readonly port: number;
  /** Starts with `/`, dot segments resolved; without the query. */
  readonly path: string;
  /** All of it with the query, to be sent as it is. */
  readonly url: string;
}

/** Where a connection goes. */
export interface SocketTarget {
  readonly scheme: "tcp" | "udp";
  /** A canonical name that the call looked up, or an address as {@link formatAddress} writes it. */
  readonly host: string;
  /** 1-65535. */
  readonly port: number;
}

/** What a request names, in the words of `wasi:http`. */
export interface RequestLine {
  readonly scheme: "https" | "http";
  /** `host[:port]`. */
  readonly authority: string;
  /** Path and query; undefined: `/`. */
  readonly path: string | undefined;
}

/** The rule that allows, or why none does. */
export type Verdict = { readonly ok: true; readonly rule: NetworkRule } | (NetworkDenial & { readonly ok: false });

/** Why something was denied; the first two are what a call's end reports. */
interface NetworkDenial {
  /** What `kami grant` would have to be given: `net:https://api.github.com`. */
  readonly capability: string;
  /** What the guest tried to reach, without the query, which may hold a secret. */
  readonly target: string;
  /** Reads on from "denied: ". */
  readonly reason: string;
}

const DEFAULT_PORTS: Readonly<Record<NetworkScheme, number | undefined>> = {
  https: 443,
  http: 80,
  tcp: undefined,
  udp: undefined,
};
const AUTHORITY = /^(?<host>\[[^\]]*\]|[^:[\]]*)(?::(?<port>[1-9][0-9]{0,4})?)?$/;
/** What a URL parser would drop or change without a word. */
const NOT_PATH = /[\s\\#\p{Cc}]/u;
const SEPARATOR = /[/\\\0]/;
/** A dot segment, also with parameters behind it, which some servers cut off first. */
const DOTS = /^\s*\.{1,2}\s*(?:;|$)/;
/** Rounds of percent-decoding that a path may need until it stays the same. */
const DECODE_LIMIT = 4;

/**
 * Makes the target of a request canonical.
 *
 * @returns Undefined when it is none that everyone would read in the same way: then nothing is sent.
 */
export function readTarget({ scheme, authority, path = "/" }: RequestLine): HttpTarget | undefined {
  const parts = AUTHORITY.exec(authority)?.groups;
  const host = canonicalHost(parts?.["host"] ?? "");
  if (host === undefined || NOT_PATH.test(path) || !/^[/?]/.test(path)) return undefined;
  const port = Number(parts?.["port"] ?? DEFAULT_PORTS[scheme]);
  if (port > 65_535) return undefined;
  const url = URL.parse(`${scheme}://${host}:${port}${path}`);
  if (url === null || url.hostname !== host || url.username !== "" || url.hash !== "") return undefined;
  return { scheme, host, port, path: url.pathname, url: url.href };
}

/**
 * Makes the target of a redirect canonical.
 *
 * @param location - As the answer has it: absolute, or relative to where it came from. A fragment is left out.
 * @returns Undefined when it is none, has another scheme or a user's name in it.
 */
export function readRedirect(from: HttpTarget, location: string): HttpTarget | undefined {
  const url = /[\p{Cc}\\]/u.test(location) ? null : URL.parse(location, from.url);
  if (url === null || url.username !== "" || url.password !== "") return undefined;
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== "https" && scheme !== "http") return undefined;
  return readTarget({ scheme, authority: url.host, path: url.pathname + url.search });
}

/**
 * Finds the rule that lets a request or a connection out: the one that names its host before one with a wildcard.
 *
 * @param rules - Of the call's policy.
 * @param target - Canonical.
 */
export function permitTarget(rules: readonly NetworkRule[], target: HttpTarget | SocketTarget): Verdict {
  const covering = rules.filter((rule) => coversTarget(rule, target));
  const rule =
    covering.find(({ covers }) => covers === "host") ?? covering.find(({ covers }) => covers === "subdomains");
  const found = rule ?? covering[0];
  return found === undefined ? deny(target, "no rule that was granted covers it") : { ok: true, rule: found };
}

/**
 * Decides on a connection to an address, which the guest may have from a name.
 *
 * @param connection - Scheme, address and port, and the canonical names that this very call looked up and got the address for.
 */
export function permitConnection(
  rules: readonly NetworkRule[],
  connection: Omit<SocketTarget, "host"> & { readonly address: Address; readonly names: readonly string[] },
): Verdict {
  const { scheme, port, address, names } = connection;
  const verdicts = [...names, formatAddress(address)].map((host): Verdict => {
    const target: SocketTarget = { scheme, host, port };
    const verdict = permitTarget(rules, target);
    return verdict.ok ? permitAddress(verdict.rule, address, target) : verdict;
  });
  return (
    verdicts.find(({ ok }) => ok) ??
    verdicts[0] ??
    deny({ scheme, port, host: formatAddress(address) }, "no rule covers it")
  );
}

/**
 * Decides whether a call may listen on an address: only on the very one that a rule names, or on this machine's own for `localhost`. An
 * unspecified address (`0.0.0.0`) is every address of the machine, and has to be named as well.
 *
 * @param rules - `listen` of the call's policy.
 */
export function permitListen(
  rules: readonly NetworkRule[],
  place: Omit<SocketTarget, "host"> & { readonly address: Address },
): Verdict {
  const { scheme, port, address } = place;
  const target: SocketTarget = { scheme, port, host: formatAddress(address) };
  const open = rules.filter((rule) => rule.covers === "host" && rule.scheme === scheme && rule.port === port);
  const allowed = open.map((rule) => permitAddress(rule, address, target)).find(({ ok }) => ok);
  if (allowed !== undefined) return allowed;
  const origin = `${scheme}://${target.host}:${port}`;
  return { ok: false, capability: `listen:${origin}`, target: origin, reason: "it was not granted to listen there" };
}

/** Whether a name may be looked up: only one that a rule covers. */
export function mayResolve(rules: readonly NetworkRule[], name: string): boolean {
  const host = canonicalHost(name);
  return host !== undefined && rules.some((rule) => coversHost(rule, host));
}

/**
 * Decides whether an address may be connected to under a rule. Addresses that are not public are refused, whatever name led to them, unless
 * the rule names that very address, or is `localhost` and the address this machine's own.
 *
 * @param rule - What {@link permitTarget} gave for the target.
 * @param address - What its name resolved to, or what it names itself.
 * @param target - What is told of it.
 */
export function permitAddress(rule: NetworkRule, address: Address, target: HttpTarget | SocketTarget): Verdict {
  const kind = kindOf(address);
  const named = rule.covers === "host" ? parseAddress(rule.host) : undefined;
  if (named !== undefined) {
    return isSameAddress(named, address)
      ? { ok: true, rule }
      : deny(target, "it is not the address that the rule names");
  }
  if (rule.covers === "host" && rule.host === "localhost") {
    return kind === "loopback" ? { ok: true, rule } : deny(target, '"localhost" leads to another machine');
  }
  if (kind === "public") return { ok: true, rule };
  const place = { ...target, host: formatAddress(address) };
  return deny(place, `its address is not public (${kind}), and no rule names that address`);
}

/** Says what was denied, in the words of a call's end. The capability is the least that would have allowed it. */
function deny({ scheme, host, port, ...rest }: HttpTarget | SocketTarget, reason: string): Verdict {
  const origin = `${scheme}://${host}${port === DEFAULT_PORTS[scheme] ? "" : `:${port}`}`;
  return { ok: false, capability: `net:${origin}`, target: `${origin}${"path" in rest ? rest.path : ""}`, reason };
}

function coversTarget(rule: NetworkRule, target: HttpTarget | SocketTarget): boolean {
  const isHttp = target.scheme === "https" || target.scheme === "http";
  if (rule.scheme === undefined ? !isHttp : rule.scheme !== target.scheme) return false;
  if (target.port !== (rule.port ?? DEFAULT_PORTS[target.scheme])) return false;
  if (!coversHost(rule, target.host)) return false;
  return rule.pathPrefix === undefined || ("path" in target && coversPath(rule.pathPrefix, target.path));
}

/** Whether a rule covers a canonical host. Wildcards stand for names of the public network alone. */
function coversHost({ covers, host }: NetworkRule, wanted: string): boolean {
  if (covers === "host") return host === wanted;
  const address = parseAddress(wanted);
  if (covers === "subdomains")
    return address === undefined && wanted.endsWith(`.${host}`) && wanted.length > host.length + 1;
  if (address !== undefined) return kindOf(address) === "public";
  return wanted !== "localhost" && !wanted.endsWith(".localhost");
}

/**
 * Whether a path lies at or below a prefix, by whole segments. What a server could read as a way out of it, by decoding once more than
 * others do or by taking `\` or `;` for a separator, lies nowhere.
 *
 * Source: RFC 3986 §3.3, §5.2.4; the target's own dot segments are resolved already.
 */
function coversPath(prefix: string, path: string): boolean {
  const isBelow = path === prefix || path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
  return isBelow && isPlain(path);
}

function isPlain(path: string): boolean {
  let text = path;
  for (let round = 0; round < DECODE_LIMIT; round++) {
    const decoded = text.replace(/%[0-9a-f]{2}/gi, (code) => String.fromCodePoint(Number.parseInt(code.slice(1), 16)));
    if (decoded === text) return text.split("/").every((segment) => !DOTS.test(segment));
    // A separator, or an end, that only decoding shows.
    if (decoded.split(SEPARATOR).length !== text.split(SEPARATOR).length) return false;
    text = decoded;
  }
  return false;
}
