import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { usageRecordPath } from "../../lib/policy/usage-record.ts";
import { NO_USAGE } from "../../lib/protocol/limits.ts";
import { verifyPackage } from "../../lib/registry/package.ts";
import { Registry } from "../../lib/registry/registry.ts";
import { damageComponent, damageManifest, edit, idsOf, removePackage, replaceByLink, setUp } from "./context.ts";
import { failureOf } from "./support.ts";

describe("Registry.install()", () => {
  test("puts the package in place, read-only and in a private home, and records it", async () => {
    using context = setUp();
    const { home, registry } = context;
    const source = await context.make({ wasm: "deep/tool.wasm" });
    const before = Date.now();
    const { tool, replaced } = registry.install(source);
    const directory = join(home, "tools", source.packageDigest);
    expect(replaced).toBeUndefined();
    expect(tool).toEqual({
      id: "dev.example.echo",
      name: "echo",
      version: "1.0.0",
      description: "Gives back what it gets",
      manifest: source.manifest,
      functions: [],
      packageDigest: source.packageDigest,
      componentDigest: source.componentDigest,
      componentPath: join(directory, "deep/tool.wasm"),
      componentBytes: source.component.length,
      enabled: true,
      asks: "missing",
      installedAt: tool.installedAt,
    });
    expect(tool.installedAt).toBeWithin(before, Date.now() + 1);
    expect(registry.list()).toEqual([tool]);
    expect(registry.find("dev.example.echo")).toEqual(tool);
    expect(new Uint8Array(readFileSync(join(directory, "tool.toml")))).toEqual(source.manifestBytes);
    expect(new Uint8Array(readFileSync(tool.componentPath))).toEqual(source.component);
    const modes = [home, directory, join(directory, "tool.toml"), tool.componentPath, join(home, "registry.db")].map(
      (path) => statSync(path).mode & 0o777,
    );
    expect(modes).toEqual([0o700, 0o700, 0o444, 0o444, 0o600]);
    expect(readdirSync(join(home, "tmp"))).toEqual([]);
    expect(verifyPackage(tool)).toEqual(source.component);
  });

  test("replaces another version, says which, keeps the user's switch, and deletes the old package", async () => {
    using context = setUp();
    const { home, registry } = context;
    const old = registry.install(await context.make({ version: "1.0.0", seed: "one" })).tool;
    registry.setEnabled(old.id, false);
    const next = await context.make({ version: "2.0.0-beta.1", seed: "two", name: "echo-two" });
    const { tool, replaced } = registry.install(next);
    expect(replaced).toBe("1.0.0");
    expect([tool.version, tool.name, tool.enabled]).toEqual(["2.0.0-beta.1", "echo-two", false]);
    expect(registry.list()).toEqual([tool]);
    expect(readdirSync(join(home, "tools"))).toEqual([next.packageDigest]);
    expect(await failureOf(() => verifyPackage(old))).toEqual({
      code: "PACKAGE_CHANGED",
      message: 'Cannot run "dev.example.echo": its installed files no longer match the digest recorded at install',
    });
  });

  test("installs the same package again without touching its files, and mends it when it is damaged", async () => {
    using context = setUp();
    const { registry } = context;
    const source = await context.make();
    const { tool } = registry.install(source);
    const { ino } = statSync(tool.componentPath);
    expect(registry.install(source).replaced).toBe("1.0.0");
    expect(statSync(tool.componentPath).ino).toBe(ino);
    for (const damage of [damageComponent, damageManifest, removePackage, replaceByLink]) {
      damage(dirname(tool.componentPath));
      registry.install(source);
      expect(verifyPackage(registry.require(tool.id))).toEqual(source.component);
      expect(new Uint8Array(readFileSync(join(dirname(tool.componentPath), "tool.toml")))).toEqual(
        source.manifestBytes,
      );
    }
    expect(readdirSync(join(context.home, "tmp"))).toEqual([]);
  });

  test("leaves nothing behind when the store cannot be written, and says so", async () => {
    using context = setUp();
    const { home, registry } = context;
    const source = await context.make();
    writeFileSync(join(home, "tools"), "in the way");
    expect(await failureOf(() => registry.install(source))).toEqual({
      code: "REGISTRY_UNWRITABLE",
      message: `Cannot write to the registry "${home}": the system says EEXIST`,
    });
    expect(registry.list()).toEqual([]);
    expect(readdirSync(join(home, "tmp"))).toEqual([]);
    rmSync(join(home, "tools"));
    registry.install(source);
    expect(idsOf(registry.list())).toEqual(["dev.example.echo"]);
  });

  test("gives a new tool no sandbox that an earlier one of that name left", async () => {
    using context = setUp();
    const { home, registry } = context;
    const sandbox = join(home, "sandboxes", "dev.example.echo");
    mkdirSync(sandbox, { recursive: true });
    writeFileSync(join(sandbox, "left"), "from a killed uninstall");
    registry.install(await context.make());
    expect(existsSync(sandbox)).toBe(false);
    mkdirSync(sandbox);
    registry.install(await context.make({ version: "2.0.0" }));
    expect(existsSync(sandbox)).toBe(true);
  });
});

