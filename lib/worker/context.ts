/**
 * What the WASI host may do to the call it serves. The guest's side of the trust boundary.
 */
import type { GuestStream, LogLevel } from "../protocol/limits.ts";

/** The running call, as its imports see it. */
export interface CallContext {
  /** Takes the next bytes of what a command reads from stdin; none at the end, and for the other kinds of tool. */
  takeInput(limit: number): Uint8Array;

  /**
   * Charges for the size of what an import is given or gives. Ends nothing itself: the guest's next call into the host or its own
   * next check does.
   *
   * @param units - Units of fuel, 0 to 2^29.
   */
  charge(units: number): void;

  /**
   * Notes that the guest was denied something, and goes on: the guest gets the error code that the standard has for it. The user is told how
   * to grant it.
   *
   * @param capability - As `kami grant` takes it: `net:https://example.com`, `fs:read-only`, `env:NAME`.
   * @param target - What was to be reached, in words that an agent can read; cleaned and cut by whoever shows it.
   */
  noteDenial(capability: string, target: string): void;

  /**
   * Ends the call because the guest broke a rule of an interface, where the standard says that the function traps. The
   * guest cannot catch it.
   *
   * @param reason - What the guest did, in words that an agent can read: `it polled an empty list`.
   * @throws {WebAssembly.RuntimeError} Always: one that no guest can catch.
   */
  trap(reason: string): never;

  /** Ends the call because the guest called `exit`. The guest cannot catch it. */
  exit(exitCode: number): never;

  /** Keeps a piece of output, up to the call's limit; the rest is counted and dropped. */
  capture(stream: GuestStream, bytes: Uint8Array, level?: LogLevel): void;
}
