import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { verifyPackage, readPackage } from "../../lib/registry/package.ts";
import { Registry } from "../../lib/registry/registry.ts";
import { temporaryDirectory, writePackage } from "./support.ts";

const UUID = "01234567-89ab-4def-8123-456789abcdef";
const HOUR_MS = 60 * 60 * 1000;

/** Makes a directory with a file in it, last changed some time ago. */
function makeOld(path: string, ageMs: number): void {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "file"), "");
  const seconds = (Date.now() - ageMs) / 1000;
  utimesSync(path, seconds, seconds);
}

describe("the sweep after an install or an uninstall", () => {
  test("deletes what killed processes left, and nothing that it did not name", async () => {
    using directory = temporaryDirectory();
    const home = join(directory.path, "home");
    using registry = Registry.open(home);
    const source = await readPackage(writePackage(join(directory.path, "package")));
    const [tmp, tools] = [join(home, "tmp"), join(home, "tools")];
    const stale = `package-${UUID}`;
    const young = `package-${UUID.replace("0", "f")}`;
    const fill = (): void => {
      makeOld(join(tools, "0".repeat(64)), 0);
      makeOld(join(tools, "notes"), 10 * HOUR_MS);
      makeOld(join(tmp, stale), HOUR_MS + 1000);
      makeOld(join(tmp, young), HOUR_MS - 10_000);
      makeOld(join(tmp, `retired-${UUID}`), 0);
      makeOld(join(tmp, "somebody-else"), 10 * HOUR_MS);
    };
    fill();
    registry.install(source);
    expect(readdirSync(tmp).toSorted()).toEqual([young, "somebody-else"].toSorted());
    expect(readdirSync(tools).toSorted()).toEqual(["notes", source.packageDigest].toSorted());
    fill();
    registry.uninstall(source.manifest.tool.id);
    expect(readdirSync(tmp).toSorted()).toEqual([young, "somebody-else"].toSorted());
    expect(readdirSync(tools)).toEqual(["notes"]);
  });
});

describe("Registry.open() with another database", () => {
  test("keeps its packages beside it, so that neither registry sweeps the other's", async () => {
    using directory = temporaryDirectory();
    const home = join(directory.path, "home");
    using registry = Registry.open(home);
    using other = Registry.open(home, join(home, "other.db"));
    const source = await readPackage(writePackage(join(directory.path, "package")));
    const { tool } = registry.install(source);
    expect(other.list()).toEqual([]);
    const { tool: twin } = other.install(source);
    expect([registry.root, other.root]).toEqual([home, join(home, "other.db.d")]);
    expect(twin.componentPath).toBe(join(home, "other.db.d/tools", source.packageDigest, "tool.wasm"));
    other.uninstall(twin.id);
    expect(verifyPackage(tool)).toEqual(source.component);
    registry.install(source);
    other.install(source);
    registry.uninstall(tool.id);
    expect(verifyPackage(twin)).toEqual(source.component);
  });

  test("finds the packages of another home by its registry.db, through a link as well", async () => {
    using directory = temporaryDirectory();
    const [first, second] = [join(directory.path, "first"), join(directory.path, "second")];
    using registry = Registry.open(first);
    const { tool } = registry.install(await readPackage(writePackage(join(directory.path, "package"))));
    symlinkSync(join(first, "registry.db"), join(directory.path, "link.db"));
    for (const name of [join(first, "registry.db"), join(directory.path, "link.db")]) {
      using other = Registry.open(second, name);
      expect([other.home, other.root]).toEqual([second, first]);
      expect(other.list()).toEqual([tool]);
    }
    expect(existsSync(join(second, "registry.db"))).toBe(false);
  });
});
