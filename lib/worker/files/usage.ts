/**
 * Counts what a directory holds. The guest's side of the trust boundary.
 */
import { constants } from "node:fs";
import { closeDescriptor } from "./close.ts";
import { FileError } from "./error.ts";
import { isSameFile, type Stat, type System } from "./system.ts";

/** What a directory holds. */
export interface Usage {
  /** Sizes of all files, and of what symlinks hold: a file with holes counts by its size, one with several names once. */
  readonly bytes: number;
  /** Names of files, directories and symlinks. */
  readonly files: number;
}

/** More than any quota: of a directory that could not be counted to its end. */
const UNCOUNTABLE: Usage = Object.freeze({ bytes: Number.MAX_SAFE_INTEGER, files: Number.MAX_SAFE_INTEGER });

/** Most names that are counted, in some 50 ms; a directory with more takes nothing new, whatever its quota. */
export const COUNT_LIMIT: number = 20_000;

const DIRECTORY_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK;

interface Level {
  readonly stat: Stat;
  /** Directories in it that are still to be counted. */
  readonly pending: string[];
}

/**
 * Counts all that a directory holds, however deep. Nobody may change it meanwhile.
 *
 * Holds one descriptor at a time, not one for each level: a guest chooses how deep its directories are.
 *
 * @param root - The open directory.
 */
export function countUsage(system: System, root: number): Usage {
  const counter = new Counter(system);
  const levels: Level[] = [];
  let directory = system.open({ directory: root, name: "." }, { flags: DIRECTORY_FLAGS });
  const move = (name: string): void => {
    const next = system.open({ directory, name }, { flags: DIRECTORY_FLAGS });
    closeDescriptor(directory);
    directory = next;
  };
  try {
    levels.push(counter.read(directory));
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      if (counter.files > COUNT_LIMIT) return UNCOUNTABLE;
      const name = level.pending.pop();
      if (name !== undefined) {
        move(name);
        levels.push(counter.read(directory));
        continue;
      }
      levels.pop();
      const parent = levels.at(-1);
      if (parent === undefined) break;
      move("..");
      if (!isSameFile(system.stat({ directory, name: "" }), parent.stat)) throw new FileError("busy");
    }
    return { bytes: counter.bytes, files: counter.files };
  } finally {
    closeDescriptor(directory);
  }
}

class Counter {
  readonly #system: System;
  readonly #linked = new Set<string>();
  bytes = 0;
  files = 0;

  constructor(system: System) {
    this.#system = system;
  }

  read(directory: number): Level {
    const pending: string[] = [];
    using listing = this.#system.list(this.#system.open({ directory, name: "." }, { flags: DIRECTORY_FLAGS }));
    for (let names = listing.next(); names.length > 0; names = listing.next()) {
      this.files += names.length;
      if (this.files > COUNT_LIMIT) break;
      for (const { name } of names) {
        // A name that is not UTF-8 is not of a guest's making.
        if (name !== undefined && this.#isDirectory({ directory, name })) pending.push(name);
      }
    }
    return { stat: this.#system.stat({ directory, name: "" }), pending };
  }

  #isDirectory(entry: { readonly directory: number; readonly name: string }): boolean {
    const stat = this.#system.stat(entry);
    if (stat.type === "directory") return true;
    const identity = `${stat.device}:${stat.inode}`;
    if (stat.links > 1 && this.#linked.has(identity)) return false;
    if (stat.links > 1) this.#linked.add(identity);
    this.bytes += stat.size;
    return false;
  }
}
