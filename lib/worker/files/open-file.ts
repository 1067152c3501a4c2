/**
 * A file or directory that a call has open, for as long as somebody uses it: a descriptor of the guest's, a stream, a flush under way. The guest's
 * side of the trust boundary.
 */
import { closeDescriptor } from "./close.ts";
import { FileError } from "./error.ts";
import type { Stat } from "./system.ts";
import type { Held, Tree } from "./tree.ts";

/** What may be done with what is open. */
export interface Rights {
  readonly canRead: boolean;
  readonly canWrite: boolean;
}

/** Something open in a tree. */
export class OpenFile implements Held {
  readonly tree: Tree;
  readonly isDirectory: boolean;
  readonly rights: Rights;
  /** Undefined for a root, and when it is closed. */
  #fd: number | undefined;
  #users = 1;

  /**
   * @param fd - Undefined for a tree's root, which the tree opens when it is needed, and closes.
   * @throws {FileError} `insufficient-memory` when the call has too many open; the descriptor is closed then.
   */
  constructor(tree: Tree, fd: number | undefined, kind: Rights & { readonly isDirectory: boolean }) {
    this.tree = tree;
    this.isDirectory = kind.isDirectory;
    this.rights = kind;
    this.#fd = fd;
    if (fd === undefined) return;
    try {
      tree.files.hold(this);
    } catch (error) {
      closeDescriptor(fd);
      throw error;
    }
  }

  get fd(): number {
    if (this.#users === 0) throw new FileError("bad-descriptor");
    return this.#fd ?? this.tree.root;
  }

  /** What it is now. */
  stat(): Stat {
    return this.tree.access.system.stat({ directory: this.fd, name: "" });
  }

  /** One more uses it. */
  retain(): this {
    this.#users += 1;
    return this;
  }

  /** One less uses it; the last one closes it. */
  release(): void {
    this.#users -= 1;
    if (this.#users === 0) this.end();
  }

  end(): void {
    this.#users = 0;
    if (this.#fd === undefined) return;
    closeDescriptor(this.#fd);
    this.#fd = undefined;
    this.tree.files.release(this);
    this.tree.orphans.delete(this);
  }

  /** @throws {FileError} `not-directory` */
  requireDirectory(): void {
    if (!this.isDirectory) throw new FileError("not-directory");
  }

  /** @throws {FileError} `is-directory`; `bad-descriptor` when it was not opened for that. */
  requireFile(right: keyof Rights): void {
    if (this.isDirectory) throw new FileError("is-directory");
    if (!this.rights[right]) throw new FileError("bad-descriptor");
  }
}

/** Makes what a guest starts from: the root of a tree. */
export function openRoot(tree: Tree): OpenFile {
  return new OpenFile(tree, undefined, { isDirectory: true, canRead: true, canWrite: false });
}
