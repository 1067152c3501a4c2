/**
 * The interfaces of `wasi:sockets`. The guest's side of the trust boundary.
 *
 * Source: wasi:sockets 0.2, wit/world.wit.
 */
import type { WasiInterface } from "../host.ts";
import { SOCKETS_IP_NAME_LOOKUP } from "./ip-name-lookup.ts";
import { SOCKETS_INSTANCE_NETWORK, SOCKETS_NETWORK } from "./network.ts";
import { SOCKETS_TCP, SOCKETS_TCP_CREATE } from "./tcp.ts";
import { SOCKETS_UDP, SOCKETS_UDP_CREATE } from "./udp.ts";

/** All of them. */
export const SOCKETS: readonly WasiInterface[] = [
  SOCKETS_NETWORK,
  SOCKETS_INSTANCE_NETWORK,
  SOCKETS_IP_NAME_LOOKUP,
  SOCKETS_TCP,
  SOCKETS_TCP_CREATE,
  SOCKETS_UDP,
  SOCKETS_UDP_CREATE,
];
