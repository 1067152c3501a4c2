/**
 * Methods of `descriptor` about what directories hold, and of `directory-entry-stream`. The guest's side of the trust boundary.
 *
 * Every path is resolved beneath the descriptor: `..`, absolute paths and symlinks that lead out of it fail with `not-permitted`.
 *
 * Source: wasi:filesystem 0.2, wit/types.wit and path-resolution.md; each function names its clause.
 */
import { define, type HostFunction, ResultError } from "../../../component/link/host.ts";
import { option, string } from "../../../schema/value-type.ts";
import {
  link,
  makeDirectory,
  makeSymlink,
  removeDirectory,
  removeFile,
  rename,
  type Target,
} from "../../files/change.ts";
import { FileError } from "../../files/error.ts";
import { DirectoryList, readLink } from "../../files/look.ts";
import { openFile } from "../../files/open.ts";
import type { Functions, Host } from "../host.ts";
import { attempt, Descriptor, EntryStream } from "./descriptor.ts";
import {
  BORROWED_DESCRIPTOR,
  BORROWED_ENTRY_STREAM,
  DESCRIPTOR,
  DESCRIPTOR_BITS,
  DESCRIPTOR_FLAGS,
  DIRECTORY_ENTRY,
  ENTRY_STREAM,
  OPEN_BITS,
  OPEN_FLAGS,
  orError,
  PATH_FLAGS,
  SELF,
  SYMLINK_FOLLOW,
} from "./shape.ts";

const SYNC_BITS =
  DESCRIPTOR_BITS.fileIntegritySync | DESCRIPTOR_BITS.dataIntegritySync | DESCRIPTOR_BITS.requestedWriteSync;
const NEW = { "new-descriptor": BORROWED_DESCRIPTOR, "new-path": string };

type OpenArguments = readonly [pathFlags: number, path: string, openFlags: number, flags: number];

export const DIRECTORY_FUNCTIONS: Functions = {
  /** Opens what a path names. Source: `open-at`: "similar to `openat` in POSIX". */
  "[method]descriptor.open-at": define(
    [
      { ...SELF, "path-flags": PATH_FLAGS, path: string, "open-flags": OPEN_FLAGS, flags: DESCRIPTOR_FLAGS },
      orError(DESCRIPTOR),
    ],
    (host: Host, self: Descriptor, ...values: OpenArguments) =>
      attempt(self, () => openAt(host, self, values), values[1]),
  ),

  /** Lists the directory. Source: `read-directory`: "On filesystems where directories contain entries describing themselves and their parents … these entries are omitted". */
  "[method]descriptor.read-directory": define([SELF, orError(ENTRY_STREAM)], (host: Host, self: Descriptor) =>
    attempt(self, () => new EntryStream(host, new DirectoryList(self.file))),
  ),

  /** Makes a directory. Source: `create-directory-at`: "similar to `mkdirat` in POSIX". */
  "[method]descriptor.create-directory-at": atPath(makeDirectory),

  /** Removes an empty directory. Source: `remove-directory-at`: "Return `error-code::not-empty` if the directory is not empty". */
  "[method]descriptor.remove-directory-at": atPath(removeDirectory),

  /** Removes what is not a directory. Source: `unlink-file-at`: "Return `error-code::is-directory` if the path refers to a directory". */
  "[method]descriptor.unlink-file-at": atPath(removeFile),

  /** Gives a file another name; symlinks are not followed. Source: `link-at`: "similar to `linkat` in POSIX". */
  "[method]descriptor.link-at": define(
    [{ ...SELF, "old-path-flags": PATH_FLAGS, "old-path": string, ...NEW }, orError()],
    (_: Host, self: Descriptor, ...[flags, path, other, newPath]: readonly [number, string, Descriptor, string]) =>
      between([self, path], [other, newPath], (from, to) => {
        if ((flags & SYMLINK_FOLLOW) !== 0) throw new FileError("invalid");
        link(from, to);
      }),
  ),

  /** Renames. Source: `rename-at`: "similar to `renameat` in POSIX". */
  "[method]descriptor.rename-at": define(
    [{ ...SELF, "old-path": string, ...NEW }, orError()],
    (_: Host, self: Descriptor, ...[path, other, newPath]: readonly [string, Descriptor, string]) =>
      between([self, path], [other, newPath], rename),
  ),

  /** Makes a symlink. Source: `symlink-at`: "If `old-path` starts with `/`, the function fails with `error-code::not-permitted`". */
  "[method]descriptor.symlink-at": define(
    [{ ...SELF, "old-path": string, "new-path": string }, orError()],
    (_: Host, self: Descriptor, ...[content, path]: readonly [string, string]) =>
      attempt(self, () => makeSymlink(content, target(self, path)), path),
  ),

  /** Reads a symlink. Source: `readlink-at`: "If the contents contain an absolute or rooted path …, this function fails with `error-code::not-permitted`". */
  "[method]descriptor.readlink-at": define(
    [{ ...SELF, path: string }, orError(string)],
    (_: Host, self: Descriptor, path: string) =>
      attempt(self, () => readLink({ base: self.file, path, isFollowed: false }), path),
  ),

  /** Gives the next name of a directory. Source: `read-directory-entry`: "Read a single directory entry from a `directory-entry-stream`". */
  "[method]directory-entry-stream.read-directory-entry": define(
    [{ self: BORROWED_ENTRY_STREAM }, orError(option(DIRECTORY_ENTRY))],
    (host: Host, self: EntryStream) => nextEntry(host, self),
  ),
};

