/**
 * Tells what files are, reads symlinks, sets times, lists directories. The guest's side of the trust boundary.
 *
 * Source: POSIX.1-2024, fstatat, readlinkat, utimensat, readdir.
 */
import { constants } from "node:fs";
import { closeDescriptor } from "./close.ts";
import { FileError } from "./error.ts";
import { decodeName } from "./memory.ts";
import type { OpenFile } from "./open-file.ts";
import { checkPath, isDots, splitPath } from "./path.ts";
import type { Held } from "./tree.ts";
import type { ListedName, Listing, NewTimes, Stat } from "./system.ts";

/** A path, relative to a directory that is open. */
export interface Looked {
  readonly base: OpenFile;
  readonly path: string;
  /** Whether a symlink at the path's end is followed. */
  readonly isFollowed: boolean;
}

/** Tells what a path names. @throws {FileError} */
export function statPath({ base, path, isFollowed }: Looked): Stat {
  base.requireDirectory();
  return base.tree.access.resolver.stat({ base: base.fd, path: checkPath(path), isFollowed });
}

/** Sets the times of what a path names. @throws {FileError} */
export function setPathTimes({ base, path, isFollowed }: Looked, times: NewTimes): void {
  base.requireDirectory();
  base.tree.requireWritable();
  base.tree.access.resolver.setTimes({ base: base.fd, path: checkPath(path), isFollowed }, times);
}

/** Sets the times of what is open. @throws {FileError} */
export function setTimes(file: OpenFile, times: NewTimes): void {
  file.tree.requireWritable();
  file.tree.access.system.setTimes({ directory: file.fd, name: "" }, times);
}

/**
 * Reads a symlink.
 *
 * @throws {FileError} `not-permitted` when it holds an absolute path: that would tell of the host; `invalid` when it is no symlink.
 */
export function readLink({ base, path }: Looked): string {
  base.requireDirectory();
  const { name, isDirectory } = splitPath(checkPath(path));
  const { resolver, system } = base.tree.access;
  if (isDirectory || isDots(name)) {
    resolver.stat({ base: base.fd, path, isFollowed: true });
    throw new FileError("invalid");
  }
  using place = resolver.place(base.fd, path);
  if (system.stat(place).type !== "symbolic-link") throw new FileError("invalid");
  const content = decodeName(system.readLink(place));
  if (content === undefined) throw new FileError("illegal-byte-sequence");
  if (content.startsWith("/")) throw new FileError("not-permitted");
  return content;
}

/** A directory that is being listed. Holds a descriptor until it is ended. */
export class DirectoryList implements Held {
  readonly #directory: OpenFile;
  readonly #listing: Listing;
  #piece: ListedName[] = [];
  #isClosed = false;

  /** @throws {FileError} */
  constructor(directory: OpenFile) {
    directory.requireDirectory();
    const { system } = directory.tree.access;
    const flags = constants.O_RDONLY | constants.O_DIRECTORY;
    const fd = system.open({ directory: directory.fd, name: "." }, { flags });
    try {
      directory.tree.files.hold(this);
    } catch (error) {
      closeDescriptor(fd);
      throw error;
    }
    this.#listing = system.list(fd);
    this.#directory = directory.retain();
  }

  /**
   * Gives the next name.
   *
   * @returns Undefined at the end.
   * @throws {FileError} `illegal-byte-sequence` for a name that is not UTF-8; the next call goes on behind it.
   */
  next(): { readonly name: string; readonly type: Stat["type"] } | undefined {
    if (this.#piece.length === 0) this.#piece = [...this.#listing.next()].toReversed();
    const entry = this.#piece.pop();
    if (entry === undefined) return undefined;
    if (entry.name === undefined) throw new FileError("illegal-byte-sequence");
    return { name: entry.name, type: entry.type === "unknown" ? this.#typeOf(entry.name) : entry.type };
  }

  /** For filesystems that do not list types. */
  #typeOf(name: string): Stat["type"] {
    try {
      return this.#directory.tree.access.system.stat({ directory: this.#directory.fd, name }).type;
    } catch {
      return "unknown";
    }
  }

  end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listing[Symbol.dispose]();
    this.#directory.tree.files.release(this);
    this.#directory.release();
  }
}
