/**
 * `wasi:clocks`: real time, in steps of 1 ms. The guest's side of the trust boundary.
 *
 * Source: wasi:clocks 0.2, wit/monotonic-clock.wit, wit/wall-clock.wit.
 */
import { TICK_NS } from "./host.ts";
import type { Host, Interface, InterfaceFactory } from "./host.ts";
import { Pollable } from "./poll.ts";

const MS_PER_SECOND = 1000;

/** The interfaces of `wasi:clocks`, by name without version. */
export const CLOCK_INTERFACES: readonly (readonly [name: string, create: InterfaceFactory])[] = [
  ["wasi:clocks/monotonic-clock", createMonotonicClock],
  ["wasi:clocks/wall-clock", createWallClock],
];

/** `datetime`: seconds since 1970-01-01T00:00:00Z, and nanoseconds below 1,000,000,000. */
interface Datetime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

function createMonotonicClock(host: Host): Interface {
  const name = "wasi:clocks/monotonic-clock";
  return {
    /**
     * Reads the clock, in nanoseconds since shortly before the call began.
     *
     * Source: `now`: "calling this function repeatedly will produce a sequence of non-decreasing values".
     */
    now(): bigint {
      host.context.enter();
      return host.now();
    },

    /** Gives the clock's tick, in nanoseconds. Source: `resolution`: "the duration of time corresponding to a clock tick". */
    resolution(): bigint {
      host.context.enter();
      return TICK_NS;
    },

    /**
     * Makes a pollable that is ready from an instant on.
     *
     * Source: `subscribe-instant`: "will resolve once the specified instant has occurred".
     */
    subscribeInstant(when: unknown): Pollable {
      host.context.enter();
      return new Pollable(host, host.takeU64(when, `${name} subscribe-instant`));
    },

    /**
     * Makes a pollable that is ready when a duration, in nanoseconds, has passed on this clock.
     *
     * Source: `subscribe-duration`: "will resolve after the specified duration has elapsed from the time this function is
     * invoked".
     */
    subscribeDuration(when: unknown): Pollable {
      host.context.enter();
      return new Pollable(host, host.now() + host.takeU64(when, `${name} subscribe-duration`));
    },
  };
}

function createWallClock(host: Host): Interface {
  return {
    /** Reads the clock. Source: `now`: "the number of seconds since 1970-01-01T00:00:00Z". */
    now(): Datetime {
      host.context.enter();
      const ms = Date.now();
      const nanoseconds = (ms % MS_PER_SECOND) * Number(TICK_NS);
      return { seconds: BigInt(Math.floor(ms / MS_PER_SECOND)), nanoseconds };
    },

    /** Gives the clock's tick. Source: `resolution`: "The nanoseconds field of the output is always less than 1000000000". */
    resolution(): Datetime {
      host.context.enter();
      return { seconds: 0n, nanoseconds: Number(TICK_NS) };
    },
  };
}
