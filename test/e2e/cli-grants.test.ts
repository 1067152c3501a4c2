import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { TemporaryDirectory } from "../cli/support/directory.ts";
import { kami, startKami, type Surroundings, writePackage } from "../cli/support/kami.ts";
import { kamiOnTerminal } from "../cli/support/terminal.ts";

const ID = "dev.example.echo";
const ASKS = 'net_allow_list = ["api.example.com", "*"]\nfs_access = "sandbox"\nenv_allow_list = ["API_KEY"]';
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";

function pack(temporary: TemporaryDirectory, rest: string, version = "1.0.0"): string {
  return writePackage(temporary, `package-${version}`, { guest: "echo", id: ID, rest, version });
}

/** Names that are in force. */
async function grantsOf(at: Surroundings): Promise<readonly string[]> {
  const { stdout } = await kami(["grants", ID, "--json"], at);
  const [, list = ""] = /"policy":(\{.*?\}),"missing"/.exec(stdout) ?? [];
  const { network, sandbox, mounts, environment } = JSON.parse(list);
  return [
    ...network,
    ...(sandbox === true ? ["sandbox"] : []),
    ...mounts.map((mount: { guestPath: string }) => mount.guestPath),
    ...environment,
  ];
}

describe("kami install off a terminal", () => {
  test("wants to be told what a tool gets that asks for something, and keeps nothing before", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const source = pack(temporary, ASKS);
    expect(await kami(["install", source], at)).toEqual({
      exitCode: 6,
      stdout: "",
      stderr: `error: Cannot install "${ID}": it asks for net:api.example.com, net:*, fs:sandbox, env:API_KEY, and there is nobody to ask on a terminal
  hint: say what it gets: --grant all, --grant none, or what you choose of: --grant net:api.example.com --grant 'net:*' --grant fs:sandbox --grant env:API_KEY
`,
    });
    expect((await kami(["list"], at)).stdout).toBe("");
    const { stderr } = await kami(["install", source, "--json"], at);
    expect(JSON.parse(stderr).error.code).toBe("CONSENT_NEEDED");
    expect((await kami(["install", pack(temporary, "", "2.0.0")], at)).exitCode).toBe(0);
  });

  test.each([
    { flags: ["--grant", "none"], granted: [] },
    { flags: ["--grant", "all"], granted: ["api.example.com", "*", "sandbox", "API_KEY"] },
    { flags: ["--grant", "env:API_KEY", "--grant=net:HTTPS://www.b.com"], granted: ["https://www.b.com", "API_KEY"] },
  ])("gives it $flags", async ({ flags, granted }) => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    expect((await kami(["install", pack(temporary, ASKS), ...flags], at)).exitCode).toBe(0);
    expect(await grantsOf(at)).toEqual(granted);
  });

  test.each([
    { flags: ["--grant", "net:localhost"], problem: "the tool does not ask for it" },
    { flags: ["--grant", "env:HOME"], problem: "the tool does not ask for it" },
    { flags: ["--grant", "all", "--grant", "none"], problem: "it stands beside other names" },
    {
      flags: ["--grant", "everything"],
      problem: "it must be one of net:<rule>, env:<NAME>, fs:sandbox, listen:<rule>, clock:fine, elicitation:form",
    },
    { flags: ["--grant", "fs:/etc"], problem: "it needs a directory: --mount <directory>:/data:ro" },
  ])("installs nothing with $flags", async ({ flags, problem }) => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const { exitCode, stderr } = await kami(["install", pack(temporary, ASKS), ...flags], at);
    expect([exitCode, stderr.split("\n")[0]]).toEqual([2, `error: Cannot grant "${flags[1]}" to "${ID}": ${problem}`]);
    expect((await kami(["list"], at)).stdout).toBe("");
  });

  test("an update goes on with the old grants, and says what it asks for anew until the user accepts it", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    await kami(["install", pack(temporary, 'net_allow_list = ["a.com", "b.com"]'), "--grant", "all"], at);
    const update = await kami(["install", pack(temporary, 'net_allow_list = ["a.com", "*"]', "1.1.0")], at);
    expect(update).toEqual({
      exitCode: 0,
      stderr: "",
      stdout: `Installed ${ID} 1.1.0 in place of 1.0.0
  The echo guest

  network      a.com (granted); * [any public host: high risk] (not granted)
  files        nothing asked for
  environment  nothing asked for
  limits       1,000,000 fuel, 64 MiB of memory, 5,000 ms

It asks for anew: net:*
It asks no longer for: net:b.com
Asked for anew, and not granted:
  net:*  send requests to any public host: it can send what it gets to anybody [high risk]

Over MCP, its calls ask you for what is not granted. Grant it with: kami grant ${ID} 'net:*'
Try it with: kami exec ${ID} --input '{}'
`,
    });
    expect(await grantsOf(at)).toEqual(["a.com", "b.com"]);
    await kami(["grant", ID, "net:*"], at);
    expect(await grantsOf(at)).toEqual(["a.com", "b.com", "*"]);
    await kami(["install", pack(temporary, 'net_allow_list = ["a.com", "*"]', "2.0.0")], at);
    expect(await grantsOf(at)).toEqual([]);
  });
});

