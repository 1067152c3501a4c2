/**
 * The binary, alone: without `node_modules`, in an empty directory with an empty home, and in a directory whose files want to be obeyed. Set
 * KAMI_TEST_NO_BINARY=1 to leave it out: building it takes seconds and 130 MB.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TemporaryDirectory } from "../cli/support/directory.ts";
import { canSeeProcesses, environmentOf, executorsOf, isAlive } from "../executor/support/processes.ts";
import { fillHostile } from "./support/hostile.ts";
import { ask, copyGuests, type Place, serve, start } from "./support/shipped.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const isLeftOut = process.env["KAMI_TEST_NO_BINARY"] === "1";
/** All that a process of the binary's has: nothing of it is the user's. */
const EXECUTOR_VARIABLES = ["BUN_FEATURE_FLAG_NO_ORPHANS=1", "BUN_JSC_maxNumWasmFastMemories=4096"];

let temporary: TemporaryDirectory;
beforeAll(async () => {
  temporary = new TemporaryDirectory();
  if (isLeftOut) return;
  const build = Bun.spawn([process.execPath, "bin/build.ts", "here"], { cwd: ROOT, stdout: "ignore" });
  expect(await build.exited).toBe(0);
  // Beside nothing.
  mkdirSync(temporary.at("bin"));
  linkSync(join(ROOT, "dist/kami"), temporary.at("bin/kami"));
  copyGuests(temporary, ["echo", "spin", "connect"]);
}, 120_000);
afterAll(() => temporary[Symbol.dispose]());

/** An empty home, and nothing else in the environment, no PATH either. */
function place(directory: string): Place {
  const home = temporary.at(`home of ${directory}`);
  mkdirSync(home, { recursive: true });
  mkdirSync(temporary.at(directory), { recursive: true });
  return { command: [temporary.at("bin/kami")], directory: temporary.at(directory), environment: { HOME: home } };
}

describe.skipIf(isLeftOut)("the binary", () => {
  for (const directory of ["empty", "hostile"]) {
    test(`installs, calls, denies and stops, in a directory that is ${directory}`, async () => {
      if (directory === "hostile") fillHostile(temporary);
      const kami = place(directory);
      for (const guest of ["echo", "spin", "connect"]) {
        const installed = await start(kami, "install", temporary.at("packages", guest), "--grant", "none");
        expect([guest, installed.exitCode, installed.stderr]).toEqual([guest, 0, ""]);
      }
      expect(await start(kami, "exec", "echo", "--input", '{"a":1}')).toEqual({
        exitCode: 0,
        stdout: '{"a":1}\n',
        stderr: "",
      });
      expect((await start(kami, "exec", "spin", "--fuel", "1000000")).stderr).toContain("all 1000000 fuel is used up");

      await using served = await serve(kami);
      const { tools } = await served.client.listTools();
      expect(tools.map(({ name }) => name).toSorted()).toEqual(["connect", "echo", "spin"]);
      const spinning = ask(served, "spin");
      expect(await ask(served, "echo", { b: 2 })).toBe('{"b":2}');
      expect(await ask(served, "connect")).toContain("denied");
      expect(await spinning).toMatch(/fuel is used up|ran longer/);
      if (canSeeProcesses) {
        const environments = executorsOf(served.pid).map((pid) => environmentOf(pid).split("\0").filter(Boolean));
        expect(environments.map((each) => each.toSorted())).toEqual(environments.map(() => EXECUTOR_VARIABLES));
        expect(environments.length).toBeGreaterThan(0);
      }
      expect(readdirSync(temporary.path).filter((name) => name === "mark" || name === "stolen")).toEqual([]);
      if (directory === "empty") expect(readdirSync(kami.directory)).toEqual([]);
    }, 60_000);
  }

  test("goes on serving when it is replaced on the disk, and takes its processes with it when it is killed", async () => {
    const kami = place("replaced");
    const path = temporary.at("bin/replaced");
    linkSync(temporary.at("bin/kami"), path);
    const replaced: Place = { ...kami, command: [path] };
    await start(replaced, "install", temporary.at("packages/echo"));
    await start(replaced, "install", temporary.at("packages/spin"));
    await using served = await serve(replaced);
    rmSync(path);
    expect(await ask(served, "echo", { c: 3 })).toBe('{"c":3}');
    if (!canSeeProcesses) return;
    const executors = executorsOf(served.pid);
    expect(executors.length).toBeGreaterThan(0);
    process.kill(served.pid, "SIGKILL");
    while (executors.some(isAlive)) await Bun.sleep(5);
  }, 60_000);

  test("takes no role because of a word: its own processes have an environment that nobody else has", async () => {
    const kami = place("roles");
    for (const word of ["internal:compile-child.js", "internal:process-entry.js", "internal:entry.js"]) {
      const { exitCode, stderr } = await start(kami, word);
      expect([exitCode, stderr.split("\n")[0]]).toEqual([
        2,
        `error: Cannot run "kami ${word}": there is no such command`,
      ]);
    }
  });

  test("brings the starter tools, and leaves nothing of them in the directory for temporary files", async () => {
    const there = place("starter");
    const scratch = temporary.at("scratch");
    mkdirSync(scratch);
    const kami: Place = { ...there, environment: { ...there.environment, TMPDIR: scratch } };
    const wrong = await start(kami, "install", "starter/none");
    for (const name of readdirSync(join(ROOT, "fixtures/tools"))) expect(wrong.stderr).toContain(name);
    const installed = await start(kami, "install", "starter/hash-encode");
    expect([installed.exitCode, installed.stderr]).toEqual([0, ""]);
    expect(installed.stdout).toStartWith("Installed dev.kami.hash-encode ");
    expect(readdirSync(scratch)).toEqual([]);
    expect(readdirSync(temporary.at("bin"))).toEqual(["kami"]);
  }, 60_000);
});
