import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { CLIENT_WORDS, CLIENTS, type ClientWord } from "../../lib/cli/connect/clients.ts";
import { readConfigFile, replaceConfigFile } from "../../lib/cli/connect/file.ts";
import { runProgram } from "../../lib/cli/program.ts";
import { listing, TemporaryDirectory } from "./support/directory.ts";
import { testHost, type TestHost } from "./support/host.ts";

function hostOf(temporary: TemporaryDirectory, environment: Readonly<Record<string, string>> = {}): TestHost {
  return testHost({ userHome: temporary.path, directory: temporary.path, environment });
}

async function run(
  temporary: TemporaryDirectory,
  ...words: string[]
): Promise<{ code: number; out: string; err: string }> {
  const host = hostOf(temporary);
  const code = await runProgram(["connect", ...words], host);
  return { code, out: host.printed.stdout, err: host.printed.stderr };
}

const PATHS: { readonly [W in ClientWord]: string } = {
  "claude-code": ".claude.json",
  "claude-desktop": ".config/Claude/claude_desktop_config.json",
  codex: ".codex/config.toml",
  cursor: ".cursor/mcp.json",
  vscode: ".config/Code/User/mcp.json",
  opencode: ".config/opencode/opencode.json",
  gemini: ".gemini/settings.json",
};

const START = { command: "/opt/bun/bin/bun", args: ["--cwd=/opt/kami", "bin/kami.ts", "serve"] };

/** What each client's documentation has, for a server on standard input and output. */
const WANTED: { readonly [W in ClientWord]: unknown } = {
  "claude-code": { mcpServers: { kami: { type: "stdio", ...START } } },
  "claude-desktop": { mcpServers: { kami: START } },
  codex: { mcp_servers: { kami: START } },
  cursor: { mcpServers: { kami: START } },
  vscode: { servers: { kami: { type: "stdio", ...START } } },
  opencode: { mcp: { kami: { type: "local", command: [START.command, ...START.args], enabled: true } } },
  gemini: { mcpServers: { kami: START } },
};

