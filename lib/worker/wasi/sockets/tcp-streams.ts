/**
 * The streams of a TCP connection. The guest's side of the trust boundary.
 *
 * Source: wasi:sockets 0.2, wit/tcp.wit, `finish-connect`, `shutdown`.
 */
import type { Connection } from "../../net/connection.ts";
import { netFailure } from "../../net/failure.ts";
import { type Sink, type Source, StreamEnd } from "../streams.ts";
import { streamFault } from "./failure.ts";

/** What a peer sends. */
export class TcpSource implements Source {
  readonly #connection: Connection;
  #isShut = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  isReady(): boolean {
    return this.#isShut || this.#connection.isReadable;
  }

  whenReady(wake: () => void): () => void {
    return this.#connection.changed.whenReady(wake);
  }

  read(limit: number): Uint8Array {
    if (this.#isShut) throw new StreamEnd();
    const piece = attempt(() => this.#connection.read(limit));
    if (piece.length > 0 || !this.#connection.isEnded) return piece;
    const { failure } = this.#connection;
    throw failure === undefined ? new StreamEnd() : streamFault(failure);
  }

  /** Source: `shutdown`: `receive`: "Any data still in the receive queue at time of calling this method will be discarded". */
  shut(): void {
    this.#isShut = true;
  }
}

/** What a peer is sent. */
export class TcpSink implements Sink {
  readonly #connection: Connection;
  #isShut = false;
  #isFlushing = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  isReady(): boolean {
    return this.#isOver() || this.#room() > 0;
  }

  whenReady(wake: () => void): () => void {
    return this.#connection.changed.whenReady(wake);
  }

  capacity(): number {
    this.#check();
    return this.#room();
  }

  write(piece: Uint8Array): void {
    this.#check();
    attempt(() => this.#connection.write(piece.slice()));
  }

  flush(): void {
    this.#check();
    this.#isFlushing = true;
  }

  /** Source: `shutdown`: `send`: "All subsequent writes to the output-stream will return `stream-error::closed`". */
  shut(): void {
    this.#isShut = true;
    this.#connection.endWriting();
  }

  #room(): number {
    if (this.#connection.isFlushed) this.#isFlushing = false;
    return this.#isFlushing ? 0 : this.#connection.capacity;
  }

  #isOver(): boolean {
    return this.#isShut || this.#connection.failure !== undefined;
  }

  #check(): void {
    const { failure } = this.#connection;
    if (this.#isShut) throw new StreamEnd();
    if (failure !== undefined) throw streamFault(failure);
  }
}

function attempt<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw streamFault(netFailure(error));
  }
}
