/**
 * By which names a request may address the server, and from which web pages it may come. Pure: decides on headers, resolves nothing.
 *
 * A web page can make a browser on this machine send requests to loopback, and, when the page's own name is made to resolve to loopback
 * (DNS rebinding), read the answers too. Such a request names the page's host in `Host`, and the page in `Origin`.
 *
 * Source: MCP 2026-07-28, "Transports / Streamable HTTP", "Security Warning": a server MUST validate `Origin`, and answers 403.
 */
import { isIP } from "node:net";
import { refuse } from "../../errors.ts";

/** What a server answers to. */
export interface Names {
  /** Host names as `Host` has them, lower-case, IPv6 in brackets, without port; undefined: any, because only this machine's programs reach it. */
  readonly hosts: ReadonlySet<string> | undefined;
  /** Origins of web pages that may use the server, as browsers write them: `https://app.example`. */
  readonly origins: ReadonlySet<string>;
}

/** The names of this machine to itself. */
export const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** A host and perhaps a port; nothing else that a URL may have there. */
const HOST = /^(?<name>\[[0-9a-f:.]+\]|[0-9a-z.-]+)(?::(?<port>\d{1,5}))?$/i;

/**
 * Makes sure that a request addresses the server by one of its names. The port does not matter: it may be forwarded.
 *
 * @param names - The server's.
 * @param header - `Host`, or null when there is none.
 * @throws {Failure} `HTTP_HOST`
 */
export function requireHost(names: Names, header: string | null): void {
  if (names.hosts === undefined) return;
  const name = HOST.exec(header ?? "")?.groups?.["name"]?.toLowerCase();
  if (name === undefined || !names.hosts.has(name)) throw refuse("HTTP_HOST", { host: header ?? "" });
}

/**
 * Makes sure that a request does not come from a foreign web page. A request without `Origin` comes from a program; one whose origin is
 * the address that it was sent to comes from a page of the server's own, of which there are none.
 *
 * @param names - The server's.
 * @param headers - `Host` has been checked.
 * @throws {Failure} `HTTP_ORIGIN`; for `null` as well, which stands for sandboxed and local pages.
 */
export function requireOrigin(names: Names, headers: Headers): void {
  const origin = headers.get("origin");
  if (origin === null || names.origins.has(origin) || isOwn(names, origin, headers.get("host"))) return;
  throw refuse("HTTP_ORIGIN", { origin });
}

/**
 * Reads the name that a user gave for a server, as `Host` has it.
 *
 * @returns Lower-case, IPv6 in brackets; undefined when it is no name.
 */
export function hostName(text: string): string | undefined {
  const bracketed = isIP(text) === 6 ? `[${text}]` : text;
  const groups = HOST.exec(bracketed)?.groups;
  return groups?.["port"] === undefined ? groups?.["name"]?.toLowerCase() : undefined;
}

function isOwn(names: Names, origin: string, host: string | null): boolean {
  if (names.hosts === undefined || host === null) return false;
  const lower = host.toLowerCase();
  return origin === `http://${lower}` || origin === `https://${lower}`;
}