describe("kami connect", () => {
  test("writes nothing for a user without a home directory", async () => {
    using temporary = new TemporaryDirectory();
    const host = testHost({
      userHome: "",
      directory: temporary.path,
      environment: { KAMI_HOME: temporary.at("home") },
    });
    expect(await runProgram(["connect", "cursor"], host)).not.toBe(0);
    expect(host.printed.stderr).toContain("this user has no home directory; set HOME");
    expect(existsSync(".cursor")).toBe(false);
    expect(listing(temporary.path).filter((path) => path.includes("cursor"))).toEqual([]);
  });

  test.each(CLIENT_WORDS)("writes what %s reads, once, for the owner alone", async (client) => {
    using temporary = new TemporaryDirectory();
    const path = temporary.at(PATHS[client]);
    const { code, out } = await run(temporary, client);
    expect([code, out.split("\n")[0]]).toEqual([0, `Added KAMI to ${CLIENTS[client].name}, in ${path}`]);
    const text = readFileSync(path, "utf8");
    expect(client === "codex" ? Bun.TOML.parse(text) : JSON.parse(text)).toEqual(WANTED[client]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect((await run(temporary, client)).out).toBe(`${CLIENTS[client].name} has it already, in ${path}\n`);
    expect(readFileSync(path, "utf8")).toBe(text);
    expect(readdirSync(dirname(path))).toEqual([PATHS[client].split("/").at(-1) ?? ""]);
  });

  test("keeps what was there beside it, with its permissions, and everything else in it", async () => {
    using temporary = new TemporaryDirectory();
    const before = '{\n  // secret\n  "oauth": {"token": "hunter2"},\n  "mcpServers": {}\n}\n';
    const path = temporary.write(".claude.json", before);
    chmodSync(path, 0o640);
    const { out } = await run(temporary, "claude-code", "--json");
    const { backup, changed } = JSON.parse(out);
    expect([changed, backup]).toEqual([true, expect.stringMatching(/\.claude\.json\.kami-\d{8}-\d{6}$/)]);
    expect(readFileSync(backup, "utf8")).toBe(before);
    expect([statSync(backup).mode & 0o777, statSync(path).mode & 0o777]).toEqual([0o640, 0o640]);
    expect(readFileSync(path, "utf8")).toContain('  // secret\n  "oauth": {"token": "hunter2"},\n');
  });

  test("--dry-run shows the lines that change, none of the others, and changes nothing", async () => {
    using temporary = new TemporaryDirectory();
    const before = '{\n  "oauth": {"token": "hunter2"},\n  "mcpServers": {}\n}\n';
    const path = temporary.write(".claude.json", before);
    const { code, out } = await run(temporary, "claude-code", "--dry-run");
    expect([code, out]).toEqual([0, expect.stringContaining(`${path} would change:\n@@ line 3\n- `)]);
    expect(out).not.toContain("hunter2");
    expect(readFileSync(path, "utf8")).toBe(before);
    expect(readdirSync(temporary.path)).toEqual([".claude.json"]);
  });

  test("--print reads and changes nothing", async () => {
    using temporary = new TemporaryDirectory();
    temporary.write(".cursor/mcp.json", "{{{");
    const { code, out } = await run(temporary, "cursor", "--print");
    expect([code, JSON.parse(out)]).toEqual([0, WANTED.cursor]);
  });

  test("passes a home on that the user set", async () => {
    using temporary = new TemporaryDirectory();
    const host = hostOf(temporary, { KAMI_HOME: "/srv/kami" });
    await runProgram(["connect", "gemini"], host);
    const { mcpServers } = JSON.parse(readFileSync(temporary.at(PATHS.gemini), "utf8"));
    expect(mcpServers.kami.env).toEqual({ KAMI_HOME: "/srv/kami" });
  });

  test.each([
    ["claude-code", { CLAUDE_CONFIG_DIR: "/c" }, "linux", "/c/.claude.json"],
    ["codex", { CODEX_HOME: "/x" }, "linux", "/x/config.toml"],
    ["codex", { CODEX_HOME: "relative" }, "linux", "/u/.codex/config.toml"],
    ["vscode", { XDG_CONFIG_HOME: "/g" }, "linux", "/g/Code/User/mcp.json"],
    ["vscode", {}, "darwin", "/u/Library/Application Support/Code/User/mcp.json"],
    ["claude-desktop", {}, "darwin", "/u/Library/Application Support/Claude/claude_desktop_config.json"],
  ] as const)("finds the file of %s where %o says, on %s", (...[client, environment, platform, path]) => {
    const host = { environment: new Map(Object.entries(environment)), userHome: "/u", platform };
    expect(CLIENTS[client].file(host)).toBe(path);
  });

  test("keeps to the spelling and the file that an opencode user has", async () => {
    using temporary = new TemporaryDirectory();
    const path = temporary.write(".config/opencode/opencode.jsonc", '{ "mcp": { "servers": { "a": {} } } } // 2\n');
    await run(temporary, "opencode");
    expect(readFileSync(path, "utf8")).toContain("// 2");
    const { mcp } = JSON.parse(readFileSync(path, "utf8").replace("// 2", ""));
    expect(Object.keys(mcp.servers)).toEqual(["kami", "a"]);
  });

  test("knows no other client, and names the nearest", async () => {
    using temporary = new TemporaryDirectory();
    const { code, err } = await run(temporary, "claude-cod");
    expect([code, err]).toEqual([2, expect.stringContaining('did you mean "kami connect claude-code"?')]);
  });
});

describe("a hostile configuration", () => {
  const cases: readonly [why: string, make: (path: string, temporary: TemporaryDirectory) => void, reason: string][] = [
    [
      "a link to another file of the user's",
      (path, temporary) => symlinkSync(temporary.write("other.json", "{}"), path),
      "it is a symbolic link, and what it leads to may be anything",
    ],
    [
      "a link to nowhere",
      (path) => symlinkSync("/nonexistent/x", path),
      "it is a symbolic link, and what it leads to may be anything",
    ],
    ["a directory", (path) => mkdirSync(path), "it is not a regular file"],
    ["a pipe, which would block", (path) => void Bun.spawnSync(["mkfifo", path]), "it is not a regular file"],
    ["no JSON", (path) => writeFileSync(path, "{,}"), "it is not JSON"],
    ["no text", (path) => writeFileSync(path, new Uint8Array([0x7b, 0xff, 0x7d])), "it is not UTF-8 text"],
    [
      "a huge file",
      (path) => void Bun.spawnSync(["truncate", "-s", "33554433", path]),
      "it has 33554433 bytes, the limit is 33554432",
    ],
  ];

  for (const [why, make, reason] of cases) {
    test(`is refused and left as it is: ${why}`, async () => {
      using temporary = new TemporaryDirectory();
      mkdirSync(temporary.at(".cursor"));
      const path = temporary.at(PATHS.cursor);
      make(path, temporary);
      const before = listing(temporary.path);
      const { code, err } = await run(temporary, "cursor", "--json");
      expect([code, JSON.parse(err).error]).toEqual([
        2,
        {
          code: "CLIENT_CONFIG",
          message: `Cannot change "${path}": ${reason}`,
          hint: "mend it, or add by hand what this prints: kami connect cursor --print",
        },
      ]);
      expect(listing(temporary.path)).toEqual(before);
    });
  }

  test("one that another program has changed meanwhile stays as that program wrote it", () => {
    using temporary = new TemporaryDirectory();
    const path = temporary.write("c.json", "{}");
    const before = readConfigFile(path);
    writeFileSync(path, '{"theirs":1}');
    expect(() => replaceConfigFile(before, '{"ours":1}', 0)).toThrow("another program has just changed it; try again");
    expect(readFileSync(path, "utf8")).toBe('{"theirs":1}');
  });

  test("does not write through a hard link, nor over a file in the place of the copy", () => {
    using temporary = new TemporaryDirectory();
    const path = temporary.write("c.json", "{}");
    linkSync(path, temporary.at("theirs.json"));
    temporary.write("c.json.kami-19700101-000000", "precious");
    const backup = replaceConfigFile(readConfigFile(path), '{"ours":1}', 0) ?? "";
    expect(readFileSync(temporary.at("theirs.json"), "utf8")).toBe("{}");
    expect(readFileSync(temporary.at("c.json.kami-19700101-000000"), "utf8")).toBe("precious");
    expect(readFileSync(backup, "utf8")).toBe("{}");
  });

  test("keeps a byte-order mark", () => {
    using temporary = new TemporaryDirectory();
    const path = temporary.write("c.json", "\ufeff{}");
    const before = readConfigFile(path);
    expect(before.text).toBe("{}");
    replaceConfigFile(before, '{"a":1}', 0);
    expect(readFileSync(path, "utf8")).toBe('\ufeff{"a":1}');
    expect(join(path)).toBe(path);
  });
});
