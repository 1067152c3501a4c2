/**
 * Paths that a guest gives, as strings: what is refused before any of it is resolved. Pure.
 *
 * Source: wasi:filesystem 0.2, path-resolution.md and wit/types.wit: paths are relative; absolute ones fail with `not-permitted`.
 */
import { FileError } from "./error.ts";

/** Most bytes of a path. Source: limits.h, PATH_MAX of Linux without the NUL. */
const PATH_LIMIT_BYTES = 4095;

/** Most bytes of one name. Source: limits.h, NAME_MAX. */
const NAME_LIMIT_BYTES = 255;

/** A path, cut in front of its last name. */
export interface SplitPath {
  /** A path to what holds the name; `.` when it is the directory itself. */
  readonly parent: string;
  /** The last segment: also `.` or `..`. */
  readonly name: string;
  /** Whether slashes follow: what it names must be a directory. */
  readonly isDirectory: boolean;
}

/**
 * Checks a path before it is resolved.
 *
 * @returns The path.
 * @throws {FileError} `no-entry` when empty, `invalid` for a NUL, `name-too-long`, `not-permitted` when absolute.
 */
export function checkPath(path: string): string {
  if (path === "") throw new FileError("no-entry");
  if (path.includes("\0")) throw new FileError("invalid");
  if (Buffer.byteLength(path) > PATH_LIMIT_BYTES) throw new FileError("name-too-long");
  if (path.startsWith("/")) throw new FileError("not-permitted");
  // A name has at most as many characters as bytes: most paths are not looked at closely.
  if (path.length * 3 > NAME_LIMIT_BYTES && segmentsOf(path).some(isTooLong)) throw new FileError("name-too-long");
  return path;
}

/** Cuts a checked path in front of its last name. */
export function splitPath(path: string): SplitPath {
  let end = path.length;
  while (path[end - 1] === "/") end -= 1;
  const start = path.lastIndexOf("/", end - 1) + 1;
  return { parent: path.slice(0, start) || ".", name: path.slice(start, end), isDirectory: end < path.length };
}

/** A path's segments, without empty ones. */
export function segmentsOf(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "");
}

/** Whether a name is an alias of a directory, not an entry of its own. */
export function isDots(name: string): boolean {
  return name === "." || name === "..";
}

/**
 * Checks what a new symlink would hold: a relative path that goes up first and then only down, so that how far it goes up can be told from it alone.
 *
 * @returns How many directories it goes up.
 * @throws {FileError} As {@link checkPath}; `not-permitted` when it goes down and up again.
 */
export function countAscents(target: string): number {
  const segments = segmentsOf(checkPath(target)).filter((segment) => segment !== ".");
  const ascents = segments.findIndex((segment) => segment !== "..");
  if (ascents === -1) return segments.length;
  if (segments.includes("..", ascents)) throw new FileError("not-permitted");
  return ascents;
}

function isTooLong(name: string): boolean {
  return Buffer.byteLength(name) > NAME_LIMIT_BYTES;
}
