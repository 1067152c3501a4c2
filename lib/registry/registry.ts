/**
 * The tools that are installed, and the calls that were made: one SQLite database, and the packages beside it. Any number of processes
 * may use it at once; a process that is killed at any instant leaves nothing half installed.
 *
 * An install writes and syncs the files under a temporary name, and only then takes the write lock, renames them into place and
 * commits the row. An uninstall commits first and deletes afterwards. So each row always has its files, and what a killed process leaves is
 * files without a row, which the next install or uninstall sweeps.
 */
import type { Database } from "bun:sqlite";
import { join, resolve } from "node:path";
import { Failure, refuse } from "../errors.ts";
import type { FailureCode } from "../errors.ts";
import type { FunctionDescription } from "../component/functions.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { Described } from "../schema/foreign.ts";
import { nearest } from "../nearest.ts";
import type { Capability } from "../policy/capability.ts";
import type { Denial, Usage } from "../protocol/limits.ts";
import { CallLog } from "./calls.ts";
import { Catalog } from "./catalog.ts";
import { openDatabase } from "./database.ts";
import type { DenialRecord } from "./denials.ts";
import { errorCode } from "./files.ts";
import { Grants } from "./grants.ts";
import type { PackageSource } from "./package.ts";
import {
  DATABASE_NAME,
  discard,
  emptyTmp,
  placePackage,
  retireSandbox,
  retireUnreferenced,
  stagePackage,
  storeBeside,
} from "./store.ts";
import type { StorePaths } from "./store.ts";
import { writeTransaction } from "./transaction.ts";

/** Before each call; before those of a tool that lacks something it asks for; or never: it runs with what it has. */
export type Asks = "always" | "missing" | "never";

/** A tool of the registry. */
export interface InstalledTool {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly manifest: Manifest;
  /** The functions of a component that has no `run`, each a tool of its own to an agent; empty for all others. */
  readonly functions: readonly FunctionDescription[];
  /** What the component said of itself when it was installed; undefined when it says nothing. */
  readonly described?: Described | undefined;
  /** SHA-256, lower-case hex, of the package: the name of its directory under `tools/`. */
  readonly packageDigest: string;
  /** SHA-256, lower-case hex, of the component. */
  readonly componentDigest: string;
  /** SHA-256, lower-case hex, of the README that is part of the package; undefined when none is. */
  readonly readmeDigest?: string | undefined;
  /** SHA-256, lower-case hex, of the files that agents can read, by their paths; undefined when there are none. */
  readonly fileDigests?: ReadonlyMap<string, string> | undefined;
  /** Absolute path of the component in the registry's own package directory. */
  readonly componentPath: string;
  readonly componentBytes: number;
  /** Whether it may be called. Never true for a tool whose record is damaged. */
  readonly enabled: boolean;
  /** When the user is asked before a call over MCP. */
  readonly asks: Asks;
  /** Milliseconds since the epoch. */
  readonly installedAt: number;
}

/** One call, as the log keeps it. */
export interface CallRecord {
  /** Id of an installed tool, or `""` for a file that was run. */
  readonly toolId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly outcome: "OK" | FailureCode;
  readonly usage: Usage;
  /** What the guest was denied. They are read by {@link Registry.denials}. */
  readonly denials?: readonly Denial[] | undefined;
}

/** What was found out about a component when it was installed. */
export interface Examined {
  readonly functions: readonly FunctionDescription[];
  readonly described: Described | undefined;
}

const NOTHING: Examined = { functions: [], described: undefined };

/** What an install did. */
export interface Installation {
  readonly tool: InstalledTool;
  /** The version that was there before, if any. */
  readonly replaced: string | undefined;
}

/** An open registry. Everything is synchronous; reads never wait for other processes, writes do for at most five seconds. */
export class Registry implements Disposable {
  /** Absolute. */
  readonly home: string;
  /** Where the database keeps `tools/`, `tmp/` and `sandboxes/`: the home, unless another database was named. */
  readonly root: string;
  /** What the user granted. */
  readonly grants: Grants;
  readonly #store: StorePaths;
  readonly #database: Database;
  readonly #catalog: Catalog;
  readonly #calls: CallLog;

  private constructor(home: string, path: string) {
    this.home = home;
    this.#database = openDatabase(path);
    this.#store = storeBeside(path);
    this.root = this.#store.root;
    this.#catalog = new Catalog(this.#database, this.#store);
    this.#calls = new CallLog(path);
    this.grants = new Grants({
      database: this.#database,
      catalog: this.#catalog,
      store: this.#store,
      own: [...new Set([this.home, this.root])],
    });
  }

  /**
   * Opens the registry, and makes and migrates it where needed. Directories that it makes are private to their owner.
   *
   * @param home - KAMI's home directory.
   * @param database - Default: `registry.db` in `home`. See {@link storeBeside} for where its packages are.
   * @throws {Failure} `REGISTRY_NEWER`, `REGISTRY_UNUSABLE`, `REGISTRY_BUSY`
   */
  static open(home: string, database: string = join(home, DATABASE_NAME)): Registry {
    return new Registry(resolve(home), resolve(database));
  }

