/**
 * The schema of the registry, as the ordered list of steps that made it. Steps are only ever appended: `PRAGMA user_version` counts those
 * that a database has had.
 */
import type { Database } from "bun:sqlite";
import { refuse } from "../errors.ts";
import { writeTransaction } from "./transaction.ts";

/** `PRAGMA application_id` of a registry, "KAMI" in ASCII, so that another program's database is never taken for one. */
export const APPLICATION_ID = 0x4b_41_4d_49;

/**
 * `state.revision` moves with `tools` (and later `grants`) and with nothing else. Triggers move it, so that no statement can forget to. `PRAGMA data_version`
 * would not do: it moves with every recorded call, and stays put for the writes of its own connection.
 */
const FIRST = `
  CREATE TABLE tools (
    id               TEXT    NOT NULL PRIMARY KEY,
    name             TEXT    NOT NULL,
    version          TEXT    NOT NULL,
    package_digest   TEXT    NOT NULL CHECK (length(package_digest) = 64),
    component_digest TEXT    NOT NULL CHECK (length(component_digest) = 64),
    component_bytes  INTEGER NOT NULL CHECK (component_bytes >= 0),
    enabled          INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    installed_at     INTEGER NOT NULL,
    manifest         BLOB    NOT NULL
  ) STRICT;

  CREATE TABLE state (
    only     INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    revision INTEGER NOT NULL
  ) STRICT;
  INSERT INTO state (only, revision) VALUES (1, 1);

  CREATE TRIGGER tools_inserted AFTER INSERT ON tools BEGIN UPDATE state SET revision = revision + 1; END;
  CREATE TRIGGER tools_updated  AFTER UPDATE ON tools BEGIN UPDATE state SET revision = revision + 1; END;
  CREATE TRIGGER tools_deleted  AFTER DELETE ON tools BEGIN UPDATE state SET revision = revision + 1; END;

  CREATE TABLE calls (
    sequence          INTEGER NOT NULL PRIMARY KEY,
    tool_id           TEXT    NOT NULL,
    started_at        INTEGER NOT NULL,
    outcome           TEXT    NOT NULL,
    fuel              INTEGER NOT NULL,
    wall_ms           REAL    NOT NULL,
    peak_memory_bytes INTEGER NOT NULL,
    host_calls        INTEGER NOT NULL,
    input_bytes       INTEGER NOT NULL,
    output_bytes      INTEGER NOT NULL
  ) STRICT;

  PRAGMA application_id = ${APPLICATION_ID};
`;

/** Calls from before have no figure for their CPU time: 0 stands for it. */
const CPU_TIME = `
  ALTER TABLE calls ADD COLUMN cpu_ms     REAL    NOT NULL DEFAULT 0;
  ALTER TABLE calls ADD COLUMN is_partial INTEGER NOT NULL DEFAULT 0 CHECK (is_partial IN (0, 1));
`;

/**
 * Grants go with their tool, in the same statement. They move the revision: what a process remembers of a tool's policy is old then. Denials
 * go with their tool as well, by a trigger, since files that are run have no tool.
 */
const GRANTS = `
  CREATE TABLE grants (
    tool_id    TEXT    NOT NULL REFERENCES tools (id) ON DELETE CASCADE,
    versions   TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    host_path  TEXT,
    access     TEXT    CHECK (access IN ('read-only', 'read-write')),
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (tool_id, versions, name),
    CHECK ((host_path IS NULL) = (access IS NULL))
  ) STRICT;

  CREATE TRIGGER grants_inserted AFTER INSERT ON grants BEGIN UPDATE state SET revision = revision + 1; END;
  CREATE TRIGGER grants_updated  AFTER UPDATE ON grants BEGIN UPDATE state SET revision = revision + 1; END;
  CREATE TRIGGER grants_deleted  AFTER DELETE ON grants BEGIN UPDATE state SET revision = revision + 1; END;

  CREATE TABLE denials (
    sequence   INTEGER NOT NULL PRIMARY KEY,
    tool_id    TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    capability TEXT    NOT NULL,
    target     TEXT    NOT NULL
  ) STRICT;
  CREATE INDEX denials_by_tool ON denials (tool_id, sequence);
  CREATE TRIGGER tool_denials_deleted AFTER DELETE ON tools BEGIN DELETE FROM denials WHERE tool_id = old.id; END;
`;

/** Only tools of several functions have any here. */
const FUNCTIONS = `
  CREATE TABLE functions (
    tool_id       TEXT    NOT NULL REFERENCES tools (id) ON DELETE CASCADE,
    position      INTEGER NOT NULL,
    name          TEXT    NOT NULL,
    input_schema  TEXT    NOT NULL,
    output_schema TEXT,
    PRIMARY KEY (tool_id, position)
  ) STRICT, WITHOUT ROWID;
`;

/** What components say of themselves: JSON, checked again whenever it is read. */
const DESCRIBED = `
  ALTER TABLE tools ADD COLUMN described TEXT;
`;

/** When a user is asked before a call. */
const ASKS = `
  ALTER TABLE tools ADD COLUMN asks TEXT NOT NULL DEFAULT 'missing' CHECK (asks IN ('always', 'missing', 'never'));
`;

/** Packages with a README have its digest in theirs. */
const READMES = `
  ALTER TABLE tools ADD COLUMN readme_digest TEXT CHECK (length(readme_digest) = 64);
`;

/** Packages with files that agents can read have their digests in theirs: JSON, `[[path, digest], …]`. */
const FILES = `
  ALTER TABLE tools ADD COLUMN file_digests TEXT;
`;

/** The steps, oldest first. The calls outlive their tools, so that they have no foreign key. */
export const MIGRATIONS: readonly string[] = [FIRST, CPU_TIME, GRANTS, FUNCTIONS, DESCRIBED, ASKS, READMES, FILES];

/**
 * Brings a database to the newest schema, one transaction a step. Safe while another process does the same: each step looks again at
 * the version once it holds the write lock.
 *
 * @param steps - Default: {@link MIGRATIONS}.
 * @throws {Failure} `REGISTRY_NEWER` when the database has had more steps than there are; it is left as it is. `REGISTRY_BUSY`.
 */
export function migrate(database: Database, steps: readonly string[] = MIGRATIONS): void {
  refuseNewer(database, steps);
  let version = schemaVersion(database);
  while (version < steps.length) version = takeStep(database, steps);
}

/**
 * Makes sure that a newer KAMI has not been here. Reads only.
 *
 * @throws {Failure} `REGISTRY_NEWER` when the database has had more steps than there are.
 */
export function refuseNewer(database: Database, steps: readonly string[] = MIGRATIONS): void {
  const found = schemaVersion(database);
  if (found > steps.length) throw refuse("REGISTRY_NEWER", { found, known: steps.length });
}

function schemaVersion(database: Database): number {
  return database.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
}

function takeStep(database: Database, steps: readonly string[]): number {
  return writeTransaction(database, () => {
    const version = schemaVersion(database);
    const step = steps[version];
    if (step === undefined) return version;
    database.run(`${step}; PRAGMA user_version = ${version + 1}`);
    return version + 1;
  });
}
