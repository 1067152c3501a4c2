/**
 * Opens the registry's database: makes sure that it is one, then migrates it.
 */
import { Database, SQLiteError } from "bun:sqlite";
import { closeSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { Failure, refuse } from "../errors.ts";
import { makeDirectory } from "./durable.ts";
import { errorCode, reasonOf } from "./files.ts";
import { APPLICATION_ID, migrate, refuseNewer } from "./migrations.ts";
import { isBusy, unusable } from "./transaction.ts";

/** How long a write waits for another process, in milliseconds. */
const BUSY_TIMEOUT_MS = 5000;

const RETRY_MS = 5;

/**
 * Opens a registry's database, making it when there is none. Anything that is not a registry is left as it is.
 *
 * Every write is durable when it returns (`synchronous = FULL`): an install that was reported survives a power cut.
 *
 * @param path - Absolute. Directories that are missing on the way are made, private to their owner.
 * @throws {Failure} `REGISTRY_NEWER`, `REGISTRY_UNUSABLE`, `REGISTRY_BUSY` after five seconds.
 */
export function openDatabase(path: string): Database {
  const startedAt = performance.now();
  for (;;) {
    try {
      return tryOpen(path);
    } catch (error) {
      const waitedMs = Math.round(performance.now() - startedAt);
      if (!isBusy(error)) throw openFailure(error, path);
      if (waitedMs >= BUSY_TIMEOUT_MS) throw refuse("REGISTRY_BUSY", { waitedMs }, error);
      // SQLite does not wait by itself where waiting could be a deadlock, as in the switch to WAL.
      Bun.sleepSync(RETRY_MS);
    }
  }
}

/**
 * Opens one more connection to a registry that {@link openDatabase} has opened.
 *
 * @param busyTimeoutMs - How long a write waits for another connection.
 */
export function connect(path: string, busyTimeoutMs: number): Database {
  const database = new Database(path, { readwrite: true, create: false, strict: true });
  database.run(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA foreign_keys = ON`);
  return database;
}

function tryOpen(path: string): Database {
  makeDirectory(dirname(path));
  createPrivately(path);
  if (!statSync(path).isFile()) throw refuse("REGISTRY_UNUSABLE", { path, reason: "it is not a regular file" });
  const database = connect(path, BUSY_TIMEOUT_MS);
  try {
    refuseForeign(database, path);
    switchToWal(database, path);
    database.run("PRAGMA synchronous = FULL");
    migrate(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Made before SQLite would, which gives everyone leave to read it; its WAL takes the same mode. */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

/** Reads only: a database of another program, or of a newer KAMI, must not find as much as a changed journal mode. */
function refuseForeign(database: Database, path: string): void {
  const { tables, program } = database.transaction(identify).deferred(database);
  if (program === 0 || program === APPLICATION_ID) refuseNewer(database);
  if (program === APPLICATION_ID || (program === 0 && tables === 0)) return;
  throw refuse("REGISTRY_UNUSABLE", { path, reason: "it is a database of another program" });
}

/** To be run in a transaction: another process may be making the schema between one question and the next. */
function identify(database: Database): { readonly tables: number; readonly program: number } {
  const tables = database.query<{ count: number }, []>("SELECT count(*) AS count FROM sqlite_schema").get()?.count;
  const program = database.query<{ application_id: number }, []>("PRAGMA application_id").get()?.application_id;
  if (tables === undefined || program === undefined) throw new Error("BUG: SQLite does not answer");
  return { tables, program };
}

function switchToWal(database: Database, path: string): void {
  const mode = database.query<{ journal_mode: string }, []>("PRAGMA journal_mode = WAL").get()?.journal_mode;
  if (mode === "wal") return;
  throw refuse("REGISTRY_UNUSABLE", { path, reason: "its file system does not support a write-ahead log" });
}

function openFailure(error: unknown, path: string): unknown {
  if (error instanceof Failure) return error;
  if (error instanceof SQLiteError) return unusable(error, path);
  const code = errorCode(error);
  return code === undefined ? error : refuse("REGISTRY_UNUSABLE", { path, reason: reasonOf(code) }, error);
}
