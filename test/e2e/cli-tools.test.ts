/**
 * The command line on real tools, as a user types it.
 */
import { describe, expect, test } from "bun:test";
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { guestPath, toolDirectory } from "../../fixtures/paths.ts";
import { TemporaryDirectory } from "../cli/support/directory.ts";
import { kami, writePackage } from "../cli/support/kami.ts";

const ID = "dev.example.echo";

const ASKS = `net_allow_list = ["api.example.com"]
fs_access = "sandbox"
max_fuel = 2000000

[[mcp.arguments]]
name = "text"
type = "string"
description = "Anything"
required = true
`;

describe("the life of a tool", () => {
  test("is installed, listed, called, inspected, disabled, enabled and removed", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const source = writePackage(temporary, "package", { guest: "echo", id: ID, rest: ASKS });

    expect(await kami(["install", source, "--grant", "none"], at)).toEqual({
      exitCode: 0,
      stdout: `Installed dev.example.echo 1.0.0
  The echo guest

  network      api.example.com (not granted)
  files        reads and writes files in a directory of its own (not granted)
  environment  nothing asked for
  limits       2,000,000 fuel, 64 MiB of memory, 5,000 ms

Not granted:
  net:api.example.com  send requests to api.example.com [medium risk]
  fs:sandbox           keep files in a directory of its own, up to 64 MiB [low risk]

Over MCP, its calls ask you for what is not granted. Grant it with: kami grant dev.example.echo net:api.example.com fs:sandbox
Try it with (fill in each …): kami exec dev.example.echo --input '{"text": …}'
`,
      stderr: "",
    });

    expect(await kami(["list"], at)).toEqual({
      exitCode: 0,
      stdout: `ID                MCP NAME  VERSION  STATE    DESCRIPTION
dev.example.echo  echo      1.0.0    enabled  The echo guest
`,
      stderr: "",
    });

    const input = '{"text":"hi"}';
    expect(await kami(["exec", ID, "--input", input], at)).toEqual({ exitCode: 0, stdout: `${input}\n`, stderr: "" });

    const inspected = await kami(["inspect", ID], at);
    expect([inspected.exitCode, inspected.stderr]).toEqual([0, ""]);
    const steady = inspected.stdout
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
      .replaceAll(/\b[0-9a-f]{64}\b/g, "<digest>")
      .replace(/[\d,]+ fuel  [\d.]+ ms/, "<used>");
    expect(steady).toBe(`dev.example.echo 1.0.0
  The echo guest

  name       echo
  MCP name   echo
  state      enabled
  installed  <time>
  component  echo.wasm, ${Bun.file(guestPath("echo")).size} B
    sha256   <digest>
  package    <digest>

Arguments
  text  string  required  Anything

Asks for
  network      api.example.com (not granted)
  files        reads and writes files in a directory of its own (not granted)
  environment  nothing asked for
  Over MCP, its calls ask you for what is not granted. Grant it with: kami grant dev.example.echo net:api.example.com fs:sandbox

May use
  network    nothing
  files      nothing
  variables  nothing
  clock      1 ms

Limits
  2,000,000 fuel, 64 MiB of memory, 5,000 ms

Recent calls
  <time>  OK  <used>  64 KiB

Call it with (fill in each …): kami exec dev.example.echo --input '{"text": …}'
`);

    expect(await kami(["disable", ID], at)).toEqual({ exitCode: 0, stdout: "Disabled dev.example.echo\n", stderr: "" });
    expect(await kami(["exec", ID, "--input", input], at)).toEqual({
      exitCode: 4,
      stdout: "",
      stderr: `error: Cannot run the tool "dev.example.echo": it is disabled\n  hint: enable it with: kami enable dev.example.echo\n`,
    });
    expect(await kami(["enable", ID], at)).toEqual({ exitCode: 0, stdout: "Enabled dev.example.echo\n", stderr: "" });
    expect((await kami(["exec", ID, "--input", input], at)).stdout).toBe(`${input}\n`);
    expect(await kami(["uninstall", ID], at)).toEqual({
      exitCode: 0,
      stdout: "Uninstalled dev.example.echo 1.0.0\n",
      stderr: "",
    });
    expect(await kami(["list"], at)).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "no tools are installed; install one with: kami install <directory>\n",
    });
    expect(readdirSync(temporary.at("home/tools"))).toEqual([]);
  });

  test("prints JSON alone with --json", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const source = writePackage(temporary, "package", { guest: "echo", id: ID, rest: ASKS });
    const tool = {
      id: ID,
      name: "echo",
      mcpName: "echo",
      version: "1.0.0",
      description: "The echo guest",
      enabled: true,
      installedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      packageDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
      componentDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
      componentBytes: Bun.file(guestPath("echo")).size,
      arguments: [{ name: "text", type: "string", description: "Anything", required: true }],
      requests: { network: ["api.example.com"], files: "sandbox", environment: [], elicitation: "none" },
      granted: { network: [], files: "none", environment: [], elicitation: "none" },
      limits: { fuel: 2_000_000, memoryMb: 64, timeoutMs: 5000 },
    };
    const policy = {
      network: [],
      listen: [],
      sandbox: false,
      mounts: [],
      environment: [],
      fineClock: false,
      elicitation: "none",
    };
    const missing = ["net:api.example.com", "fs:sandbox"];
    const asks = { added: missing, dropped: [] };
    const usage = {
      fuel: expect.any(Number),
      cpuMs: expect.any(Number),
      wallMs: expect.any(Number),
      peakMemoryBytes: 65_536,
      hostCalls: 0,
      inputBytes: 12,
      outputBytes: 12,
      isPartial: false,
    };
    const steps: readonly (readonly [words: readonly string[], printed: unknown])[] = [
      [
        ["install", source, "--grant", "none"],
        {
          installed: tool,
          replaced: null,
          unchanged: false,
          imports: [],
          cut: null,
          policy,
          missing,
          asks,
        },
      ],
      [
        ["install", `${source}/tool.toml`],
        {
          installed: tool,
          replaced: "1.0.0",
          unchanged: true,
          imports: [],
          cut: null,
          policy,
          missing,
          asks: { added: [], dropped: [] },
        },
      ],
      [["list", "--filter", "ECHO"], { tools: [tool] }],
      [["list", "--filter", "nothing"], { tools: [] }],
      [
        ["exec", ID, "--input", '{"text":"x"}'],
        { ok: true, output: { text: "x" }, usage, captured: { pieces: [], droppedBytes: 0 } },
      ],
      [
        ["inspect", ID],
        {
          tool,
          prompts: [],
          resources: [],
          resourceTemplates: [],
          imports: [],
          cut: null,
          policy,
          missing,
          denials: [],
          recentCalls: [{ startedAt: tool.installedAt, outcome: "OK", usage }],
        },
      ],
      [["disable", ID], { id: ID, enabled: false }],
      [["enable", ID], { id: ID, enabled: true }],
      [["uninstall", ID], { uninstalled: { id: ID, version: "1.0.0" } }],
    ];
    for (const [words, printed] of steps) {
      const { exitCode, stdout, stderr } = await kami([...words, "--json"], at);
      expect({ words, exitCode, stderr, lines: stdout.split("\n").length }).toEqual({
        words,
        exitCode: 0,
        stderr: "",
        lines: 2,
      });
      expect(JSON.parse(stdout)).toEqual(printed);
    }
  });

  test("says which version was replaced", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    await kami(["install", writePackage(temporary, "one", { guest: "echo", id: ID })], at);
    const second = await kami(
      ["install", writePackage(temporary, "two", { guest: "echo", id: ID, version: "2.0.0" })],
      at,
    );
    expect(second.stdout.split("\n", 1)).toEqual(["Installed dev.example.echo 2.0.0 in place of 1.0.0"]);
  });
});

