/**
 * `wasi:sockets/udp` `udp-socket` and its streams: their states, and whom they may send to and hear. The guest's side of the trust boundary.
 *
 * Source: wasi:sockets 0.2, wit/udp.wit.
 */
import { parseAddress } from "../../../policy/address.ts";
import { addressText, type Endpoint, type Family, type SocketAddress, socketAddress } from "../../net/address.ts";
import { Datagrams, QUEUE_LIMIT_BYTES } from "../../net/datagrams.ts";
import { networkOf } from "../../net/network.ts";
import type { Host } from "../host.ts";
import type { Event } from "../poll.ts";
import { Resource } from "../resource.ts";
import { checkLocal, checkRemote, isMapped, mayComeFrom, readLocal, readRemote } from "./bind.ts";
import { fail, networkCode } from "./failure.ts";

/** Datagrams of one `send` and of one `receive`. */
const BATCH_LIMIT: number = 64;

/** `incoming-datagram`: its data, and where it came from. */
export type IncomingDatagram = readonly [data: Uint8Array, from: SocketAddress];

/** `outgoing-datagram`: its data, and where it goes to; undefined: to the peer of the stream. */
export type OutgoingDatagram = readonly [data: Uint8Array, to: SocketAddress | undefined];

type State = "unbound" | "binding" | "bound";

