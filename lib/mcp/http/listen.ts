/**
 * Where a server may listen, and under which names it is reached. Pure.
 *
 * What other machines can reach is encrypted, or the user has said that a proxy does that; and it never goes without a token.
 */
import { isIP } from "node:net";
import { refuse } from "../../errors.ts";
import { hostName, LOOPBACK_HOSTS, type Names } from "./names.ts";

/** Where to listen. */
export type Place =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** What the user said about who reaches it. */
export interface Exposure {
  /** A certificate and a key are given. */
  readonly isEncrypted: boolean;
  /** Unencrypted beyond this machine, knowingly. */
  readonly isPlainAllowed: boolean;
  /** No token is asked for. */
  readonly isOpen: boolean;
}

/** Whether only programs of this machine reach an address. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === "localhost" || name === "::1" || name === "[::1]" || (isIP(name) === 4 && name.startsWith("127."));
}

/**
 * Makes sure that a server may listen where it is told to.
 *
 * @throws {Failure} `LISTEN_EXPOSED`; `USAGE` for one that asks for no token and is reached from other machines.
 */
export function requireSafePlace(place: Place, { isEncrypted, isPlainAllowed, isOpen }: Exposure): void {
  if (place.kind === "unix" || isLoopback(place.host)) return;
  if (isOpen) {
    throw refuse("USAGE", {
      problem: `Cannot run "kami serve": --no-auth on ${place.host} would let other machines in without a token`,
      hint: "leave out --no-auth, or --host",
    });
  }
  if (!isEncrypted && !isPlainAllowed) throw refuse("LISTEN_EXPOSED", { address: place.host });
}

/**
 * Collects the names that a server answers to.
 *
 * @param place - Where it listens.
 * @param allowed - Further host names, and the origins of web pages.
 * @throws {Failure} `USAGE` for what is no host name or no origin.
 */
export function namesOf(
  place: Place,
  allowed: { readonly hosts: readonly string[]; readonly origins: readonly string[] },
): Names {
  const origins = new Set(allowed.origins.map(readOrigin));
  const extra = allowed.hosts.map(readHost);
  if (place.kind === "unix" && extra.length === 0) return { hosts: undefined, origins };
  const own = place.kind === "unix" || isAny(place.host) ? [] : [readHost(place.host)];
  // Forwarded ports and tunnels end at loopback, whatever the server listens on.
  return { hosts: new Set([...LOOPBACK_HOSTS, ...own, ...extra]), origins };
}

/** Whether an address means all of a machine's: then it is none that a client could use. */
export function isAny(host: string): boolean {
  return host === "0.0.0.0" || host === "::" || host === "[::]";
}

function readHost(text: string): string {
  const name = hostName(text);
  if (name !== undefined) return name;
  throw refuse("USAGE", {
    problem: `Cannot run "kami serve": ${JSON.stringify(text)} is no host name`,
    hint: "give a name or an address without scheme, port or path: --allow-host kami.example.com",
  });
}

function readOrigin(text: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+$/.test(text) && URL.canParse(text)) return text;
  throw refuse("USAGE", {
    problem: `Cannot run "kami serve": ${JSON.stringify(text)} is no origin of a web page`,
    hint: "give scheme, host and port as a browser does: --allow-origin http://localhost:6274",
  });
}
