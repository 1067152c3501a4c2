/**
 * `wasi:sockets/network` and `wasi:sockets/instance-network`. The guest's side of the trust boundary.
 *
 * A network carries no rights: they are the call's policy's, whatever network a function is given.
 *
 * Source: wasi:sockets 0.2, wit/network.wit, wit/instance-network.wit.
 */
import { define } from "../../../component/link/host.ts";
import { borrow, option } from "../../../schema/value-type.ts";
import { type Host, serve, type WasiInterface } from "../host.ts";
import { Resource } from "../resource.ts";
import type { IoError } from "../streams.ts";
import { ERROR_CODE, ownSocket } from "./signature.ts";

/** `network`: "An opaque resource that represents access to (a subset of) the network". */
export class NetworkHandle extends Resource {}

/** `wasi:sockets/network`. */
export const SOCKETS_NETWORK: WasiInterface = serve(
  "wasi:sockets/network",
  {
    /** Tells what a stream failed of. Source: `network-error-code`: "Note that this function is fallible because not all stream-related errors are network-related errors". */
    "network-error-code": define(
      [{ err: borrow("wasi:io/error/error") }, option(ERROR_CODE)],
      (_: Host, { fault }: IoError) => fault.codes.network,
    ),
  },
  ["network"],
);

/** `wasi:sockets/instance-network`. */
export const SOCKETS_INSTANCE_NETWORK: WasiInterface = serve("wasi:sockets/instance-network", {
  /** Gives the network. Source: `instance-network`: "Get a handle to the default network". */
  "instance-network": define([{}, ownSocket("network/network")], (host: Host) => new NetworkHandle(host)),
});