describe("kami install on a terminal", () => {
  test.each([
    { answers: ["all"], granted: ["api.example.com", "*", "sandbox", "API_KEY"] },
    { answers: ["none"], granted: [] },
    { answers: [""], granted: [] },
    { answers: ["4, 3"], granted: ["api.example.com", "sandbox"] },
    { answers: ["5", "yes", "4 4"], granted: ["sandbox"] },
  ])("asks, and grants what is answered: $answers", async ({ answers, granted }) => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const { exitCode, shown } = await kamiOnTerminal(["install", pack(temporary, ASKS)], at, answers);
    expect(exitCode).toBe(0);
    expect(shown).toStartWith(`${ID} 1.0.0 asks to:
  1. net:*                send requests to any public host: it can send what it gets to anybody [high risk]
  2. env:API_KEY          read the variable API_KEY, which looks like a secret [high risk]
  3. net:api.example.com  send requests to api.example.com [medium risk]
  4. fs:sandbox           keep files in a directory of its own, up to 64 MiB [low risk]
It asks for 4, 2 of high risk. You can change your mind with kami grant and kami revoke.
Grant all, none, or which (numbers, separated by spaces)? [none] `);
    expect(await grantsOf(at)).toEqual(granted);
  });

  test("says how a directory is granted, which no answer can name", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const source = pack(temporary, 'fs_access = "read-only"\nenv_allow_list = ["LANG"]');
    const { exitCode, shown } = await kamiOnTerminal(["install", source], at, ["all"]);
    expect([exitCode, shown.split("\n").slice(1, 3)]).toEqual([
      0,
      [
        "  1. env:LANG     read the variable LANG [medium risk]",
        "  – fs:read-only  read files in directories that you name with kami grant --mount [medium risk]",
      ],
    ]);
    expect(shown).toContain(`Grant it with: kami grant ${ID} --mount <directory>:/data:ro`);
    expect(await grantsOf(at)).toEqual(["LANG"]);
  });

  test.each([
    { what: "Ctrl-C", answers: [CTRL_C], exitCode: 130 },
    { what: "the end of the input", answers: [CTRL_D], exitCode: 6 },
    { what: "three answers that make no sense", answers: ["0", "all 1", "net:*"], exitCode: 6 },
  ])("installs nothing after $what", async ({ answers, exitCode }) => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    expect((await kamiOnTerminal(["install", pack(temporary, ASKS)], at, answers)).exitCode).toBe(exitCode);
    expect((await kami(["list"], at)).stdout).toBe("");
  });

  test("asks an update only for what is new, and does not ask again for what was refused", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    await kamiOnTerminal(["install", pack(temporary, 'net_allow_list = ["a.com", "b.com"]')], at, ["1"]);
    const more = 'net_allow_list = ["a.com", "b.com", "c.com"]';
    const { shown } = await kamiOnTerminal(["install", pack(temporary, more, "1.1.0")], at, ["all"]);
    expect(shown.split("\n").slice(1, 3)).toEqual([
      "  1. net:c.com  send requests to c.com [medium risk]",
      "It asks for 1, 0 of high risk. You can change your mind with kami grant and kami revoke.",
    ]);
    expect(await grantsOf(at)).toEqual(["a.com", "c.com"]);
    const again = await kamiOnTerminal(["install", pack(temporary, more, "1.1.0")], at, []);
    expect([again.exitCode, again.shown.includes("[none]")]).toEqual([0, false]);
  });
});

