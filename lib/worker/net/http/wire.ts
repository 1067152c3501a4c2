/**
 * What an exchange is made over: a connection, or a reply that was given beforehand. The guest's side of the trust boundary.
 */
import type { Reply } from "../../../policy/rehearsal.ts";
import type { NetFailure } from "../failure.ts";
import type { Network } from "../network.ts";
import { Signal } from "../signal.ts";

/** Bytes in both directions. A `Connection` is one. */
export interface Wire {
  /** It has bytes or room, was ended or failed. */
  readonly changed: Signal;
  readonly failure: NetFailure | undefined;
  /** Whether all was read that will ever be received. */
  readonly isEnded: boolean;
  /** Bytes that may be written now. */
  readonly capacity: number;
  /** Takes what was received. @throws {NetFailure} */
  read(limit: number): Uint8Array;
  /** Sends bytes. @throws {NetFailure} */
  write(piece: Uint8Array): void;
  close(): void;
}

/** Bytes that are taken at once. */
const CAPACITY = 65_536;
const NOTHING: Uint8Array = new Uint8Array();

/** A reply that was given beforehand, as a server would send it that has read the whole request. */
export class GivenWire implements Wire {
  readonly changed: Signal = new Signal();
  readonly failure: undefined = undefined;
  readonly capacity: number = CAPACITY;
  readonly #network: Network;
  /** What has not been read yet. */
  #rest: Uint8Array;
  #isSending = false;

  constructor(network: Network, reply: Reply) {
    this.#network = network;
    this.#rest = encodeReply(reply);
  }

  get isEnded(): boolean {
    return this.#isSending && this.#rest.length === 0;
  }

  /** The request is complete: the reply begins. */
  reply(): void {
    this.#isSending = true;
    this.changed.notify();
  }

  read(limit: number): Uint8Array {
    if (!this.#isSending) return NOTHING;
    const piece = this.#rest.slice(0, limit);
    this.#rest = this.#rest.subarray(piece.length);
    this.#network.countTraffic(piece.length);
    return piece;
  }

  write(piece: Uint8Array): void {
    this.#network.countTraffic(piece.length);
  }

  close(): void {
    this.#isSending = true;
    this.#rest = NOTHING;
    this.changed.notify();
  }
}

/** The body ends where the reply does: nothing in the headers is relied on for that. */
function encodeReply({ status, headers, body }: Reply): Uint8Array {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} \r\n${lines}\r\n`, "latin1"), body]);
}