describe("Registry.uninstall()", () => {
  test("removes the row, the package and the sandbox, and gives back what was there", async () => {
    using context = setUp();
    const { home, registry } = context;
    const { tool } = registry.install(await context.make());
    const { tool: other } = registry.install(await context.make({ id: "dev.example.other" }));
    mkdirSync(join(home, "sandboxes", tool.id), { recursive: true });
    writeFileSync(usageRecordPath(join(home, "sandboxes", tool.id)), "");
    mkdirSync(join(home, "sandboxes", other.id));
    expect(registry.uninstall(tool.id)).toEqual(tool);
    expect(registry.list()).toEqual([other]);
    expect(readdirSync(join(home, "tools"))).toEqual([other.packageDigest]);
    expect(readdirSync(join(home, "sandboxes"))).toEqual([other.id]);
    expect(readdirSync(join(home, "tmp"))).toEqual([]);
  });

  test("keeps a package that another row refers to, until the last one goes", async () => {
    using context = setUp();
    const { home, registry } = context;
    const { tool } = registry.install(await context.make());
    edit(
      home,
      "INSERT INTO tools SELECT 'dev.example.twin', name, version, package_digest, component_digest, component_bytes, enabled, installed_at, manifest, described, asks, readme_digest, file_digests FROM tools",
    );
    registry.uninstall(tool.id);
    expect(readdirSync(join(home, "tools"))).toEqual([tool.packageDigest]);
    registry.uninstall("dev.example.twin");
    expect(readdirSync(join(home, "tools"))).toEqual([]);
  });

  test("refuses an id that is not installed, and names the nearest", async () => {
    using context = setUp();
    context.registry.install(await context.make());
    for (const call of ["uninstall", "require"] as const) {
      const wrong = failureOf(() => context.registry[call]("dev.example.ecco"));
      expect(await wrong).toEqual({
        code: "TOOL_UNKNOWN",
        message: 'Cannot find the tool "dev.example.ecco": it is not installed',
      });
    }
    expect(() => context.registry.require("dev.example.ecco")).toThrow(
      expect.objectContaining({ hint: 'did you mean "dev.example.echo"?' }),
    );
  });
});

describe("Registry.setEnabled()", () => {
  test("switches a tool off and on, for good", async () => {
    using context = setUp();
    const { tool } = context.registry.install(await context.make());
    expect(context.registry.setEnabled(tool.id, false)).toEqual({ ...tool, enabled: false });
    using other = Registry.open(context.home);
    expect(other.require(tool.id).enabled).toBe(false);
    expect(other.setEnabled(tool.id, true)).toEqual(tool);
    expect(await failureOf(() => other.setEnabled("dev.example.nothing-like-it", true))).toEqual({
      code: "TOOL_UNKNOWN",
      message: 'Cannot find the tool "dev.example.nothing-like-it": it is not installed',
    });
  });
});

describe("Registry.revision()", () => {
  test("moves with every change of the tools, seen by every process, and with nothing else", async () => {
    using context = setUp();
    const { registry } = context;
    using other = Registry.open(context.home);
    const source = await context.make();
    const steps: readonly (readonly [moves: boolean, work: () => unknown])[] = [
      [true, () => registry.install(source)],
      [true, () => registry.install(source)],
      [
        false,
        () => registry.recordCall({ toolId: source.manifest.tool.id, startedAt: 1, outcome: "OK", usage: NO_USAGE }),
      ],
      [false, () => registry.calls()],
      [false, () => registry.list()],
      [true, () => registry.setEnabled(source.manifest.tool.id, false)],
      [false, () => registry.setEnabled(source.manifest.tool.id, false)],
      [true, () => registry.uninstall(source.manifest.tool.id)],
    ];
    const seen = new Set([registry.revision()]);
    for (const [moves, work] of steps) {
      work();
      expect(seen.has(registry.revision())).toBe(!moves);
      expect(other.revision()).toBe(registry.revision());
      seen.add(registry.revision());
    }
  });
});
