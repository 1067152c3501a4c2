/**
 * Directories of the user's that a tool may be given: which, and that they still are what they were when they were granted. What is refused
 * would give a tool KAMI's own files, or the system's.
 */
import { realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { refuse } from "../errors.ts";
import { errorCode, reasonOf } from "./files.ts";

/** Not files, or not anybody's: processes, devices, kernel settings. */
const SYSTEM = ["/proc", "/dev", "/sys"];

/**
 * Finds the directory that a path leads to.
 *
 * @param path - Absolute; links are followed, once and for all: what is granted is what they lead to now.
 * @param own - Directories of KAMI's that no tool may get, or get at: absolute, exist.
 * @returns Its absolute path, without links.
 * @throws {Failure} `MOUNT_REFUSED`
 */
export function resolveMount(path: string, own: readonly string[]): string {
  const found = realDirectory(path);
  if (found === sep) throw refuse("MOUNT_REFUSED", { path, reason: "it is the root of the file system" });
  if (SYSTEM.some((each) => isWithin(found, each)))
    throw refuse("MOUNT_REFUSED", { path, reason: "it is the system's, and no place for files" });
  for (const each of own.map((name) => realpathSync.native(name))) {
    if (isWithin(found, each)) throw refuse("MOUNT_REFUSED", { path, reason: "it is KAMI's own" });
    if (isWithin(each, found)) throw refuse("MOUNT_REFUSED", { path, reason: "KAMI's own directory lies in it" });
  }
  return found;
}

/**
 * Makes sure that a granted directory is still the one that was granted.
 *
 * @throws {Failure} `MOUNT_REFUSED` when it is gone, or a link stands on the way to it now.
 */
export function checkMount(path: string, own: readonly string[]): void {
  if (resolveMount(path, own) !== path)
    throw refuse("MOUNT_REFUSED", { path, reason: "it leads to another place than when it was granted" });
}

function realDirectory(path: string): string {
  try {
    const found = realpathSync.native(path);
    if (statSync(join(found, sep)).isDirectory()) return found;
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    const reason = code === "ENOENT" ? "there is no such directory" : reasonOf(code);
    throw refuse("MOUNT_REFUSED", { path, reason: code === "ENOTDIR" ? "it is no directory" : reason }, error);
  }
  throw refuse("MOUNT_REFUSED", { path, reason: "it is no directory" });
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}${sep}`);
}
