/**
 * `wasi:sockets/udp` and `wasi:sockets/udp-create-socket`. The guest's side of the trust boundary.
 *
 * Source: wasi:sockets 0.2, wit/udp.wit, wit/udp-create-socket.wit.
 */
import { define, type HostFunction } from "../../../component/link/host.ts";
import { option, result, tuple, u64, u8, type ValueType } from "../../../schema/value-type.ts";
import type { Family, SocketAddress } from "../../net/address.ts";
import { networkOf } from "../../net/network.ts";
import { type Functions, type Host, serve, type WasiInterface } from "../host.ts";
import { Pollable } from "../poll.ts";
import { fail } from "./failure.ts";
import type { NetworkHandle } from "./network.ts";
import {
  ERROR_CODE,
  FAMILY,
  INCOMING_DATAGRAMS,
  NETWORK_BORROW,
  OUTGOING_DATAGRAMS,
  ownSocket,
  POLLABLE,
  self,
  SOCKET_ADDRESS,
} from "./signature.ts";
import {
  type IncomingDatagramStream,
  type OutgoingDatagram,
  type OutgoingDatagramStream,
  UdpSocket,
} from "./udp-socket.ts";

const UDP_SOCKET = "udp/udp-socket";
const INCOMING = "udp/incoming-datagram-stream";
const OUTGOING = "udp/outgoing-datagram-stream";
const STREAMS = tuple(ownSocket(INCOMING), ownSocket(OUTGOING));

const SOCKET_FUNCTIONS: Functions = {
  /** Begins to bind. A port that is not 0 needs a rule of `listen`. Source: `start-bind`: "Bind the socket to the provided IP address and port". */
  "[method]udp-socket.start-bind": define(
    [{ ...self(UDP_SOCKET), network: NETWORK_BORROW, "local-address": SOCKET_ADDRESS }, result(undefined, ERROR_CODE)],
    (_: Host, socket: UdpSocket, ...[, local]: readonly [NetworkHandle, SocketAddress]) => socket.startBind(local),
  ),

  /** Source: `finish-bind`: `not-in-progress`, `would-block`, `address-in-use`, `address-not-bindable`. */
  "[method]udp-socket.finish-bind": method((socket) => socket.finishBind()),

  /** Gives streams, to one peer or to all that a rule allows. Source: `stream`: "Set up inbound & outbound communication channels, optionally to a specific peer". */
  "[method]udp-socket.stream": define(
    [{ ...self(UDP_SOCKET), "remote-address": option(SOCKET_ADDRESS) }, result(STREAMS, ERROR_CODE)],
    (_: Host, socket: UdpSocket, remote: SocketAddress | undefined) => socket.stream(remote),
  ),

  /** Source: `local-address`: "Get the current bound address". */
  "[method]udp-socket.local-address": method((socket) => socket.localAddress(), SOCKET_ADDRESS),

  /** Source: `remote-address`: "Get the address the socket is currently streaming to". */
  "[method]udp-socket.remote-address": method((socket) => socket.remoteAddress(), SOCKET_ADDRESS),

  /** Source: `address-family`: "Whether this is a IPv4 or IPv6 socket". */
  "[method]udp-socket.address-family": define([self(UDP_SOCKET), FAMILY], (_: Host, { family }: UdpSocket) => family),

  /** Source: `subscribe`: "resolve when the socket is ready for I/O". */
  "[method]udp-socket.subscribe": define(
    [self(UDP_SOCKET), POLLABLE],
    (host: Host, socket: UdpSocket) => new Pollable(host, socket.event, socket),
  ),

  /** Remembered, not applied. Source: `unicast-hop-limit`: "Equivalent to the IP_TTL & IPV6_UNICAST_HOPS socket options". */
  "[method]udp-socket.unicast-hop-limit": getOption("hopLimit", u8),
  /** Source: `set-unicast-hop-limit`: `invalid-argument`: "The TTL value must be 1 or higher". */
  "[method]udp-socket.set-unicast-hop-limit": setOption("hopLimit", u8),
  /** Remembered, not applied. Source: `receive-buffer-size`: "The kernel buffer space reserved for sends/receives on this socket". */
  "[method]udp-socket.receive-buffer-size": getOption("receiveBuffer", u64),
  /** Source: `set-receive-buffer-size`: "If the provided value is 0, an `invalid-argument` error is returned". */
  "[method]udp-socket.set-receive-buffer-size": setOption("receiveBuffer", u64),
  /** Remembered, not applied. Source: `send-buffer-size`. */
  "[method]udp-socket.send-buffer-size": getOption("sendBuffer", u64),
  /** Source: `set-send-buffer-size`. */
  "[method]udp-socket.set-send-buffer-size": setOption("sendBuffer", u64),
};

