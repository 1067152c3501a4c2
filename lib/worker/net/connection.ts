/**
 * A connection: bytes in both directions, as fast as both sides take them, plain or over TLS. The guest's side of the trust boundary.
 *
 * It stops reading when {@link READ_AHEAD_BYTES} wait for somebody who wants them; TCP's window then stops the sender.
 */
import { type AmbientConnect, type AmbientSocket, READ_AHEAD_BYTES } from "./ambient.ts";
import { ByteQueue } from "./byte-queue.ts";
import { NetFailure, netFailure } from "./failure.ts";
import type { Network } from "./network.ts";
import { Signal } from "./signal.ts";

/** Writes that may be under way: each is a few objects, however small it is. */
const WRITE_LIMIT = 128;

/** A connection that is being made, is there, or is over. */
export class Connection {
  /** It was made, has bytes or room, was ended or failed. */
  readonly changed: Signal = new Signal();
  readonly #network: Network;
  readonly #socket: AmbientSocket;
  readonly #takeBack: () => void;
  readonly #received = new ByteQueue();
  #writes = 0;
  #isOpen: boolean;
  #isEnded = false;
  #failure: NetFailure | undefined;

  /** @param socket - That is being connected, or is connected already. */
  private constructor(network: Network, socket: AmbientSocket, openEvent: string | undefined) {
    this.#network = network;
    this.#socket = socket;
    this.#isOpen = openEvent === undefined;
    this.#takeBack = network.host.atEnd(() => this.close());
    if (openEvent !== undefined) socket.once(openEvent, () => this.#open());
    socket.on("data", (piece: Uint8Array) => this.#receive(piece));
    socket.on("drain", () => this.changed.notify());
    socket.once("end", () => this.#end());
    socket.once("error", (error) => this.#fail(netFailure(error)));
    socket.once("close", () => {
      this.#takeBack();
      this.#end();
    });
  }

  /** Begins to connect. Who calls it has asked the policy. */
  static connect(network: Network, how: AmbientConnect): Connection {
    const socket = network.ambient.connect(how);
    return new Connection(network, socket, how.secureName === undefined ? "connect" : "secureConnect");
  }

  /** Takes a connection that a listener accepted. It reads nothing until {@link start}. */
  static accept(network: Network, socket: AmbientSocket): Connection {
    return new Connection(network, socket, undefined);
  }

  /** Why it failed; what was received before can still be read. */
  get failure(): NetFailure | undefined {
    return this.#failure;
  }

  /** Whether it was made, and did not fail before. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether all was read that will ever be received. */
  get isEnded(): boolean {
    return this.#isEnded && this.#received.length === 0;
  }

  /** Whether something can be read, or all was. */
  get isReadable(): boolean {
    return this.#isEnded || this.#received.length > 0;
  }

  /** Bytes that may be written now. */
  get capacity(): number {
    if (!this.#isOpen || this.#socket.destroyed || this.#socket.writableEnded || this.#writes >= WRITE_LIMIT) return 0;
    return Math.max(0, READ_AHEAD_BYTES - this.#socket.writableLength);
  }

  /** Whether the system has all that was written. */
  get isFlushed(): boolean {
    return this.#socket.writableLength === 0;
  }

  /** The socket, for its addresses and options. */
  get socket(): AmbientSocket {
    return this.#socket;
  }

  /** Waits until it is made. @throws {NetFailure} */
  async opened(): Promise<void> {
    while (!this.#isOpen && !this.#isEnded) await this.changed.next();
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#isOpen) throw new NetFailure("aborted");
  }

  /** Begins to read. */
  start(): void {
    this.#socket.resume();
  }

  /** Takes what was received. @param limit - Most bytes. @returns Nothing when there is nothing now. @throws {NetFailure} */
  read(limit: number): Uint8Array {
    const piece = this.#received.take(limit);
    if (this.#received.length < READ_AHEAD_BYTES && this.#socket.isPaused()) this.#socket.resume();
    this.#network.countTraffic(piece.length);
    return piece;
  }

  /** Sends bytes, at most {@link capacity}, which nobody may change any more. @throws {NetFailure} */
  write(piece: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#network.countTraffic(piece.length);
    this.#writes += 1;
    this.#socket.write(piece, () => {
      this.#writes -= 1;
      this.changed.notify();
    });
  }

  /** Sends no more. */
  endWriting(): void {
    if (!this.#socket.destroyed && !this.#socket.writableEnded) this.#socket.end();
  }

  /**
   * Sends what was written, then ends it.
   *
   * @param ended - Called when it is over; may be at once.
   */
  closeGently(ended: () => void): void {
    if (this.#socket.destroyed || this.#socket.writableLength === 0) {
      this.close();
      return ended();
    }
    this.#socket.once("close", ended);
    this.#socket.end(() => this.#socket.destroy());
  }

  /** Ends it, however far it is. */
  close(): void {
    if (!this.#isEnded) this.#failure ??= new NetFailure("aborted");
    this.#socket.destroy();
    this.#received.clear();
    this.#end();
  }

  #open(): void {
    this.#isOpen = true;
    this.#socket.setNoDelay(true);
    this.changed.notify();
  }

  #receive(piece: Uint8Array): void {
    this.#received.push(piece, true);
    if (this.#received.length >= READ_AHEAD_BYTES) this.#socket.pause();
    this.changed.notify();
  }

  #fail(failure: NetFailure): void {
    this.#failure ??= failure;
    this.#end();
  }

  #end(): void {
    this.#isEnded = true;
    this.changed.notify();
  }
}
