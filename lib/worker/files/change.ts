/**
 * Changes directories: makes, removes, renames and links. What a path leads through is resolved beneath the directory that it is relative to; its last
 * name is never followed. The guest's side of the trust boundary.
 *
 * Source: POSIX.1-2024, mkdirat, unlinkat, renameat, linkat, symlinkat.
 */
import { type ErrorCode, FileError } from "./error.ts";
import type { Balance } from "./ledger.ts";
import { decodeName } from "./memory.ts";
import type { OpenFile } from "./open-file.ts";
import { checkPath, countAscents, isDots, splitPath } from "./path.ts";
import type { Place } from "./resolver.ts";
import { isSameFile, type Stat } from "./system.ts";
import type { Tree } from "./tree.ts";

/** A path, relative to a directory that is open. */
export interface Target {
  readonly base: OpenFile;
  readonly path: string;
}

/** Makes a directory. @throws {FileError} */
export function makeDirectory(target: Target): void {
  using place = findPlace(target, "exist");
  const { tree } = target.base;
  tree.change((balance) => {
    balance.take({ bytes: 0, files: 1 });
    tree.access.system.makeDirectory(place);
  });
}

/** Makes a symlink. @param content - What it holds: may not lead out of the tree. @throws {FileError} */
export function makeSymlink(content: string, target: Target): void {
  const ascents = countAscents(content);
  using place = findPlace(target, "exist");
  const { tree } = target.base;
  if (place.isDirectory) throw new FileError(lookUp(tree, place) === undefined ? "no-entry" : "exist");
  requireInside(tree, place, ascents);
  tree.change((balance) => {
    balance.take({ bytes: Buffer.byteLength(content), files: 1 });
    tree.access.system.makeSymlink(content, place);
  });
}

/** Removes a name that is not a directory's. @throws {FileError} */
export function removeFile(target: Target): void {
  using place = findPlace(target, "is-directory");
  const { tree } = target.base;
  tree.change((balance) => {
    const stat = tree.access.system.stat(place);
    if (stat.type === "directory") throw new FileError("is-directory");
    if (place.isDirectory) throw new FileError("not-directory");
    tree.access.system.removeFile(place);
    giveBack(tree, balance, stat);
  });
}

/** Removes an empty directory. @throws {FileError} */
export function removeDirectory(target: Target): void {
  using place = findPlace(target, splitPath(target.path).name === "." ? "invalid" : "not-empty");
  const { tree } = target.base;
  tree.change((balance) => {
    tree.access.system.removeDirectory(place);
    balance.give({ bytes: 0, files: 1 });
  });
}

/** Renames something, over what has the new name. @throws {FileError} */
export function rename(from: Target, to: Target): void {
  const { tree } = from.base;
  requireOneTree(from, to);
  using source = findPlace(from, "busy");
  using place = findPlace(to, "busy");
  const { system } = tree.access;
  tree.change((balance) => {
    const moved = system.stat(source);
    if ((source.isDirectory || place.isDirectory) && moved.type !== "directory") throw new FileError("not-directory");
    requireLinkInside(tree, moved, { source, place });
    const replaced = lookUp(tree, place);
    system.rename(source, place);
    if (replaced !== undefined && !isSameFile(moved, replaced)) giveBack(tree, balance, replaced);
  });
}

/** Gives a file one more name. @throws {FileError} */
export function link(from: Target, to: Target): void {
  const { tree } = from.base;
  requireOneTree(from, to);
  using source = findPlace(from, "not-permitted");
  using place = findPlace(to, "exist");
  const { system } = tree.access;
  tree.change((balance) => {
    const linked = system.stat(source);
    if (linked.type === "directory") throw new FileError("not-permitted");
    if (source.isDirectory) throw new FileError("not-directory");
    if (place.isDirectory) throw new FileError(lookUp(tree, place) === undefined ? "no-entry" : "exist");
    requireLinkInside(tree, linked, { source, place });
    balance.take({ bytes: 0, files: 1 });
    system.link(source, place);
  });
}

/** Opens what holds a path's last name. @param dots - What fails when that is `.` or `..`, for what they name is there. */
function findPlace({ base, path }: Target, dots: ErrorCode): Place {
  base.requireDirectory();
  base.tree.requireWritable();
  const checked = checkPath(path);
  const { resolver } = base.tree.access;
  if (isDots(splitPath(checked).name)) {
    resolver.stat({ base: base.fd, path: checked, isFollowed: true });
    throw new FileError(dots);
  }
  return resolver.place(base.fd, checked);
}

function requireOneTree(from: Target, to: Target): void {
  from.base.tree.requireWritable();
  to.base.tree.requireWritable();
  if (from.base.tree !== to.base.tree) throw new FileError("cross-device");
}

/** A symlink that gets another place must not lead out of the tree from there. */
function requireLinkInside(tree: Tree, stat: Stat, { source, place }: { source: Place; place: Place }): void {
  if (stat.type !== "symbolic-link") return;
  const content = decodeName(tree.access.system.readLink(source));
  if (content === undefined) throw new FileError("illegal-byte-sequence");
  requireInside(tree, place, countAscents(content));
}

function requireInside(tree: Tree, place: Place, ascents: number): void {
  if (ascents > 0 && ascents > tree.depthOf(place.directory)) throw new FileError("not-permitted");
}

/** What has a name; undefined when nothing has. */
function lookUp(tree: Tree, place: Place): Stat | undefined {
  try {
    return tree.access.system.stat(place);
  } catch (error) {
    if (error instanceof FileError && error.code === "no-entry") return undefined;
    throw error;
  }
}

/** A name is gone, and with the last one its bytes, unless the call has the file open. */
function giveBack(tree: Tree, balance: Balance, stat: Stat): void {
  const isLast = stat.type === "directory" || stat.links === 1;
  balance.give({ bytes: isLast && stat.type !== "directory" ? stat.size : 0, files: 1 });
  if (tree.isRuled && stat.links === 1 && stat.type === "regular-file") tree.orphan(stat);
}
