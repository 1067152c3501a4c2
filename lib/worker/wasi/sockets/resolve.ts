/**
 * Which names a guest may look up, and which of their addresses it is told. The guest's side of the trust boundary.
 *
 * Source: wasi:sockets 0.2, wit/ip-name-lookup.wit, `resolve-addresses`.
 */
import { canonicalHost } from "../../../network-rule.ts";
import { type Address, parseAddress } from "../../../policy/address.ts";
import { mayResolve, permitAddress } from "../../../policy/network.ts";
import { networkOf } from "../../net/network.ts";
import type { Host } from "../host.ts";
import { fail } from "./failure.ts";

/** UTF-16 code units of a name that are looked at: a host has at most 253, and each may be encoded. */
const NAME_LIMIT = 1024;

/**
 * Looks up a name that a rule covers.
 *
 * @param written - As the guest has it. An address is its own answer.
 * @returns At least one address. Fails at once, or later, with an `error-code` or a failure of the network's.
 */
export function resolveName(host: Host, written: string): Promise<readonly Address[]> {
  const literal = parseAddress(written);
  if (literal !== undefined) return Promise.resolve([literal]);
  const name = written.length > NAME_LIMIT ? undefined : canonicalHost(written);
  if (name === undefined) return fail("invalid-argument");
  if (!mayResolve(host.policy.network, name)) {
    host.context.noteDenial(`net:${name}`, `the addresses of ${name}`);
    return fail("access-denied");
  }
  return networkOf(host)
    .resolve(name)
    .then((addresses) => addresses.filter((address) => mayTell(host, name, address)))
    .then((addresses) => (addresses.length === 0 ? fail("name-unresolvable") : addresses));
}

/** Whether an address of a name may be connected to by some rule that covers the name: others are the inside of somebody's network. */
function mayTell({ policy }: Host, name: string, address: Address): boolean {
  return policy.network
    .filter((rule) => mayResolve([rule], name))
    .some((rule) => permitAddress(rule, address, { scheme: "tcp", host: name, port: rule.port ?? 443 }).ok);
}
