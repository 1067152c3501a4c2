/**
 * Ends a guest from inside one of its imports, so that it cannot go on.
 *
 * An exception that JavaScript throws can be caught by a guest with `catch_all`; a trap of WebAssembly cannot, also when it passes through
 * JavaScript on its way. So the host ends a guest by a trap of its own.
 *
 * Source: WebAssembly 3.0, 4.6.11: traps are not caught by handlers.
 */

/** `(module (func (export "abort") unreachable))`, with a name section without names: a trace leaves out functions without one. */
const BYTES = Uint8Array.fromHex(
  "0061736d01000000010401600000030201000709010561626f727400000a05010300000b0008046e616d65000100",
);

const { abort } = new WebAssembly.Instance(new WebAssembly.Module(BYTES)).exports;

/**
 * Traps. What it means is in the budget's `stopped`.
 *
 * @throws {WebAssembly.RuntimeError} Always: one that no guest can catch.
 */
export function abortGuest(): never {
  if (typeof abort === "function") abort();
  throw new Error("BUG: unreachable was reached");
}
