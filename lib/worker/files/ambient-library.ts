/**
 * Loads functions of the C library. Whatever they do is done with all the authority of the process: what is loaded is named where it is used, and used for
 * calls on directories that were granted. The guest's side of the trust boundary.
 */
import { type ConvertFns, dlopen, type FFIFunction } from "bun:ffi";
import { FileError } from "./error.ts";

/**
 * Loads functions.
 *
 * @param names - Of the library, on the systems there are; the first that there is, is taken.
 * @throws {FileError} `unsupported` when there is none.
 */
export function loadAmbientLibrary<const Functions extends Record<string, FFIFunction>>(
  names: readonly string[],
  functions: Functions,
): ConvertFns<Functions> {
  for (const name of names) {
    try {
      return dlopen(name, functions).symbols;
    } catch {
      // The library has another name here.
    }
  }
  throw new FileError("unsupported");
}
