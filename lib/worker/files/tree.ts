/**
 * A granted directory, as one call uses it: opened when it is first needed, and all that the call has open in it. The guest's side of the trust boundary.
 */
import type { Mount } from "../../policy/policy.ts";
import { type Access, findAmbientAccess, openAmbientDirectory } from "./ambient.ts";
import { closeDescriptor } from "./close.ts";
import { FileError, MountError, ReadOnlyError } from "./error.ts";
import { type Balance, Ledger, UNRULED } from "./ledger.ts";
import type { OpenFile } from "./open-file.ts";
import { isSameFile, type Stat } from "./system.ts";

/** Files and directories that one call may have open at once, listings included. */
export const OPEN_LIMIT: number = 256;

/** Levels that a directory is looked for above another. */
const DEPTH_LIMIT = 4096;

/** Something with a descriptor of its own. */
export interface Held {
  /** Closes it, whoever uses it. Does nothing the second time. */
  end(): void;
}

/** What one call has open, in all of its trees together. */
export class OpenFiles implements Disposable {
  readonly #held = new Set<Held>();

  /** Whatever is open now. */
  get all(): Iterable<Held> {
    return this.#held;
  }

  /**
   * Counts something that has a descriptor.
   *
   * @throws {FileError} `insufficient-memory` when the call has {@link OPEN_LIMIT}: the standard has no word for too many open files.
   */
  hold(held: Held): void {
    if (this.#held.size >= OPEN_LIMIT) throw new FileError("insufficient-memory");
    this.#held.add(held);
  }

  release(held: Held): void {
    this.#held.delete(held);
  }

  /** The call is over: closes what was forgotten, and what waits for a disk. */
  [Symbol.dispose](): void {
    for (const held of this.#held) held.end();
  }
}

/** A granted directory, and what is open in it. */
export class Tree implements Disposable {
  readonly mount: Mount;
  readonly files: OpenFiles;
  /** Open files that have no name any more. */
  readonly orphans: Set<OpenFile> = new Set();
  readonly #access: Access | undefined;
  #root: number | undefined;
  #ledger: Ledger | undefined;

  /** @param access - How files are reached; found out when it is not given. */
  constructor(mount: Mount, files: OpenFiles, access?: Access) {
    this.mount = mount;
    this.files = files;
    this.#access = access;
  }

  /** The directory, open. @throws {MountError} When it is not there any more, or cannot be read. */
  get root(): number {
    try {
      this.#root ??= openAmbientDirectory(this.mount.hostPath);
      return this.#root;
    } catch (error) {
      throw error instanceof FileError ? new MountError(error.code) : error;
    }
  }

  /** How files are reached. */
  get access(): Access {
    return this.#access ?? findAmbientAccess(this.root);
  }

  /** Whether changes count against a quota. */
  get isRuled(): boolean {
    return this.mount.quota !== undefined;
  }

  /** @throws {ReadOnlyError} When nothing in it may be changed. */
  requireWritable(): void {
    if (this.mount.access !== "read-write") throw new ReadOnlyError();
  }

  /**
   * Changes something, within the quota.
   *
   * @param act - Throws only when it has changed nothing.
   * @throws {ReadOnlyError | FileError}
   */
  change<T>(act: (balance: Balance) => T): T {
    this.requireWritable();
    const { quota, hostPath } = this.mount;
    if (quota === undefined) return act(UNRULED);
    this.#ledger ??= new Ledger(this.access.system, {
      hostPath,
      quota,
      root: () => this.root,
      heldBytes: () => this.#heldBytes(),
    });
    return this.#ledger.change(act);
  }

  /**
   * Tells how many levels a directory lies below the root now.
   *
   * @throws {FileError} `not-permitted` when it does not.
   */
  depthOf(directory: number): number {
    const { system } = this.access;
    const root = system.stat({ directory: this.root, name: "" });
    let here = system.open({ directory, name: "." }, { flags: system.traverseFlags });
    try {
      for (let depth = 0; depth < DEPTH_LIMIT; depth += 1) {
        if (isSameFile(system.stat({ directory: here, name: "" }), root)) return depth;
        const parent = system.open({ directory: here, name: ".." }, { flags: system.traverseFlags });
        closeDescriptor(here);
        here = parent;
      }
      throw new FileError("not-permitted");
    } finally {
      closeDescriptor(here);
    }
  }

  /** A file lost its last name: what has it open keeps its bytes from being freed. */
  orphan(stat: Stat): void {
    for (const file of this.files.all) {
      if (isFileOf(this, file) && isSameFile(file.stat(), stat)) this.orphans.add(file);
    }
  }

  /** Ends the call's use of it; what is open in it is closed by those who have it open. */
  [Symbol.dispose](): void {
    this.#ledger?.[Symbol.dispose]();
    if (this.#root !== undefined) closeDescriptor(this.#root);
    this.#root = undefined;
  }

  #heldBytes(): number {
    const sizes = new Map<bigint, number>();
    for (const file of this.orphans) {
      const { inode, size } = file.stat();
      sizes.set(inode, size);
    }
    return [...sizes.values()].reduce((sum, size) => sum + size, 0);
  }
}

function isFileOf(tree: Tree, file: Held): file is OpenFile {
  return "tree" in file && file.tree === tree;
}
