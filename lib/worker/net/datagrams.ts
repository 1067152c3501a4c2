/**
 * A UDP socket: datagrams that were received wait until the guest takes them; what has no room is lost, as it may be anywhere else. The
 * guest's side of the trust boundary.
 */
import type { Endpoint } from "./address.ts";
import type { AmbientUdp } from "./ambient.ts";
import { NetFailure, netFailure } from "./failure.ts";
import type { Network } from "./network.ts";
import { Signal } from "./signal.ts";

/** Bytes of datagrams that may wait. */
export const QUEUE_LIMIT_BYTES: number = 131_072;

/** Datagrams that may wait. */
const QUEUE_LIMIT = 1024;

/** A datagram that was received. */
export interface Datagram {
  readonly data: Uint8Array;
  readonly from: Endpoint;
}

/** A UDP socket that is being bound, or is. The resource that has it closes it. */
export class Datagrams {
  /** It was bound, failed, has a datagram or has room. */
  readonly changed: Signal = new Signal();
  /** Says whose datagrams are taken; the others are lost. */
  filter: (from: Endpoint) => boolean = () => false;
  readonly #network: Network;
  readonly #queue: Datagram[] = [];
  #queuedBytes = 0;
  #socket: AmbientUdp | undefined;
  #failure: NetFailure | undefined;
  #isClosed = false;
  #hasRoom = true;

  /** Begins to bind. Who calls it has asked the policy. */
  constructor(network: Network, at: Endpoint) {
    this.#network = network;
    const events = {
      received: (data: Uint8Array, from: Endpoint): void => this.#receive({ data, from }),
      drained: (): void => this.#drained(),
      // What a single datagram met on its way: an answer of ICMP's. The socket goes on.
      failed: (): void => undefined,
    };
    network.ambient.bindUdp(at, events).then(
      (socket) => this.#bound(socket),
      (error: unknown) => {
        this.#failure = netFailure(error);
        this.changed.notify();
      },
    );
  }

  get failure(): NetFailure | undefined {
    return this.#failure;
  }

  /** Whether it is bound, or failed. */
  get isSettled(): boolean {
    return this.#socket !== undefined || this.#failure !== undefined;
  }

  /** Where it is bound. */
  get local(): Endpoint | undefined {
    return this.#socket?.local;
  }

  get hasWaiting(): boolean {
    return this.#queue.length > 0;
  }

  /** Whether the system takes a datagram. */
  get hasRoom(): boolean {
    return this.#hasRoom;
  }

  /** Takes the datagram that waits the longest. @throws {NetFailure} */
  take(): Datagram | undefined {
    const datagram = this.#queue.shift();
    if (datagram === undefined) return undefined;
    this.#queuedBytes -= datagram.data.length;
    this.#network.countTraffic(datagram.data.length);
    return datagram;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#queue.length = 0;
    this.#queuedBytes = 0;
  }

  /** Sends a datagram. @returns False when the system has no room for it now. @throws {NetFailure} */
  send(data: Uint8Array, to: Endpoint): boolean {
    if (this.#socket === undefined) throw new NetFailure("unknown");
    try {
      this.#hasRoom = this.#socket.send(data, to);
    } catch (error) {
      throw netFailure(error);
    }
    if (this.#hasRoom) this.#network.countTraffic(data.length);
    return this.#hasRoom;
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.close();
    this.clear();
  }

  #bound(socket: AmbientUdp): void {
    if (this.#isClosed) return socket.close();
    this.#socket = socket;
    this.changed.notify();
  }

  #drained(): void {
    this.#hasRoom = true;
    this.changed.notify();
  }

  #receive(datagram: Datagram): void {
    const { length } = datagram.data;
    const isFull = this.#queue.length >= QUEUE_LIMIT || this.#queuedBytes + length > QUEUE_LIMIT_BYTES;
    if (this.#isClosed || isFull || !this.filter(datagram.from)) return;
    this.#queue.push(datagram);
    this.#queuedBytes += length;
    this.changed.notify();
  }
}