describe("kami grant, revoke and grants", () => {
  test("give and take back, and say what is in force", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home"), directory: temporary.path, environment: { API_KEY: "s3cret" } };
    mkdirSync(temporary.at("data"));
    await kami(["install", pack(temporary, ASKS), "--grant", "none"], at);
    const granted = await kami(
      ["grant", "echo", "net:a.com", "--env", "API_KEY", "--mount", "./data:/data", "--clock", "fine"],
      at,
    );
    expect(granted).toEqual({
      exitCode: 0,
      stderr: "",
      stdout: `Granted ${ID} net:a.com, env:API_KEY, clock:fine, fs:/data
It may use now:
  network    a.com
  files      /data (${temporary.at("data")}, read-only)
  variables  API_KEY
  clock      as fine as the machine's
Over MCP, its calls ask you for what is not granted. Grant it with: kami grant ${ID} net:api.example.com 'net:*' fs:sandbox
`,
    });
    const shown = await kami(["grants"], at);
    expect(shown.stdout).toBe(`${ID} 1.0.0
  GRANTED      VERSIONS  IN FORCE  DIRECTORY
  net:a.com    ^1.0.0    yes
  env:API_KEY  ^1.0.0    yes
  clock:fine   ^1.0.0    yes
  fs:/data     ^1.0.0    yes       ${temporary.at("data")} (read-only)
  asks for, and does not have:
    net:*                send requests to any public host: it can send what it gets to anybody [high risk]
    net:api.example.com  send requests to api.example.com [medium risk]
    fs:sandbox           keep files in a directory of its own, up to 64 MiB [low risk]
  Over MCP, its calls ask you for what is not granted. Grant it with: kami grant ${ID} net:api.example.com 'net:*' fs:sandbox
`);
    expect(shown.stdout + granted.stdout + (await kami(["inspect", ID, "--json"], at)).stdout).not.toContain("s3cret");
    expect(await Bun.file(temporary.at("home/registry.db")).text()).not.toContain("s3cret");
    expect((await kami(["revoke", ID, "net:a.com", "fs:/data", "--json"], at)).stdout).toBe(
      `{"id":"${ID}","revoked":["fs:/data","net:a.com"]}\n`,
    );
    expect(await grantsOf(at)).toEqual(["API_KEY"]);
    expect((await kami(["revoke", ID, "--all"], at)).stdout).toBe(`Revoked from ${ID}: clock:fine, env:API_KEY\n`);
    expect(await grantsOf(at)).toEqual([]);
  });

  test.each([
    { words: ["grant", ID], says: `Cannot grant nothing to "${ID}": no capability is named` },
    {
      words: ["grant", ID, "net:evil.com@a.com"],
      says: 'Cannot grant "net:evil.com@a.com": it must name a valid host or address',
    },
    { words: ["grant", ID, "env:HOME"], says: `Cannot grant "env:HOME" to "${ID}": the tool does not ask for it` },
    {
      words: ["grant", ID, "--all", "--versions", "^2.0.0"],
      says: `Cannot grant "^2.0.0" to "${ID}": the installed version, 1.0.0, is not in that range`,
    },
    {
      words: ["grant", ID, "--clock", "finer"],
      says: 'Cannot grant "clock:finer": it must be one of net:<rule>, env:<NAME>, fs:sandbox, listen:<rule>, clock:fine, elicitation:form',
    },
    {
      words: ["grant", ID, "--mount", "data"],
      says: 'Cannot mount "data": it is not written <directory>:/path or with :ro or :rw behind',
    },
    {
      words: ["grant", ID, "--mount", ".:/a/../b"],
      says: 'Cannot mount ".:/a/../b": "/a/../b" must be canonical: segments of letters, digits and any of "._@+-", no "." or "..", no slash at the end',
    },
    {
      words: ["grant", ID, "--mount", "/:/data"],
      says: 'Cannot let a tool use the directory "/": it is the root of the file system',
    },
    {
      words: ["grant", ID, "--mount", "/proc/self:/data"],
      says: 'Cannot let a tool use the directory "/proc/self": it is the system\'s, and no place for files',
    },
    {
      words: ["grant", ID, "--mount", ".:/data", "--mount", ".:/data/x"],
      says: 'Cannot mount at "/data": it must not overlap with /data/x, another directory that the tool sees',
    },
    { words: ["revoke", ID], says: "Cannot revoke nothing: no capability is named" },
    { words: ["revoke", ID, "net:*", "--all"], says: "Cannot revoke all and some at once" },
    { words: ["revoke", ID, "net:*"], says: `Cannot revoke "net:*" from "${ID}": it was not granted by that name` },
  ])("refuse $words", async ({ words, says }) => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home"), directory: temporary.path };
    await kami(["install", pack(temporary, ASKS), "--grant", "none"], at);
    const { exitCode, stdout, stderr } = await kami(words, at);
    expect([exitCode, stdout, stderr.split("\n")[0]]).toEqual([2, "", `error: ${says}`]);
    expect(await grantsOf(at)).toEqual([]);
  });

  test("refuse KAMI's own home, what is in it and what it lies in, by whatever name", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home"), directory: temporary.at("home") };
    await kami(["install", pack(temporary, ""), "--grant", "none"], { home: temporary.at("home") });
    for (const path of [".", "tools", "..", temporary.at("home"), "tools/../../home"]) {
      const { exitCode, stderr } = await kami(["grant", ID, "--mount", `${path}:/data:rw`], at);
      expect([path, exitCode, stderr]).toEqual([path, 2, expect.stringMatching(/KAMI's own/)]);
    }
    expect(await grantsOf(at)).toEqual([]);
  });

  test("of processes at the same time all hold, and none is half done when its process is killed", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    await kami(["install", pack(temporary, 'net_allow_list = ["*"]'), "--grant", "none"], at);
    const names = Array.from({ length: 6 }, (_, at_) => `a${at_}.com`);
    const ends = await Promise.all(names.map((name) => kami(["grant", ID, `net:${name}`], at)));
    expect(ends.map(({ exitCode }) => exitCode)).toEqual(names.map(() => 0));
    expect([...(await grantsOf(at))].toSorted()).toEqual(names);
    for (let delayMs = 60; delayMs < 180; delayMs += 20) {
      const child = startKami(["grant", ID, "net:b1.com", "net:b2.com"], at);
      await Bun.sleep(delayMs);
      child.kill("SIGKILL");
      await child.exited;
      const both = (await grantsOf(at)).filter((name) => name.startsWith("b"));
      expect(both.length === 0 || both.length === 2).toBe(true);
      await kami(["revoke", ID, "net:b1.com", "net:b2.com"], at);
    }
  });

  test("go with the tool, and its directory too", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const source = pack(temporary, ASKS);
    await kami(["install", source, "--grant", "all"], at);
    await kami(["exec", ID, "--input", "{}"], at);
    expect(existsSync(temporary.at("home/sandboxes", ID))).toBe(true);
    await kami(["uninstall", ID], at);
    expect(existsSync(temporary.at("home/sandboxes", ID))).toBe(false);
    await kami(["install", source, "--grant", "none"], at);
    expect(await grantsOf(at)).toEqual([]);
  });
});

