/**
 * A listener: connections that were made to it wait until the guest accepts them. The guest's side of the trust boundary.
 *
 * It has its port from the moment that the guest binds; until it listens, and when nothing more may wait, whoever connects is reset.
 */
import type { Endpoint } from "./address.ts";
import type { AmbientServer, AmbientSocket } from "./ambient.ts";
import { Connection } from "./connection.ts";
import { type NetFailure, netFailure } from "./failure.ts";
import type { Network } from "./network.ts";
import { Signal } from "./signal.ts";

/** Connections that may wait. */
export const BACKLOG_LIMIT: number = 32;

/** A connection that was accepted, and what gives its place back. */
export interface Accepted {
  readonly connection: Connection;
  readonly release: () => void;
}

/** A listener that is being made, or is there. Its socket closes it. */
export class Listener {
  /** It is there, failed, or has a connection. */
  readonly changed: Signal = new Signal();
  readonly #network: Network;
  readonly #server: AmbientServer;
  readonly #waiting: Accepted[] = [];
  #backlog = 0;
  #failure: NetFailure | undefined;

  /** Begins to listen. Who calls it has asked the policy. */
  constructor(network: Network, at: Endpoint) {
    this.#network = network;
    this.#server = network.ambient.listen(at, BACKLOG_LIMIT);
    this.#server.on("connection", (socket) => this.#receive(socket));
    this.#server.once("listening", () => this.changed.notify());
    this.#server.once("error", (error) => {
      this.#failure = netFailure(error);
      this.changed.notify();
    });
  }

  get failure(): NetFailure | undefined {
    return this.#failure;
  }

  /** Whether it is there, or failed. */
  get isSettled(): boolean {
    return this.#server.listening || this.#failure !== undefined;
  }

  /** Whether a connection waits. */
  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Where it listens, once it is there. */
  get local(): Endpoint | undefined {
    const at = this.#server.address();
    return at === null || typeof at === "string" ? undefined : at;
  }

  /** Lets connections in. @param backlog - Most that wait, 1 to {@link BACKLOG_LIMIT}. */
  open(backlog: number): void {
    this.#backlog = Math.min(backlog, BACKLOG_LIMIT);
  }

  /** Takes the connection that waits the longest. */
  accept(): Accepted | undefined {
    return this.#waiting.shift();
  }

  /** Ends it, and what waits. */
  close(): void {
    this.#backlog = 0;
    this.#server.close();
    for (const { connection, release } of this.#waiting.splice(0)) {
      connection.close();
      release();
    }
  }

  #receive(socket: AmbientSocket): void {
    const release = this.#waiting.length < this.#backlog ? this.#network.tryTakeSocket() : undefined;
    if (release === undefined) return void socket.resetAndDestroy();
    this.#waiting.push({ connection: Connection.accept(this.#network, socket), release });
    this.changed.notify();
  }
}
