/**
 * One call's share of the network: how many connections, lookups and bytes it may have, and which addresses its names have. The guest's side of
 * the trust boundary.
 */
import { type Address, formatAddress, parseAddress } from "../../policy/address.ts";
import type { Host } from "../wasi/host.ts";
import { type Ambient, ambientNetwork, NO_NETWORK, READ_AHEAD_BYTES } from "./ambient.ts";
import { NetFailure, netFailure } from "./failure.ts";
import { Turns } from "./turns.ts";

/** Connections and sockets that one call may have at once; requests beyond that wait. */
export const SOCKET_LIMIT: number = 64;

/** Names that one call may look up at once; others wait. */
const LOOKUP_LIMIT = 8;

/** Names that one call may have looked up: each is remembered until it ends. */
const NAME_LIMIT = 1024;

/** Addresses of a name that are looked at. */
const ADDRESS_LIMIT = 16;

/** Bytes that one call may send and receive, all connections and sockets together: 64 MiB. */
export const TRAFFIC_LIMIT_BYTES: number = 67_108_864;

/** Bytes that a connection keeps for the guest, counted against the call's buffers: to be read, and to be sent. */
const SOCKET_BUFFER_BYTES: number = READ_AHEAD_BYTES * 2;

const AMBIENT: Ambient = ambientNetwork();
const networks = new WeakMap<Host, Network>();

/** Finds a call's share of the network. */
export function networkOf(host: Host): Network {
  return networks.get(host) ?? openNetwork(host, host.policy.rehearsal?.kind === "replay" ? NO_NETWORK : AMBIENT);
}

/** Gives a call its share of a network. */
export function openNetwork(host: Host, ambient: Ambient): Network {
  const network = new Network(host, ambient);
  networks.set(host, network);
  return network;
}

/** One call's share of the network. */
export class Network {
  readonly host: Host;
  readonly ambient: Ambient;
  readonly #sockets = new Turns(SOCKET_LIMIT);
  readonly #lookups = new Turns(LOOKUP_LIMIT);
  /** By name. A name has the same addresses for all of a call, whatever its server says the second time. */
  readonly #addresses = new Map<string, Promise<readonly Address[]>>();
  /** By address. */
  readonly #names = new Map<string, Set<string>>();
  #traffic = 0;
  #isOver = false;

  constructor(host: Host, ambient: Ambient) {
    this.host = host;
    this.ambient = ambient;
    host.atEnd(() => {
      this.#isOver = true;
    });
  }

  /** Whether the call has ended: nothing of it may begin any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Waits until the call may have one more connection, and takes it.
   *
   * @returns Gives it back.
   * @throws {NetFailure} `no-room` when the call's buffers are full of other things.
   */
  async takeSocket(): Promise<() => void> {
    const release = await this.#sockets.take();
    if (this.host.takeBuffer(SOCKET_BUFFER_BYTES)) return this.#giveBack(release);
    release();
    throw new NetFailure("no-room");
  }

  /** Takes one more socket. @returns Undefined when the call has no more. */
  tryTakeSocket(): (() => void) | undefined {
    const release = this.#sockets.tryTake();
    if (release === undefined) return undefined;
    if (this.host.takeBuffer(SOCKET_BUFFER_BYTES)) return this.#giveBack(release);
    release();
    return undefined;
  }

  /** Counts bytes. @throws {NetFailure} When the call has moved too many. */
  countTraffic(bytes: number): void {
    this.#traffic += bytes;
    if (this.#traffic > TRAFFIC_LIMIT_BYTES) throw new NetFailure("too-many-bytes");
  }

  /**
   * Looks up a name that a rule covers: the first time only.
   *
   * @param name - Canonical. An address is its own answer.
   * @returns At least one address.
   * @throws {NetFailure}
   */
  resolve(name: string): Promise<readonly Address[]> {
    const literal = parseAddress(name);
    if (literal !== undefined) return Promise.resolve([literal]);
    const known = this.#addresses.get(name);
    if (known !== undefined) return known;
    if (this.#addresses.size >= NAME_LIMIT) return Promise.reject(new NetFailure("name-unresolvable"));
    const found = this.#lookUp(name);
    this.#addresses.set(name, found);
    // A server that did not answer may do so later; only an answer stands.
    found.catch(() => void this.#addresses.delete(name));
    return found;
  }

  /** Names that the call has looked up and got this address for. */
  namesOf(address: Address): readonly string[] {
    return [...(this.#names.get(formatAddress(address)) ?? [])];
  }

  async #lookUp(name: string): Promise<readonly Address[]> {
    const release = await this.#lookups.take();
    try {
      if (this.#isOver) throw new NetFailure("ended");
      const texts = await this.ambient.lookup(name);
      const addresses = texts.slice(0, ADDRESS_LIMIT).flatMap((text) => parseAddress(text) ?? []);
      if (addresses.length === 0) throw new NetFailure("name-unknown");
      for (const address of addresses) this.#remember(name, formatAddress(address));
      return addresses;
    } catch (error) {
      throw netFailure(error);
    } finally {
      release();
    }
  }

  #remember(name: string, address: string): void {
    const names = this.#names.get(address) ?? new Set();
    this.#names.set(address, names.add(name));
  }

  #giveBack(release: () => void): () => void {
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.host.giveBuffer(SOCKET_BUFFER_BYTES);
      release();
    };
  }
}
