/**
 * `wasi:sockets/tcp` and `wasi:sockets/tcp-create-socket`. The guest's side of the trust boundary.
 *
 * Source: wasi:sockets 0.2, wit/tcp.wit, wit/tcp-create-socket.wit.
 */
import { define, type HostFunction } from "../../../component/link/host.ts";
import { bool, result, tuple, type ValueType } from "../../../schema/value-type.ts";
import type { Family, SocketAddress } from "../../net/address.ts";
import { networkOf } from "../../net/network.ts";
import { type Functions, type Host, serve, type WasiInterface } from "../host.ts";
import { Pollable } from "../poll.ts";
import { fail } from "./failure.ts";
import type { NetworkHandle } from "./network.ts";
import {
  ERROR_CODE,
  FAMILY,
  INPUT_STREAM,
  NETWORK_BORROW,
  OUTPUT_STREAM,
  ownSocket,
  POLLABLE,
  self,
  SHUTDOWN_TYPE,
  SOCKET_ADDRESS,
} from "./signature.ts";
import { TCP_OPTIONS } from "./tcp-options.ts";
import { type Shutdown, TcpSocket } from "./tcp-socket.ts";

const TCP_SOCKET = "tcp/tcp-socket";
const START = { ...self(TCP_SOCKET), network: NETWORK_BORROW } as const;

const TCP_FUNCTIONS: Functions = {
  /** Begins to bind. A port that is not 0 needs a rule of `listen`. Source: `start-bind`: "Bind the socket to the provided IP address and port". */
  "[method]tcp-socket.start-bind": define(
    [{ ...START, "local-address": SOCKET_ADDRESS }, result(undefined, ERROR_CODE)],
    (_: Host, socket: TcpSocket, ...[, local]: readonly [NetworkHandle, SocketAddress]) => socket.startBind(local),
  ),

  /** Source: `finish-bind`: `not-in-progress`, `would-block`, `address-in-use`, `address-not-bindable`. */
  "[method]tcp-socket.finish-bind": method((socket) => socket.finishBind()),

  /** Begins to connect, where a rule allows it. Source: `start-connect`: "Connect to a remote endpoint". */
  "[method]tcp-socket.start-connect": define(
    [{ ...START, "remote-address": SOCKET_ADDRESS }, result(undefined, ERROR_CODE)],
    (_: Host, socket: TcpSocket, ...[, remote]: readonly [NetworkHandle, SocketAddress]) => socket.startConnect(remote),
  ),

  /** Gives the streams. Source: `finish-connect`: "On success: the socket is transitioned into the `connection` state"; on failure it is closed. */
  "[method]tcp-socket.finish-connect": method((socket) => socket.finishConnect(), tuple(INPUT_STREAM, OUTPUT_STREAM)),

  /** Begins to listen, where a rule allows it. Source: `start-listen`: "The socket must already be explicitly bound". */
  "[method]tcp-socket.start-listen": method((socket) => socket.startListen()),

  /** Source: `finish-listen`: "Transitions the socket into the `listening` state". */
  "[method]tcp-socket.finish-listen": method((socket) => socket.finishListen()),

  /** Takes a connection. Source: `accept`: "Accept a new client socket"; `invalid-state`, `would-block`. */
  "[method]tcp-socket.accept": method(
    (socket) => socket.accept(),
    tuple(ownSocket(TCP_SOCKET), INPUT_STREAM, OUTPUT_STREAM),
  ),

  /** Source: `local-address`: "Get the bound local address". */
  "[method]tcp-socket.local-address": method((socket) => socket.localAddress(), SOCKET_ADDRESS),

  /** Source: `remote-address`: "Get the remote address". */
  "[method]tcp-socket.remote-address": method((socket) => socket.remoteAddress(), SOCKET_ADDRESS),

  /** Source: `is-listening`: "Whether the socket is in the `listening` state". */
  "[method]tcp-socket.is-listening": define(
    [self(TCP_SOCKET), bool],
    (_: Host, { isListening }: TcpSocket) => isListening,
  ),

  /** Source: `address-family`: "Whether this is a IPv4 or IPv6 socket". */
  "[method]tcp-socket.address-family": define([self(TCP_SOCKET), FAMILY], (_: Host, { family }: TcpSocket) => family),

  /** Source: `subscribe`: "resolve when the socket is ready to … `finish-bind`, `finish-listen`, `finish-connect` … `accept`". */
  "[method]tcp-socket.subscribe": define(
    [self(TCP_SOCKET), POLLABLE],
    (host: Host, socket: TcpSocket) => new Pollable(host, socket.event, socket),
  ),

  /** Source: `shutdown`: "Initiate a graceful shutdown". */
  "[method]tcp-socket.shutdown": define(
    [{ ...self(TCP_SOCKET), "shutdown-type": SHUTDOWN_TYPE }, result(undefined, ERROR_CODE)],
    (_: Host, socket: TcpSocket, type: Shutdown) => socket.shutdown(type),
  ),
};

/** `wasi:sockets/tcp`. */
export const SOCKETS_TCP: WasiInterface = serve("wasi:sockets/tcp", { ...TCP_FUNCTIONS, ...TCP_OPTIONS }, [
  "tcp-socket",
]);

/** `wasi:sockets/tcp-create-socket`. */
export const SOCKETS_TCP_CREATE: WasiInterface = serve("wasi:sockets/tcp-create-socket", {
  /** Makes a socket. Source: `create-tcp-socket`: `new-socket-limit`; "does not require a network capability handle". */
  "create-tcp-socket": define(
    [{ "address-family": FAMILY }, result(ownSocket(TCP_SOCKET), ERROR_CODE)],
    (host: Host, family: Family) => {
      const release = networkOf(host).tryTakeSocket() ?? fail("new-socket-limit");
      return new TcpSocket(host, family, release);
    },
  ),
});

/** A method without arguments that may fail. */
function method(run: (socket: TcpSocket) => unknown, returned?: ValueType): HostFunction<Host> {
  return define([self(TCP_SOCKET), result(returned, ERROR_CODE)], (_: Host, socket: TcpSocket) => run(socket));
}
