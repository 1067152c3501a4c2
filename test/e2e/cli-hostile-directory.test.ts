/**
 * Whatever lies in the directory that `kami` is started in, none of it runs and none of it changes where `kami` keeps its state. Bun by
 * itself would run what a `bunfig.toml` preloads, follow a `tsconfig.json` to other modules, and read a `.env`.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { guestDirectory } from "../../fixtures/paths.ts";
import { TemporaryDirectory } from "../cli/support/directory.ts";
import { fillHostile } from "./support/hostile.ts";
import { type Ended, start as startShipped } from "./support/shipped.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SCRIPT = join(ROOT, "bin/kami.ts");
const ECHO = "dev.kami.fixture.echo";

interface Start {
  readonly how: string;
  /** What is executed, before the command's words. */
  readonly command: (temporary: TemporaryDirectory) => readonly [string, ...string[]];
}

const STARTS: readonly Start[] = [
  { how: "by its path", command: () => [SCRIPT] },
  {
    how: "by the link that a package manager makes",
    command: (temporary) => {
      symlinkSync(SCRIPT, temporary.at("kami"));
      return [temporary.at("kami")];
    },
  },
  { how: "by bun --cwd", command: () => ["bun", `--cwd=${ROOT}`, "bin/kami.ts"] },
];

function start(
  command: readonly [string, ...string[]],
  words: readonly string[],
  temporary: TemporaryDirectory,
): Promise<Ended> {
  const environment = { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, HOME: temporary.at("user") };
  return startShipped({ command, directory: temporary.at("hostile"), environment }, ...words);
}

describe("kami in a hostile directory", () => {
  test.each(STARTS)("started $how, obeys none of its files", async ({ command }) => {
    using temporary = new TemporaryDirectory();
    fillHostile(temporary);
    const kami = command(temporary);
    const installed = await start(kami, ["install", guestDirectory("echo")], temporary);
    expect([installed.exitCode, installed.stderr]).toEqual([0, ""]);
    expect(await start(kami, ["exec", ECHO, "--input", '{"a":1}'], temporary)).toEqual({
      exitCode: 0,
      stdout: '{"a":1}\n',
      stderr: "",
    });
    expect(existsSync(temporary.at("mark"))).toBe(false);
    expect(existsSync(temporary.at("stolen"))).toBe(false);
    expect(existsSync(temporary.at("user/.local/share/kami/registry.db"))).toBe(true);
  });

  test("does not take it for a home, whatever HOME says", async () => {
    using temporary = new TemporaryDirectory();
    fillHostile(temporary);
    for (const HOME of [".", "", "home"]) {
      const child = Bun.spawn([SCRIPT, "config", "--json"], {
        cwd: temporary.at("hostile"),
        env: { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, HOME },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "ignore",
      });
      const stdout = await new Response(child.stdout).text();
      expect([HOME, stdout.includes(temporary.path), stdout.includes('"value":"./')]).toEqual([HOME, false, false]);
      expect([HOME, await child.exited]).toEqual([HOME, HOME === "" ? 0 : 2]);
    }
  });

  test.each(["--no-env-file", "--config=/dev/null", "--tsconfig-override=/dev/null"])(
    "would be hurt without %s: the files work",
    async (left) => {
      using temporary = new TemporaryDirectory();
      fillHostile(temporary);
      const [, , , ...flags] = (await Bun.file(SCRIPT).text()).split("\n", 1)[0]?.split(" ") ?? [];
      expect(flags).toContain(left);
      const { stdout } = await start(
        ["bun", ...flags.filter((flag) => flag !== left), SCRIPT],
        ["config", "--json"],
        temporary,
      );
      expect(existsSync(temporary.at("mark")) || stdout.includes(temporary.at("stolen"))).toBe(true);
    },
  );
});