/** `udp-socket`. */
export class UdpSocket extends Resource {
  readonly family: Family;
  readonly event: Event = { isReady: () => this.#isReady(), whenReady: (wake) => this.#whenReady(wake) };
  /** Remembered and told, not applied. Sizes in bytes. */
  readonly options: { hopLimit: number; receiveBuffer: bigint; sendBuffer: bigint } = {
    hopLimit: 64,
    receiveBuffer: BigInt(QUEUE_LIMIT_BYTES),
    sendBuffer: BigInt(QUEUE_LIMIT_BYTES),
  };
  readonly #release: () => void;
  #state: State = "unbound";
  #datagrams: Datagrams | undefined;
  /** Whether a rule of `listen` covers its port: anyone may send to it then. */
  #isListening = false;
  #peer: Endpoint | undefined;

  /** @param release - Gives its place among the call's sockets back. */
  constructor(host: Host, family: Family, release: () => void) {
    super(host);
    this.family = family;
    this.#release = release;
  }

  startBind(given: SocketAddress): void {
    const { address, port } = readLocal(this.family, given);
    if (this.#state === "binding") fail("concurrency-conflict");
    if (this.#state === "bound") fail("invalid-state");
    this.#isListening = checkLocal(this.host, "udp", { address, port });
    this.#datagrams = new Datagrams(networkOf(this.host), { address: addressText(address), port });
    this.#state = "binding";
  }

  finishBind(): void {
    if (this.#state !== "binding") fail("not-in-progress");
    if (!this.#isReady()) fail("would-block");
    const failure = this.#datagrams?.failure;
    this.#state = failure === undefined ? "bound" : "unbound";
    if (failure !== undefined) fail(networkCode(failure));
  }

  /** Source: `stream`: "Implementations may trap if the streams returned by a previous invocation haven't been dropped yet". */
  stream(given: SocketAddress | undefined): readonly [IncomingDatagramStream, OutgoingDatagramStream] {
    const peer = given === undefined ? undefined : readRemote(this.family, given);
    const datagrams = this.#datagrams;
    if (this.#state !== "bound" || datagrams === undefined) return fail("invalid-state");
    if (this.hasChildren)
      this.host.context.trap("it asked for streams of a udp-socket before it dropped the last ones");
    if (peer !== undefined) checkRemote(this.host, "udp", peer);
    this.#peer = peer === undefined ? undefined : { address: addressText(peer.address), port: peer.port };
    // What came before is of another association: nobody has asked for it.
    datagrams.clear();
    datagrams.filter = (from) => this.#mayHear(from);
    return [new IncomingDatagramStream(this, datagrams), new OutgoingDatagramStream(this, datagrams, this.#peer)];
  }

  /** Source: `local-address`: `invalid-state`: "The socket is not bound to any local address". */
  localAddress(): SocketAddress {
    const local = this.#state === "bound" ? this.#datagrams?.local : undefined;
    return local === undefined ? fail("invalid-state") : socketAddress(local);
  }

  /** Source: `remote-address`: `invalid-state`: "The socket is not streaming to a specific remote address". */
  remoteAddress(): SocketAddress {
    return this.#peer === undefined ? fail("invalid-state") : socketAddress(this.#peer);
  }

  protected override close(): void {
    this.#datagrams?.close();
    this.#release();
  }

  #mayHear(from: Endpoint): boolean {
    if (this.#peer !== undefined) return from.port === this.#peer.port && from.address === this.#peer.address;
    const address = parseAddress(from.address);
    if (address === undefined || isMapped(address)) return false;
    return this.#isListening || mayComeFrom(this.host, { address, port: from.port });
  }

  #isReady(): boolean {
    return this.#state !== "binding" || this.#datagrams?.isSettled === true;
  }

  #whenReady(wake: () => void): () => void {
    return this.#datagrams?.changed.whenReady(wake) ?? (() => undefined);
  }
}

/** `incoming-datagram-stream`. */
export class IncomingDatagramStream extends Resource {
  readonly event: Event;
  readonly #datagrams: Datagrams;

  constructor(socket: UdpSocket, datagrams: Datagrams) {
    super(socket.host, socket);
    this.#datagrams = datagrams;
    this.event = { isReady: () => datagrams.hasWaiting, whenReady: (wake) => datagrams.changed.whenReady(wake) };
  }

  /** Source: `receive`: "This function never returns `error(would-block)`"; the list is empty when none has come. */
  receive(most: bigint): readonly IncomingDatagram[] {
    const received: IncomingDatagram[] = [];
    while (received.length < most && received.length < BATCH_LIMIT) {
      const datagram = attempt(() => this.#datagrams.take());
      if (datagram === undefined) break;
      this.host.chargeBytes(datagram.data.length);
      received.push([datagram.data, socketAddress(datagram.from)]);
    }
    return received;
  }
}

/** `outgoing-datagram-stream`. */
export class OutgoingDatagramStream extends Resource {
  readonly event: Event;
  readonly #socket: UdpSocket;
  readonly #datagrams: Datagrams;
  readonly #peer: Endpoint | undefined;
  #permit = 0;

  constructor(socket: UdpSocket, datagrams: Datagrams, peer: Endpoint | undefined) {
    super(socket.host, socket);
    this.#socket = socket;
    this.#datagrams = datagrams;
    this.#peer = peer;
    this.event = { isReady: () => datagrams.hasRoom, whenReady: (wake) => datagrams.changed.whenReady(wake) };
  }

  /** Source: `check-send`: "the number of datagrams permitted for the next call to `send`". */
  checkSend(): bigint {
    this.#permit = this.#datagrams.hasRoom ? BATCH_LIMIT : 0;
    return BigInt(this.#permit);
  }

  /** Source: `send`: "This function … returns how many datagrams were actually sent"; "traps if … `check-send` was not called or the list is longer". */
  send(datagrams: readonly OutgoingDatagram[]): bigint {
    if (datagrams.length > this.#permit)
      this.host.context.trap(`it sent ${datagrams.length} datagrams where check-send permitted ${this.#permit}`);
    this.#permit = 0;
    let sent = 0;
    for (const datagram of datagrams) {
      try {
        if (!this.#sendOne(datagram)) break;
        sent += 1;
      } catch (error) {
        // What went wrong with a later one is told when it is sent again.
        if (sent === 0) throw error;
        break;
      }
    }
    return BigInt(sent);
  }

  #sendOne([data, given]: OutgoingDatagram): boolean {
    const to = given === undefined ? (this.#peer ?? fail("invalid-argument")) : this.#checkTarget(given);
    return attempt(() => this.#datagrams.send(data, to));
  }

  #checkTarget(given: SocketAddress): Endpoint {
    const place = readRemote(this.#socket.family, given);
    const to = { address: addressText(place.address), port: place.port };
    const peer = this.#peer;
    if (peer === undefined) checkRemote(this.host, "udp", place);
    else if (peer.address !== to.address || peer.port !== to.port) fail("invalid-argument");
    return to;
  }
}

function attempt<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    return fail(networkCode(error));
  }
}
