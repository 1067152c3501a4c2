/**
 * Opens files and directories beneath an open directory: nothing else is ever opened, no device, no FIFO, no socket. The guest's side of the trust
 * boundary.
 */
import { constants } from "node:fs";
import { closeDescriptor } from "./close.ts";
import { resizeContent } from "./content.ts";
import { FileError } from "./error.ts";
import type { Balance } from "./ledger.ts";
import { OpenFile } from "./open-file.ts";
import { checkPath } from "./path.ts";
import type { Located } from "./resolver.ts";
import type { FileType, Stat } from "./system.ts";

/** How something is to be opened. */
export interface OpenRequest {
  readonly isFollowed: boolean;
  readonly creates: boolean;
  /** With `creates`: fails when it is there already. */
  readonly isExclusive: boolean;
  readonly truncates: boolean;
  /** Fails when it is not a directory. */
  readonly isDirectory: boolean;
  readonly canRead: boolean;
  readonly canWrite: boolean;
  /** How far each write is on its way to the disk when it returns. */
  readonly sync: "none" | "data" | "file";
}

/** A FIFO or a device that appears between the look and the open does not make us wait, and is closed at once. */
const ALWAYS = constants.O_NONBLOCK | constants.O_NOCTTY;
const SYNC_FLAGS = { none: 0, data: constants.O_DSYNC, file: constants.O_SYNC };
const FILE_PERMISSIONS = 0o600;

/**
 * Opens what a path names.
 *
 * @param base - A directory.
 * @throws {FileError} `not-permitted` for what is neither file nor directory, and for a path that leads out of the base.
 */
export function openFile(base: OpenFile, path: string, request: OpenRequest): OpenFile {
  base.requireDirectory();
  if (request.isDirectory && (request.creates || request.isExclusive || request.truncates))
    throw new FileError("invalid");
  if (request.truncates && !request.canWrite) throw new FileError("invalid");
  if (request.creates || request.canWrite) base.tree.requireWritable();
  const located = { base: base.fd, path: checkPath(path), isFollowed: request.isFollowed };
  const file = request.creates ? create(base, located, request) : openExisting(base, located, request);
  if (request.truncates) truncate(file);
  return file;
}

function create(base: OpenFile, located: Located, request: OpenRequest): OpenFile {
  if (!request.isExclusive && isThere(base, located)) return openExisting(base, located, request);
  return base.tree.change((balance) => {
    // Once more: now nobody else under the same quota makes it.
    if (!request.isExclusive && isThere(base, located)) return openExisting(base, located, request);
    return createNew(base, located, { ...request, balance });
  });
}

function createNew(base: OpenFile, located: Located, request: OpenRequest & { balance: Balance }): OpenFile {
  request.balance.take({ bytes: 0, files: 1 });
  const exclusive = request.isExclusive ? constants.O_EXCL : 0;
  const mode = { flags: flagsOf(request) | constants.O_CREAT | exclusive, permissions: FILE_PERMISSIONS };
  const target = request.isExclusive ? { ...located, isFollowed: false } : located;
  return adopt(base, base.tree.access.resolver.open(target, mode), request);
}

function openExisting(base: OpenFile, located: Located, request: OpenRequest): OpenFile {
  const { resolver } = base.tree.access;
  const { type } = resolver.stat(located);
  requireOpenable(type, request);
  const flags = type === "directory" ? constants.O_RDONLY | constants.O_DIRECTORY | ALWAYS : flagsOf(request);
  return adopt(base, resolver.open(located, { flags }), request);
}

/** Takes what was opened, when it is what was seen. */
function adopt({ tree }: OpenFile, fd: number, request: OpenRequest): OpenFile {
  let stat: Stat;
  try {
    stat = tree.access.system.stat({ directory: fd, name: "" });
    requireOpenable(stat.type, request);
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
  const isDirectory = stat.type === "directory";
  return new OpenFile(tree, fd, {
    isDirectory,
    canRead: request.canRead,
    canWrite: request.canWrite && !isDirectory,
  });
}

function requireOpenable(type: FileType, request: OpenRequest): void {
  if (type === "symbolic-link") throw new FileError("loop");
  if (type === "directory") {
    if (request.canWrite || request.creates) throw new FileError("is-directory");
    return;
  }
  if (request.isDirectory) throw new FileError("not-directory");
  if (type !== "regular-file") throw new FileError("not-permitted");
}

function flagsOf({ canRead, canWrite, sync }: OpenRequest): number {
  const both = canRead ? constants.O_RDWR : constants.O_WRONLY;
  return (canWrite ? both : constants.O_RDONLY) | SYNC_FLAGS[sync] | ALWAYS;
}

function isThere({ tree }: OpenFile, located: Located): boolean {
  try {
    tree.access.resolver.stat(located);
    return true;
  } catch (error) {
    if (error instanceof FileError && error.code === "no-entry") return false;
    throw error;
  }
}

function truncate(file: OpenFile): void {
  try {
    resizeContent(file, 0n);
  } catch (error) {
    file.release();
    throw error;
  }
}
