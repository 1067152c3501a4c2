import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { Aliases, ALIAS_LIMIT } from "../../lib/mcp/alias.ts";

const sha = (id: string): string => createHash("sha256").update(id).digest("hex");

function aliasOf(id: string): string | undefined {
  const aliases = new Aliases();
  aliases.admit([{ id, installedAt: 1 }]);
  return aliases.nameOf(id);
}

describe("Aliases", () => {
  test.each([
    { id: "dev.example.fetch-url", alias: "fetch-url", why: "the last label" },
    { id: "dev.example.a_b.c", alias: "c", why: "only the last" },
    { id: `a.${"x".repeat(47)}`, alias: "x".repeat(47), why: "one below the limit" },
    { id: `a.${"x".repeat(48)}`, alias: "x".repeat(48), why: "at the limit" },
    { id: `a.${"x".repeat(49)}`, alias: "x".repeat(48), why: "one above is cut" },
    { id: "a.sp ace/slash", alias: "sp-ace-slash", why: "what clients refuse is replaced" },
    { id: "a.", alias: "tool", why: "an empty label still has a name" },
  ])("names $id $alias: $why", ({ id, alias }) => {
    expect(aliasOf(id)).toBe(alias);
  });

  test("the tool installed first keeps the bare name, whatever the order of ids", () => {
    const aliases = new Aliases();
    aliases.admit([
      { id: "a.evil.echo", installedAt: 2 },
      { id: "z.good.echo", installedAt: 1 },
    ]);
    expect(aliases.nameOf("z.good.echo")).toBe("echo");
    expect(aliases.nameOf("a.evil.echo")).toBe(`echo-${sha("a.evil.echo").slice(0, 6)}`);
  });

  test.each([
    { name: "fetch_url", alias: "fetch_url", why: "as its author spells it" },
    { name: "Fetch-URL", alias: "Fetch-URL", why: "with capitals" },
    { name: "fetch url", alias: "fetch-url", why: "not with what clients refuse" },
    { name: "read_mail", alias: "fetch-url", why: "not by another name" },
    { name: "", alias: "fetch-url", why: "not by none" },
  ])("spells the label $why", ({ name, alias }) => {
    const aliases = new Aliases();
    aliases.admit([{ id: "dev.example.fetch-url", name, installedAt: 1 }]);
    expect(aliases.nameOf("dev.example.fetch-url")).toBe(alias);
  });

  test("a label that is taken is taken in every spelling", () => {
    const aliases = new Aliases();
    aliases.admit([
      { id: "a.good.fetch-url", name: "fetch-url", installedAt: 1 },
      { id: "b.evil.fetch-url", name: "fetch_url", installedAt: 2 },
      { id: "c.evil.fetch-url", name: "Fetch-URL", installedAt: 3 },
    ]);
    expect(aliases.nameOf("b.evil.fetch-url")).toBe(`fetch-url-${sha("b.evil.fetch-url").slice(0, 6)}`);
    expect(aliases.nameOf("c.evil.fetch-url")).toBe(`fetch-url-${sha("c.evil.fetch-url").slice(0, 6)}`);
  });

  test("tools of the same instant are told apart by id, so that every process agrees", () => {
    const tools = ["b.x.echo", "a.x.echo"].map((id) => ({ id, installedAt: 5 }));
    const [forward, backward] = [new Aliases(), new Aliases()];
    forward.admit(tools);
    backward.admit(tools.toReversed());
    expect(forward.nameOf("a.x.echo")).toBe("echo");
    expect(backward.nameOf("a.x.echo")).toBe("echo");
    expect(backward.nameOf("b.x.echo")).toBe(forward.nameOf("b.x.echo"));
  });

  test("an alias does not change when another tool is installed, reinstalled or removed", () => {
    const aliases = new Aliases();
    aliases.admit([{ id: "a.x.echo", installedAt: 1 }]);
    aliases.admit([
      { id: "a.x.echo", installedAt: 9 },
      { id: "b.x.echo", installedAt: 2 },
    ]);
    aliases.admit([{ id: "c.x.echo", installedAt: 3 }]);
    expect(aliases.nameOf("a.x.echo")).toBe("echo");
    expect(aliases.idOf("echo")).toBe("a.x.echo");
    expect(aliases.idOf(`echo-${sha("c.x.echo").slice(0, 6)}`)).toBe("c.x.echo");
  });

  test("a suffix that another tool's own label already is gets longer", () => {
    const taken = `echo-${sha("b.x.echo").slice(0, 6)}`;
    const aliases = new Aliases();
    aliases.admit([
      { id: "a.x.echo", installedAt: 1 },
      { id: `a.x.${taken}`, installedAt: 2 },
      { id: "b.x.echo", installedAt: 3 },
    ]);
    expect(aliases.nameOf(`a.x.${taken}`)).toBe(taken);
    expect(aliases.nameOf("b.x.echo")).toBe(`echo-${sha("b.x.echo").slice(0, 7)}`);
  });

  test("a suffixed alias stays within the limit", () => {
    const aliases = new Aliases();
    const label = "y".repeat(60);
    aliases.admit(["a", "b"].map((first, index) => ({ id: `${first}.${label}`, installedAt: index })));
    expect(aliases.nameOf(`b.${label}`)).toBe(`${"y".repeat(41)}-${sha(`b.${label}`).slice(0, 6)}`);
    expect(aliases.nameOf(`b.${label}`)).toHaveLength(ALIAS_LIMIT);
  });
});