/** A method that does something to what a path names. */
function atPath(act: (target: Target) => void): HostFunction<Host> {
  return define([{ ...SELF, path: string }, orError()], (_: Host, self: Descriptor, path: string) =>
    attempt(self, () => act(target(self, path)), path),
  );
}

/** Does something with two paths. Which of them could not be changed, the user is told. */
function between(
  from: readonly [Descriptor, string],
  to: readonly [Descriptor, string],
  act: (from: Target, to: Target) => void,
): void {
  const [told, path] = from[0].file.tree.mount.access === "read-only" ? from : to;
  attempt(told, () => act(target(...from), target(...to)), path);
}

function target({ file }: Descriptor, path: string): Target {
  return { base: file, path };
}

function openAt(host: Host, self: Descriptor, [pathFlags, path, openFlags, flags]: OpenArguments): Descriptor {
  // Of a file, it says nothing: C libraries ask for it with every file that they write to.
  if ((flags & DESCRIPTOR_BITS.mutateDirectory) !== 0) self.file.tree.requireWritable();
  const file = openFile(self.file, path, {
    isFollowed: (pathFlags & SYMLINK_FOLLOW) !== 0,
    creates: (openFlags & OPEN_BITS.create) !== 0,
    isDirectory: (openFlags & OPEN_BITS.directory) !== 0,
    isExclusive: (openFlags & OPEN_BITS.exclusive) !== 0,
    truncates: (openFlags & OPEN_BITS.truncate) !== 0,
    canRead: (flags & DESCRIPTOR_BITS.read) !== 0,
    canWrite: (flags & DESCRIPTOR_BITS.write) !== 0,
    sync: syncOf(flags),
  });
  return new Descriptor(host, file, { guestPath: self.tell(path), syncFlags: flags & SYNC_BITS });
}

function syncOf(flags: number): "none" | "data" | "file" {
  if ((flags & DESCRIPTOR_BITS.fileIntegritySync) !== 0) return "file";
  return (flags & DESCRIPTOR_BITS.dataIntegritySync) === 0 ? "none" : "data";
}

function nextEntry(host: Host, { list }: EntryStream): readonly [type: string, name: string] | undefined {
  try {
    const entry = list.next();
    if (entry === undefined) return undefined;
    host.chargeBytes(entry.name.length);
    return [entry.type, entry.name];
  } catch (error) {
    throw error instanceof FileError ? new ResultError(error.code) : error;
  }
}
