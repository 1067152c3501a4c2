/**
 * The bytes of open files. The guest's side of the trust boundary.
 *
 * Source: POSIX.1-2024, pread, pwrite, ftruncate.
 */
import { fdatasync, fsync, ftruncateSync, readSync, writeSync } from "node:fs";
import { attempt, FileError, translate } from "./error.ts";
import type { OpenFile } from "./open-file.ts";
import type { Advised, Stat } from "./system.ts";

/** Most bytes that one read gives, 64 KiB: the Worker does nothing else meanwhile. */
export const READ_LIMIT_BYTES: number = 65_536;

/** Most bytes that one write takes. */
export const WRITE_LIMIT_BYTES: number = 65_536;

/** The first offset that nothing has. Source: POSIX.1-2024, `off_t`. */
const OFFSET_END = 2n ** 63n;

/**
 * Reads bytes.
 *
 * @param length - Most bytes; more than {@link READ_LIMIT_BYTES} is as good as that.
 * @returns Fewer bytes at the end of the file.
 * @throws {FileError}
 */
export function readContent(file: OpenFile, length: number, offset: bigint): Uint8Array {
  file.requireFile("canRead");
  if (offset >= OFFSET_END) throw new FileError("invalid");
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) return new Uint8Array();
  const buffer = new Uint8Array(Math.min(length, READ_LIMIT_BYTES));
  const count = attempt(() => readSync(file.fd, buffer, 0, buffer.length, Number(offset)));
  return buffer.subarray(0, count);
}

/**
 * Writes bytes.
 *
 * @param bytes - Those beyond {@link WRITE_LIMIT_BYTES} are left out.
 * @returns How many were written.
 * @throws {FileError} `quota`, when they would make the file too large; nothing is written then.
 */
export function writeContent(file: OpenFile, bytes: Uint8Array, offset: bigint): number {
  file.requireFile("canWrite");
  if (offset >= OFFSET_END) throw new FileError("invalid");
  const start = Number(offset);
  const piece = bytes.subarray(0, WRITE_LIMIT_BYTES);
  if (start + piece.length > Number.MAX_SAFE_INTEGER) throw new FileError("file-too-large");
  if (piece.length === 0) return 0;
  return grow(
    file,
    () => start + piece.length,
    () => attempt(() => writeSync(file.fd, piece, 0, piece.length, start)),
  );
}

/** Writes bytes to the end of the file, wherever that is by then. Otherwise as {@link writeContent}. */
export function appendContent(file: OpenFile, bytes: Uint8Array): number {
  file.requireFile("canWrite");
  const piece = bytes.subarray(0, WRITE_LIMIT_BYTES);
  if (piece.length === 0) return 0;
  return grow(
    file,
    (size) => size + piece.length,
    () => file.tree.access.system.append(file.fd, piece),
  );
}

/** Makes a file longer or shorter. @throws {FileError} */
export function resizeContent(file: OpenFile, size: bigint): void {
  file.requireFile("canWrite");
  if (size >= OFFSET_END) throw new FileError("invalid");
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new FileError("file-too-large");
  grow(
    file,
    () => Number(size),
    () => attempt(() => ftruncateSync(file.fd, Number(size))),
  );
}

/** Tells the system how a part of the file will be used; it may do nothing. @throws {FileError} */
export function adviseContent(file: OpenFile, advised: Advised): void {
  if (file.isDirectory) throw new FileError("bad-descriptor");
  file.tree.access.system.advise(file.fd, advised);
}

/**
 * Waits until what was written is on the disk. The file stays open meanwhile.
 *
 * @param part - Whether the file's times may be left out.
 * @throws {FileError}
 */
export function flushContent(file: OpenFile, part: "data" | "all"): Promise<void> {
  const flush = part === "data" ? fdatasync : fsync;
  const { fd } = file;
  file.retain();
  return new Promise((resolve, reject) => {
    flush(fd, (error) => {
      file.release();
      if (error === null) resolve();
      else reject(translate(error));
    });
  });
}

/** Changes a file's size within the quota. @param sizeAfter - What it will be, from what it is. */
function grow<T>(file: OpenFile, sizeAfter: (size: number) => number, act: () => T): T {
  if (!file.tree.isRuled) return file.tree.change(act);
  return file.tree.change((balance) => {
    const before = file.stat();
    if (before.links === 0) file.tree.orphans.add(file);
    const growth = Math.max(0, sizeAfter(before.size) - before.size);
    balance.take({ bytes: growth, files: 0 });
    const result = act();
    balance.give({ bytes: growth - added(file, before), files: 0 });
    return result;
  });
}

/** How many bytes more the directory holds: a file without a name counts for the call that has it open, not for the directory. */
function added(file: OpenFile, before: Stat): number {
  return before.links === 0 ? 0 : file.stat().size - before.size;
}
