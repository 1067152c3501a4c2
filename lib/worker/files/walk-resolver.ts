/**
 * Resolves paths segment by segment, for systems without `openat2`. Each step opens one name and follows nothing; a symlink is read, and its
 * path walked in turn; `..` goes back to the directory that the walk came from, which is still open. The guest's side of the trust boundary.
 *
 * Source: POSIX.1-2024, §4.16 Pathname Resolution.
 */
import { constants } from "node:fs";
import { closeDescriptor } from "./close.ts";
import { FileError } from "./error.ts";
import { decodeName } from "./memory.ts";
import { checkPath, isDots, segmentsOf, splitPath } from "./path.ts";
import { type Located, Place, type Resolver } from "./resolver.ts";
import type { Entry, OpenMode, Stat, System } from "./system.ts";

/** Symlinks on the way of one path. Source: include/linux/namei.h, MAXSYMLINKS. */
const LINK_LIMIT = 40;
/** Directories that one walk has open at once. */
const DEPTH_LIMIT = 256;
/** Segments that are still to be walked, those of symlinks included. */
const PENDING_LIMIT = 16_384;

/** Makes the resolver. */
export function makeWalkResolver(system: System): Resolver {
  const place = (located: Located): Place => {
    using walk = new Walk(system, located.base);
    return walk.find(located);
  };
  const open = (located: Located, mode: OpenMode): number => {
    using found = place(located);
    if (!found.isDirectory) return system.open(found, mode);
    if ((mode.flags & constants.O_CREAT) !== 0) throw new FileError("is-directory");
    return system.open(found, { ...mode, flags: mode.flags | constants.O_DIRECTORY });
  };
  return {
    open,
    stat: (located) => {
      using found = place(located);
      return statPlace(system, found);
    },
    setTimes: (located, times) => {
      using found = place(located);
      statPlace(system, found);
      system.setTimes(found, times);
    },
    place: (base, path) => {
      const { parent, name, isDirectory } = splitPath(path);
      const directory = open({ base, path: parent, isFollowed: true }, { flags: system.traverseFlags });
      return new Place(directory, name, isDirectory);
    },
  };
}

/** A walk under way: the directories that it came through are open. */
class Walk implements Disposable {
  readonly #system: System;
  readonly #base: number;
  readonly #open: number[] = [];
  /** What is still to be walked, the next segment last. */
  #pending: string[] = [];
  #links = 0;

  constructor(system: System, base: number) {
    this.#system = system;
    this.#base = base;
  }

  /** Finds the entry that a path names. A path that ends in `.` or `..` names the directory itself, as `.`. */
  find({ path, isFollowed }: Located): Place {
    this.#push(path);
    let isDirectory = path.endsWith("/");
    for (;;) {
      const name = this.#pending.pop() ?? ".";
      const isLast = this.#pending.length === 0;
      if (isLast && isDots(name)) return this.#end(name, isDirectory);
      const target = !isLast || isFollowed || isDirectory ? this.#readLink(name) : undefined;
      if (target !== undefined) {
        if (isLast) isDirectory ||= target.endsWith("/");
        this.#push(target);
      } else if (isLast) {
        return this.#end(name, isDirectory);
      } else {
        this.#enter(name);
      }
    }
  }

  get #here(): number {
    return this.#open.at(-1) ?? this.#base;
  }

  /** Gives the last directory to a place; the others are closed with the walk. */
  #end(name: string, isDirectory: boolean): Place {
    if (name === "..") this.#enter(name);
    const last = isDots(name) ? "." : name;
    const directory = this.#system.open({ directory: this.#here, name: "." }, { flags: this.#system.traverseFlags });
    return new Place(directory, last, isDirectory);
  }

  #push(path: string): void {
    const segments = segmentsOf(path);
    if (this.#pending.length + segments.length > PENDING_LIMIT) throw new FileError("name-too-long");
    this.#pending = [...this.#pending, ...segments.toReversed()];
  }

  /** @returns What a symlink holds; undefined when the name is not one. */
  #readLink(name: string): string | undefined {
    if (isDots(name)) return undefined;
    const entry = { directory: this.#here, name };
    if (typeOf(this.#system, entry) !== "symbolic-link") return undefined;
    this.#links += 1;
    if (this.#links > LINK_LIMIT) throw new FileError("loop");
    const content = unlessChanged(() => this.#system.readLink(entry));
    if (content === undefined) return undefined;
    const target = decodeName(content);
    if (target === undefined) throw new FileError("illegal-byte-sequence");
    return checkPath(target);
  }

  #enter(name: string): void {
    if (name === ".") return;
    if (name === "..") {
      const left = this.#open.pop();
      if (left === undefined) throw new FileError("not-permitted");
      return closeDescriptor(left);
    }
    if (this.#open.length === DEPTH_LIMIT) throw new FileError("name-too-long");
    // A symlink that was put here since is not followed: this fails.
    this.#open.push(this.#system.open({ directory: this.#here, name }, { flags: this.#system.traverseFlags }));
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) closeDescriptor(fd);
  }
}

/** Reads a symlink; undefined when it is none any more. */
function unlessChanged<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FileError && error.code === "invalid") return undefined;
    throw error;
  }
}

/** What a name is; undefined when there is nothing, which is for others to say. */
function typeOf(system: System, entry: Entry): string | undefined {
  try {
    return system.stat(entry).type;
  } catch (error) {
    if (error instanceof FileError && error.code === "no-entry") return undefined;
    throw error;
  }
}

function statPlace(system: System, place: Place): Stat {
  const stat = system.stat(place);
  if (place.isDirectory && stat.type !== "directory") throw new FileError("not-directory");
  return stat;
}
