/**
 * The binary, alone: without `node_modules`, in an empty directory with an empty home, and in a directory whose files want to be obeyed. Set
 * KAMI_TEST_NO_BINARY=1 to leave it out: building it takes seconds and 130 MB.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
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
/** What the build said. */
let leftOut = "";
beforeAll(async () => {
  temporary = new TemporaryDirectory();
  if (isLeftOut) return;
  // Without a network: Bun's runtimes for the other platforms cannot be had.
  const nowhere = "http://127.0.0.1:1";
  const build = Bun.spawn([process.execPath, "bin/build.ts"], {
    cwd: ROOT,
    env: { HOME: temporary.path, BUN_CONFIG_REGISTRY: nowhere, HTTPS_PROXY: nowhere, HTTP_PROXY: nowhere },
    stdout: "ignore",
    stderr: "pipe",
  });
  leftOut = await new Response(build.stderr).text();
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

  test("is built where no other can be: what is missing is named", () => {
    const lines = leftOut.split("\n").filter((line) => line.startsWith("left out: "));
    expect(lines.length).toBe(4);
    for (const line of lines)
      expect(line).toMatch(
        /^left out: \S+ cannot be built: Bun \S+ runtime for \S+ is needed, and could not be downloaded: /,
      );
  });

  test("says what it is, and how an agent starts it", async () => {
    const kami = place("words");
    const { stdout } = await start(kami, "--version", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ shipment: "binary", bun: Bun.version });
    expect((await start(kami, "serve", "--help")).stdout).toContain(
      `claude mcp add --scope user kami -- ${temporary.at("bin/kami")} serve`,
    );
  });

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

  test("builds and tests a tool, with the compiler of the tool's project", async () => {
    const kami = place("author");
    expect((await start(kami, "init", "hello", "--lang", "ts", "--name", "hello")).exitCode).toBe(0);
    const project: Place = { ...kami, directory: join(kami.directory, "hello") };
    symlinkSync(join(ROOT, "node_modules"), join(project.directory, "node_modules"));
    const built = await start(project, "build");
    expect([built.exitCode, built.stdout.split(" in ")[0]]).toEqual([0, "Built hello.wasm from TypeScript"]);
    expect((await start(project, "test")).stdout).toContain("2 passed, 0 failed");
  }, 60_000);

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
