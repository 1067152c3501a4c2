/**
 * Reads and replaces the configuration of another program. It may hold the user's secrets, and whoever can write to its directory may have put
 * something else in its place: links are not followed, what is no plain file is not opened, and it is replaced whole or not at all.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { makeDirectory, syncDirectory } from "../../registry/durable.ts";
import { errorCode, reasonOf } from "../../registry/files.ts";
import { EditError } from "./edit.ts";

/** Most bytes of a configuration. Claude Code keeps its history in the same file. */
const CONFIG_FILE_LIMIT_BYTES: number = 32 * 1_048_576;

/** What is in the place of a configuration. */
export interface ConfigFile {
  readonly path: string;
  /** Without a byte-order mark; "" when there is no file. */
  readonly text: string;
  /** As it lies on the disk; undefined when there is no file. */
  readonly bytes: Uint8Array | undefined;
  /** Its permissions, for its successor. */
  readonly mode: number;
}

/** Only the owner: an entry may get variables. */
const NEW_MODE = 0o600;

const BYTE_ORDER_MARK = "\ufeff";

/**
 * Reads a configuration.
 *
 * @throws {EditError} For a link, for anything but a regular file, for one over the limit, and for one that is not UTF-8.
 */
export function readConfigFile(path: string): ConfigFile {
  const opened = openIfThere(path);
  if (opened === undefined) return { path, text: "", bytes: undefined, mode: NEW_MODE };
  try {
    const stats = fstatSync(opened);
    if (!stats.isFile()) throw new EditError("it is not a regular file");
    if (stats.size > CONFIG_FILE_LIMIT_BYTES)
      throw new EditError(`it has ${stats.size} bytes, the limit is ${CONFIG_FILE_LIMIT_BYTES}`);
    const bytes = readFileSync(opened);
    return { path, text: decode(bytes), bytes, mode: stats.mode & 0o777 };
  } finally {
    closeSync(opened);
  }
}

/**
 * Replaces a configuration, in one step, and keeps what was there in a file beside it.
 *
 * @param before - As it was read: when it is not like that any more, nothing is changed.
 * @returns The path of the copy; undefined when there was nothing to copy.
 * @throws {EditError} When the system refuses, or another program has changed it meanwhile.
 */
export function replaceConfigFile(before: ConfigFile, text: string, nowMs: number): string | undefined {
  const { path, bytes, mode } = before;
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.kami-${crypto.randomUUID()}`);
  try {
    makeDirectory(directory);
    const mark = bytes !== undefined && decodeExactly(bytes).startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : "";
    writeNew(temporary, Buffer.from(mark + text), mode);
    const backup = bytes === undefined ? undefined : writeBackup(path, { bytes, mode, nowMs });
    if (!isUnchanged(before)) throw new EditError("another program has just changed it; try again");
    renameSync(temporary, path);
    syncDirectory(directory);
    return backup;
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    throw new EditError(reasonOf(code), { cause: error });
  } finally {
    rmSync(temporary, { force: true });
  }
}

function writeBackup(path: string, { bytes, mode, nowMs }: { bytes: Uint8Array; mode: number; nowMs: number }): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
  const backup = `${path}.kami-${stamp}`;
  try {
    writeNew(backup, bytes, mode);
    return backup;
  } catch (error) {
    // A second change within a second: the first copy is the older one, and stays.
    if (errorCode(error) !== "EEXIST") throw error;
    const other = `${backup}-${crypto.randomUUID().slice(0, 8)}`;
    writeNew(other, bytes, mode);
    return other;
  }
}

function openIfThere(path: string): number | undefined {
  try {
    // Looked at first, because opening a pipe would wait for its other end, and for what it says of a link.
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) throw new EditError("it is a symbolic link, and what it leads to may be anything");
    if (!stats.isFile()) throw new EditError("it is not a regular file");
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return undefined;
    if (code === undefined) throw error;
    throw new EditError(reasonOf(code), { cause: error });
  }
}

function isUnchanged({ path, bytes }: ConfigFile): boolean {
  const now = readConfigFile(path).bytes;
  return now === undefined || bytes === undefined ? now === bytes : Buffer.compare(now, bytes) === 0;
}

/** Nobody's file is written over, and nobody's link followed. */
function writeNew(path: string, bytes: Uint8Array, mode: number): void {
  const fd = openSync(path, "wx", NEW_MODE);
  try {
    fchmodSync(fd, mode);
    writeFileSync(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function decode(bytes: Uint8Array): string {
  return decodeExactly(bytes).replace(/^\ufeff/, "");
}

function decodeExactly(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new EditError("it is not UTF-8 text", { cause: error });
  }
}