describe("kami run", () => {
  test("takes its input from a file, from standard input, or from nowhere", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const echo = guestPath("echo");
    const file = temporary.write("request.json", '{"from":"file"}');
    const fromFile = await kami(["run", echo, "--input-file", file], at);
    const fromStdin = await kami(["run", echo, "--input-file", "-"], { ...at, stdin: new Blob(['{"from":"stdin"}']) });
    const fromNowhere = await kami(["run", echo], at);
    expect([fromFile, fromStdin, fromNowhere]).toEqual([
      { exitCode: 0, stdout: '{"from":"file"}\n', stderr: "" },
      { exitCode: 0, stdout: '{"from":"stdin"}\n', stderr: "" },
      { exitCode: 0, stdout: "{}\n", stderr: "" },
    ]);
  });

  test("takes a large input whole, and gives it back whole", async () => {
    using temporary = new TemporaryDirectory();
    const input = JSON.stringify("x".repeat(1_000_000));
    const file = temporary.write("request.json", input);
    const words = ["run", guestPath("echo"), "--input-file", file, "--fuel", "1000000000"];
    const { exitCode, stdout, stderr } = await kami(words, { home: temporary.at("home") });
    expect([exitCode, stdout === `${input}\n`, stderr]).toEqual([0, true, ""]);
  });

  test("keeps to the limits that flags give", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const spin = guestPath("spin");
    const fuel = await kami(["run", spin, "--fuel", "12345"], at);
    const time = await kami(["run", spin, "--fuel", "9007199254740991", "--timeout-ms", "200"], at);
    expect([fuel.exitCode, fuel.stdout, fuel.stderr.split("\n", 1)[0]]).toEqual([
      5,
      "",
      "error: Cannot finish the call: all 12345 fuel is used up",
    ]);
    expect([time.exitCode, time.stdout, time.stderr.split("\n", 1)[0]]).toEqual([
      5,
      "",
      "error: Cannot finish the call: it ran longer than 200 ms",
    ]);
  });

  test("keeps to the ceilings of a kami.toml, unless a flag says otherwise", async () => {
    using temporary = new TemporaryDirectory();
    temporary.write("kami.toml", "max_fuel = 777\n");
    const at = { home: temporary.at("home"), directory: temporary.path };
    const under = await kami(["run", guestPath("spin")], at);
    const above = await kami(["run", guestPath("spin"), "--fuel", "5000"], at);
    expect([under.stderr.split("\n", 1)[0], above.stderr.split("\n", 1)[0]]).toEqual([
      "error: Cannot finish the call: all 777 fuel is used up",
      "error: Cannot finish the call: all 5000 fuel is used up",
    ]);
  });

  test("says what was used with --usage", async () => {
    using temporary = new TemporaryDirectory();
    const { stdout, stderr } = await kami(["run", guestPath("echo"), "--usage"], { home: temporary.at("home") });
    expect(stdout).toBe("{}\n");
    expect(stderr.replaceAll(/[\d,.]+ (?=ms$)/gm, "N ").replace(/[\d,]+$/m, "N")).toBe(`usage
  fuel         N
  CPU time     N ms
  wall time    N ms
  peak memory  64 KiB
  host calls   0
  input        2 B
  output       2 B
`);
  });

  const endings: readonly { guest: string; input?: string; exitCode: number; first: RegExp }[] = [
    {
      guest: "trap",
      input: '"unreachable"',
      exitCode: 1,
      first: /^error: The tool crashed: it executed an unreachable instruction$/,
    },
    { guest: "recurse", exitCode: 1, first: /^error: The tool crashed: its recursion is too deep for the stack$/ },
    { guest: "fail", exitCode: 1, first: /^error: / },
    { guest: "exit", exitCode: 1, first: /^error: The tool ended with exit code 1/ },
    {
      guest: "catch-all",
      input: '{"call":"door"}',
      exitCode: 6,
      first: /^error: The tool was stopped: it asked for an unknown host function .*which is denied$/,
    },
    {
      guest: "unknown-opcode",
      exitCode: 3,
      first: /^error: Cannot meter "[^"]+": unknown instruction .* at byte \d+$/,
    },
  ];
  test.each(endings)("ends $guest with exit code $exitCode", async ({ guest, input = "{}", exitCode, first }) => {
    using temporary = new TemporaryDirectory();
    const finished = await kami(["run", guestPath(guest), "--input", input], { home: temporary.at("home") });
    expect([finished.exitCode, finished.stdout]).toEqual([exitCode, ""]);
    expect(finished.stderr.split("\n", 1)[0]).toMatch(first);
    expect(finished.stderr).not.toContain("    at ");
  });

  test("keeps what the guest prints off stdout, and its escape sequences off the terminal", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const forger = await kami(["run", guestPath("stdout-forger")], at);
    const escapes = await kami(["run", guestPath("stderr-escape")], at);
    for (const { exitCode, stdout, stderr } of [forger, escapes]) {
      expect(exitCode).toBe(0);
      expect(stdout).not.toContain("jsonrpc");
      expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      const lines = stderr.trimEnd().split("\n");
      expect(lines.filter((line) => !/^\[(?:stdout|stderr|log \w+|kami)\]/.test(line))).toEqual([]);
    }
    expect(forger.stderr).toContain('[stdout] {"jsonrpc":"2.0"');
  });

  test("says how much of a flood was dropped", async () => {
    using temporary = new TemporaryDirectory();
    const words = ["run", guestPath("log-flood"), "--fuel", "100000000"];
    const { stderr } = await kami(words, { home: temporary.at("home") });
    expect(stderr.length).toBeLessThan(2_000_000);
    expect(stderr).toMatch(/\[kami\] the tool wrote [\d,]+ more bytes: dropped\n/);
  });

  test("compiles a component once", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    await kami(["run", guestPath("echo")], at);
    const [artifact = ""] = readdirSync(temporary.at("home/artifacts"));
    const made = Bun.file(temporary.at("home/artifacts", artifact, "plan.json")).lastModified;
    expect((await kami(["run", guestPath("echo")], at)).stdout).toBe("{}\n");
    expect(Bun.file(temporary.at("home/artifacts", artifact, "plan.json")).lastModified).toBe(made);
  });
});

