/**
 * Ends a guest from inside one of its imports, so that it cannot go on.
 *
 * An exception that JavaScript throws can be caught by a guest with `catch_all`; a trap of WebAssembly cannot, also when it passes through
 * JavaScript on its way. So the host ends a guest by a trap of its own.
 *
 * Source: WebAssembly 3.0, 4.6.11: traps are not caught by handlers.
 */

/** `(module (func (export "abort") unreachable))` */
const BYTES = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x07, 0x09, 0x01, 0x05, 0x61, 0x62, 0x6f, 0x72, 0x74, 0x00, 0x00],
  ...[0x0a, 0x05, 0x01, 0x03, 0x00, 0x00, 0x0b],
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
