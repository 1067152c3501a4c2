/**
 * From a target that a rule covers to a connection to it: names are resolved once, every address is checked, and only one that was checked is
 * connected to. The guest's side of the trust boundary.
 */
import type { NetworkRule } from "../../network-rule.ts";
import type { Address } from "../../policy/address.ts";
import { type HttpTarget, permitAddress } from "../../policy/network.ts";
import { addressText, unbracket } from "./address.ts";
import { Connection } from "./connection.ts";
import { NetFailure } from "./failure.ts";
import type { Network } from "./network.ts";

/** Milliseconds that an address has when there is another one to try. */
const ATTEMPT_MS = 2000;

/** Addresses of a name that are tried. */
const ATTEMPT_LIMIT = 4;

/** What to connect to. */
export interface Dial {
  readonly target: HttpTarget;
  /** That covers the target. */
  readonly rule: NetworkRule;
  /** Told of each connection that is begun, at once: to give it up. */
  readonly watch: (connection: Connection) => void;
}

/**
 * Connects to the first address of a target that the policy allows and that answers.
 *
 * @throws {NetFailure} `prohibited` when the policy allows none of them; the denial is noted.
 */
export async function connectTo(network: Network, dial: Dial): Promise<Connection> {
  const addresses = await network.resolve(dial.target.host);
  const permitted = permittedAddresses(network, dial, addresses).slice(0, ATTEMPT_LIMIT);
  let failure = new NetFailure("ended");
  for (const [at, address] of permitted.entries()) {
    if (network.isOver) break;
    const attempt = await tryAddress(network, dial, { address, isLast: at === permitted.length - 1 });
    if (attempt instanceof Connection) return attempt;
    failure = attempt;
  }
  throw failure;
}

/** Others than the allowed ones are passed over: an answer with a private address among public ones leads to none of the private. */
function permittedAddresses(network: Network, dial: Dial, addresses: readonly Address[]): readonly Address[] {
  const { target, rule } = dial;
  const verdicts = addresses.map((address) => ({ address, verdict: permitAddress(rule, address, target) }));
  const permitted = verdicts.filter(({ verdict }) => verdict.ok).map(({ address }) => address);
  if (permitted.length > 0) return permitted;
  const denied = verdicts.map(({ verdict }) => verdict).find((verdict) => !verdict.ok);
  if (denied !== undefined && !denied.ok && !network.isOver)
    network.host.context.noteDenial(denied.capability, denied.target);
  throw new NetFailure("prohibited");
}

async function tryAddress(
  network: Network,
  { target, watch }: Dial,
  { address, isLast }: { readonly address: Address; readonly isLast: boolean },
): Promise<Connection | NetFailure> {
  const connection = Connection.connect(network, {
    to: { address: addressText(address), port: target.port },
    from: undefined,
    secureName: target.scheme === "https" ? unbracket(target.host) : undefined,
  });
  watch(connection);
  const timer = isLast ? undefined : setTimeout(() => connection.close(), ATTEMPT_MS);
  try {
    await connection.opened();
    return connection;
  } catch (error) {
    connection.close();
    if (error instanceof NetFailure) return error;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
