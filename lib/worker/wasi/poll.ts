/**
 * `wasi:io/poll`: waiting for streams, which are always ready here, and for timers. The guest's side of the trust boundary.
 *
 * A wait holds the Worker's thread, in slices short enough for an interrupt or a deadline to end it at once.
 *
 * Source: wasi:io 0.2, wit/poll.wit.
 */
import { boolResult, nothing } from "./canonical.ts";
import { HANDLE_LIMIT, TICK_NS } from "./host.ts";
import type { Host } from "./host.ts";
import { Resource, type ResourceType } from "./resource.ts";

/** Most elements of one list that `poll` takes: as many as a call can hold handles. */
export const POLL_LIMIT: number = HANDLE_LIMIT;

/** How long one slice of a wait lasts at most, in nanoseconds: what an interrupt may have to wait. */
const SLICE_NS = 5n * TICK_NS;

const NS_PER_MS = 1e6;

/** Nobody notifies it: waiting on it is sleeping. */
const NEVER = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** `wasi:io/poll` `pollable`: one event, which is ready from some instant on. */
export class Pollable extends Resource {
  static readonly type: ResourceType = {
    name: ["wasi:io/poll", "pollable"],
    methods: { ready: [[], boolResult], block: [[], nothing] },
  };

  /** A reading of the call's monotonic clock, in whole ticks. */
  readonly #readyAt: bigint;

  /**
   * @param readyAt - The instant of the event, nanoseconds of the call's monotonic clock; default: it is ready already.
   */
  constructor(host: Host, readyAt = 0n) {
    super(host, Pollable);
    // Whole ticks: the time that is left is then never a sliver, which would turn the wait into a spin.
    this.#readyAt = ((readyAt + TICK_NS - 1n) / TICK_NS) * TICK_NS;
  }

  /**
   * Tells whether the event has happened.
   *
   * Source: wit/poll.wit `pollable.ready`: "This function never blocks".
   */
  ready(): boolean {
    const host = Resource.enter(this);
    return this.#readyAt <= host.now();
  }

  /**
   * Waits until the event has happened.
   *
   * Source: wit/poll.wit `pollable.block`: "equivalent to calling poll.poll on a list containing only this pollable".
   */
  block(): void {
    waitUntil(Resource.enter(this), this.#readyAt);
  }

  /** The instant from which an argument is ready; `undefined` when it is not a pollable that the guest holds. */
  static readyAt(value: unknown): bigint | undefined {
    return value instanceof Pollable && Resource.isLive(value) ? value.#readyAt : undefined;
  }
}

/**
 * Waits until at least one of the events has happened.
 *
 * @param list - Pollables of the call, 1 to {@link POLL_LIMIT}.
 * @returns The indices of all that are ready, ascending; at least one.
 *
 * Source: wit/poll.wit `poll`: "one or more indices of handles in the argument list that is ready for I/O"; an empty list
 * traps (WebAssembly/wasi-io#67).
 */
export function poll(host: Host, list: unknown): number[] {
  host.context.enter();
  if (!Array.isArray(list)) return host.trapType("wasi:io/poll poll");
  if (list.length === 0) host.context.trap("it polled an empty list");
  if (list.length > POLL_LIMIT) host.context.trap(`it polled more than ${POLL_LIMIT} pollables at once`);
  const instants = list.map((item: unknown) => Pollable.readyAt(item) ?? trapForged(host));
  waitUntil(host, earliest(instants));
  const now = host.now();
  return [...instants.keys()].filter((index) => isPast(instants[index], now));
}

function trapForged(host: Host): never {
  return host.context.trap("it polled a handle that it does not hold");
}

function earliest(instants: readonly bigint[]): bigint {
  return instants.reduce((least, instant) => (instant < least ? instant : least));
}

function isPast(instant: bigint | undefined, now: bigint): boolean {
  return instant !== undefined && instant <= now;
}

function waitUntil(host: Host, instant: bigint): void {
  for (let left = instant - host.now(); left > 0n; left = instant - host.now()) {
    const sliceNs = left < SLICE_NS ? left : SLICE_NS;
    Atomics.wait(NEVER, 0, 0, Number(sliceNs) / NS_PER_MS);
    host.context.checkInterrupt();
  }
}
