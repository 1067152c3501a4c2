/**
 * `kami test` of tools that make HTTP requests: replies that are given, and replies that are recorded.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { toolDirectory } from "../../fixtures/paths.ts";
import { TemporaryDirectory } from "../cli/support/directory.ts";
import { kami, writePackage } from "../cli/support/kami.ts";

const temporary = new TemporaryDirectory();
const at = { home: temporary.at("home"), directory: temporary.path };
/** What the server was asked for. */
const asked: string[] = [];
let server: Bun.Server<undefined>;

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => {
      const { pathname } = new URL(url);
      asked.push(pathname);
      if (pathname === "/old") return new Response(null, { status: 302, headers: { location: "/page" } });
      if (pathname === "/large")
        return new Response("x".repeat(1_048_577), { headers: { "content-type": "text/plain" } });
      return new Response('"""\n[[reply]]\n\u001b[31m\\', { headers: { "content-type": "text/plain", "x-a": 'b"' } });
    },
  });
});
afterAll(async () => {
  await server.stop(true);
  temporary[Symbol.dispose]();
});

/** The tool that fetches, which asks for the server, with cases. */
function writeTool(name: string, cases: string): string {
  const rules = `["http://127.0.0.1:${server.port}"]`;
  const path = writePackage(temporary, name, {
    guest: "echo",
    id: `a.${name}`,
    rest: `max_fuel = 50000000\nnet_allow_list = ${rules}`,
  });
  copyFileSync(join(toolDirectory("fetch-markdown"), "fetch_markdown.wasm"), join(path, "echo.wasm"));
  temporary.write(`${name}/tests/a.toml`, cases);
  return path;
}

const url = (path: string): string => `http://127.0.0.1:${server.port}${path}`;

describe("kami test with replies", () => {
  test("runs the cases of the starter tool that fetches", async () => {
    const { exitCode, stdout } = await kami(["test", toolDirectory("fetch-markdown"), "--json"], at);
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { passed: 9, failed: 0 }]);
  });

  test("gives nothing for what the manifest does not ask for, nor for what no reply is for, and reaches no server", async () => {
    const path = writeTool(
      "strict",
      `[[case]]
name = "a rule that is not asked for"
input = { url = "http://127.0.0.1:1/" }
denied = "net:http://127.0.0.1:1"
requests = ["GET http://127.0.0.1:1/"]
[[case.reply]]
url = "http://127.0.0.1:1/"
body = "the secret"
[[case]]
name = "no reply for it"
input = { url = "${url("/page")}" }
error = "the user did not allow it"
[[case.reply]]
url = "${url("/other")}"
[[case.reply]]
method = "POST"
url = "${url("/page")}"
[[case]]
name = "other requests than these"
input = { url = "${url("/other")}" }
requests = ["GET ${url("/page")}"]
[[case.reply]]
url = "${url("/other")}"
headers = { content-type = "text/plain" }
`,
    );
    asked.length = 0;
    const { exitCode, stdout } = await kami(["test", path], at);
    expect(exitCode).toBe(1);
    expect(stdout.slice(stdout.indexOf("\n\n"), stdout.indexOf("\nBy what"))).toBe(`

tests/a.toml: other requests than these
  it requests GET ${url("/other")}, and should request GET ${url("/page")}

tests/a.toml: a rule that is not asked for
  GET http://127.0.0.1:1/: denied: no rule of net_allow_list covers it

tests/a.toml: no reply for it
  GET ${url("/page")}: denied: the case has no reply for it

2 passed, 1 failed`);
    expect(asked).toEqual([]);
  });
});

describe("kami test --record", () => {
  test("makes the requests once, and writes what gives the same again without a server", async () => {
    const path = writeTool(
      "recorded",
      `[[case]]
name = "a page"
input = { url = "${url("/old")}" }
recorded = "page"
requests = ["GET ${url("/old")}", "GET ${url("/page")}"]
output_has = { type = "text/plain" }
`,
    );
    const missing = await kami(["test", path], at);
    expect([missing.exitCode, missing.stderr]).toEqual([
      2,
      "error: Cannot test the tool: tests/recorded/page.toml is not there, which tests/a.toml: a page needs\n  hint: record it over the network: kami test --record\n",
    ]);
    asked.length = 0;
    const recorded = await kami(["test", path, "--record"], at);
    expect([recorded.exitCode, recorded.stdout]).toEqual([
      0,
      expect.stringContaining("\nRecorded tests/recorded/page.toml: read it before you commit it\n"),
    ]);
    expect(asked).toEqual(["/old", "/page"]);
    const file = join(path, "tests/recorded/page.toml");
    const text = readFileSync(file, "utf8");
    expect(text).toContain('body = """\n\\"\\"\\"\n[[reply]]\n\\u001b[31m\\\\"""\n');
    expect(text).toContain('"x-a" = "b\\""');
    // Neither again nor over it.
    expect((await kami(["test", path, "--record"], at)).exitCode).toBe(0);
    expect((await kami(["test", path], at)).exitCode).toBe(0);
    expect([asked.length, readFileSync(file, "utf8")]).toEqual([2, text]);
  });

  test("records nothing of a case that fails, of a reply that is too large, or of what may not be reached", async () => {
    const path = writeTool(
      "not-recorded",
      `[[case]]
name = "fails"
input = { url = "${url("/page")}" }
recorded = "fails"
error = "no"
[[case]]
name = "too large"
input = { url = "${url("/large")}", max_length = 1 }
recorded = "large"
[[case]]
name = "not asked for"
input = { url = "http://localhost:${server.port}/page" }
recorded = "denied"
`,
    );
    asked.length = 0;
    const { exitCode, stdout } = await kami(["test", path, "--record"], at);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("0 passed, 3 failed");
    expect(stdout).toContain(
      "one of its requests has no whole reply, or one of more than 1 MiB: it cannot be recorded",
    );
    expect([asked, existsSync(join(path, "tests/recorded"))]).toEqual([["/page", "/large"], false]);
  });

  test("a guest that opens connections itself reaches nobody while its requests are rehearsed", async () => {
    const path = writePackage(temporary, "sockets", {
      guest: "connect",
      id: "a.sockets",
      rest: `net_allow_list = ["tcp://127.0.0.1:${server.port}"]`,
    });
    const input = `input = { port = ${server.port} }`;
    // `access-denied`.
    const output = "output = { connect = 1 }";
    temporary.write("sockets/tests/a.toml", `[[case]]\nname = "x"\nrequests = []\n${input}\n${output}\n`);
    const { stdout } = await kami(["test", path, "--json"], at);
    expect(JSON.parse(stdout)).toMatchObject({ cases: [{ problem: null }] });
  });
});
