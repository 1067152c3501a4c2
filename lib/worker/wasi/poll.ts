/**
 * `wasi:io/poll`: waiting for timers, streams, sockets and answers. The guest's side of the trust boundary.
 *
 * A wait suspends the guest and leaves the Worker to others. The call's interrupt breaks it: that is the context's business.
 *
 * Source: wasi:io 0.2, wit/poll.wit.
 */
import { define, defineBlocking } from "../../component/link/host.ts";
import { bool, borrow, list, u32 } from "../../schema/value-type.ts";
import { HANDLE_LIMIT, type Host, serve, type WasiInterface } from "./host.ts";
import { Resource } from "./resource.ts";

/** Most elements of one list that `poll` takes: as many as a call can hold handles. */
export const POLL_LIMIT: number = HANDLE_LIMIT;

/** Something that becomes ready. */
export interface Event {
  isReady(): boolean;
  /**
   * Tells when it may have become ready: who waits looks again then.
   *
   * @param wake - Called once at most, at any time later; never at once.
   * @returns Takes the wish back.
   */
  whenReady(wake: () => void): () => void;
}

/** An event that has happened. */
export const READY: Event = { isReady: () => true, whenReady: () => () => undefined };

/** `wasi:io/poll` `pollable`. */
export class Pollable extends Resource {
  readonly event: Event;

  /** @param parent - What the event is one of, if it is another resource's. */
  constructor(host: Host, event: Event, parent?: Resource) {
    super(host, parent);
    this.event = event;
  }
}

/**
 * Waits until at least one event has happened.
 *
 * @returns At once, not a promise, when one has happened already.
 */
function waitForAny(events: readonly Event[]): void | Promise<void> {
  if (events.some((event) => event.isReady())) return undefined;
  return new Promise((resolve) => {
    let takeBacks: readonly (() => void)[] = [];
    const wake = (): void => {
      if (!events.some((event) => event.isReady())) return arm();
      for (const takeBack of takeBacks) takeBack();
      resolve();
    };
    const arm = (): void => {
      for (const takeBack of takeBacks) takeBack();
      takeBacks = events.map((event) => event.whenReady(wake));
    };
    arm();
  });
}

/** Waits for one event. @returns At once, not a promise, when it has happened already. */
export function waitFor(event: Event): void | Promise<void> {
  return waitForAny([event]);
}

const POLLABLE = "wasi:io/poll/pollable";

/** `wasi:io/poll`. */
export const POLL: WasiInterface = serve(
  "wasi:io/poll",
  {
    /** Tells whether the event has happened. Source: `pollable.ready`: "This function never blocks". */
    "[method]pollable.ready": define([{ self: borrow(POLLABLE) }, bool], (_: Host, self: Pollable) =>
      self.event.isReady(),
    ),

    /** Waits until the event has happened. Source: `pollable.block`: "equivalent to calling poll.poll on a list containing only this pollable". */
    "[method]pollable.block": defineBlocking([{ self: borrow(POLLABLE) }], (_: Host, self: Pollable) =>
      waitFor(self.event),
    ),

    /**
     * Waits until at least one event has happened, and gives the indices of all that have, ascending.
     *
     * Source: `poll`: "one or more indices of handles in the argument list that is ready for I/O"; an empty list traps
     * (WebAssembly/wasi-io#67).
     */
    poll: defineBlocking([{ in: list(borrow(POLLABLE)) }, list(u32)], poll),
  },
  ["pollable"],
);

function poll(host: Host, pollables: readonly Pollable[]): number[] | Promise<number[]> {
  if (pollables.length === 0) host.context.trap("it polled an empty list");
  if (pollables.length > POLL_LIMIT) host.context.trap(`it polled more than ${POLL_LIMIT} pollables at once`);
  host.context.charge(pollables.length);
  const events = pollables.map(({ event }) => event);
  const wait = waitForAny(events);
  return wait === undefined ? readyIndices(events) : wait.then(() => readyIndices(events));
}

function readyIndices(events: readonly Event[]): number[] {
  return [...events.keys()].filter((index) => events[index]?.isReady() === true);
}
