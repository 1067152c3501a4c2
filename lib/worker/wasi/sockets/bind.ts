/**
 * What TCP and UDP sockets have in common: which addresses they take, and which the policy lets them have. The guest's side of the trust boundary.
 *
 * Source: wasi:sockets 0.2, wit/tcp.wit, wit/udp.wit: the errors of `start-bind`, `start-connect`, `stream` and `send`.
 */
import { type Address, kindOf } from "../../../policy/address.ts";
import { permitConnection, permitListen, type Verdict } from "../../../policy/network.ts";
import { familyOf, type Family, readSocketAddress, type SocketAddress } from "../../net/address.ts";
import { networkOf } from "../../net/network.ts";
import type { Host } from "../host.ts";
import { fail } from "./failure.ts";

/** An address and port of the guest's that are what they may be. */
export interface Place {
  readonly address: Address;
  readonly port: number;
}

const NOT_UNICAST: ReadonlySet<string> = new Set(["multicast", "broadcast"]);

/**
 * Reads an address to bind to.
 *
 * Source: `start-bind`: `invalid-argument`: "The `local-address` has the wrong address family", "is not a unicast address", "is an IPv4-mapped
 * IPv6 address".
 */
export function readLocal(family: Family, given: SocketAddress): Place {
  const place = readSocketAddress(given);
  if (familyOf(place.address) !== family || isMapped(place.address) || NOT_UNICAST.has(kindOf(place.address)))
    return fail("invalid-argument");
  return place;
}

/**
 * Reads an address to connect or to send to.
 *
 * Source: `start-connect`, `stream`, `send`: `invalid-argument`, also for "The IP address in `remote-address` is set to INADDR_ANY" and "The
 * port in `remote-address` is set to 0".
 */
export function readRemote(family: Family, given: SocketAddress): Place {
  const place = readLocal(family, given);
  if (place.port === 0 || place.address.bytes.every((byte) => byte === 0)) return fail("invalid-argument");
  return place;
}

/** Fails with `access-denied`, and notes it, unless a rule covers a connection to an address or to one of the names it was looked up by. */
export function checkRemote(host: Host, scheme: "tcp" | "udp", { address, port }: Place): void {
  const names = networkOf(host).namesOf(address);
  checkVerdict(host, permitConnection(host.policy.network, { scheme, port, address, names }));
}

/** Whether a rule covers what comes from an address: nothing is noted. */
export function mayComeFrom(host: Host, { address, port }: Place): boolean {
  const names = networkOf(host).namesOf(address);
  return permitConnection(host.policy.network, { scheme: "udp", port, address, names }).ok;
}

/**
 * Whether a listener may have an address: a port that the system chooses is for nobody to connect to, and needs no grant.
 *
 * @returns Whether a rule of `listen` covers it. Fails with `access-denied`, and notes it, when it needs one and there is none.
 */
export function checkLocal(host: Host, scheme: "tcp" | "udp", { address, port }: Place): boolean {
  if (port === 0) return false;
  checkVerdict(host, permitListen(host.policy.listen, { scheme, port, address }));
  return true;
}

/** Whether an IPv6 address is an IPv4 address in disguise. Source: RFC 4291 §2.5.5.2. */
export function isMapped({ bytes }: Address): boolean {
  return (
    bytes.length === 16 && bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff
  );
}

function checkVerdict(host: Host, verdict: Verdict): void {
  if (verdict.ok) return;
  host.context.noteDenial(verdict.capability, verdict.target);
  fail("access-denied");
}