describe("the names of a tool", () => {
  test("are its id, its own name, its label, and what an agent calls it, while only one tool has them", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    await kami(["install", writePackage(temporary, "one", { guest: "echo", id: "dev.example.first" })], at);
    expect((await kami(["exec", "first"], at)).stdout).toBe("{}\n");
    expect((await kami(["exec", "echo"], at)).stdout).toBe("{}\n");
    expect((await kami(["exec", "fisrt"], at)).stderr).toContain('hint: did you mean "dev.example.first"?\n');
    await kami(["install", writePackage(temporary, "two", { guest: "echo", id: "org.example.first" })], at);
    expect(await kami(["exec", "first"], at)).toEqual({
      exitCode: 2,
      stdout: "",
      stderr:
        'error: Cannot tell which tool "first" is: 2 tools have that name\n  hint: use an id: dev.example.first, org.example.first\n',
    });
    const listed: { tools: { mcpName: string }[] } = JSON.parse((await kami(["list", "--json"], at)).stdout);
    const [first = "", second = ""] = listed.tools.map(({ mcpName }) => mcpName);
    expect([first, second]).toEqual(["first", expect.stringMatching(/^first-[0-9a-f]{6}$/)]);
    expect(await kami(["disable", second], at)).toMatchObject({ stdout: "Disabled org.example.first\n" });
    expect(await kami(["disable", second], at)).toMatchObject({ stdout: "org.example.first is already disabled\n" });
    expect(await kami(["enable", "dev.example.first"], at)).toMatchObject({
      stdout: "dev.example.first is already enabled\n",
    });
    expect((await kami(["uninstall", second], at)).stdout).toBe("Uninstalled org.example.first 1.0.0\n");
  });
});

