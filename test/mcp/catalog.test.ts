import { describe, expect, test } from "bun:test";
import { Catalog } from "../../lib/mcp/catalog.ts";
import { makeTool, TestHost } from "./support/host.ts";

const names = (catalog: Catalog): readonly string[] => catalog.enabled().map(({ name }) => name);

describe("Catalog", () => {
  test("sees an installation and a removal at the next question", () => {
    const host = new TestHost().install({ id: "dev.x.one" });
    const catalog = new Catalog(host.registry);
    expect(names(catalog)).toEqual(["one"]);
    host.install({ id: "dev.a.two" });
    expect(names(catalog)).toEqual(["two", "one"]);
    host.uninstall("dev.x.one");
    expect(names(catalog)).toEqual(["two"]);
    expect(catalog.find("one")).toBeUndefined();
  });

  test("reads the tools only when the revision has changed", () => {
    let [revision, reads] = [1, 0];
    const list = (): ReturnType<TestHost["registry"]["list"]> => {
      reads += 1;
      return [makeTool({ id: "dev.x.one" })];
    };
    const catalog = new Catalog({ list, revision: () => revision });
    catalog.enabled();
    catalog.find("one");
    expect(reads).toBe(1);
    revision = 2;
    catalog.find("one");
    expect(reads).toBe(2);
  });

  test("does not list a disabled tool, but finds it and keeps its name for it", () => {
    const host = new TestHost()
      .install({ id: "dev.a.echo", installedAt: 1, enabled: false })
      .install({ id: "dev.b.echo", installedAt: 2 });
    const catalog = new Catalog(host.registry);
    expect(catalog.enabled().map(({ tool }) => tool.id)).toEqual(["dev.b.echo"]);
    expect(catalog.find("echo")?.tool.id).toBe("dev.a.echo");
  });

  test("never gives a removed tool's name to another in the same connection", () => {
    const host = new TestHost().install({ id: "dev.a.echo" });
    const catalog = new Catalog(host.registry);
    catalog.enabled();
    host.uninstall("dev.a.echo");
    host.install({ id: "dev.b.echo" });
    expect(catalog.find("echo")).toBeUndefined();
    expect(names(catalog)).toEqual([expect.stringMatching(/^echo-[0-9a-f]{6}$/)]);
  });

  test.each(["__proto__", "constructor", "toString", ""])("has no tool called %p", (name) => {
    expect(new Catalog(new TestHost().install({ id: "dev.x.one" }).registry).find(name)).toBeUndefined();
  });
});
