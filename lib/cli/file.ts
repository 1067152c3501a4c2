/**
 * Reading files that the user names, without ever holding more of them than a limit.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { refuse, type Failure } from "../errors.ts";

/**
 * Reads a whole regular file.
 *
 * @param path - Of any file; a FIFO or a device is refused without waiting for it.
 * @param limitBytes - Most bytes that it may have.
 * @returns Its bytes, or undefined when there is none.
 * @throws {Failure} FILE_UNREADABLE when it is no regular file, too large, or cannot be opened.
 */
export function readRegularFile(path: string, limitBytes: number): Uint8Array | undefined {
  const fd = openExisting(path);
  if (fd === undefined) return undefined;
  try {
    if (!fstatSync(fd).isFile()) throw refuse("FILE_UNREADABLE", { path, reason: "it is not a regular file" });
    const bytes = readUpTo(fd, limitBytes + 1);
    if (bytes.length > limitBytes) {
      throw refuse("FILE_UNREADABLE", { path, reason: `it has more than ${limitBytes} bytes` });
    }
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/** Says in words why a file could not be used. */
export function fileFailure(path: string, error: unknown): Failure {
  const code = errorCode(error);
  if (code === "ENOENT" || code === "ENOTDIR") return refuse("FILE_NOT_FOUND", { path }, error);
  return refuse("FILE_UNREADABLE", { path, reason: REASONS.get(code) ?? `the system says ${code || "no"}` }, error);
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["EISDIR", "it is a directory"],
  ["ELOOP", "too many symbolic links"],
  ["ENAMETOOLONG", "the name is too long"],
  ["ENXIO", "it is not a regular file"],
  ["EIO", "the disk reports an error"],
]);

function openExisting(path: string): number | undefined {
  try {
    // Without O_NONBLOCK, opening a FIFO waits for a writer.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const failure = fileFailure(path, error);
    if (failure.code === "FILE_NOT_FOUND") return undefined;
    throw failure;
  }
}

function readUpTo(fd: number, limitBytes: number): Uint8Array {
  const buffer = new Uint8Array(limitBytes);
  let length = 0;
  for (;;) {
    const count = readSync(fd, buffer, length, limitBytes - length, null);
    if (count === 0) return buffer.subarray(0, length);
    length += count;
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
