/**
 * The files of installed packages. All that another process can see happen here is one `rename`; {@link placePackage} and the two
 * `retire` functions are called only while the caller holds the database's write lock, so that an install and an uninstall cannot cross.
 *
 * The files lie beside their database, and each database has files of its own: two databases that shared packages would each
 * sweep what only the other one refers to.
 */
import { randomUUID } from "node:crypto";
import { lstatSync, readdirSync, realpathSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { digestOf } from "../digest.ts";
import { refuse } from "../errors.ts";
import { usageRecordPath } from "../policy/usage-record.ts";
import { makeDirectory, syncDirectory, writeDurably } from "./durable.ts";
import { errorCode, readBeneath, reasonOf, segmentsOf } from "./files.ts";
import { COMPONENT_SIZE, MANIFEST_NAME, MANIFEST_SIZE } from "./package.ts";
import type { PackageSource } from "./package.ts";
import { README_NAME } from "./readme.ts";

/** Where a database keeps its files. All absolute. */
export interface StorePaths {
  /** Holds the three others. */
  readonly root: string;
  /** One directory a package, named by the package's digest. */
  readonly tools: string;
  /** What is on its way in or out. */
  readonly tmp: string;
  /** One directory a tool that was allowed files, named by the tool's id. */
  readonly sandboxes: string;
}

/** The database's name in a home directory. */
export const DATABASE_NAME = "registry.db";

/** A staged package older than this was left by a process that was killed: an hour, in milliseconds. */
const STALE_MS = 60 * 60 * 1000;

const STAGED = /^package-[0-9a-f-]{36}$/;
const RETIRED = /^retired-[0-9a-f-]{36}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const TOOL_ID = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/;

/**
 * Says where a database keeps its files: in its own directory when it is a `registry.db`, else in `<database>.d`.
 *
 * @param database - Absolute; exists. Links are followed, so that every name of a database leads to the same files.
 */
export function storeBeside(database: string): StorePaths {
  const file = lstatSync(database).isSymbolicLink() ? realpathSync(database) : database;
  const root = basename(file) === DATABASE_NAME ? dirname(file) : `${file}.d`;
  return { root, tools: join(root, "tools"), tmp: join(root, "tmp"), sandboxes: join(root, "sandboxes") };
}

/**
 * Writes a package under a name of its own, on the disk when this returns.
 *
 * @returns Its directory, for {@link placePackage}. The caller removes it with {@link discard}.
 * @throws {Failure} `REGISTRY_UNWRITABLE`; nothing is left behind.
 */
export function stagePackage(store: StorePaths, source: PackageSource): string {
  const staged = join(store.tmp, `package-${randomUUID()}`);
  return writing(store, () => {
    makeDirectory(staged);
    try {
      writeDurably(staged, segmentsOf(MANIFEST_NAME), source.manifestBytes);
      writeDurably(staged, segmentsOf(source.manifest.tool.wasm), source.component);
      for (const [name, bytes] of companionsOf(source)) writeDurably(staged, segmentsOf(name), bytes);
      return staged;
    } catch (error) {
      discard(staged);
      throw error;
    }
  });
}

/**
 * Moves a staged package to its place, unless it is there already. A damaged one is replaced; a sound one is not touched, since a row
 * may refer to it at this very moment.
 *
 * @throws {Failure} `REGISTRY_UNWRITABLE`
 */
export function placePackage(store: StorePaths, staged: string, source: PackageSource): void {
  const target = join(store.tools, source.packageDigest);
  writing(store, () => {
    makeDirectory(store.tools);
    syncDirectory(store.root);
    if (isSound(target, source)) return;
    if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) retire(store, target);
    renameSync(staged, target);
    syncDirectory(store.tools);
  });
}

/** Moves the packages that no row refers to out of the way. {@link emptyTmp} deletes them, once the lock is free. */
export function retireUnreferenced(store: StorePaths, referenced: ReadonlySet<string>): void {
  for (const name of namesIn(store.tools)) {
    if (DIGEST.test(name) && !referenced.has(name)) retire(store, join(store.tools, name));
  }
}

/** Moves what a tool kept in its sandbox out of the way, if there is anything, and the record of how much that is. */
export function retireSandbox(store: StorePaths, id: string): void {
  if (!TOOL_ID.test(id)) return;
  const sandbox = join(store.sandboxes, id);
  const paths = [sandbox, usageRecordPath(sandbox)].filter(
    (path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined,
  );
  if (paths.length === 0) return;
  writing(store, () => {
    for (const path of paths) retire(store, path);
    syncDirectory(store.sandboxes);
  });
}

/** Deletes what was retired, and what killed processes left more than an hour ago. Touches nothing that it did not name itself. */
export function emptyTmp(store: StorePaths): void {
  for (const name of namesIn(store.tmp)) {
    const path = join(store.tmp, name);
    if (RETIRED.test(name) || (STAGED.test(name) && isStale(path))) discard(path);
  }
}

/** Deletes a directory and all that is in it, if it is there. */
export function discard(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    // Another process may be deleting it as well. What stays, the next sweep deletes.
    if (errorCode(error) === undefined) throw error;
  }
}

/** Runs `work`, with errors of the file system turned into `REGISTRY_UNWRITABLE`. */
function writing<T>(store: StorePaths, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = errorCode(error);
    throw code === undefined
      ? error
      : refuse("REGISTRY_UNWRITABLE", { path: store.root, reason: reasonOf(code) }, error);
  }
}

function isSound(directory: string, source: PackageSource): boolean {
  try {
    const component = readBeneath(directory, source.manifest.tool.wasm, COMPONENT_SIZE);
    const manifest = readBeneath(directory, MANIFEST_NAME, MANIFEST_SIZE);
    for (const [name, bytes] of companionsOf(source)) {
      const limit = { bytes: bytes.length, refuse: () => refuse("PACKAGE_CHANGED", { tool: source.manifest.tool.id }) };
      if (!Buffer.from(bytes).equals(readBeneath(directory, name, limit))) return false;
    }
    return digestOf(component) === source.componentDigest && digestOf(manifest) === digestOf(source.manifestBytes);
  } catch {
    // Missing, unreadable, too large or no regular file: whatever it is, it is not this package.
    return false;
  }
}

/** The files of a package beside its manifest and its component. A README may be one that agents can read by a URI of its own as well. */
function companionsOf({ readme, files }: PackageSource): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  return new Map([...(readme === undefined ? [] : [[README_NAME, readme] as const]), ...(files ?? [])]);
}

function retire(store: StorePaths, path: string): void {
  makeDirectory(store.tmp);
  renameSync(path, join(store.tmp, `retired-${randomUUID()}`));
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

function isStale(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs > STALE_MS;
}
