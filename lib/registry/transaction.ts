/**
 * Transactions, and what SQLite's errors mean to a user.
 */
import type { Database } from "bun:sqlite";
import { SQLiteError } from "bun:sqlite";
import { refuse } from "../errors.ts";
import type { Failure } from "../errors.ts";

/**
 * Runs `work` while no other process can write: `BEGIN IMMEDIATE` takes the lock before anything is read, so that what `work` reads is
 * still true when it writes.
 *
 * @returns What `work` returns.
 * @throws {Failure} `REGISTRY_BUSY` when the lock was not to be had within the connection's `busy_timeout`, `REGISTRY_UNWRITABLE`; and
 *   whatever `work` throws, after everything was rolled back.
 */
export function writeTransaction<T>(database: Database, work: () => T): T {
  const startedAt = performance.now();
  try {
    database.run("BEGIN IMMEDIATE");
    const result = work();
    database.run("COMMIT");
    return result;
  } catch (error) {
    if (database.inTransaction) database.run("ROLLBACK");
    throw writeFailure(error, database.filename, performance.now() - startedAt);
  }
}

/**
 * Runs `work` against one state of the database, whatever other processes write meanwhile. Takes no lock that a writer waits for.
 *
 * @throws {Failure} `REGISTRY_UNUSABLE` when the database cannot be read any more.
 */
export function readTransaction<T>(database: Database, work: () => T): T {
  return reading(database, () => database.transaction(work).deferred());
}

/**
 * Runs a single statement that reads.
 *
 * @throws {Failure} `REGISTRY_UNUSABLE` when the database cannot be read any more.
 */
export function reading<T>(database: Database, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof SQLiteError ? unusable(error, database.filename) : error;
  }
}

/** Turns an error of SQLite's into the failure for a database that cannot be used. */
export function unusable(error: SQLiteError, path: string): Failure {
  return refuse("REGISTRY_UNUSABLE", { path, reason: error.message }, error);
}

/** Whether SQLite gave up because another connection holds a lock. */
export function isBusy(error: unknown): boolean {
  return error instanceof SQLiteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code ?? "");
}

function writeFailure(error: unknown, path: string, waitedMs: number): unknown {
  if (!(error instanceof SQLiteError)) return error;
  if (isBusy(error)) return refuse("REGISTRY_BUSY", { waitedMs: Math.round(waitedMs) }, error);
  if (error.code?.startsWith("SQLITE_CONSTRAINT") === true)
    return new Error("BUG: a row breaks the schema", { cause: error });
  return refuse("REGISTRY_UNWRITABLE", { path, reason: error.message }, error);
}
