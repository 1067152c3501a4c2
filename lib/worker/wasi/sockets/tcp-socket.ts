/**
 * `wasi:sockets/tcp` `tcp-socket`: its states, and what leads from one to the next. The guest's side of the trust boundary.
 *
 * Source: wasi:sockets 0.2, wit/tcp.wit; TcpSocketOperationalSemantics-0.2.0-draft.md of the same repository, for the states.
 */
import {
  addressText,
  type Endpoint,
  type Family,
  type SocketAddress,
  socketAddress,
  UNSPECIFIED,
} from "../../net/address.ts";
import { Connection } from "../../net/connection.ts";
import { type Accepted, BACKLOG_LIMIT, Listener } from "../../net/listener.ts";
import { type Network, networkOf } from "../../net/network.ts";
import type { Host } from "../host.ts";
import type { Event } from "../poll.ts";
import { Resource } from "../resource.ts";
import { InputStream, OutputStream } from "../streams.ts";
import { checkLocal, checkRemote, readLocal, readRemote } from "./bind.ts";
import { fail, networkCode } from "./failure.ts";
import { TcpSink, TcpSource } from "./tcp-streams.ts";
import { TcpOptions } from "./tcp-options.ts";

/** `shutdown-type`. */
export type Shutdown = "receive" | "send" | "both";

type State = "unbound" | "binding" | "bound" | "connecting" | "connected" | "listen-started" | "listening" | "closed";

/** States in which an operation is under way. */
const IN_PROGRESS: ReadonlySet<State> = new Set(["binding", "connecting", "listen-started"]);

