/**
 * The budget of one call, and what a call used of it. Shared by both sides of the trust boundary.
 */

/** The most that one call may use. */
export interface Limits {
  /** Fuel units, 0 to 2^53 - 1. */
  readonly fuel: number;
  /** Bytes, all memories and tables of the call together. */
  readonly memoryBytes: number;
  /** Milliseconds of wall time, from the moment that a Worker starts on the call. */
  readonly timeoutMs: number;
}

/** What one call used. */
export interface Usage {
  /** Fuel units, by the cost table in docs/fuel.md. */
  readonly fuel: number;
  /** Milliseconds of wall time in the Worker. */
  readonly wallMs: number;
  /** Bytes at the highest point, memories and tables of the call together. */
  readonly peakMemoryBytes: number;
  /** Calls from the guest into KAMI's imports. */
  readonly hostCalls: number;
  /** Bytes of UTF-8. */
  readonly inputBytes: number;
  /** Bytes of UTF-8. */
  readonly outputBytes: number;
}

/** A call that did not get as far as the guest. */
export const NO_USAGE: Usage = Object.freeze({
  fuel: 0,
  wallMs: 0,
  peakMemoryBytes: 0,
  hostCalls: 0,
  inputBytes: 0,
  outputBytes: 0,
});

/** Where a line of guest output came from: `kami:tool/host` `log`, or one of its standard streams. */
export type GuestStream = "log" | "stdout" | "stderr";

/** A piece of what the guest wrote, in the order it wrote it. Not cleaned: whoever prints it cleans it. */
export interface GuestOutput {
  readonly stream: GuestStream;
  /** Present when `stream` is `log`. */
  readonly level?: LogLevel;
  readonly text: string;
}

/** The levels of `kami:tool/host`. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

/** All that the guest wrote, within the limits. */
export interface Captured {
  readonly pieces: readonly GuestOutput[];
  /** Bytes that the guest wrote beyond the limit, and that were dropped. */
  readonly droppedBytes: number;
}

/** Nothing captured. */
export const NO_OUTPUT: Captured = Object.freeze({ pieces: [], droppedBytes: 0 });
