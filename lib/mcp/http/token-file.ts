/**
 * Files with secrets, or with what is derived from them: only their owner can read them, and a new one takes the place of the old one at once.
 */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { Failure, refuse } from "../../errors.ts";
import { makeDirectory } from "../../registry/durable.ts";
import { errorCode, readAmbient, reasonOf } from "../../registry/files.ts";

/** Most bytes of such a file: some thousands of tokens. */
const FILE_LIMIT_BYTES = 1_048_576;

/** Permission bits of everybody but the owner. */
const OTHERS = 0o077;

/** Milliseconds that a process waits for another one's change, and after which a lock is nobody's. */
const LOCK_WAIT_MS = 2000;
const LOCK_STALE_MS = 10_000;

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
  place(path, text, renameSync);
}

/**
 * Writes a file for its owner alone, unless there is one: of two processes that make one at once, one does.
 *
 * @returns Whether it was this one.
 * @throws {Failure} `TOKENS_UNUSABLE`
 */
export function createPrivate(path: string, text: string): boolean {
  try {
    // A link fails where a rename replaces.
    place(path, text, linkSync);
    return true;
  } catch (error) {
    if (error instanceof Failure && errorCode(error.cause) === "EEXIST") return false;
    throw error;
  }
}

/**
 * Holds a lock beside a file while something reads and writes it: a token that one process revokes must not come back because another
 * had read the file before.
 *
 * @throws {Failure} `TOKENS_UNUSABLE` when another process holds it for longer than two seconds.
 */
export function withLock<T>(path: string, work: () => T): T {
  const lock = `${path}.lock`;
  makeDirectory(dirname(path));
  const until = performance.now() + LOCK_WAIT_MS;
  while (!takeLock(lock)) {
    if (performance.now() > until)
      throw refuse("TOKENS_UNUSABLE", { path, reason: "another process is changing them" });
    Bun.sleepSync(10);
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function takeLock(lock: string): boolean {
  try {
    closeSync(openSync(lock, "wx", 0o600));
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code !== "EEXIST")
      throw code === undefined ? error : refuse("TOKENS_UNUSABLE", { path: lock, reason: reasonOf(code) }, error);
    // Left behind by a process that was killed: nobody holds one for so long.
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > LOCK_STALE_MS) rmSync(lock, { force: true });
    return false;
  }
}

function place(path: string, text: string, put: (from: string, to: string) => void): void {
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
    put(temporary, path);
  } catch (error) {
    const code = errorCode(error);
    throw code === undefined ? error : refuse("TOKENS_UNUSABLE", { path, reason: reasonOf(code) }, error);
  } finally {
    rmSync(temporary, { force: true });
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
