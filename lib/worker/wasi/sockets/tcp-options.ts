/**
 * The options of TCP sockets. The guest's side of the trust boundary.
 *
 * What the machine's sockets have no way to set is remembered and told, as if it were: the standard lets an implementation clamp and round.
 *
 * Source: wasi:sockets 0.2, wit/tcp.wit.
 */
import { define, type HostFunction } from "../../../component/link/host.ts";
import { bool, result, u32, u64, u8, type ValueType } from "../../../schema/value-type.ts";
import { type AmbientSocket, READ_AHEAD_BYTES } from "../../net/ambient.ts";
import type { Functions, Host } from "../host.ts";
import { fail } from "./failure.ts";
import { ERROR_CODE, self } from "./signature.ts";
import type { TcpSocket } from "./tcp-socket.ts";

const NS_PER_MS = 1_000_000n;
const TIMER_LIMIT_MS = 2_147_483_647;

/** Options that are read and written as they are. */
interface Values {
  isKeptAlive: boolean;
  /** Nanoseconds. */
  keepAliveIdle: bigint;
  /** Nanoseconds. */
  keepAliveInterval: bigint;
  keepAliveCount: number;
  hopLimit: number;
  /** Bytes. */
  receiveBuffer: bigint;
  /** Bytes. */
  sendBuffer: bigint;
}

/** The options of a socket. */
export class TcpOptions {
  /** Connections that may wait to be accepted; undefined as long as the guest has not said. */
  backlog: number | undefined;
  /** What Linux starts with. */
  readonly values: Values = {
    isKeptAlive: false,
    keepAliveIdle: 7_200_000_000_000n,
    keepAliveInterval: 75_000_000_000n,
    keepAliveCount: 9,
    hopLimit: 64,
    receiveBuffer: BigInt(READ_AHEAD_BYTES),
    sendBuffer: BigInt(READ_AHEAD_BYTES),
  };

  /** Source: `accept`: "The following properties are inherited". */
  inherit({ values }: TcpOptions): void {
    Object.assign(this.values, values);
  }

  /** Sets what can be set. */
  apply(socket: AmbientSocket | undefined): void {
    const idleMs = Math.min(Number(this.values.keepAliveIdle / NS_PER_MS), TIMER_LIMIT_MS);
    socket?.setKeepAlive(this.values.isKeptAlive, idleMs);
  }
}

/** The functions of the options. A value of zero is `invalid-argument`; "any other value will never cause an error". */
export const TCP_OPTIONS: Functions = {
  /** Bounds what waits to be accepted. Source: `set-listen-backlog-size`: `invalid-argument`: "The provided value was 0"; `invalid-state`: when connected. */
  "[method]tcp-socket.set-listen-backlog-size": define(
    [{ ...self("tcp/tcp-socket"), value: u64 }, result(undefined, ERROR_CODE)],
    (_: Host, socket: TcpSocket, value: bigint) => {
      if (value === 0n) fail("invalid-argument");
      if (socket.isListening) fail("not-supported");
      if (socket.isConnected) fail("invalid-state");
      socket.options.backlog = Number(value < 65_536n ? value : 65_536n);
    },
  ),

  /** Source: `keep-alive-enabled`: "Enables or disables keepalive". */
  "[method]tcp-socket.keep-alive-enabled": getOption("isKeptAlive", bool),
  /** Source: `set-keep-alive-enabled`. */
  "[method]tcp-socket.set-keep-alive-enabled": setOption("isKeptAlive", bool),
  /** Source: `keep-alive-idle-time`: "Amount of time the connection has to be idle before TCP starts sending keepalive packets". */
  "[method]tcp-socket.keep-alive-idle-time": getOption("keepAliveIdle", u64),
  /** Source: `set-keep-alive-idle-time`. */
  "[method]tcp-socket.set-keep-alive-idle-time": setOption("keepAliveIdle", u64),
  /** Remembered, not applied. Source: `keep-alive-interval`: "The time between keepalive packets". */
  "[method]tcp-socket.keep-alive-interval": getOption("keepAliveInterval", u64),
  /** Source: `set-keep-alive-interval`. */
  "[method]tcp-socket.set-keep-alive-interval": setOption("keepAliveInterval", u64),
  /** Remembered, not applied. Source: `keep-alive-count`: "The maximum amount of keepalive packets TCP should send before aborting the connection". */
  "[method]tcp-socket.keep-alive-count": getOption("keepAliveCount", u32),
  /** Source: `set-keep-alive-count`. */
  "[method]tcp-socket.set-keep-alive-count": setOption("keepAliveCount", u32),
  /** Remembered, not applied. Source: `hop-limit`: "Equivalent to the IP_TTL & IPV6_UNICAST_HOPS socket options". */
  "[method]tcp-socket.hop-limit": getOption("hopLimit", u8),
  /** Source: `set-hop-limit`: `invalid-argument`: "The TTL value must be 1 or higher". */
  "[method]tcp-socket.set-hop-limit": setOption("hopLimit", u8),
  /** Remembered, not applied: a connection reads 64 KiB ahead. Source: `receive-buffer-size`: "The kernel buffer space reserved for sends/receives on this socket". */
  "[method]tcp-socket.receive-buffer-size": getOption("receiveBuffer", u64),
  /** Source: `set-receive-buffer-size`: "If the provided value is 0, an `invalid-argument` error is returned". */
  "[method]tcp-socket.set-receive-buffer-size": setOption("receiveBuffer", u64),
  /** Remembered, not applied. Source: `send-buffer-size`. */
  "[method]tcp-socket.send-buffer-size": getOption("sendBuffer", u64),
  /** Source: `set-send-buffer-size`. */
  "[method]tcp-socket.set-send-buffer-size": setOption("sendBuffer", u64),
};

function getOption(name: keyof Values, type: ValueType): HostFunction<Host> {
  return define(
    [self("tcp/tcp-socket"), result(type, ERROR_CODE)],
    (_: Host, { options }: TcpSocket) => options.values[name],
  );
}

function setOption(name: keyof Values, type: ValueType): HostFunction<Host> {
  return define(
    [{ ...self("tcp/tcp-socket"), value: type }, result(undefined, ERROR_CODE)],
    (_: Host, socket: TcpSocket, value: boolean | number | bigint) => {
      if (value === 0 || value === 0n) fail("invalid-argument");
      Object.assign(socket.options.values, { [name]: value });
      socket.applyOptions();
    },
  );
}