describe("what a tool imports", () => {
  test("is shown beside what its manifest declares, at install and later", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const source = writePackage(temporary, "package", { guest: "http-get", id: "dev.example.quiet" });
    const rows = `  network      not declared, but the component can ask for it (wasi:http): denied
  files        nothing asked for
  environment  nothing asked for
`;
    expect((await kami(["install", source], at)).stdout).toContain(rows);
    expect((await kami(["inspect", "quiet"], at)).stdout).toContain(`Asks for\n${rows}`);
    const again = JSON.parse((await kami(["install", source, "--json"], at)).stdout);
    expect(again).toMatchObject({
      imports: expect.arrayContaining(["wasi:http/outgoing-handler", "wasi:http/types"]),
      unchanged: true,
    });
    expect((await kami(["install", source], at)).stdout).toStartWith(
      "dev.example.quiet 1.0.0 is already installed, unchanged\n",
    );
  });

  test("is not known when its files were changed, and the tool can be looked at all the same", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    await kami(["install", writePackage(temporary, "package", { guest: "echo", id: ID })], at);
    rmSync(temporary.at("home/artifacts"), { recursive: true });
    rmSync(temporary.at("home/tools"), { recursive: true });
    const { exitCode, stdout } = await kami(["inspect", ID, "--json"], at);
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { tool: { id: ID }, imports: null }]);
  });
});

