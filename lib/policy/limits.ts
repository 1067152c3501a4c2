/**
 * Decides how much one call may use. Pure.
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

/** Bytes that an element of a table counts as: what the engine takes for it, measured for `funcref`. */
export const TABLE_ELEMENT_BYTES = 48;

/** What a manifest asks for, in the manifest's units. */
export interface LimitRequest {
  /** Mebibytes. */
  readonly maxMemoryMb: number;
  /** Milliseconds. */
  readonly maxExecutionMs: number;
  /** Fuel units. */
  readonly maxFuel: number;
}

/** Who may have a say beside the manifest. */
export interface LimitOverrides {
  /** The user's configuration: no manifest gets more. */
  readonly ceilings?: Partial<Limits> | undefined;
  /** The user's word on this very call: it stands, whatever the manifest and the ceilings say. */
  readonly explicit?: Partial<Limits> | undefined;
}

const MEBIBYTE = 1_048_576;

/**
 * The most that a tool gets on its own word, unless the configuration says otherwise: it replaces each of them, by a higher or a lower
 * one. docs/rationale.md says why they are what they are.
 */
export const DEFAULT_CEILINGS: Limits = Object.freeze({
  fuel: 100_000_000_000,
  memoryBytes: 1024 * MEBIBYTE,
  timeoutMs: 60_000,
});

/**
 * Computes the limits of a call: what the manifest asks for, at most the ceilings, unless the user said otherwise for this call.
 */
export function limitCall(request: LimitRequest, overrides: LimitOverrides = {}): Limits {
  const { ceilings, explicit } = overrides;
  return {
    fuel: explicit?.fuel ?? Math.min(request.maxFuel, ceilings?.fuel ?? Infinity),
    memoryBytes: explicit?.memoryBytes ?? Math.min(request.maxMemoryMb * MEBIBYTE, ceilings?.memoryBytes ?? Infinity),
    timeoutMs: explicit?.timeoutMs ?? Math.min(request.maxExecutionMs, ceilings?.timeoutMs ?? Infinity),
  };
}

/**
 * Finds the limits that the ceilings make lower than a manifest asks for.
 *
 * @returns Those limits as they are in force; undefined when the manifest gets all it asks for.
 */
export function cutLimits(request: LimitRequest, ceilings: Partial<Limits>): Partial<Limits> | undefined {
  const asked = limitCall(request);
  const { fuel, memoryBytes, timeoutMs } = limitCall(request, { ceilings });
  const cut = {
    ...(fuel < asked.fuel ? { fuel } : {}),
    ...(memoryBytes < asked.memoryBytes ? { memoryBytes } : {}),
    ...(timeoutMs < asked.timeoutMs ? { timeoutMs } : {}),
  };
  return Object.keys(cut).length === 0 ? undefined : cut;
}
