/**
 * The starter tools that need a grant, with one: installed, granted and called as a user types it.
 */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { toolDirectory } from "../../fixtures/paths.ts";
import { TemporaryDirectory } from "../cli/support/directory.ts";
import { type Finished, kami } from "../cli/support/kami.ts";

const temporary = new TemporaryDirectory();
const at = { home: temporary.at("home"), directory: temporary.path };
const PAGE = `<!doctype html><html><head><title>A &amp; B</title><script>evil()</script></head>
<body><nav>menu</nav><main><h1>Hi</h1><p>Some <b>bold</b> <a href="/x">link</a></p></main><footer>foot</footer></body></html>`;

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/") return new Response(PAGE, { headers: { "content-type": "text/html; charset=utf-8" } });
    if (pathname === "/moved") return new Response(undefined, { status: 302, headers: { location: "/" } });
    if (pathname === "/out")
      return new Response(undefined, { status: 302, headers: { location: "http://127.0.0.1:9/" } });
    if (pathname === "/image") return new Response(new Uint8Array(9), { headers: { "content-type": "image/png" } });
    return new Response("no", { status: 404 });
  },
});

beforeAll(async () => {
  temporary.write("data/a.txt", "one\ntwo TODO x\r\nthree\n");
  temporary.write("data/sub/b.md", "# t\nnothing\nTODO: y");
  temporary.write("data/binary", "TODO\0x");
  temporary.write("secret/c.txt", "TODO: secret");
  symlinkSync(temporary.at("secret"), temporary.at("data/way-out"));
  using database = new Database(temporary.at("data/shop.db"));
  database.run("CREATE TABLE item (name TEXT, price REAL)");
  database.run("INSERT INTO item VALUES ('pen', 2.5), ('lamp', 30)");
  for (const name of ["text-search", "sqlite-query"]) {
    expect((await kami(["install", `starter/${name}`, "--grant", "none"], at)).exitCode).toBe(0);
    expect((await kami(["grant", name, "--mount", "data:/data:ro"], at)).exitCode).toBe(0);
  }
  // It asks for any public host, and this machine is none: a copy asks for this server.
  cpSync(toolDirectory("fetch-markdown"), temporary.at("fetch"), { recursive: true });
  const manifest = temporary.at("fetch/tool.toml");
  writeFileSync(manifest, readFileSync(manifest, "utf8").replace('["*"]', `["http://127.0.0.1:${server.port}"]`));
  expect((await kami(["install", "fetch", "--grant", "all"], at)).exitCode).toBe(0);
}, 120_000);

afterAll(() => {
  temporary[Symbol.dispose]();
  void server.stop(true);
});

function exec(tool: string, input: unknown): Promise<Finished> {
  return kami(["exec", tool, "--input", JSON.stringify(input)], at);
}

async function outputOf(tool: string, input: unknown): Promise<unknown> {
  const { stdout, stderr } = await exec(tool, input);
  return stdout === "" ? stderr : JSON.parse(stdout);
}

/** The input for a page of the server. */
function url(path: string): { readonly url: string } {
  return { url: `http://127.0.0.1:${server.port}${path}` };
}

describe("text-search", () => {
  test("finds lines in what is granted, with context, and follows no link out", async () => {
    expect(await outputOf("text-search", { pattern: "todo", ignore_case: true, context: 1 })).toEqual({
      matches: [
        { file: "/data/a.txt", line: 2, text: "two TODO x", context: ["one", "two TODO x", "three"] },
        { file: "/data/sub/b.md", line: 3, text: "TODO: y", context: ["nothing", "TODO: y"] },
      ],
      count: 2,
      files: 2,
      skipped: 2,
    });
    expect(await outputOf("text-search", { pattern: "^t\\w+$", path: "/data/a.txt", include: "*.txt" })).toMatchObject({
      matches: [{ line: 3, text: "three" }],
    });
    expect(await outputOf("text-search", { pattern: "TODO", max_matches: 1 })).toMatchObject({ count: 1, isCut: true });
    expect(await outputOf("text-search", { pattern: "TODO", path: "/data/../secret" })).toContain(
      "not granted, or not to be read",
    );
  });
});

describe("sqlite-query", () => {
  test("reads a database, and writes none", async () => {
    expect(await outputOf("sqlite-query", { path: "/data/shop.db" })).toMatchObject({
      count: 1,
      rows: [["table", "item", "item", expect.any(String)]],
    });
    const sql = "SELECT name, price FROM item WHERE price > ? ORDER BY price";
    expect(await outputOf("sqlite-query", { path: "/data/shop.db", sql, parameters: [2] })).toEqual({
      columns: ["name", "price"],
      rows: [
        ["pen", 2.5],
        ["lamp", 30],
      ],
      count: 2,
    });
    const before = readFileSync(temporary.at("data/shop.db"));
    expect(await outputOf("sqlite-query", { path: "/data/shop.db", sql: "DELETE FROM item" })).toContain("only SELECT");
    expect(await outputOf("sqlite-query", { path: "/data/a.txt" })).toContain("it is not a SQLite database");
    expect(readFileSync(temporary.at("data/shop.db")).equals(before)).toBe(true);
  });
});

describe("fetch-markdown", () => {
  test("gives a page's text as Markdown, after a redirect, in parts", async () => {
    const markdown = "# Hi\n\nSome **bold** [link](/x)";
    expect(await outputOf("fetch-markdown", url("/moved"))).toEqual({
      ...url("/"),
      status: 200,
      type: "text/html",
      title: "A & B",
      markdown,
      length: markdown.length,
    });
    expect(await outputOf("fetch-markdown", { ...url("/"), start: 2, max_length: 2 })).toMatchObject({
      markdown: "Hi",
      next: 4,
    });
  });

  test("says what went wrong, and reaches nothing beside what was granted", async () => {
    expect(await outputOf("fetch-markdown", url("/none"))).toContain("the server answers with status 404");
    expect(await outputOf("fetch-markdown", url("/image"))).toContain("the answer is image/png, which is no text");
    expect(await outputOf("fetch-markdown", url("/out"))).toContain(
      "127.0.0.1:9 may not be reached: the user did not allow it",
    );
    expect(await outputOf("fetch-markdown", { url: "file:///etc/passwd" })).toContain(
      "must begin with https:// or http://",
    );
  });
});