describe("a call", () => {
  test("does not start when a directory that was granted is gone, and says so", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home"), directory: temporary.path };
    mkdirSync(temporary.at("data"));
    await kami(["install", pack(temporary, "")], at);
    await kami(["grant", ID, "--mount", "data:/data"], at);
    expect((await kami(["exec", ID, "--input", "{}"], at)).exitCode).toBe(0);
    rmSync(temporary.at("data"), { recursive: true });
    expect(await kami(["exec", ID, "--input", "{}"], at)).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: `error: Cannot let a tool use the directory "${temporary.at("data")}": there is no such directory
  hint: name another directory, or take it back with: kami revoke <id> fs:<path>
`,
    });
  });

  test.each([
    {
      flags: ["--allow-net", "a.com@b.com"],
      says: 'Cannot grant "net:a.com@b.com": it must name a valid host or address',
    },
    {
      flags: ["--allow-env", "A=B"],
      says: 'Cannot grant "env:A=B": it must name a variable: a letter or "_", then letters, digits and "_"',
    },
    {
      flags: ["--mount", "/tmp:/data", "--mount", "/tmp:/data"],
      says: 'Cannot mount at "/data": it must not overlap with /data, another directory that the tool sees',
    },
    {
      flags: ["--mount", "/tmp:/sandbox/x"],
      says: 'Cannot mount at "/sandbox/x": it must not overlap with /sandbox, the tool\'s own directory',
    },
    {
      flags: ["--mount", "/dev:/data"],
      says: 'Cannot let a tool use the directory "/dev": it is the system\'s, and no place for files',
    },
  ])("of a file is not made with $flags", async ({ flags, says }) => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const file = `${pack(temporary, "")}/echo.wasm`;
    const { exitCode, stderr } = await kami(["run", file, ...flags], at);
    expect([exitCode, stderr.split("\n")[0]]).toEqual([2, `error: ${says}`]);
    expect(existsSync(temporary.at("home"))).toBe(false);
  });

  test("of a file takes what the user grants it for this once", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home"), directory: temporary.path };
    const file = `${pack(temporary, "")}/echo.wasm`;
    const flags = ["--allow-net", "a.com", "--allow-net", "*.b.com", "--allow-env", "HOME", "--mount", ".:/data:rw"];
    // The home would lie in what is mounted.
    expect((await kami(["run", file, ...flags, "--input", "{}"], at)).exitCode).toBe(2);
    mkdirSync(temporary.at("data"));
    const elsewhere = { ...at, directory: temporary.at("data") };
    expect(await kami(["run", file, ...flags, "--input", "{}"], elsewhere)).toEqual({
      exitCode: 0,
      stdout: "{}\n",
      stderr: "",
    });
  });
});
