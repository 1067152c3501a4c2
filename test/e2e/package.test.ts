/**
 * The npm package, from its tarball: on a machine with Bun and an empty home, by `bunx` and installed, in a directory that is empty and in one whose
 * files want to be obeyed.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TemporaryDirectory } from "../cli/support/directory.ts";
import { fillHostile } from "./support/hostile.ts";
import { ask, copyGuests, type Place, serve, start } from "./support/shipped.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LIMIT_BYTES = { packed: 20_000_000, unpacked: 25_000_000 };

let temporary: TemporaryDirectory;
let tarball: string;
beforeAll(async () => {
  temporary = new TemporaryDirectory();
  const pack = Bun.spawn([process.execPath, "bin/pack.ts"], { cwd: ROOT, stdout: "pipe" });
  const [path] = await Promise.all([new Response(pack.stdout).text(), pack.exited]);
  tarball = temporary.at("kami.tgz");
  await copyFile(path.trim(), tarball);
  mkdirSync(temporary.at("bin"));
  for (const bun of ["bun", "bunx"]) symlinkSync(process.execPath, temporary.at("bin", bun));
  copyGuests(temporary, ["echo", "spin", "connect"]);
}, 60_000);
afterAll(() => temporary[Symbol.dispose]());

/** A machine that has Bun, and a home where nothing is. */
function machine(name: string): Pick<Place, "directory" | "environment"> {
  const home = temporary.at(`home of ${name}`);
  for (const each of [home, temporary.at(name)]) mkdirSync(each, { recursive: true });
  const path = `${temporary.at("bin")}:/usr/bin:/bin`;
  return { directory: temporary.at(name), environment: { HOME: home, TMPDIR: home, PATH: path } };
}

describe("the npm package", () => {
  test("weighs less than 20 MB, and needs no other", async () => {
    const archive = new Bun.Archive(await Bun.file(tarball).bytes());
    const files = await archive.files();
    const bytes = [...files.values()].reduce((sum, { size }) => sum + size, 0);
    expect([Bun.file(tarball).size < LIMIT_BYTES.packed, bytes < LIMIT_BYTES.unpacked]).toEqual([true, true]);
    const manifest: unknown = JSON.parse((await files.get("package/package.json")?.text()) ?? "");
    expect(manifest).toMatchObject({ name: "kami", bin: { kami: "kami.js" }, engines: { bun: ">=1.4.5" } });
    expect(manifest).not.toHaveProperty("dependencies");
    for (const [name, file] of files)
      if (name.endsWith(".js")) expect([name, (await file.text()).includes(ROOT)]).toEqual([name, false]);
  });

  test("serves at once by bunx", async () => {
    const bunx: Place = { ...machine("bunx"), command: [temporary.at("bin/bunx"), "--package", tarball, "kami"] };
    expect((await start(bunx, "install", temporary.at("packages/echo"))).exitCode).toBe(0);
    await using served = await serve(bunx);
    expect(await ask(served, "echo", { a: 1 })).toBe('{"a":1}');
    expect(readdirSync(bunx.directory)).toEqual([]);
  }, 60_000);

  test("installed, obeys no file of the directory that it is started in", async () => {
    const project = machine("project");
    const added = await start({ ...project, command: [temporary.at("bin/bun")] }, "add", tarball);
    expect(added.exitCode).toBe(0);
    expect(readdirSync(join(project.directory, "node_modules")).filter((name) => !name.startsWith("."))).toEqual([
      "kami",
    ]);
    fillHostile(temporary);
    const kami: Place = { ...machine("hostile"), command: [join(project.directory, "node_modules/.bin/kami")] };
    for (const guest of ["echo", "spin", "connect"])
      expect((await start(kami, "install", temporary.at("packages", guest), "--grant", "none")).stderr).toBe("");
    expect(await start(kami, "exec", "echo", "--input", '{"a":1}')).toEqual({
      exitCode: 0,
      stdout: '{"a":1}\n',
      stderr: "",
    });
    await using served = await serve(kami);
    expect(await ask(served, "connect")).toContain("denied");
    expect(await ask(served, "spin")).toMatch(/fuel is used up|ran longer/);
    expect([existsSync(temporary.at("mark")), existsSync(temporary.at("stolen"))]).toEqual([false, false]);
  }, 60_000);
});
