/**
 * What KAMI's files need of an operating system: single calls, each on an open directory and one name in it, none of which follows a
 * symlink. The guest's side of the trust boundary.
 *
 * Source: POSIX.1-2024, openat and the other functions that end in "at".
 */

/** Cases of `wasi:filesystem/types` `descriptor-type`. */
export type FileType =
  "unknown" | "block-device" | "character-device" | "directory" | "fifo" | "symbolic-link" | "regular-file" | "socket";

/** What a file is. Device and inode never reach a guest. */
export interface Stat {
  readonly type: FileType;
  readonly device: bigint;
  readonly inode: bigint;
  readonly links: number;
  readonly size: number;
  /** Since 1970, as the other two. */
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
}

/** Nanoseconds since 1970, or what else becomes of a timestamp. */
export type NewTime = bigint | "now" | "keep";

/** What becomes of a file's timestamps. */
export interface NewTimes {
  readonly accessed: NewTime;
  readonly modified: NewTime;
}

/** How a file is opened. */
export interface OpenMode {
  /** Of `node:fs` `constants`; `O_CLOEXEC` and what keeps from following are added. */
  readonly flags: number;
  /** Permissions of a new file. */
  readonly permissions?: number;
}

/** One name in an open directory. */
export interface Entry {
  readonly directory: number;
  /** One segment, without slashes. */
  readonly name: string;
}

/** A name that a directory has. */
export interface ListedName {
  /** Undefined when it is not UTF-8. */
  readonly name: string | undefined;
  /** `unknown` where the filesystem does not tell. */
  readonly type: FileType;
}

/** Reads a directory, piece by piece. Owns a descriptor. */
export interface Listing extends Disposable {
  /** The next names, without `.` and `..`; empty at the end, and only there. */
  next(): readonly ListedName[];
}

/** How `posix_fadvise` may be told. */
export type Advice = "normal" | "sequential" | "random" | "will-need" | "dont-need" | "no-reuse";

/** Advice for a part of a file. */
export interface Advised {
  readonly offset: number;
  readonly length: number;
  readonly advice: Advice;
}

/** The calls. All throw {@link FileError}. */
export interface System {
  /** Flags of a directory that is only passed through. */
  readonly traverseFlags: number;
  /** Opens a name. `..` and `.` are names too. */
  open(entry: Entry, mode: OpenMode): number;
  /**
   * Opens a path that never leaves its directory, in one call. Undefined where the system has no such call.
   *
   * @param entry - Its name is a path.
   */
  readonly openBeneath: ((entry: Entry, mode: OpenMode) => number) | undefined;
  /** Tells what a name is; an empty one is the directory itself, whatever it is. */
  stat(entry: Entry): Stat;
  readLink(entry: Entry): Uint8Array;
  makeDirectory(entry: Entry): void;
  makeSymlink(target: string, entry: Entry): void;
  removeFile(entry: Entry): void;
  removeDirectory(entry: Entry): void;
  rename(from: Entry, to: Entry): void;
  link(from: Entry, to: Entry): void;
  /** An empty name is the directory itself. */
  setTimes(entry: Entry, times: NewTimes): void;
  advise(fd: number, advised: Advised): void;
  /** Writes to the end of a file, wherever that is by then. @returns How many bytes were written. */
  append(fd: number, bytes: Uint8Array): number;
  /** Takes the lock of an open file. @returns False when somebody else has it. */
  lock(fd: number): boolean;
  unlock(fd: number): void;
  /** Lists an open directory, and closes it in the end. */
  list(fd: number): Listing;
  /** Whether what is open belongs to a filesystem that shows processes, where files are not what they seem. */
  isProcessFilesystem(fd: number): boolean;
}

const FORMAT_MASK = 0o170_000;
const TYPES = new Map<number, FileType>([
  [0o010_000, "fifo"],
  [0o020_000, "character-device"],
  [0o040_000, "directory"],
  [0o060_000, "block-device"],
  [0o100_000, "regular-file"],
  [0o120_000, "symbolic-link"],
  [0o140_000, "socket"],
]);

/** Tells a file's type. @param mode - `st_mode`. Source: POSIX.1-2024, sys/stat.h. */
export function typeOfMode(mode: number): FileType {
  return TYPES.get(mode & FORMAT_MASK) ?? "unknown";
}

/** Tells an entry's type. @param type - `d_type`: the same as in `st_mode`, 12 bits further down. */
export function typeOfEntry(type: number): FileType {
  return typeOfMode(type << 12);
}

/** Whether two files are one. */
export function isSameFile(one: Stat, other: Stat): boolean {
  return one.inode === other.inode && one.device === other.device;
}