/** `tcp-socket`. */
export class TcpSocket extends Resource {
  readonly family: Family;
  readonly options: TcpOptions;
  readonly event: Event = { isReady: () => this.#isReady(), whenReady: (wake) => this.#whenReady(wake) };
  readonly #network: Network;
  readonly #release: () => void;
  #state: State = "unbound";
  /** Where it was bound to, without a listener: the system chooses the port when it connects. */
  #local: Endpoint | undefined;
  #listener: Listener | undefined;
  #connection: Connection | undefined;
  #source: TcpSource | undefined;
  #sink: TcpSink | undefined;

  /** @param release - Gives its place among the call's sockets back. */
  constructor(host: Host, family: Family, release: () => void) {
    super(host);
    this.family = family;
    this.options = new TcpOptions();
    this.#network = networkOf(host);
    this.#release = release;
  }

  /** Whether it listens. */
  get isListening(): boolean {
    return this.#state === "listening";
  }

  /** Whether it is, or is about to be, one end of a connection. */
  get isConnected(): boolean {
    return this.#state === "connected" || this.#state === "connecting";
  }

  startBind(given: SocketAddress): void {
    const { address, port } = readLocal(this.family, given);
    this.#require(["unbound"]);
    const mayListen = checkLocal(this.host, "tcp", { address, port });
    this.#local = { address: addressText(address), port };
    if (mayListen) this.#listener = new Listener(this.#network, this.#local);
    this.#state = "binding";
  }

  finishBind(): void {
    if (this.#state !== "binding") fail("not-in-progress");
    if (!this.#isReady()) fail("would-block");
    const failure = this.#listener?.failure;
    this.#state = failure === undefined ? "bound" : "unbound";
    if (failure === undefined) return;
    this.#dropListener();
    fail(networkCode(failure));
  }

  startConnect(given: SocketAddress): void {
    const place = readRemote(this.family, given);
    this.#require(["unbound", "bound"]);
    checkRemote(this.host, "tcp", place);
    this.#dropListener();
    this.#connection = Connection.connect(this.#network, {
      to: { address: addressText(place.address), port: place.port },
      from: this.#from(),
      secureName: undefined,
    });
    this.#state = "connecting";
  }

  finishConnect(): readonly [InputStream, OutputStream] {
    if (this.#state !== "connecting" || this.#connection === undefined) return fail("not-in-progress");
    if (!this.#isReady()) return fail("would-block");
    if (!this.#connection.isOpen) {
      this.#state = "closed";
      return fail(networkCode(this.#connection.failure));
    }
    return this.#openStreams(this.#connection);
  }

  startListen(): void {
    this.#require(["bound"]);
    if (this.#listener === undefined) {
      const { address = UNSPECIFIED[this.family] } = this.#local ?? {};
      this.host.context.noteDenial(`listen:tcp://${address}:<port>`, `a port of its own on ${address}`);
      fail("access-denied");
    }
    this.#state = "listen-started";
  }

  finishListen(): void {
    if (this.#state !== "listen-started") fail("not-in-progress");
    this.#listener?.open(this.options.backlog ?? BACKLOG_LIMIT);
    this.#state = "listening";
  }

  accept(): readonly [TcpSocket, InputStream, OutputStream] {
    if (this.#state !== "listening") return fail("invalid-state");
    const accepted = this.#listener?.accept();
    if (accepted === undefined) return fail("would-block");
    const socket = new TcpSocket(this.host, this.family, accepted.release);
    return [socket, ...socket.#adopt(accepted, this.options)];
  }

  /** Source: `local-address`: `invalid-state`: "The socket is not bound to any local address". */
  localAddress(): SocketAddress {
    const { localAddress, localPort } = this.#connection?.socket ?? {};
    if (this.#state === "connected" && localAddress !== undefined)
      return socketAddress({ address: localAddress, port: localPort ?? 0 });
    const local = this.#listener?.local ?? this.#local;
    return local === undefined || this.#state === "binding" ? fail("invalid-state") : socketAddress(local);
  }

  /** Source: `remote-address`: `invalid-state`: "The socket is not connected to a remote address". */
  remoteAddress(): SocketAddress {
    const { remoteAddress, remotePort } = this.#connection?.socket ?? {};
    if (this.#state !== "connected" || remoteAddress === undefined) return fail("invalid-state");
    return socketAddress({ address: remoteAddress, port: remotePort ?? 0 });
  }

  shutdown(type: Shutdown): void {
    if (this.#state !== "connected") fail("invalid-state");
    if (type !== "send") this.#source?.shut();
    if (type !== "receive") this.#sink?.shut();
  }

  /** Has the connection keep itself alive as its options say. */
  applyOptions(): void {
    if (this.#state === "connected") this.options.apply(this.#connection?.socket);
  }

  protected override close(): void {
    this.#dropListener();
    if (this.#connection === undefined) this.#release();
    else this.#connection.closeGently(this.#release);
  }

  #adopt({ connection }: Accepted, options: TcpOptions): readonly [InputStream, OutputStream] {
    this.options.inherit(options);
    this.#connection = connection;
    connection.start();
    return this.#openStreams(connection);
  }

  #openStreams(connection: Connection): readonly [InputStream, OutputStream] {
    this.#state = "connected";
    this.applyOptions();
    this.#source = new TcpSource(connection);
    this.#sink = new TcpSink(connection);
    return [new InputStream(this.host, this.#source, this), new OutputStream(this.host, this.#sink, this)];
  }

  /** Source: `invalid-state`, and `concurrency-conflict`: "incompatible with another asynchronous operation that is already in progress". */
  #require(states: readonly State[]): void {
    if (IN_PROGRESS.has(this.#state)) fail("concurrency-conflict");
    if (!states.includes(this.#state)) fail("invalid-state");
  }

  #from(): Endpoint | undefined {
    if (this.#local === undefined) return undefined;
    return this.#local.port === 0 && this.#local.address === UNSPECIFIED[this.family] ? undefined : this.#local;
  }

  #dropListener(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  #isReady(): boolean {
    if (this.#state === "binding") return this.#listener?.isSettled ?? true;
    if (this.#state === "listening") return this.#listener?.hasWaiting === true;
    if (this.#state !== "connecting") return true;
    return this.#connection === undefined || this.#connection.isOpen || this.#connection.failure !== undefined;
  }

  #whenReady(wake: () => void): () => void {
    const changing = this.#connection ?? this.#listener;
    return changing === undefined ? () => undefined : changing.changed.whenReady(wake);
  }
}
