/**
 * The words in shared memory by which the host stops a guest, and where the guest takes its fuel and its stack from. Every metered module imports
 * that memory behind its own; the guest's code cannot name it.
 */

/** Where the words lie, in bytes from the start of the memory. */
export const SIGNAL = {
  /** int32; the host makes it negative to stop the guest. */
  interrupt: 0,
  /** int64; units of fuel that the call has left, less what the modules have used since they last settled. Negative: used up. */
  fuelLeft: 8,
  /** int32; bytes of stack that the call has left where a module calls what may be another one; all of them otherwise. */
  stackLeft: 20,
} as const;

/** The name of the memory among KAMI's imports. */
export const SIGNAL_MEMORY = "signal";

/**
 * Bytes of stack that a call's functions may take together. The engine has 4.5 MB on a Worker's thread; the rest is for the host, for
 * operands, and for what goes uncounted at the end of the chain.
 */
export const STACK_BYTES = 3_600_000;

/**
 * Units that a module uses before it settles with the call and looks whether it has been stopped: well under a millisecond even in the
 * engine's interpreter.
 */
export const SLICE = 50_000;
