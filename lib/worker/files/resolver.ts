/**
 * How a path is resolved so that it never leaves the directory that it is relative to, whoever changes what lies on the way meanwhile. The guest's
 * side of the trust boundary.
 */
import { closeDescriptor } from "./close.ts";
import type { Entry, NewTimes, OpenMode, Stat } from "./system.ts";

/** A path, relative to an open directory, that was checked. */
export interface Located {
  readonly base: number;
  readonly path: string;
  /** Whether a symlink at the path's end is followed. */
  readonly isFollowed: boolean;
}

/** An entry of a directory that is open for it alone. */
export class Place implements Entry, Disposable {
  readonly directory: number;
  readonly name: string;
  /** Whether slashes followed the name: what it names must be a directory. They are never given to the system, which would follow a symlink. */
  readonly isDirectory: boolean;

  constructor(directory: number, name: string, isDirectory = false) {
    this.directory = directory;
    this.name = name;
    this.isDirectory = isDirectory;
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.directory);
  }
}

/** What is done with a whole path. All throw {@link FileError}; `not-permitted` when the path leads out of its base. */
export interface Resolver {
  /** Opens what the path names. */
  open(located: Located, mode: OpenMode): number;
  stat(located: Located): Stat;
  setTimes(located: Located, times: NewTimes): void;
  /** Opens what holds the path's last name, which is one; a symlink with that name is not followed. */
  place(base: number, path: string): Place;
}