  /**
   * Lists the tools by id, ascending. One whose record is damaged is listed as disabled; one whose files are missing is listed as it is.
   *
   * @param filter - Keeps the tools that have it in their id or name, in any case.
   */
  list(filter = ""): readonly InstalledTool[] {
    const wanted = filter.toLowerCase();
    const has = (text: string): boolean => text.toLowerCase().includes(wanted);
    return [...this.#catalog.tools().values()].filter((tool) => has(tool.id) || has(tool.name));
  }

  /** Finds a tool by its exact id. */
  find(id: string): InstalledTool | undefined {
    return this.#catalog.find(id);
  }

  /**
   * Finds a tool that has to be there.
   *
   * @throws {Failure} `TOOL_UNKNOWN` with the nearest id.
   */
  require(id: string): InstalledTool {
    return this.find(id) ?? this.#unknown(id);
  }

  /**
   * Puts a package in place and records it, atomically; replaces an earlier version of the same id, which stays disabled if it was and
   * keeps its grants.
   *
   * @param granted - What the user grants it with the install.
   * @throws {Failure} `RESOURCE_REFUSED`, `GRANT_REFUSED`, `REGISTRY_BUSY`, `REGISTRY_UNWRITABLE`
   */
  install(source: PackageSource, granted: readonly Capability[] = [], examined: Examined = NOTHING): Installation {
    const staged = stagePackage(this.#store, source);
    try {
      const installation = writeTransaction(this.#database, () => {
        const recorded = this.#record(source, staged, examined);
        if (granted.length > 0) this.grants.write(recorded.tool.id, granted);
        return recorded;
      });
      this.#sweep();
      return installation;
    } finally {
      discard(staged);
    }
  }

  /**
   * Removes a tool, its package, its sandbox and its grants.
   *
   * @returns The tool as it was.
   * @throws {Failure} `TOOL_UNKNOWN`, `REGISTRY_BUSY`, `REGISTRY_UNWRITABLE`
   */
  uninstall(id: string): InstalledTool {
    const tool = writeTransaction(this.#database, () => {
      const found = this.#catalog.load(id);
      this.#database.query("DELETE FROM tools WHERE id = ?").run(id);
      return found;
    });
    if (tool !== undefined) this.#sweep(id);
    return tool ?? this.#unknown(id);
  }

  /**
   * Says whether a tool may be called.
   *
   * @throws {Failure} `TOOL_UNKNOWN`, `REGISTRY_BUSY`, `REGISTRY_UNWRITABLE`; `PACKAGE_CHANGED` when its record is damaged.
   */
  setEnabled(id: string, enabled: boolean): InstalledTool {
    const tool = writeTransaction(this.#database, () => {
      const flag = enabled ? 1 : 0;
      this.#database.query("UPDATE tools SET enabled = ? WHERE id = ? AND enabled <> ?").run(flag, id, flag);
      const updated = this.#catalog.load(id);
      if (enabled && updated?.enabled === false) throw refuse("PACKAGE_CHANGED", { tool: id });
      return updated;
    });
    return tool ?? this.#unknown(id);
  }

  /**
   * Says when the user is asked before a call. It stays so when the tool is updated.
   *
   * @throws {Failure} `TOOL_UNKNOWN`, `REGISTRY_BUSY`, `REGISTRY_UNWRITABLE`
   */
  setAsks(id: string, asks: Asks): void {
    writeTransaction(this.#database, () =>
      this.#database.query("UPDATE tools SET asks = ? WHERE id = ? AND asks <> ?").run(asks, id, asks),
    );
    this.require(id);
  }

  /**
   * Adds a call to the log. Best effort: never throws and never waits for another process; while one holds the database, the newest
   * 1,000 calls wait in memory for the next record or for the registry to close.
   */
  recordCall(record: CallRecord): void {
    this.#calls.record(record);
  }

  /**
   * Reads the newest calls, newest first.
   *
   * @param limit - At most this many, 0 or more; the log keeps 10,000.
   */
  calls(limit = 100): readonly CallRecord[] {
    return this.#calls.newest(limit);
  }

  /**
   * Reads what a tool was denied last, the newest first.
   *
   * @param limit - At most this many; the log keeps 100 of each tool.
   */
  denials(toolId: string, limit = 10): readonly DenialRecord[] {
    return this.#calls.denialsOf(toolId, limit);
  }

  /**
   * Reads a number that moves whenever any process installs, uninstalls, enables or disables a tool or changes its grants, and only then. A few
   * microseconds.
   */
  revision(): number {
    return this.#catalog.revision();
  }

  [Symbol.dispose](): void {
    this.#calls[Symbol.dispose]();
    this.#database.close();
  }

  #record(source: PackageSource, staged: string, { functions, described }: Examined): Installation {
    const { id } = source.manifest.tool;
    const before = this.#catalog.load(id);
    this.#catalog.refuseTaken(source.manifest);
    placePackage(this.#store, staged, source);
    // What a killed uninstall left behind is not for the next tool of that name.
    if (before === undefined) retireSandbox(this.#store, id);
    this.#catalog.record(source, described);
    this.#catalog.recordFunctions(id, functions);
    const tool = this.#catalog.load(id);
    if (tool === undefined) throw new Error("BUG: a row that was written is not there");
    return { tool, replaced: before?.version };
  }

  /** Best effort: what happened is committed, and what this misses the next one sweeps. */
  #sweep(uninstalled?: string): void {
    try {
      writeTransaction(this.#database, () => {
        const rows = this.#database.query<{ digest: string }, []>("SELECT package_digest AS digest FROM tools").all();
        retireUnreferenced(this.#store, new Set(rows.map((row) => row.digest)));
        if (uninstalled === undefined || this.#catalog.load(uninstalled) !== undefined) return;
        retireSandbox(this.#store, uninstalled);
      });
      emptyTmp(this.#store);
    } catch (error) {
      if (!(error instanceof Failure) && errorCode(error) === undefined) throw error;
    }
  }

  #unknown(id: string): never {
    throw refuse("TOOL_UNKNOWN", { id, nearest: nearest(id, this.#catalog.tools().keys()) });
  }
}
