import { describe, expect, test } from "bun:test";
import { dirname } from "node:path";
import { verifyPackage } from "../../lib/registry/package.ts";
import { Registry } from "../../lib/registry/registry.ts";
import { damageComponent, edit, idsOf, removePackage, replaceByLink, replaceFileByLink, setUp } from "./context.ts";
import { failureOf } from "./support.ts";

describe("Registry.list()", () => {
  test("lists by id, ascending, and filters by a part of id or name in any case", async () => {
    using context = setUp();
    const { registry } = context;
    expect(registry.list()).toEqual([]);
    for (const [id, name] of [
      ["org.b.two", "Alpha"],
      ["com.a.one", "beta"],
      ["org.a.one", "gamma"],
    ]) {
      registry.install(await context.make({ id: id ?? "", name: (name ?? "").toLowerCase() }));
    }
    expect(idsOf(registry.list())).toEqual(["com.a.one", "org.a.one", "org.b.two"]);
    expect(idsOf(registry.list("ORG."))).toEqual(["org.a.one", "org.b.two"]);
    expect(idsOf(registry.list("ET"))).toEqual(["com.a.one"]);
    expect(idsOf(registry.list("%"))).toEqual([]);
  });

  test("lists a tool whose files are gone as it is", async () => {
    using context = setUp();
    const { tool } = context.registry.install(await context.make());
    removePackage(dirname(tool.componentPath));
    expect(context.registry.list()).toEqual([tool]);
    expect((await failureOf(() => verifyPackage(tool))).code).toBe("PACKAGE_CHANGED");
  });

  const DAMAGE = [
    { why: "its manifest does not parse", sql: "UPDATE tools SET manifest = x'ff'" },
    {
      why: "its manifest asks for more than was installed",
      sql: "UPDATE tools SET manifest = CAST(manifest || '[security]\nmax_memory_mb = 65' AS BLOB)",
    },
    { why: "its component's digest was changed", sql: "UPDATE tools SET component_digest = printf('%064d', 1)" },
    { why: "its package's digest was changed", sql: "UPDATE tools SET package_digest = printf('%064d', 1)" },
    { why: "its id was changed", sql: "UPDATE tools SET id = 'dev.example.other'" },
  ];
  test.each(DAMAGE)("lists a tool as disabled and asking for nothing when $why", async ({ sql }) => {
    using context = setUp();
    const { home, registry } = context;
    const source = await context.make();
    const { tool } = registry.install(source);
    edit(home, sql);
    // A process that has the manifest in memory, and one that has not.
    using fresh = Registry.open(home);
    for (const [damaged, ...more] of [fresh.list(), sql.includes("manifest =") ? fresh.list() : registry.list()]) {
      const id = sql.includes("SET id") ? "dev.example.other" : tool.id;
      const message = `Cannot run "${id}": its installed files no longer match the digest recorded at install`;
      expect(more).toEqual([]);
      expect(damaged).toMatchObject({
        id,
        name: "echo",
        version: "1.0.0",
        description: message,
        enabled: false,
        manifest: {
          mcp: { arguments: [] },
          security: {
            netAllowList: [],
            fsAccess: "none",
            envAllowList: [],
            maxMemoryMb: 0,
            maxExecutionMs: 0,
            maxFuel: 0,
          },
        },
      });
      if (damaged === undefined) continue;
      expect(await failureOf(() => verifyPackage(damaged))).toEqual({ code: "PACKAGE_CHANGED", message });
      expect(await failureOf(() => fresh.setEnabled(id, true))).toEqual({ code: "PACKAGE_CHANGED", message });
    }
    fresh.uninstall(sql.includes("SET id") ? "dev.example.other" : tool.id);
    expect(registry.list()).toEqual([]);
  });

  test("parses a manifest once: other tools' changes do not make it parse again", async () => {
    using context = setUp();
    const { registry } = context;
    registry.install(await context.make());
    registry.install(await context.make({ id: "dev.example.other" }));
    const before = registry.list().map(({ manifest }) => manifest);
    registry.setEnabled("dev.example.other", false);
    registry.install(await context.make({ id: "dev.example.third" }));
    const [first, second] = registry.list();
    expect(first?.manifest).toBe(before[0]);
    expect(second?.manifest).toBe(before[1]);
  });

  test("reads again what another process has changed", async () => {
    using context = setUp();
    using other = Registry.open(context.home);
    expect(other.list()).toEqual([]);
    const { tool } = context.registry.install(await context.make());
    expect(other.list()).toEqual([tool]);
    context.registry.setEnabled(tool.id, false);
    expect(other.require(tool.id)).toEqual({ ...tool, enabled: false });
    context.registry.uninstall(tool.id);
    expect(other.find(tool.id)).toBeUndefined();
  });
});

describe("verifyPackage()", () => {
  test.each([damageComponent, removePackage, replaceByLink, replaceFileByLink])("refuses after %p", async (damage) => {
    using context = setUp();
    const { tool } = context.registry.install(await context.make());
    damage(dirname(tool.componentPath));
    expect((await failureOf(() => verifyPackage(tool))).code).toBe("PACKAGE_CHANGED");
  });
});
