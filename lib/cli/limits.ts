/**
 * The limits of a call as the command line and the settings write them: memory in mebibytes.
 */
import type { Limits } from "../protocol/limits.ts";

/** Bytes of one MiB. */
export const MEBIBYTE = 1_048_576;

/** Limits as a user writes them. Undefined: not given. */
export interface WrittenLimits {
  readonly fuel: number | undefined;
  /** MiB. */
  readonly memoryMb: number | undefined;
  readonly timeoutMs: number | undefined;
}

/** Turns limits as they were written into those of a call; what was not given is absent. */
export function toLimits({ fuel, memoryMb, timeoutMs }: WrittenLimits): Partial<Limits> {
  return {
    ...(fuel === undefined ? {} : { fuel }),
    ...(memoryMb === undefined ? {} : { memoryBytes: memoryMb * MEBIBYTE }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}
