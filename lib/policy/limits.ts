/**
 * Decides how much one call may use. Pure.
 */

/** The budget of a call: fuel units, bytes, milliseconds. */
export interface CallLimits {
  readonly fuel: number;
  readonly memoryBytes: number;
  readonly timeoutMs: number;
}

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
  readonly ceilings?: Partial<CallLimits> | undefined;
  /** The user's word on this very call: it stands, whatever the manifest and the ceilings say. */
  readonly explicit?: Partial<CallLimits> | undefined;
}

const MEBIBYTE = 1_048_576;

/**
 * Computes the limits of a call: what the manifest asks for, at most the ceilings, unless the user said otherwise for this call.
 */
export function limitCall(request: LimitRequest, overrides: LimitOverrides = {}): CallLimits {
  const { ceilings, explicit } = overrides;
  return {
    fuel: explicit?.fuel ?? Math.min(request.maxFuel, ceilings?.fuel ?? Infinity),
    memoryBytes: explicit?.memoryBytes ?? Math.min(request.maxMemoryMb * MEBIBYTE, ceilings?.memoryBytes ?? Infinity),
    timeoutMs: explicit?.timeoutMs ?? Math.min(request.maxExecutionMs, ceilings?.timeoutMs ?? Infinity),
  };
}
