/**
 * Bounded reading of files that an untrusted package names, on the trusted side. Opens regular files only, and reads no more than the limit.
 *
 * A package directory belongs to its author, who may swap a file for a symbolic link at any moment. So what `lstat` says is used for
 * messages only; what holds is how the file is opened. On Linux each segment is opened through its parent's descriptor
 * (`/proc/self/fd/<n>/<segment>`) with `O_NOFOLLOW`, which is `openat` without its race; on macOS `O_NOFOLLOW_ANY` refuses a link
 * anywhere on the path, in one system call. `O_NONBLOCK` keeps a FIFO from hanging the open, and `fstat` on the descriptor decides what it is.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import type { Stats } from "node:fs";
import { platform } from "node:os";
import { join } from "node:path";
import { Failure, refuse } from "../errors.ts";

/** The most that a file may have, and the failure for more. */
export interface SizeLimit {
  readonly bytes: number;
  readonly refuse: (path: string, bytes: number) => Failure;
}

const FILE_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const DIRECTORY_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY;
/** Source: macOS `open(2)`, macOS 11 and later; not in node:fs. */
const DARWIN_O_NOFOLLOW_ANY = 0x2000_0000;

/**
 * Reads a file below a directory, following no symbolic link below it.
 *
 * @param root - The directory; the path to it may go through links, for the user named it.
 * @param path - Relative, with `/` separators; hostile.
 * @returns All of its bytes.
 * @throws {Failure} `PACKAGE_PATH` when the path leaves the directory or meets anything but directories and a regular file,
 *   `FILE_NOT_FOUND`, `FILE_UNREADABLE`, or what `limit` makes.
 */
export function readBeneath(root: string, path: string, limit: SizeLimit): Uint8Array<ArrayBuffer> {
  const segments = segmentsOf(path);
  explainRefusal(root, segments);
  const shown = join(root, ...segments);
  try {
    using file = held(openBeneath(root, segments));
    if (!fstatSync(file.fd).isFile()) throw refuse("PACKAGE_PATH", { path: shown, reason: "it is not a regular file" });
    return readOpen(file.fd, shown, limit);
  } catch (error) {
    throw beneathFailure(error, shown);
  }
}

/**
 * Reads a regular file that the user named, wherever it is: links are followed.
 *
 * @throws {Failure} `FILE_NOT_FOUND`, `FILE_UNREADABLE` for anything but a regular file, or what `limit` makes.
 */
export function readAmbient(path: string, limit: SizeLimit): Uint8Array<ArrayBuffer> {
  try {
    // Looked at before it is opened as well: opening some devices has effects of its own.
    refuseIrregular(statSync(path), path);
    using file = held(openSync(path, FILE_FLAGS));
    refuseIrregular(fstatSync(file.fd), path);
    return readOpen(file.fd, path, limit);
  } catch (error) {
    throw fileFailure(error, path);
  }
}

/**
 * Splits a relative path of a package.
 *
 * @throws {Failure} `PACKAGE_PATH` for an absolute path, an empty, `.` or `..` segment, a backslash or a NUL.
 */
export function segmentsOf(path: string): readonly string[] {
  const segments = path.split("/");
  const odd = segments.some((segment) => ["", ".", ".."].includes(segment) || /[\\\0]/.test(segment));
  if (odd) throw refuse("PACKAGE_PATH", { path, reason: "it is not a plain relative path" });
  return segments;
}

/**
 * Opens a file below a directory for reading; a symbolic link below the directory makes it throw the system's error.
 *
 * @param segments - From {@link segmentsOf}, at least one.
 * @returns A descriptor of a file of any kind: the caller checks it, and closes it.
 */
export function openBeneath(root: string, segments: readonly string[]): number {
  const system = platform();
  if (system === "linux") return openThroughDescriptors(root, segments);
  if (system === "darwin") return openSync(join(realpathSync(root), ...segments), FILE_FLAGS | DARWIN_O_NOFOLLOW_ANY);
  throw refuse("FILE_UNREADABLE", { path: root, reason: `packages cannot be read safely on ${system}` });
}

