import { describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { verifyPackage, readPackage } from "../../lib/registry/package.ts";
import { Registry } from "../../lib/registry/registry.ts";
import { temporaryDirectory, writePackage } from "./support.ts";

const KILLS = 200;

/** The latest kill after a child has begun, in milliseconds: about two rounds of an install, so that the kills fall on every part of one. */
const LATEST_KILL_MS = 30;

interface Child extends AsyncDisposable {
  /** Resolves when it is loaded. */
  readonly ready: Promise<void>;
  begin(): void;
  /** Kills it and waits until it is gone. */
  kill(): Promise<void>;
  /** Resolves when it is gone. */
  readonly end: Promise<{ readonly exitCode: number; readonly stderr: string }>;
}

function startInstalls(home: string, rounds: number, packages: readonly string[]): Child {
  return startChild(import.meta.resolve("./install-child.ts"), [home, String(rounds), ...packages]);
}

function startChild(script: string, args: readonly string[]): Child {
  const child = Bun.spawn([process.execPath, fileURLToPath(script), ...args], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const reader = child.stdout.getReader();
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return {
    ready: reader.read().then(({ value }) => expect(new TextDecoder().decode(value)).toBe("ready\n")),
    begin: () => {
      void child.stdin.write("begin\n");
      void child.stdin.flush();
    },
    kill,
    end: Promise.all([child.exited, new Response(child.stderr).text()]).then(([exitCode, stderr]) => ({
      exitCode,
      stderr,
    })),
    [Symbol.asyncDispose]: kill,
  };
}

/** A home in order: the database is sound, every tool verifies, and every package that can be seen is whole. */
async function expectInOrder(home: string): Promise<void> {
  using registry = Registry.open(home);
  for (const tool of registry.list()) {
    expect(tool.enabled).toBe(true);
    expect(verifyPackage(tool).length).toBe(tool.componentBytes);
  }
  const tools = join(home, "tools");
  for (const name of existsSync(tools) ? readdirSync(tools) : []) {
    expect((await readPackage(join(tools, name))).packageDigest).toBe(name);
  }
  using database = new Database(join(home, "registry.db"), { readonly: true });
  expect(database.query("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
}

/** What a sweep must leave: the packages of the tools that are listed. */
function expectSwept(home: string): void {
  using registry = Registry.open(home);
  const listed = registry.list().map(({ packageDigest }) => packageDigest);
  expect(readdirSync(join(home, "tools")).toSorted()).toEqual(listed.toSorted());
}

const stagedIn = (home: string): number => (existsSync(join(home, "tmp")) ? readdirSync(join(home, "tmp")).length : 0);

describe("several processes on one registry", () => {
  test("open fresh homes at the same time, without an error", async () => {
    using directory = temporaryDirectory();
    const start = (): Child => startChild(import.meta.resolve("./open-child.ts"), [directory.path, "40"]);
    await using first = start();
    await using second = start();
    await using third = start();
    const children = [first, second, third];
    await Promise.all(children.map(({ ready }) => ready));
    for (const child of children) child.begin();
    expect(await Promise.all(children.map(({ end }) => end))).toEqual(
      children.map(() => ({ exitCode: 0, stderr: "" })),
    );
  }, 30_000);

  test("leave a package alone that another has put in place and not yet recorded", async () => {
    using directory = temporaryDirectory();
    const home = join(directory.path, "home");
    using registry = Registry.open(home);
    using database = new Database(join(home, "registry.db"));
    database.run("PRAGMA busy_timeout = 0");
    await using child = startInstalls(home, Infinity, [writePackage(join(directory.path, "package"))]);
    await child.ready;
    child.begin();
    for (let turn = 0; turn < 30; turn++) {
      const revision = registry.revision();
      while (registry.revision() === revision) Bun.sleepSync(1);
      // Spinning gets the lock as soon as the child lets go of it, which is just before it sweeps.
      while (!hasBegun(database)) continue;
      const placed = join(home, "tools", String(turn).padStart(64, "0"));
      mkdirSync(placed, { recursive: true });
      Bun.sleepSync(5);
      expect(existsSync(placed)).toBe(true);
      database.run("ROLLBACK");
    }
  }, 30_000);

  test("open a fresh home and install at the same time, without an error and without a loss", async () => {
    using directory = temporaryDirectory();
    const home = join(directory.path, "home");
    const make = (id: string, version: string): string =>
      writePackage(join(directory.path, `${id}-${version}`), { id, version, seed: `${id} ${version}` });
    const shared = [make("dev.example.shared", "1.0.0"), make("dev.example.shared", "2.0.0")];
    await using first = startInstalls(home, 20, [...shared, make("dev.example.first", "1.0.0")]);
    await using second = startInstalls(home, 20, [...shared, make("dev.example.second", "1.0.0")]);
    await Promise.all([first.ready, second.ready]);
    first.begin();
    second.begin();
    expect(await Promise.all([first.end, second.end])).toEqual([
      { exitCode: 0, stderr: "" },
      { exitCode: 0, stderr: "" },
    ]);
    await expectInOrder(home);
    expectSwept(home);
    using registry = Registry.open(home);
    const listed = registry.list().map(({ id, version }) => `${id} ${version}`);
    expect(listed).toEqual(["dev.example.first 1.0.0", "dev.example.second 1.0.0", "dev.example.shared 2.0.0"]);
    expect(registry.calls().length).toBe(40);
    expect(readdirSync(join(home, "tmp"))).toEqual([]);
  }, 30_000);

  test(`stay in order when ${KILLS} of them are killed at random instants of an install`, async () => {
    using directory = temporaryDirectory();
    const make = (name: string, id: string): string =>
      writePackage(join(directory.path, name), { id, version: `${name.length}.0.0`, seed: name, size: 200_000 });
    const shared = [make("a", "dev.example.shared"), make("bb", "dev.example.shared")];
    const [firsts, seconds] = [make("ccc", "dev.example.first"), make("dddd", "dev.example.second")];
    let cutShort = 0;
    for (let kill = 0; kill < KILLS; kill += 2) {
      // A fresh home now and then: making the schema is killed as well.
      const home = join(directory.path, `home-${Math.floor(kill / 20)}`);
      const before = stagedIn(home);
      await using first = startInstalls(home, Infinity, [...shared, firsts]);
      await using second = startInstalls(home, Infinity, [...shared, seconds]);
      await Promise.all([first, second].map(killAtRandom));
      if (stagedIn(home) > before) cutShort += 1;
      await expectInOrder(home);
    }
    // The kills did land inside installs.
    expect(cutShort).toBeGreaterThan(KILLS / 20);
    for (let index = 0; index < KILLS / 20; index++) {
      const home = join(directory.path, `home-${index}`);
      await using last = startInstalls(home, 1, [...shared, firsts]);
      last.begin();
      expect(await last.end).toEqual({ exitCode: 0, stderr: "" });
      await expectInOrder(home);
      expectSwept(home);
      using registry = Registry.open(home);
      // The second child's own tool is there or not, as its last kill had it.
      const listed = registry.list().map(({ id, version }) => `${id} ${version}`);
      expect(listed.filter((tool) => tool !== "dev.example.second 4.0.0")).toEqual([
        "dev.example.first 3.0.0",
        "dev.example.shared 2.0.0",
      ]);
    }
  }, 60_000);
});

function hasBegun(database: Database): boolean {
  try {
    database.run("BEGIN IMMEDIATE");
    return true;
  } catch {
    return false;
  }
}

async function killAtRandom(child: Child): Promise<void> {
  await child.ready;
  child.begin();
  await Bun.sleep(Math.random() * LATEST_KILL_MS);
  await child.kill();
}
