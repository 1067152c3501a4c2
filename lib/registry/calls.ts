/**
 * The log of calls: the newest ten thousand. It serves people, so that a call never waits for it and never fails by it.
 */
import type { Database } from "bun:sqlite";
import { Failure, type FailureCode, isFailureCode } from "../errors.ts";
import type { Denial, Usage } from "../protocol/limits.ts";
import { connect } from "./database.ts";
import { type DenialRecord, insertDenials, newestDenials } from "./denials.ts";
import { reading, readTransaction, writeTransaction } from "./transaction.ts";

/** How many calls the database keeps. */
export const CALLS_KEPT = 10_000;

/** How many calls wait in memory while another process holds the database; older ones are dropped. */
export const CALLS_PENDING = 1000;

/** From this many on, calls that end in one turn of the event loop are written without waiting for its end. */
const BATCH = 100;

/** How long closing waits for the database, in milliseconds. */
const CLOSE_TIMEOUT_MS = 250;

/** One call, as the log keeps it. */
export interface CallRecord {
  /** Id of an installed tool, or `""` for a file that was run. */
  readonly toolId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly outcome: "OK" | FailureCode;
  readonly usage: Usage;
  /** What the guest was denied. They are read by {@link CallLog.denialsOf}. */
  readonly denials?: readonly Denial[] | undefined;
}

/** A type, not an interface: what SQLite takes by name is a record of any name. */
type CallRow = {
  readonly tool_id: string;
  readonly started_at: number;
  readonly outcome: string;
  readonly fuel: number;
  readonly cpu_ms: number;
  readonly wall_ms: number;
  readonly peak_memory_bytes: number;
  readonly host_calls: number;
  readonly input_bytes: number;
  readonly output_bytes: number;
  /** 0 or 1. */
  readonly is_partial: number;
};

const COLUMNS: readonly (keyof CallRow)[] = [
  "tool_id",
  "started_at",
  "outcome",
  "fuel",
  "cpu_ms",
  "wall_ms",
  "peak_memory_bytes",
  "host_calls",
  "input_bytes",
  "output_bytes",
  "is_partial",
];
const INSERT = `INSERT INTO calls (${COLUMNS.join()}) VALUES (${COLUMNS.map((name) => `$${name}`).join()})`;
const NEWEST = `SELECT ${COLUMNS.join()} FROM calls ORDER BY sequence DESC LIMIT ?`;

/** Writes through a connection of its own, which neither waits for a lock nor syncs the disk. */
export class CallLog implements Disposable {
  readonly #path: string;
  #database: Database | undefined;
  #pending: CallRecord[] = [];
  /** Resolves when what came in this turn of the event loop has been written, or could not be. */
  #flushing: Promise<void> | undefined;
  #isClosed = false;

  /** @param path - A database that `openDatabase` has opened. */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Records a call, together with all that end in the same turn of the event loop: if the database is free, else with a later one.
   *
   * @returns Resolves when that is done: other processes see the call. Never rejects.
   */
  async record(record: CallRecord): Promise<void> {
    if (this.#isClosed) return;
    this.#pending.push(record);
    if (this.#pending.length > CALLS_PENDING) this.#pending.shift();
    if (this.#pending.length >= BATCH) this.#flush(0);
    this.#flushing ??= new Promise((done) => {
      setImmediate(() => {
        this.#flushing = undefined;
        if (!this.#isClosed) this.#flush(0);
        done();
      });
    });
    await this.#flushing;
  }

  /**
   * Reads the newest calls, newest first.
   *
   * @param limit - At most this many.
   */
  newest(limit: number): readonly CallRecord[] {
    this.#flush(0);
    const database = this.#connect();
    const query = database.query<CallRow, [number]>(NEWEST);
    const rows = readTransaction(database, () => query.all(limit));
    return [...this.#pending.toReversed(), ...rows.flatMap(toRecord)].slice(0, limit);
  }

  /** Reads what a tool was denied last, the newest first. */
  denialsOf(toolId: string, limit: number): readonly DenialRecord[] {
    this.#flush(0);
    const database = this.#connect();
    return reading(database, () => newestDenials(database, toolId, limit));
  }

  [Symbol.dispose](): void {
    this.#flush(CLOSE_TIMEOUT_MS);
    this.#isClosed = true;
    this.#database?.close();
  }

  #flush(busyTimeoutMs: number): void {
    if (this.#pending.length === 0) return;
    try {
      const database = this.#connect();
      if (busyTimeoutMs > 0) database.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
      writeTransaction(database, () => insertAll(database, this.#pending));
      this.#pending = [];
    } catch (error) {
      const mayWorkLater = error instanceof Failure && error.code === "REGISTRY_BUSY";
      // A full disk or a lost file would fail each call that follows as well: the call matters, its record does not.
      if (!mayWorkLater) this.#pending = [];
    }
  }

  #connect(): Database {
    if (this.#database === undefined) {
      this.#database = connect(this.#path, 0);
      // The last calls before a power cut may be lost; the database stays sound. Saves one disk sync a call.
      this.#database.run("PRAGMA synchronous = NORMAL");
    }
    return this.#database;
  }
}

function insertAll(database: Database, records: readonly CallRecord[]): void {
  const insert = database.query<never, CallRow>(INSERT);
  for (const record of records) insert.run(toRow(record));
  insertDenials(database, records);
  database.run(`DELETE FROM calls WHERE sequence <= (SELECT max(sequence) FROM calls) - ${CALLS_KEPT}`);
}

function toRow({ toolId, startedAt, outcome, usage }: CallRecord): CallRow {
  return {
    tool_id: toolId,
    started_at: startedAt,
    outcome,
    fuel: usage.fuel,
    cpu_ms: usage.cpuMs,
    wall_ms: usage.wallMs,
    peak_memory_bytes: usage.peakMemoryBytes,
    host_calls: usage.hostCalls,
    input_bytes: usage.inputBytes,
    output_bytes: usage.outputBytes,
    is_partial: usage.isPartial ? 1 : 0,
  };
}

/** A row of an outcome that this KAMI does not know is left out: a newer one wrote it, without a change of the schema. */
function toRecord(row: CallRow): CallRecord[] {
  const { outcome } = row;
  if (outcome !== "OK" && !isFailureCode(outcome)) return [];
  const usage = {
    fuel: row.fuel,
    cpuMs: row.cpu_ms,
    wallMs: row.wall_ms,
    peakMemoryBytes: row.peak_memory_bytes,
    hostCalls: row.host_calls,
    inputBytes: row.input_bytes,
    outputBytes: row.output_bytes,
    isPartial: row.is_partial === 1,
  };
  return [{ toolId: row.tool_id, startedAt: row.started_at, outcome, usage }];
}
