/**
 * Installs that are killed at random instants: whatever is left, the home opens, lists and serves, and nothing in it is half installed.
 * The real `kami install`, as a process; its whole life, from the start of Bun to the removal of its temporary files, is what the kills fall on.
 */
import { describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { guestPath } from "../../fixtures/paths.ts";
import { verifyPackage, readPackage } from "../../lib/registry/package.ts";
import { Registry } from "../../lib/registry/registry.ts";
import { Home, KAMI } from "../mcp/support/kami.ts";

const KILLS = 200;
/** Children that run at once, on one home. */
const AT_ONCE = 2;
const GUESTS = ["echo", "upper", "trap", "fail"];

/** A home, and how the children on it are killed. */
interface Round {
  readonly name: string;
  readonly kills: number;
  /** Whether the compiled components are there already: then most of an install is its writing. */
  readonly isWarm: boolean;
}

const ROUNDS: readonly Round[] = [
  { name: "a fresh home, while it is made and components are compiled", kills: 20, isWarm: false },
  { name: "a home that has the compiled components", kills: 180, isWarm: true },
];

/** Makes packages that share ids: installs of them replace each other. */
function makePackages(home: Home): readonly string[] {
  return GUESTS.flatMap((guest) => ["1.0.0", "2.0.0"].map((version) => makePackage(home, guest, version)));
}

function makePackage(home: Home, guest: string, version: string): string {
  const directory = join(home.path, "packages", `${guest}-${version}`);
  mkdirSync(directory, { recursive: true });
  copyFileSync(guestPath(guest), join(directory, "tool.wasm"));
  const tool = `[tool]\nid = "dev.kami.kill.${guest}"\nname = "${guest}"\nversion = "${version}"\nwasm = "tool.wasm"\n`;
  writeFileSync(join(directory, "tool.toml"), `${tool}[mcp]\ndescription = "Version ${version}"\n`);
  return directory;
}

function startInstall(home: Home, directory: string): Bun.Subprocess<"ignore", "ignore", "pipe"> {
  return Bun.spawn([KAMI.command, KAMI.script, "install", directory], {
    env: home.environment(),
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
}

/** Measures how long installs take that run side by side, in milliseconds. */
async function measureLife(home: Home, packages: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const children = packages.slice(0, AT_ONCE).map((directory) => startInstall(home, directory));
  expect(await Promise.all(children.map(({ exited }) => exited))).toEqual(children.map(() => 0));
  return performance.now() - startedAt;
}

/** Runs an install and kills it within so many milliseconds. @returns Whether the kill came before its end. */
async function killInstall(home: Home, directory: string, lifeMs: number): Promise<boolean> {
  const child = startInstall(home, directory);
  const timer = setTimeout(() => child.kill("SIGKILL"), Math.random() * lifeMs);
  const [exitCode, stderr] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  clearTimeout(timer);
  if (child.signalCode !== "SIGKILL") expect([exitCode, stderr]).toEqual([0, ""]);
  return child.signalCode === "SIGKILL";
}

/** @returns Ids and versions of the tools, each of which was verified. */
async function expectInOrder(home: Home): Promise<readonly string[]> {
  const root = join(home.path, "home");
  using registry = Registry.open(root);
  const tools = registry.list();
  for (const tool of tools) {
    expect(tool.enabled).toBe(true);
    expect(verifyPackage(tool).length).toBe(tool.componentBytes);
  }
  for (const name of namesIn(join(root, "tools"))) {
    expect((await readPackage(join(root, "tools", name))).packageDigest).toBe(name);
  }
  // All of it is younger than an hour: the sweep is for what is older.
  for (const name of namesIn(join(root, "tmp")))
    expect(name).toMatch(/^(?:package|retired|artifact-[0-9a-f]{16})-[0-9a-f-]{36}$/);
  using database = new Database(join(root, "registry.db"), { readonly: true });
  expect(database.query("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  return tools.map(({ id, version }) => `${id} ${version}`);
}

/** Lists the tools through `kami serve`, and calls the echo. @returns The names that are served. */
async function expectServed(home: Home): Promise<readonly unknown[]> {
  await using server = home.serve();
  await server.initialize();
  const called = await server.ask("tools/call", { name: "echo", arguments: { n: 1 } });
  expect(called.result).toMatchObject({ content: [{ type: "text", text: '{"n":1}' }] });
  const listed = (await server.ask("tools/list")).result?.["tools"];
  expect(await server.end()).toBe(0);
  return Array.isArray(listed) ? listed.map((tool: { readonly name: string }) => tool.name) : [];
}

function leftIn(home: Home): number {
  return namesIn(join(home.path, "home", "tmp")).length;
}

function namesIn(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

describe(`${KILLS} installs killed at random instants`, () => {
  test("are what the rounds add up to", () => {
    expect(ROUNDS.reduce((sum, { kills }) => sum + kills, 0)).toBe(KILLS);
  });

  test.each(ROUNDS)(
    "$name: opens, lists and serves, with no tool half installed",
    async ({ kills, isWarm }) => {
      using home = new Home();
      const packages = makePackages(home);
      if (isWarm) await home.installAll(packages);
      using other = new Home();
      const lifeMs = await measureLife(isWarm ? home : other, packages);
      let killed = 0;
      let unfinished = 0;
      for (let next = 0; killed < kills; next += AT_ONCE) {
        const before = leftIn(home);
        const turn = Array.from({ length: AT_ONCE }, (_, index) => packages[(next + index) % packages.length] ?? "");
        const deaths = await Promise.all(turn.map((directory) => killInstall(home, directory, lifeMs)));
        killed += deaths.filter(Boolean).length;
        if (leftIn(home) > before) unfinished += 1;
        await expectInOrder(home);
      }
      // Some kills did land inside the writing; in a fresh home it is too small a part of an install to be sure.
      if (isWarm) expect(unfinished).toBeGreaterThan(0);
      // What was killed is made good by doing it again, and the home serves all of it.
      await home.installAll(packages.filter((directory) => directory.endsWith("2.0.0")));
      expect(await expectInOrder(home)).toEqual(GUESTS.toSorted().map((guest) => `dev.kami.kill.${guest} 2.0.0`));
      expect(await expectServed(home)).toEqual(GUESTS.toSorted());
    },
    120_000,
  );
});
