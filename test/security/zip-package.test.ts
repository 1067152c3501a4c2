/**
 * A package that is one file, from a hostile author: what is installed is what a strict reader finds in it, or nothing.
 */
import { describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { guestDirectory, guestPath } from "../../fixtures/paths.ts";
import { Failure } from "../../lib/errors.ts";
import { readPackage } from "../../lib/registry/package.ts";
import { writeZip } from "../../lib/zip/write.ts";
import { TestRuntime } from "../support/runtime.ts";
import { TemporaryDirectory } from "../support/temporary.ts";

const manifest = new Uint8Array(await readFile(`${guestDirectory("echo")}/tool.toml`));
const wasm = new Uint8Array(await readFile(guestPath("echo")));

async function codeOf(files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>): Promise<string> {
  using directory = new TemporaryDirectory();
  const path = directory.join("package.zip");
  await Bun.write(path, writeZip(Object.entries(files).map(([name, bytes]) => ({ name, bytes }))));
  return readPackage(path).then(
    ({ manifest: { tool } }) => tool.id,
    (error: unknown) => (error instanceof Failure ? error.code : String(error)),
  );
}

describe("a package in a ZIP archive", () => {
  test("is installed and called like its directory, and has the same digest", async () => {
    using directory = new TemporaryDirectory();
    await using home = new TestRuntime();
    const path = directory.join("echo.zip");
    await Bun.write(
      path,
      writeZip([
        { name: "tool.toml", bytes: manifest },
        { name: "echo.wasm", bytes: wasm },
        { name: "notes.txt", bytes: manifest },
      ]),
    );
    const { tool } = await home.runtime.install(path);
    expect(tool.packageDigest).toBe((await readPackage(guestDirectory("echo"))).packageDigest);
    expect(await home.runtime.call(tool.id, '{"a":1}')).toMatchObject({ ok: true, output: '{"a":1}' });
  });

  const text = (from: string, to: string): Uint8Array<ArrayBuffer> =>
    new TextEncoder().encode(new TextDecoder().decode(manifest).replace(from, to));
  test.each([
    ["a manifest alone", { "tool.toml": manifest }, "PACKAGE_PATH"],
    ["no manifest", { "echo.wasm": wasm }, "MANIFEST_MISSING"],
    ["a manifest that is not at the top", { "echo/tool.toml": manifest, "echo/echo.wasm": wasm }, "MANIFEST_MISSING"],
    [
      "a component outside",
      { "tool.toml": text('"echo.wasm"', '"../echo.wasm"'), "echo.wasm": wasm },
      "MANIFEST_INVALID",
    ],
    ["a manifest in two cases", { "tool.toml": manifest, "Tool.toml": manifest, "echo.wasm": wasm }, "ZIP_REFUSED"],
    ["a name that leads out", { "tool.toml": manifest, "echo.wasm": wasm, "../../.bashrc": wasm }, "ZIP_REFUSED"],
    [
      "a manifest that is too large",
      { "tool.toml": new Uint8Array(2_000_000).fill(32), "echo.wasm": wasm },
      "MANIFEST_TOO_LARGE",
    ],
    ["a bomb", { "tool.toml": manifest, "echo.wasm": new Uint8Array(80_000_000) }, "ZIP_REFUSED"],
    ["no component", { "tool.toml": manifest, "echo.wasm": manifest }, "COMPONENT_NOT_WASM"],
    ["all that it needs", { "tool.toml": manifest, "echo.wasm": wasm }, "dev.kami.fixture.echo"],
  ])("with %s", async (_what, files, outcome) => {
    expect(await codeOf(files)).toBe(outcome);
  });

  test("leaves nothing beside the archive: it is read in memory", async () => {
    using directory = new TemporaryDirectory();
    await using home = new TestRuntime();
    await Bun.write(
      directory.join("in/echo.zip"),
      writeZip([
        { name: "tool.toml", bytes: manifest },
        { name: "x/y", bytes: wasm },
      ]),
    );
    await expect(home.runtime.install(directory.join("in/echo.zip"))).rejects.toThrow("the archive has no such file");
    expect([...new Bun.Glob("**/*").scanSync(directory.path)]).toEqual(["in/echo.zip"]);
  });
});
