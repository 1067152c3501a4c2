/**
 * The resources of `wasi:filesystem`, and what one call has of them. The guest's side of the trust boundary.
 *
 * Source: wasi:filesystem 0.2, wit/types.wit: "A descriptor is a reference to a filesystem object".
 */
import { ResultError } from "../../../component/link/host.ts";
import { FileError, MountError, ReadOnlyError } from "../../files/error.ts";
import type { DirectoryList } from "../../files/look.ts";
import { type OpenFile, openRoot } from "../../files/open-file.ts";
import type { Stat } from "../../files/system.ts";
import { OpenFiles, Tree } from "../../files/tree.ts";
import type { Host } from "../host.ts";
import { Resource } from "../resource.ts";

/** Most characters of a guest's path that a denial tells. */
const TOLD_LIMIT = 1024;
const KEY_BYTES = 32;

/** `descriptor`. */
export class Descriptor extends Resource {
  readonly file: OpenFile;
  /** Where the guest sees it, for denials. */
  readonly guestPath: string;
  /** `descriptor-flags` about synchronization, as they were asked for. */
  readonly syncFlags: number;

  constructor(host: Host, file: OpenFile, { guestPath, syncFlags }: { guestPath: string; syncFlags: number }) {
    super(host);
    this.file = file;
    this.guestPath = guestPath;
    this.syncFlags = syncFlags;
  }

  /** Where the guest sees what a path names. */
  tell(path: string): string {
    return `${this.guestPath === "/" ? "" : this.guestPath}/${path}`.slice(0, TOLD_LIMIT);
  }

  protected override close(): void {
    this.file.release();
  }
}

/** `directory-entry-stream`. */
export class EntryStream extends Resource {
  readonly list: DirectoryList;

  constructor(host: Host, list: DirectoryList) {
    super(host);
    this.list = list;
  }

  protected override close(): void {
    this.list.end();
  }
}

/** What one call has of files. */
class CallFiles {
  readonly trees: readonly Tree[];
  /** Hashes of one call say nothing about those of another, nor about the host's numbers. */
  readonly #key: Uint8Array = crypto.getRandomValues(new Uint8Array(KEY_BYTES));

  constructor(host: Host) {
    const files = new OpenFiles();
    this.trees = host.policy.mounts.map((mount) => new Tree(mount, files));
    host.atEnd(() => {
      files[Symbol.dispose]();
      for (const tree of this.trees) tree[Symbol.dispose]();
    });
  }

  hash({ device, inode }: Stat): readonly [lower: bigint, upper: bigint] {
    const digest = new Bun.CryptoHasher("sha256", this.#key).update(`${device}:${inode}`).digest();
    return [digest.readBigUInt64LE(0), digest.readBigUInt64LE(8)];
  }
}

const calls = new WeakMap<Host, CallFiles>();

function filesOf(host: Host): CallFiles {
  const known = calls.get(host);
  if (known !== undefined) return known;
  const files = new CallFiles(host);
  calls.set(host, files);
  return files;
}

/** Makes a descriptor for each granted directory. None is opened yet. */
export function preopen(host: Host): [descriptor: Descriptor, guestPath: string][] {
  return filesOf(host).trees.map((tree) => {
    const { guestPath } = tree.mount;
    return [new Descriptor(host, openRoot(tree), { guestPath, syncFlags: 0 }), guestPath];
  });
}

/** Gives 128 bits that are the same for the same file during the call. */
export function hashIdentity(host: Host, stat: Stat): readonly [lower: bigint, upper: bigint] {
  return filesOf(host).hash(stat);
}

/**
 * Does something with a descriptor, and tells the guest what went wrong in its terms; what it was denied is noted for the user.
 *
 * @param path - What it is about, relative to the descriptor.
 * @throws {ResultError} With an `error-code`.
 */
export function attempt<T>(self: Descriptor, act: () => T, path = ""): T {
  try {
    return act();
  } catch (error) {
    throw outcome(self, error, path);
  }
}

/** What {@link attempt} throws for an error. */
export function outcome(self: Descriptor, error: unknown, path = ""): unknown {
  if (!(error instanceof FileError)) return error;
  const { context } = self.host;
  const { mount } = self.file.tree;
  if (error instanceof ReadOnlyError)
    context.noteDenial("fs:read-write", path === "" ? self.guestPath : self.tell(path));
  if (error instanceof MountError)
    context.noteDenial(
      `fs:${mount.access}`,
      `${mount.guestPath}: its directory at the host cannot be opened: ${error.code}`,
    );
  return new ResultError(error.code);
}