/** Turns an error of the file system into a failure that names the path. Failures pass through. */
export function fileFailure(error: unknown, path: string): unknown {
  const code = errorCode(error);
  if (code === undefined) return error;
  if (code === "ENOENT" || code === "ENOTDIR") return refuse("FILE_NOT_FOUND", { path }, error);
  return refuse("FILE_UNREADABLE", { path, reason: reasonOf(code) }, error);
}

/** The system's name of an error, such as `ENOENT`; undefined for failures and for errors of other kinds. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof Failure) return undefined;
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** Says in words what the system's name of an error means. */
export function reasonOf(code: string): string {
  return REASONS.get(code) ?? `the system says ${code}`;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["EACCES", "permission denied"],
  ["EDQUOT", "the disk quota is used up"],
  ["ELOOP", "too many symbolic links"],
  ["EMFILE", "too many open files"],
  ["ENAMETOOLONG", "the name is too long"],
  ["ENOSPC", "no space is left on the disk"],
  ["ENOTDIR", "a part of the path is not a directory"],
  ["EPERM", "permission denied"],
  ["EROFS", "the file system is read-only"],
]);

function explainRefusal(root: string, segments: readonly string[]): void {
  let path = root;
  for (const [index, segment] of segments.entries()) {
    path = join(path, segment);
    const stats = look(path);
    const isLast = index === segments.length - 1;
    if (isLast ? stats.isFile() : stats.isDirectory()) continue;
    throw refuse("PACKAGE_PATH", {
      path,
      reason: `it is ${kindOf(stats)}, not a ${isLast ? "regular file" : "directory"}`,
    });
  }
}

function look(path: string): Stats {
  try {
    return lstatSync(path);
  } catch (error) {
    throw fileFailure(error, path);
  }
}

function openThroughDescriptors(root: string, segments: readonly string[]): number {
  let fd = openSync(root, DIRECTORY_FLAGS);
  for (const [index, segment] of segments.entries()) {
    const flags = index === segments.length - 1 ? FILE_FLAGS : DIRECTORY_FLAGS;
    const parent = fd;
    try {
      fd = openSync(`/proc/self/fd/${parent}/${segment}`, flags | constants.O_NOFOLLOW);
    } catch (error) {
      if (existsSync("/proc/self/fd")) throw error;
      throw refuse("FILE_UNREADABLE", { path: root, reason: "/proc is not mounted" }, error);
    } finally {
      closeSync(parent);
    }
  }
  return fd;
}

/** Reads what `fstat` promised and not a byte more, so that a file that grows under the reader cannot fill memory. */
function readOpen(fd: number, path: string, limit: SizeLimit): Uint8Array<ArrayBuffer> {
  const { size } = fstatSync(fd);
  if (size > limit.bytes) throw limit.refuse(path, size);
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const count = readSync(fd, bytes, filled, size - filled, filled);
    if (count === 0) break;
    filled += count;
  }
  const grew = readSync(fd, new Uint8Array(1), 0, 1, size) > 0;
  if (filled < size || grew) throw refuse("FILE_UNREADABLE", { path, reason: "it changed while it was read" });
  return bytes;
}

function refuseIrregular(stats: Stats, path: string): void {
  if (!stats.isFile()) throw refuse("FILE_UNREADABLE", { path, reason: `it is ${kindOf(stats)}, not a regular file` });
}

function kindOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isDirectory()) return "a directory";
  if (stats.isFIFO()) return "a named pipe";
  if (stats.isSocket()) return "a socket";
  if (stats.isBlockDevice() || stats.isCharacterDevice()) return "a device";
  return stats.isFile() ? "a file" : "of an unknown kind";
}

/** The path was in order a moment ago, so that a link or a socket in its place now was put there since. */
function beneathFailure(error: unknown, path: string): unknown {
  const code = errorCode(error);
  const isSwapped = code === "ELOOP" || code === "ENOTDIR" || code === "ENXIO";
  if (isSwapped) return refuse("PACKAGE_PATH", { path, reason: "it changed while it was read" }, error);
  return fileFailure(error, path);
}

function held(fd: number): Disposable & { readonly fd: number } {
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}
