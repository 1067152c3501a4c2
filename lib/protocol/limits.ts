/**
 * The budget of one call, what a call used of it, and the most that a Worker says about it. Shared by both sides of the trust
 * boundary: the Worker keeps these limits, the host holds it to them.
 */

/** Bytes of UTF-8 that a result may have, of any kind of tool. */
export const RESULT_LIMIT_BYTES = 1_048_576;

/** Bytes of log, stdout and stderr that a call keeps, together. As text it has at most as many UTF-16 code units. */
export const CAPTURE_LIMIT_BYTES = 65_536;

/** Pieces of output that a call keeps: each costs more than its bytes. */
export const CAPTURE_LIMIT_PIECES = 4096;

/** UTF-16 code units of a line that a guest logs, as it is told while the call runs. The whole line comes with the call's end. */
export const SAID_LIMIT = 500;

/** Lines of one call that are told while it runs. */
export const SAID_LIMIT_LINES = 1024;

/** UTF-16 code units of a text in a failure: one more than any message shows, so that the message can say that there was more. */
export const DETAIL_LIMIT = 4001;

/** Functions of a guest that a failure names. */
export const FRAME_LIMIT = 8;

/** UTF-16 code units of a function's name in a failure: more than any message shows. */
export const FRAME_NAME_LIMIT = 256;

/** Denials that a call reports: the first ones. */
export const DENIALS_LIMIT = 32;

/** UTF-16 code units of each text of a denial. */
export const DENIAL_TEXT_LIMIT = 300;

/**
 * Something that a guest tried, and may not. Both texts may hold what the guest chose: whoever shows them cleans them. An agent reads them: they are
 * in the guest's own words, never a path of the host.
 */
export interface Denial {
  /** The capability that would have allowed it, as `kami grant` takes it: `net:api.github.com`. At most {@link DENIAL_TEXT_LIMIT} code units. */
  readonly capability: string;
  /** What it tried to reach: `https://api.github.com/zen`. At most {@link DENIAL_TEXT_LIMIT} code units. */
  readonly target: string;
}

export type { Limits } from "../policy/limits.ts";

/** What one call used. */
export interface Usage {
  /** Fuel units, by the cost table in docs/fuel.md. */
  readonly fuel: number;
  /**
   * Milliseconds of CPU time of the Worker's thread, from the moment that it starts on the call: the guest, the instances' making and KAMI's
   * host functions. What the engine compiles and collects in threads of its own is not in it.
   */
  readonly cpuMs: number;
  /** Milliseconds of wall time, from the moment that a Worker starts on the call. */
  readonly wallMs: number;
  /** Bytes at the highest point, memories and tables of the call together. */
  readonly peakMemoryBytes: number;
  /** Calls from the guest into KAMI's imports. */
  readonly hostCalls: number;
  /** Bytes of UTF-8. */
  readonly inputBytes: number;
  /** Bytes of UTF-8. */
  readonly outputBytes: number;
  /** Whether the Worker was given up before it could say what the call used: these figures are then the least, as far as they are known. */
  readonly isPartial: boolean;
}

/** A call that did not get as far as the guest. */
export const NO_USAGE: Usage = Object.freeze({
  fuel: 0,
  cpuMs: 0,
  wallMs: 0,
  peakMemoryBytes: 0,
  hostCalls: 0,
  inputBytes: 0,
  outputBytes: 0,
  isPartial: false,
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

/** How far a call is, told while it runs. */
export interface Progress {
  /** Fuel units used so far. */
  readonly fuel: number;
  /** What the guest logged just now, cut at {@link SAID_LIMIT}. Not cleaned. */
  readonly said?: string | undefined;
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

/** Says what a call used in JSON: microseconds are as fine as its times are known. */
export function usageJson(usage: Usage): Usage {
  return { ...usage, cpuMs: roundToMicroseconds(usage.cpuMs), wallMs: roundToMicroseconds(usage.wallMs) };
}

function roundToMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