const STREAM_FUNCTIONS: Functions = {
  /** Takes datagrams, as many as have come. Source: `receive`: "Receive messages on the socket". */
  "[method]incoming-datagram-stream.receive": define(
    [{ ...self(INCOMING), "max-results": u64 }, result(INCOMING_DATAGRAMS, ERROR_CODE)],
    (_: Host, stream: IncomingDatagramStream, most: bigint) => stream.receive(most),
  ),

  /** Source: `incoming-datagram-stream.subscribe`: "resolve when the stream is ready to receive again". */
  "[method]incoming-datagram-stream.subscribe": define(
    [self(INCOMING), POLLABLE],
    (host: Host, stream: IncomingDatagramStream) => new Pollable(host, stream.event, stream),
  ),

  /** Permits datagrams. Source: `check-send`: "Check readiness for sending. This function never blocks". */
  "[method]outgoing-datagram-stream.check-send": define(
    [self(OUTGOING), result(u64, ERROR_CODE)],
    (_: Host, stream: OutgoingDatagramStream) => stream.checkSend(),
  ),

  /** Sends datagrams, each only to where a rule allows. Source: `send`: "Send messages on the socket". */
  "[method]outgoing-datagram-stream.send": define(
    [{ ...self(OUTGOING), datagrams: OUTGOING_DATAGRAMS }, result(u64, ERROR_CODE)],
    (_: Host, stream: OutgoingDatagramStream, datagrams: readonly OutgoingDatagram[]) => stream.send(datagrams),
  ),

  /** Source: `outgoing-datagram-stream.subscribe`: "resolve when the stream is ready to send again". */
  "[method]outgoing-datagram-stream.subscribe": define(
    [self(OUTGOING), POLLABLE],
    (host: Host, stream: OutgoingDatagramStream) => new Pollable(host, stream.event, stream),
  ),
};

/** `wasi:sockets/udp`. */
export const SOCKETS_UDP: WasiInterface = serve("wasi:sockets/udp", { ...SOCKET_FUNCTIONS, ...STREAM_FUNCTIONS }, [
  "udp-socket",
  "incoming-datagram-stream",
  "outgoing-datagram-stream",
]);

/** `wasi:sockets/udp-create-socket`. */
export const SOCKETS_UDP_CREATE: WasiInterface = serve("wasi:sockets/udp-create-socket", {
  /** Makes a socket. Source: `create-udp-socket`: `new-socket-limit`; "does not require a network capability handle". */
  "create-udp-socket": define(
    [{ "address-family": FAMILY }, result(ownSocket(UDP_SOCKET), ERROR_CODE)],
    (host: Host, family: Family) => {
      const release = networkOf(host).tryTakeSocket() ?? fail("new-socket-limit");
      return new UdpSocket(host, family, release);
    },
  ),
});

/** A method without arguments that may fail. */
function method(run: (socket: UdpSocket) => unknown, returned?: ValueType): HostFunction<Host> {
  return define([self(UDP_SOCKET), result(returned, ERROR_CODE)], (_: Host, socket: UdpSocket) => run(socket));
}

function getOption(name: keyof UdpSocket["options"], type: ValueType): HostFunction<Host> {
  return method(({ options }) => options[name], type);
}

function setOption(name: keyof UdpSocket["options"], type: ValueType): HostFunction<Host> {
  return define(
    [{ ...self(UDP_SOCKET), value: type }, result(undefined, ERROR_CODE)],
    (_: Host, { options }: UdpSocket, value: number | bigint) => {
      if (value === 0 || value === 0n) fail("invalid-argument");
      Object.assign(options, { [name]: value });
    },
  );
}
