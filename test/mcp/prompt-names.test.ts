import { describe, expect, test } from "bun:test";
import { Catalog } from "../../lib/mcp/catalog.ts";
import { TestHost } from "./support/host.ts";

function prompts(...names: readonly string[]) {
  return names.map((name) => ({
    name,
    description: "d",
    messages: [{ role: "user" as const, text: "t" }],
    arguments: [],
  }));
}

/** The listed names, and whose each is. */
function listed(catalog: Catalog): readonly string[] {
  return catalog.prompts().map(({ name, tool }) => `${name} of ${tool.id}`);
}

describe("the names of prompts", () => {
  test("are their own, and with the tool's always", () => {
    const catalog = new Catalog(new TestHost().install({ id: "dev.x.echo", prompts: prompts("sum_up", "b") }).registry);
    expect(listed(catalog)).toEqual(["sum_up of dev.x.echo", "b of dev.x.echo"]);
    const names = ["sum_up", "echo__sum_up", "sum-up", "echo__none", "__proto__"];
    expect(names.map((name) => catalog.findPrompt(name)?.prompt.name)).toEqual([
      "sum_up",
      "sum_up",
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("are nobody's when two packages have one, in whatever spelling, installed or disabled", () => {
    const host = new TestHost()
      .install({ id: "dev.a.first", prompts: prompts("sum_up"), installedAt: 1 })
      .install({ id: "dev.b.second", prompts: prompts("sum-up", "own"), installedAt: 2 })
      .install({ id: "dev.c.third", prompts: prompts("own"), enabled: false });
    const catalog = new Catalog(host.registry);
    expect(listed(catalog)).toEqual([
      "first__sum_up of dev.a.first",
      "second__sum-up of dev.b.second",
      "second__own of dev.b.second",
    ]);
    expect(["sum_up", "sum-up", "own", "third__own"].map((name) => catalog.findPrompt(name))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("mean the same package's prompt while a connection lasts, whatever is installed, updated or removed", () => {
    const host = new TestHost().install({ id: "dev.a.first", prompts: prompts("sum-up") });
    const catalog = new Catalog(host.registry);
    expect(listed(catalog)).toEqual(["sum-up of dev.a.first"]);
    host.install({ id: "dev.b.second", prompts: prompts("sum_up") });
    expect(listed(catalog)).toEqual(["sum-up of dev.a.first", "second__sum_up of dev.b.second"]);
    expect(listed(new Catalog(host.registry))).toEqual([
      "first__sum-up of dev.a.first",
      "second__sum_up of dev.b.second",
    ]);
    host.uninstall("dev.a.first");
    expect([listed(catalog), catalog.findPrompt("sum-up"), catalog.findPrompt("sum_up")]).toEqual([
      ["second__sum_up of dev.b.second"],
      undefined,
      undefined,
    ]);
    expect(listed(new Catalog(host.registry))).toEqual(["sum_up of dev.b.second"]);
  });
});