describe("a command that only reads", () => {
  test.each([
    { words: ["list"], exitCode: 0 },
    { words: ["inspect", ID], exitCode: 4 },
    { words: ["config"], exitCode: 0 },
  ])("$words makes no home", async ({ words, exitCode }) => {
    using temporary = new TemporaryDirectory();
    const home = temporary.at("home");
    expect((await kami(words, { home })).exitCode).toBe(exitCode);
    expect(existsSync(home)).toBe(false);
  });

  test("refuses a relative KAMI_HOME", async () => {
    using temporary = new TemporaryDirectory();
    const environment = { KAMI_HOME: "here" };
    expect(await kami(["list"], { home: "", directory: temporary.path, environment })).toEqual({
      exitCode: 2,
      stdout: "",
      stderr:
        'error: Cannot use the setting "home" from KAMI_HOME: must be an absolute path\n  hint: see every setting with: kami config --help\n',
    });
    expect(readdirSync(temporary.path)).toEqual([]);
  });
});

describe("input from a pipe", () => {
  test("that is not asked for is pointed at when an argument is missing", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const source = writePackage(temporary, "package", { guest: "echo", id: ID, rest: ASKS });
    await kami(["install", source, "--grant", "none"], at);
    const inspect = `see the tool's arguments with: kami inspect ${ID}`;
    const piped = await kami(["exec", "echo"], { ...at, stdin: new Blob(['{"text":"x"}']) });
    expect(piped).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: `error: Cannot use the input: "text" is required\n  hint: to read the pipe: --input-file -; ${inspect}\n`,
    });
    expect((await kami(["exec", ID], at)).stderr).toEndWith(`\n  hint: ${inspect}\n`);
  });
});

describe("kami without its dependencies", () => {
  test("says how to get them", async () => {
    using temporary = new TemporaryDirectory();
    for (const name of ["bin", "lib", "package.json"]) cpSync(name, temporary.at(name), { recursive: true });
    const child = Bun.spawnSync([process.execPath, "--no-install", temporary.at("bin/kami.ts"), "list"], {
      env: { PATH: process.env.PATH, HOME: temporary.path },
    });
    expect([child.exitCode, child.stdout.toString(), child.stderr.toString()]).toEqual([
      8,
      "",
      `error: KAMI's dependencies are not installed\n  hint: run: bun install --frozen-lockfile, in ${temporary.path}\n`,
    ]);
  });
});

describe("kami serve --help", () => {
  test("names the line that adds this very copy to Claude Code", async () => {
    using temporary = new TemporaryDirectory();
    const { stdout } = await kami(["serve", "--help"], { home: temporary.at("home") });
    expect(stdout).toContain(`  claude mcp add --scope user kami -- bun --cwd=${process.cwd()} bin/kami.ts serve\n`);
  });
});

describe("the tools that come with KAMI", () => {
  test("show a call that has to be filled in, with all that it needs", async () => {
    using temporary = new TemporaryDirectory();
    const at = { home: temporary.at("home") };
    const { stdout } = await kami(["install", toolDirectory("json-query")], at);
    expect(stdout).toEndWith(
      `\nTry it with (fill in each …): kami exec dev.kami.json-query --input '{"query": …, "data": …}'\n`,
    );
    const filled = ['"people[0].name"', '{"people":[{"name":"Ada"}]}'];
    const input = (/'(.*)'/.exec(stdout)?.[1] ?? "").replaceAll("…", () => filled.shift() ?? "");
    expect((await kami(["exec", "json-query", "--input", input], at)).stdout).toBe('"Ada"\n');
  });
});

describe("kami --help", () => {
  test("touches nothing", async () => {
    using temporary = new TemporaryDirectory();
    const home = temporary.at("home");
    const { exitCode, stderr } = await kami(["--help"], { home });
    expect([exitCode, stderr, existsSync(home)]).toEqual([0, "", false]);
  });

  test("does not mind a reader that leaves", async () => {
    using temporary = new TemporaryDirectory();
    const script = `"$0" "$1" run "$2" --input-file "$3" --fuel 1000000000 | head -c 1`;
    const input = temporary.write("request.json", JSON.stringify("x".repeat(1_000_000)));
    const child = Bun.spawnSync(["sh", "-c", script, process.execPath, "bin/kami.ts", guestPath("echo"), input], {
      env: { PATH: process.env.PATH, HOME: temporary.path, KAMI_HOME: temporary.at("home") },
    });
    expect([child.stdout.toString(), child.stderr.toString()]).toEqual(['"', ""]);
  });
});
