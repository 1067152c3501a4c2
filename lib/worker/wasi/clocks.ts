/**
 * `wasi:clocks`: real time, in steps of the policy's tick. The guest's side of the trust boundary.
 *
 * Source: wasi:clocks 0.2, wit/monotonic-clock.wit, wit/wall-clock.wit.
 */
import { define } from "../../component/link/host.ts";
import { own, record, u32, u64 } from "../../schema/value-type.ts";
import { type Host, serve, type WasiInterface } from "./host.ts";
import { type Event, Pollable } from "./poll.ts";

const NS_PER_MS = 1_000_000;
const NS_PER_SECOND = 1_000_000_000;
/** The longest time that a timer takes: who waits longer looks again then. */
const TIMER_LIMIT_MS = 2 ** 31 - 1;

const POLLABLE = own("wasi:io/poll/pollable");
const DATETIME = record({ seconds: u64, nanoseconds: u32 });

/** `wasi:clocks/monotonic-clock`. */
export const MONOTONIC_CLOCK: WasiInterface = serve("wasi:clocks/monotonic-clock", {
  /** Reads the clock, in nanoseconds. Source: `now`: "calling this function repeatedly will produce a sequence of non-decreasing values". */
  now: define([{}, u64], (host: Host) => host.now()),

  /** Gives the clock's tick, in nanoseconds. Source: `resolution`: "the duration of time corresponding to a clock tick". */
  resolution: define([{}, u64], (host: Host) => BigInt(host.policy.clockTickNs)),

  /** Makes a pollable that is ready from an instant on. Source: `subscribe-instant`: "will resolve once the specified instant has occurred". */
  "subscribe-instant": define(
    [{ when: u64 }, POLLABLE],
    (host: Host, when: bigint) => new Pollable(host, timer(host, when)),
  ),

  /**
   * Makes a pollable that is ready when a duration, in nanoseconds, has passed.
   *
   * Source: `subscribe-duration`: "after the specified duration has elapsed from the time this function is invoked".
   */
  "subscribe-duration": define(
    [{ when: u64 }, POLLABLE],
    (host: Host, when: bigint) => new Pollable(host, timer(host, host.now() + when)),
  ),
});

/** `wasi:clocks/wall-clock`. */
export const WALL_CLOCK: WasiInterface = serve("wasi:clocks/wall-clock", {
  /** Reads the clock. Source: `now`: "the number of seconds since 1970-01-01T00:00:00Z". */
  now: define([{}, DATETIME], ({ policy }: Host) => {
    const now = performance.timeOrigin + performance.now();
    // Milliseconds are exact in a float where nanoseconds since 1970 are not.
    const seconds = Math.floor(now / 1000);
    const ns = Math.floor((now - seconds * 1000) * NS_PER_MS);
    return [BigInt(seconds), ns - (ns % policy.clockTickNs)];
  }),

  /** Gives the clock's tick. Source: `resolution`: "The nanoseconds field of the output is always less than 1000000000". */
  resolution: define([{}, DATETIME], ({ policy }: Host) => [
    BigInt(Math.floor(policy.clockTickNs / NS_PER_SECOND)),
    policy.clockTickNs % NS_PER_SECOND,
  ]),
});

/** An instant of the call's monotonic clock, rounded up to whole ticks: what is left to wait is never a sliver. */
function timer(host: Host, when: bigint): Event {
  const tick = BigInt(host.policy.clockTickNs);
  const readyAt = ((when + tick - 1n) / tick) * tick;
  return {
    isReady: () => readyAt <= host.now(),
    whenReady: (wake) => {
      const leftMs = Math.ceil(Number(readyAt - host.now()) / NS_PER_MS);
      const timeout = setTimeout(wake, Math.min(Math.max(leftMs, 0), TIMER_LIMIT_MS));
      return () => clearTimeout(timeout);
    },
  };
}
