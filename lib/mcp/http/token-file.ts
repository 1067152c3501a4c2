/**
 * Files with secrets, or with what is derived from them: only their owner can read them, and a new one takes the place of the old one at once.
 */
import { chmodSync, closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { Failure, refuse } from "../../errors.ts";
import { makeDirectory } from "../../registry/durable.ts";
import { errorCode, readAmbient, reasonOf } from "../../registry/files.ts";

/** Most bytes of such a file: some thousands of tokens. */
const FILE_LIMIT_BYTES = 1_048_576;

/** Permission bits of everybody but the owner. */
const OTHERS = 0o077;

/**
 * Reads a file that only its owner may read.
 *
 * @returns Undefined when there is none.
 * @throws {Failure} `TOKENS_UNUSABLE` when others could read it, or it cannot be read.
 */
export function readPrivate(path: string): string | undefined {
  const bytes = readIfThere(path);
  if (bytes === undefined) return undefined;
  if ((statSync(path).mode & OTHERS) !== 0) {
    throw refuse("TOKENS_UNUSABLE", { path, reason: "other users of this machine have access to it" });
  }
  return decode(path, bytes);
}

/**
 * Reads a file that the user named for a secret, whoever can read it: a mounted secret is often readable by all.
 *
 * @throws {Failure} `TOKENS_UNUSABLE`
 */
export function readSecret(path: string): string {
  const bytes = readIfThere(path);
  if (bytes === undefined) throw refuse("TOKENS_UNUSABLE", { path, reason: "there is no such file" });
  return decode(path, bytes);
}

/**
 * Writes a file for its owner alone, in the place of what was there; on the disk when it returns.
 *
 * @throws {Failure} `TOKENS_UNUSABLE`
 */
export function writePrivate(path: string, text: string): void {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    makeDirectory(dirname(path));
    const fd = openSync(temporary, "wx", 0o600);
    try {
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    // A umask may have taken bits away, and never adds any.
    chmodSync(temporary, 0o600);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    const code = errorCode(error);
    throw code === undefined ? error : refuse("TOKENS_UNUSABLE", { path, reason: reasonOf(code) }, error);
  }
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readAmbient(path, { bytes: FILE_LIMIT_BYTES, refuse: tooLarge });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === "FILE_NOT_FOUND") return undefined;
    const { detail } = error;
    const reason = "reason" in detail && typeof detail.reason === "string" ? detail.reason : "it cannot be read";
    throw refuse("TOKENS_UNUSABLE", { path, reason }, error);
  }
}

function tooLarge(path: string, bytes: number): Failure {
  return refuse("TOKENS_UNUSABLE", { path, reason: `it has ${bytes} bytes, the limit is ${FILE_LIMIT_BYTES}` });
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw refuse("TOKENS_UNUSABLE", { path, reason: "it is not UTF-8 text" }, error);
  }
}
