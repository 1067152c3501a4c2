/**
 * What can go wrong with a file, in the words of `wasi:filesystem/types` `error-code`. The guest's side of the trust boundary.
 *
 * Source: wasi:filesystem 0.2, wit/types.wit, `error-code`: each case names the POSIX error that it is.
 */
import { constants } from "node:os";

/** The cases of `error-code`, in the order of the WIT. */
export const ERROR_CODES = [
  "access",
  "would-block",
  "already",
  "bad-descriptor",
  "busy",
  "deadlock",
  "quota",
  "exist",
  "file-too-large",
  "illegal-byte-sequence",
  "in-progress",
  "interrupted",
  "invalid",
  "io",
  "is-directory",
  "loop",
  "too-many-links",
  "message-size",
  "name-too-long",
  "no-device",
  "no-entry",
  "no-lock",
  "insufficient-memory",
  "insufficient-space",
  "not-directory",
  "not-empty",
  "not-recoverable",
  "unsupported",
  "no-tty",
  "no-such-device",
  "overflow",
  "not-permitted",
  "pipe",
  "read-only",
  "invalid-seek",
  "text-file-busy",
  "cross-device",
] as const;

/** A case of `error-code`. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** An operation failed: an outcome for the guest. Says nothing of the host's paths. */
export class FileError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(`the file operation failed: ${code}`);
    this.name = "FileError";
    this.code = code;
  }
}

/** Something in a directory that was granted read-only would have been changed. */
export class ReadOnlyError extends FileError {
  constructor() {
    super("read-only");
    this.name = "ReadOnlyError";
  }
}

/** A directory that was granted cannot be opened: it is gone, or was changed at the host. */
export class MountError extends FileError {
  constructor(code: ErrorCode) {
    super(code);
    this.name = "MountError";
  }
}

const CODES = new Map<string, ErrorCode>([
  ["EACCES", "access"],
  ["EAGAIN", "would-block"],
  ["EWOULDBLOCK", "would-block"],
  ["EALREADY", "already"],
  ["EBADF", "bad-descriptor"],
  ["EBUSY", "busy"],
  ["EDEADLK", "deadlock"],
  ["EDQUOT", "quota"],
  ["EEXIST", "exist"],
  ["EFBIG", "file-too-large"],
  ["EILSEQ", "illegal-byte-sequence"],
  ["EINPROGRESS", "in-progress"],
  ["EINTR", "interrupted"],
  ["EINVAL", "invalid"],
  ["EIO", "io"],
  ["EISDIR", "is-directory"],
  ["ELOOP", "loop"],
  ["EMLINK", "too-many-links"],
  ["EMSGSIZE", "message-size"],
  ["ENAMETOOLONG", "name-too-long"],
  ["ENODEV", "no-device"],
  ["ENOENT", "no-entry"],
  ["ENOLCK", "no-lock"],
  ["ENOMEM", "insufficient-memory"],
  // The standard has no word for too many open files.
  ["EMFILE", "insufficient-memory"],
  ["ENFILE", "insufficient-memory"],
  ["ENOSPC", "insufficient-space"],
  ["ENOTDIR", "not-directory"],
  ["ENOTEMPTY", "not-empty"],
  ["ENOTRECOVERABLE", "not-recoverable"],
  ["ENOTSUP", "unsupported"],
  ["EOPNOTSUPP", "unsupported"],
  ["ENOSYS", "unsupported"],
  ["ENOTTY", "no-tty"],
  ["ENXIO", "no-such-device"],
  ["EOVERFLOW", "overflow"],
  ["EPERM", "not-permitted"],
  ["EPIPE", "pipe"],
  ["EROFS", "read-only"],
  ["ESPIPE", "invalid-seek"],
  ["ETXTBSY", "text-file-busy"],
  ["EXDEV", "cross-device"],
]);

const NAMES = new Map<number, string>(Object.entries(constants.errno).map(([name, errno]) => [errno, name]));
/** ENOTRECOVERABLE of Linux, which the table lacks. */
const NOT_RECOVERABLE = 131;

/** Tells what an error of the system is to the guest; one that the standard has no case for is `io`. @param errno - Positive. */
export function fileErrorOf(errno: number): FileError {
  const name = errno === NOT_RECOVERABLE ? "ENOTRECOVERABLE" : NAMES.get(errno);
  return new FileError(CODES.get(name ?? "") ?? "io");
}

/**
 * Does something with `node:fs`, and tells what went wrong in the guest's terms.
 *
 * @throws {FileError}
 */
export function attempt<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw translate(error);
  }
}

/** Makes a {@link FileError} of an error of `node:fs`; others stay what they are. */
export function translate(error: unknown): unknown {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return error;
  return new FileError(CODES.get(String(error.code)) ?? "io");
}
