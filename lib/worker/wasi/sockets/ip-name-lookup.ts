/**
 * `wasi:sockets/ip-name-lookup`: answers only for names that a rule covers, and only with addresses that may be connected to. The guest's side of
 * the trust boundary.
 *
 * Source: wasi:sockets 0.2, wit/ip-name-lookup.wit.
 */
import { define, ResultError } from "../../../component/link/host.ts";
import { option, result, string } from "../../../schema/value-type.ts";
import type { Address } from "../../../policy/address.ts";
import { type IpAddress, ipAddress } from "../../net/address.ts";
import { Signal } from "../../net/signal.ts";
import { type Host, serve, type WasiInterface } from "../host.ts";
import { type Event, Pollable } from "../poll.ts";
import { Resource } from "../resource.ts";
import { fail, networkCode } from "./failure.ts";
import type { NetworkHandle } from "./network.ts";
import { resolveName } from "./resolve.ts";
import {
  ERROR_CODE,
  IP_ADDRESS,
  NETWORK_BORROW,
  type NetworkErrorCode,
  ownSocket,
  POLLABLE,
  self,
} from "./signature.ts";

/** `resolve-address-stream`. */
export class ResolveAddressStream extends Resource {
  readonly event: Event;
  readonly #changed = new Signal();
  #left: Address[] | NetworkErrorCode | undefined;

  constructor(host: Host, found: Promise<readonly Address[]>) {
    super(host);
    this.event = {
      isReady: () => this.#left !== undefined,
      whenReady: (wake) => this.#changed.whenReady(wake),
    };
    found.then(
      (addresses) => this.#settle([...addresses]),
      (error: unknown) => this.#settle(error instanceof ResultError ? "name-unresolvable" : networkCode(error)),
    );
  }

  /** @returns The next address; undefined when there are no more. */
  next(): IpAddress | undefined {
    if (this.#left === undefined) return fail("would-block");
    if (typeof this.#left === "string") return fail(this.#left);
    const address = this.#left.shift();
    return address === undefined ? undefined : ipAddress(address);
  }

  #settle(left: Address[] | NetworkErrorCode): void {
    this.#left = left;
    this.#changed.notify();
  }
}

/** `wasi:sockets/ip-name-lookup`. */
export const SOCKETS_IP_NAME_LOOKUP: WasiInterface = serve(
  "wasi:sockets/ip-name-lookup",
  {
    /**
     * Looks up a name. An address is its own answer; what no rule covers is `access-denied`, and nobody is asked for it.
     *
     * Source: `resolve-addresses`: "If the input is an IP address string, the address is parsed and returned as-is without making any
     * external requests"; "Unicode domain names are automatically converted to ASCII using IDNA encoding".
     */
    "resolve-addresses": define(
      [
        { network: NETWORK_BORROW, name: string },
        result(ownSocket("ip-name-lookup/resolve-address-stream"), ERROR_CODE),
      ],
      (host: Host, ...[, name]: readonly [NetworkHandle, string]) =>
        new ResolveAddressStream(host, resolveName(host, name)),
    ),

    /** Gives the next address. Source: `resolve-next-address`: "If no more addresses are available, this function returns `none`". */
    "[method]resolve-address-stream.resolve-next-address": define(
      [self("ip-name-lookup/resolve-address-stream"), result(option(IP_ADDRESS), ERROR_CODE)],
      (_: Host, stream: ResolveAddressStream) => stream.next(),
    ),

    /** Source: `resolve-address-stream.subscribe`: "once the stream is ready for I/O". */
    "[method]resolve-address-stream.subscribe": define(
      [self("ip-name-lookup/resolve-address-stream"), POLLABLE],
      (host: Host, stream: ResolveAddressStream) => new Pollable(host, stream.event, stream),
    ),
  },
  ["resolve-address-stream"],
);
