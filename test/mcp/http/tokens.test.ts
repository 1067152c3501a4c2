import { describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { coversTool, isToolPattern } from "../../../lib/mcp/http/principal.ts";
import { openOwnToken, ownTokenPath, readTokenFile, TokenCheck, TokenStore } from "../../../lib/mcp/http/tokens.ts";

class Home implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "kami-tokens-"));
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

describe("openOwnToken()", () => {
  test("makes one that its owner alone can read, and keeps it", () => {
    using home = new Home();
    const { token, isNew } = openOwnToken(home.path);
    expect([isNew, token]).toEqual([true, expect.stringMatching(/^kami_[\w-]{43}$/)]);
    expect(statSync(ownTokenPath(home.path)).mode & 0o777).toBe(0o600);
    expect(openOwnToken(home.path)).toEqual({ token, isNew: false });
  });

  test.each([0o640, 0o604, 0o660])("refuses one with the permissions %o", (mode) => {
    using home = new Home();
    openOwnToken(home.path);
    chmodSync(ownTokenPath(home.path), mode);
    expect(() => openOwnToken(home.path)).toThrow(
      expect.objectContaining({ code: "TOKENS_UNUSABLE", message: expect.stringContaining("other users") }),
    );
  });

  test.each(["", "short", "x".repeat(21), `two words ${"x".repeat(30)}`, "\u0000".repeat(40), `"${"x".repeat(30)}"`])(
    "refuses %p",
    (text) => {
      using home = new Home();
      writeFileSync(ownTokenPath(home.path), text, { mode: 0o600 });
      expect(() => openOwnToken(home.path)).toThrow(expect.objectContaining({ code: "TOKENS_UNUSABLE" }));
    },
  );
});

describe("several processes at once", () => {
  test("agree on the own token", async () => {
    using home = new Home();
    const body = "process.stdout.write(openOwnToken(home).token)";
    const children = Array.from({ length: 6 }, () => Bun.spawn(script(home.path, body), { stdout: "pipe" }));
    const tokens = await Promise.all(children.map((child) => new Response(child.stdout).text()));
    expect(new Set(tokens)).toEqual(new Set([openOwnToken(home.path).token]));
  });

  test("lose no change: what one revokes does not come back", async () => {
    using home = new Home();
    new TokenStore(home.path).create({ name: "bad", tools: ["*"] });
    const bodies = [
      'new TokenStore(home).revoke("bad")',
      ...["a", "b", "c", "d"].map((name) => `new TokenStore(home).create({ name: "${name}", tools: ["*"] })`),
    ];
    const children = bodies.map((body) => Bun.spawn(script(home.path, body), { stderr: "inherit" }));
    expect(await Promise.all(children.map((child) => child.exited))).toEqual([0, 0, 0, 0, 0]);
    expect(new TokenStore(home.path).list().map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
  });

  test("a lock that a killed one left is taken over", () => {
    using home = new Home();
    const store = new TokenStore(home.path);
    writeFileSync(`${store.path}.lock`, "");
    expect(() => store.create({ name: "a", tools: ["*"] })).toThrow("another process is changing them");
    utimesSync(`${store.path}.lock`, 1, 1);
    store.create({ name: "a", tools: ["*"] });
    expect(store.list()).toHaveLength(1);
  });
});

describe("readTokenFile()", () => {
  test("takes one that others can read, as mounted secrets are, and 22 characters", () => {
    using home = new Home();
    const path = join(home.path, "secret");
    writeFileSync(path, `${"x".repeat(22)}\n`, { mode: 0o644 });
    expect(readTokenFile(path)).toBe("x".repeat(22));
    expect(() => readTokenFile(join(home.path, "none"))).toThrow("there is no such file");
  });
});

describe("TokenStore", () => {
  test("keeps a digest, never the token", () => {
    using home = new Home();
    const store = new TokenStore(home.path);
    const token = store.create({ name: "ci", tools: ["dev.a.*"], callsPerMinute: 5 });
    expect(readFileSync(store.path, "utf8")).not.toContain(token.slice(5));
    expect(statSync(store.path).mode & 0o777).toBe(0o600);
    expect(new TokenCheck(undefined, store).find(token)).toEqual({
      id: "token:ci",
      tools: ["dev.a.*"],
      callsPerMinute: 5,
    });
  });

  test("has each name once, and says which one was meant", () => {
    using home = new Home();
    const store = new TokenStore(home.path);
    store.create({ name: "ci", tools: ["*"] });
    expect(() => store.create({ name: "ci", tools: ["*"] })).toThrow(expect.objectContaining({ code: "TOKEN_EXISTS" }));
    expect(() => store.revoke("c1")).toThrow(
      expect.objectContaining({ code: "TOKEN_UNKNOWN", hint: 'did you mean "ci"?' }),
    );
    store.revoke("ci");
    expect(store.list()).toEqual([]);
  });

  test.each(["", "{}", "[]", '{"version":2,"tokens":[]}', '{"version":1,"tokens":[{"name":"x"}]}'])(
    "refuses a file of %p",
    (text) => {
      using home = new Home();
      const store = new TokenStore(home.path);
      writeFileSync(store.path, text, { mode: 0o600 });
      expect(() => store.list()).toThrow(expect.objectContaining({ code: "TOKENS_UNUSABLE" }));
      expect(() => new TokenCheck("x".repeat(30), store).find("x")).toThrow(
        expect.objectContaining({ code: "TOKENS_UNUSABLE" }),
      );
    },
  );
});

describe("TokenCheck.find()", () => {
  test("knows the owner's, tells one that has ended, and nobody else's", () => {
    using home = new Home();
    const store = new TokenStore(home.path);
    const ended = store.create({ name: "old", tools: ["*"], expiresAt: Date.now() - 1 });
    const check = new TokenCheck("x".repeat(30), store);
    expect(check.find("x".repeat(30))).toMatchObject({ id: "owner", tools: ["*"] });
    expect(check.find(ended)).toBe("expired");
    for (const token of ["", "x", "x".repeat(29), "x".repeat(31), `${ended}x`, store.list()[0]?.digest ?? ""]) {
      expect(check.find(token)).toBeUndefined();
    }
  });
});

describe("coversTool()", () => {
  test.each([
    { patterns: ["*"], id: "dev.a.b", covers: true },
    { patterns: ["dev.a.b"], id: "dev.a.b", covers: true },
    { patterns: ["dev.a.*"], id: "dev.a.b", covers: true },
    { patterns: ["dev.a.*"], id: "dev.a", covers: false },
    { patterns: ["dev.a.*"], id: "dev.ab.c", covers: false },
    { patterns: ["dev.a.b"], id: "dev.a.bc", covers: false },
    { patterns: [], id: "dev.a.b", covers: false },
  ])("$patterns and $id: $covers", ({ patterns, id, covers }) => {
    expect(coversTool(patterns, id)).toBe(covers);
  });

  test("takes no pattern of another form", () => {
    const odd = ["", "**", "*.a", "dev.*.x", "dev.a*", "dev..a", "Dev.a", "dev.a.", ".*", "a".repeat(131)];
    expect(odd.filter(isToolPattern)).toEqual([]);
  });
});

/** The command of a process that does something with a home's tokens. */
function script(home: string, body: string): string[] {
  const path = JSON.stringify(join(import.meta.dir, "../../../lib/mcp/http/tokens.ts"));
  const head = `import { openOwnToken, TokenStore } from ${path}; const home = ${JSON.stringify(home)};`;
  return [process.execPath, "-e", `${head} ${body}`];
}
