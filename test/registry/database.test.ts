import { describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../lib/registry/database.ts";
import { migrate, MIGRATIONS } from "../../lib/registry/migrations.ts";
import { Registry } from "../../lib/registry/registry.ts";
import { writeTransaction } from "../../lib/registry/transaction.ts";
import { failureOf, temporaryDirectory } from "./support.ts";

function pragma(database: Database, name: string): unknown {
  return Object.values(database.query<Record<string, unknown>, []>(`PRAGMA ${name}`).get() ?? {})[0];
}

/** Makes a database that is not a registry. */
function makeForeign(path: string, sql: string): void {
  const database = new Database(path, { create: true });
  database.run(sql);
  database.close();
}

describe("openDatabase()", () => {
  test("makes a private, durable database in WAL mode, with foreign keys and a busy timeout", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a/b/registry.db");
    using database = openDatabase(path);
    const names = ["journal_mode", "foreign_keys", "busy_timeout", "synchronous", "user_version", "application_id"];
    expect(names.map((name) => pragma(database, name))).toEqual(["wal", 1, 5000, 2, MIGRATIONS.length, 0x4b414d49]);
    const paths = [path, `${path}-wal`, `${path}-shm`, join(directory.path, "a"), join(directory.path, "a/b")];
    expect(paths.map((name) => statSync(name).mode & 0o777)).toEqual([0o600, 0o600, 0o600, 0o700, 0o700]);
    const tables = database.query<{ name: string; strict: number }, []>("PRAGMA table_list").all();
    const own = tables.filter(({ name }) => !name.startsWith("sqlite_")).map(({ name, strict }) => `${name} ${strict}`);
    expect(own.toSorted()).toEqual(["calls 1", "denials 1", "functions 1", "grants 1", "state 1", "tools 1"]);
  });

  const FOREIGN = [
    {
      why: "a file that is no database",
      make: (path: string) => writeFileSync(path, "This is a letter to my mother. ".repeat(50)),
      reason: "file is not a database",
    },
    {
      why: "a database of another program",
      make: (path: string) => makeForeign(path, "CREATE TABLE letters (text TEXT)"),
      reason: "it is a database of another program",
    },
    {
      why: "an empty database with another program's mark",
      make: (path: string) => makeForeign(path, "PRAGMA application_id = 7"),
      reason: "it is a database of another program",
    },
  ];
  test.each(FOREIGN)("refuses $why, and leaves it untouched", async ({ make, reason }) => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "registry.db");
    make(path);
    const before = readFileSync(path);
    expect(await failureOf(() => openDatabase(path))).toEqual({
      code: "REGISTRY_UNUSABLE",
      message: `Cannot open the registry "${path}": ${reason}`,
    });
    expect(readFileSync(path)).toEqual(before);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test("refuses a registry of a newer KAMI, and leaves it untouched", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "registry.db");
    openDatabase(path).close();
    makeForeign(path, `PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    const before = readFileSync(path);
    expect(await failureOf(() => openDatabase(path))).toEqual({
      code: "REGISTRY_NEWER",
      message: `Cannot open the registry: its schema is version ${MIGRATIONS.length + 1}, this KAMI knows ${MIGRATIONS.length}`,
    });
    expect(readFileSync(path)).toEqual(before);
  });

  test("refuses a directory, a pipe and a home that is a file, and says which", async () => {
    using directory = temporaryDirectory();
    const { path } = directory;
    mkdirSync(join(path, "directory"));
    Bun.spawnSync(["mkfifo", join(path, "pipe")]);
    writeFileSync(join(path, "file"), "");
    const rows: readonly (readonly [name: string, reason: string])[] = [
      ["directory", "it is not a regular file"],
      ["pipe", "it is not a regular file"],
      ["file/registry.db", "the system says EEXIST"],
      ["file/deeper/registry.db", "a part of the path is not a directory"],
    ];
    for (const [name, reason] of rows) {
      expect(await failureOf(() => openDatabase(join(path, name)))).toEqual({
        code: "REGISTRY_UNUSABLE",
        message: `Cannot open the registry "${join(path, name)}": ${reason}`,
      });
    }
  });

  test("reports a database that is damaged while it is open", async () => {
    using directory = temporaryDirectory();
    using registry = Registry.open(directory.path);
    const path = join(directory.path, "registry.db");
    makeForeign(path, "DROP TABLE tools");
    expect(await failureOf(() => registry.list())).toMatchObject({ code: "REGISTRY_UNUSABLE" });
  });
});

describe("migrate()", () => {
  const steps = [
    "CREATE TABLE one (a TEXT) STRICT",
    "CREATE TABLE two (b TEXT) STRICT; INSERT INTO one VALUES ('from two')",
  ];

  test("takes the steps that are missing, in order, once", () => {
    using database = new Database(":memory:");
    migrate(database, steps.slice(0, 1));
    expect(pragma(database, "user_version")).toBe(1);
    migrate(database, steps);
    migrate(database, steps);
    expect(pragma(database, "user_version")).toBe(2);
    expect(database.query("SELECT a FROM one").all()).toEqual([{ a: "from two" }]);
  });

  test("undoes a step that fails, and keeps those before it", async () => {
    using database = new Database(":memory:");
    const broken = [...steps, "CREATE TABLE three (c TEXT); INSERT INTO nowhere VALUES (1)"];
    expect((await failureOf(() => migrate(database, broken))).code).toBe("REGISTRY_UNWRITABLE");
    expect(pragma(database, "user_version")).toBe(2);
    expect(database.query("SELECT name FROM sqlite_schema ORDER BY name").all()).toEqual([
      { name: "one" },
      { name: "two" },
    ]);
  });

  test("refuses a schema that has had more steps", async () => {
    using database = new Database(":memory:");
    migrate(database, steps);
    expect(await failureOf(() => migrate(database, steps.slice(0, 1)))).toEqual({
      code: "REGISTRY_NEWER",
      message: "Cannot open the registry: its schema is version 2, this KAMI knows 1",
    });
  });
});

describe("writeTransaction()", () => {
  test("gives up with REGISTRY_BUSY when another connection writes for longer than the timeout", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "registry.db");
    using holder = openDatabase(path);
    using waiter = openDatabase(path);
    waiter.run("PRAGMA busy_timeout = 60");
    holder.run("BEGIN IMMEDIATE");
    const { code, message } = await failureOf(() => writeTransaction(waiter, () => 1));
    expect(code).toBe("REGISTRY_BUSY");
    const waitedMs = Number(/^Cannot write to the registry: another process held it for (\d+) ms$/.exec(message)?.[1]);
    expect(waitedMs).toBeGreaterThanOrEqual(60);
    holder.run("COMMIT");
    expect(writeTransaction(waiter, () => 1)).toBe(1);
  });

  test("undoes everything when its work throws, and can be used again", () => {
    using directory = temporaryDirectory();
    using database = openDatabase(join(directory.path, "registry.db"));
    const failing = (): void =>
      writeTransaction(database, () => {
        database.run("UPDATE state SET revision = 99");
        throw new TypeError("on purpose");
      });
    expect(failing).toThrow(new TypeError("on purpose"));
    expect(database.query("SELECT revision FROM state").get()).toEqual({ revision: 1 });
    expect(writeTransaction(database, () => 1)).toBe(1);
  });
});
