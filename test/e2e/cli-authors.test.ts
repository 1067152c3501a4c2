/**
 * From an idea to a tool in an agent, as an author types it: init, build, validate, test, bench, dev, install.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { guestDirectory, guestPath, toolDirectory } from "../../fixtures/paths.ts";
import { TemporaryDirectory } from "../cli/support/directory.ts";
import { kami, writePackage } from "../cli/support/kami.ts";
import { KAMI } from "../mcp/support/kami.ts";

const ENGINE = fileURLToPath(new URL("../../node_modules/componentize-qjs", import.meta.url));
const temporary = new TemporaryDirectory();
afterAll(() => temporary[Symbol.dispose]());
const home = temporary.at("home");
const at = { home, directory: temporary.path };

function borrowEngine(project: string): void {
  mkdirSync(join(project, "node_modules"), { recursive: true });
  symlinkSync(ENGINE, join(project, "node_modules", "componentize-qjs"));
}

describe("kami init, build, test, install and exec", () => {
  test("make a tool that passes its tests at once, and packages to the same bytes", async () => {
    const started = await kami(["init", "hello", "--lang", "ts"], at);
    expect(started).toEqual({
      exitCode: 0,
      stdout:
        "Started hello in TypeScript\n\nNext:\n  cd hello\n  bun install\n  kami build\n  kami test\n  kami install .\n",
      stderr: "",
    });
    const project = temporary.at("hello");
    borrowEngine(project);
    const here = { home, directory: project };
    const built = await kami(["build", "--package", "--json"], here);
    expect([built.exitCode, built.stderr]).toEqual([0, ""]);
    expect(JSON.parse(built.stdout)).toMatchObject({
      imports: [],
      findings: [],
      package: join(project, "local.hello-0.1.0.zip"),
    });
    const tested = await kami(["test", "--json"], here);
    expect(JSON.parse(tested.stdout)).toMatchObject({
      passed: 2,
      failed: 0,
      advice: { maxMemoryMb: expect.any(Number) },
    });
    expect((await kami(["install", "local.hello-0.1.0.zip"], here)).exitCode).toBe(0);
    expect(await kami(["exec", "hello", "--input", '{"text": "to be"}'], at)).toEqual({
      exitCode: 0,
      stdout: '{"shouted":"TO BE","words":2}\n',
      stderr: "",
    });
  });
});

describe("kami init", () => {
  test("never replaces a file, and needs to know the language", async () => {
    temporary.write("taken/precious.txt", "x");
    const taken = await kami(["init", "taken", "--lang", "c"], at);
    expect([taken.exitCode, taken.stderr]).toEqual([
      2,
      'error: Cannot start a tool in "taken": the directory has "precious.txt" in it\n  hint: name a new directory: kami init <dir>\n',
    ]);
    expect(readdirSync(temporary.at("taken"))).toEqual(["precious.txt"]);
    temporary.write("half/README.md", "mine");
    expect((await kami(["init", "half", "--lang", "c"], at)).exitCode).toBe(0);
    expect(readFileSync(temporary.at("half/README.md"), "utf8")).toBe("mine");
    expect((await kami(["init", "x"], at)).stderr).toBe(
      "error: Cannot start a tool: its language is not given\n  hint: use --lang ts, rust, c or as\n",
    );
    expect((await kami(["init", "x", "--lang", "cobol"], at)).exitCode).toBe(2);
    expect((await kami(["init", "x", "--lang", "c", "--name", "../x"], at)).exitCode).toBe(2);
    expect(existsSync(temporary.at("x"))).toBe(false);
  });

  test("does not write through a link", async () => {
    mkdirSync(temporary.at("victim"));
    mkdirSync(temporary.at("linked"));
    symlinkSync(temporary.at("victim/owned"), temporary.at("linked/README.md"));
    await kami(["init", "linked", "--lang", "c"], at);
    expect(readdirSync(temporary.at("victim"))).toEqual([]);
  });
});

describe("kami validate", () => {
  test("finds what an agent would stumble over, each with a hint", async () => {
    const path = writePackage(temporary, "vague", { guest: "connect", id: "a.vague" });
    const { exitCode, stdout } = await kami(["validate", path], at);
    expect([exitCode, stdout]).toEqual([
      0,
      `Valid: a tool with a bare run, 4.72 KiB, 3 imports
warning: the description has 17 characters: an agent cannot tell when to use the tool
  hint: say in mcp.description what it does, what it gives back, and when to use it
warning: the component can ask for the network, and the manifest does not: it gets none
  hint: if it uses them, add to [security]: net_allow_list = ["api.example.com"]
note: the tool takes no arguments
  hint: list them as [[mcp.arguments]], if it does
`,
    ]);
  });

  test("takes a component alone, and refuses what an install would", async () => {
    expect((await kami(["validate", guestPath("echo")], at)).exitCode).toBe(0);
    expect((await kami(["validate", guestPath("core-module")], at)).exitCode).toBe(3);
    const hungry = await kami(["validate", guestDirectory("initial-memory"), "--json"], at);
    expect([hungry.exitCode, JSON.parse(hungry.stdout)]).toMatchObject([3, { ok: false }]);
  });
});

describe("kami test", () => {
  test("says what failed, what it needs, and that the exit code is 1", async () => {
    const path = writePackage(temporary, "tested", { guest: "upper", id: "a.tested", rest: "max_fuel = 100" });
    writeFileSync(join(temporary.path, "nothing"), "");
    mkdirSync(join(path, "tests"));
    writeFileSync(join(path, "tests/a.toml"), '[[case]]\nname = "upper"\ninput = { a = "x" }\noutput = { a = "X" }\n');
    const { exitCode, stdout } = await kami(["test", path], at);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/FAIL {2}tests\/a\.toml: upper/);
    expect(stdout).toMatch(
      /all 100 fuel is used up \(pass --fuel N for one call.*\); it needs [\d,]+ fuel and 64 KiB\n/,
    );
    expect(stdout).toMatch(/0 passed, 1 failed\nBy what they used: max_fuel = \d+, max_memory_mb = 1\n$/);
  });

  test("needs cases", async () => {
    expect((await kami(["test", toolDirectory("csv-summary")], at)).exitCode).toBe(2);
  });
});

describe("kami bench", () => {
  test("measures a directory, a component and an installed tool", async () => {
    const { exitCode, stdout } = await kami(
      ["bench", guestPath("echo"), "--input", "{}", "--calls", "10", "--json"],
      at,
    );
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      0,
      { calls: 10, fuel: expect.any(Number), warmMs: { median: expect.any(Number) } },
    ]);
    await kami(["install", guestDirectory("echo")], at);
    const installed = await kami(["bench", "echo", "--calls", "10"], at);
    expect(installed.stdout).toMatch(
      /^install .*\ncold .*\nwarm .*\nthroughput .*8 at once\nfuel .*\npeak memory .*\n$/,
    );
    expect(
      (await kami(["bench", guestPath("trap"), "--input", '{"kind":"unreachable"}', "--calls", "10"], at)).exitCode,
    ).toBe(1);
    expect((await kami(["bench", guestPath("echo"), "--calls", "9"], at)).exitCode).toBe(2);
  });
});

describe("kami install starter", () => {
  test("installs all of them, and one by its name", async () => {
    const one = { home: temporary.at("one") };
    expect((await kami(["install", "starter/csv-summary"], one)).stdout).toStartWith(
      "Installed dev.kami.csv-summary 1.0.0\n",
    );
    const all = { home: temporary.at("all") };
    const { exitCode, stdout } = await kami(["install", "starter", "--json"], all);
    const { installed }: { installed: { id: string }[] } = JSON.parse(stdout);
    const names = readdirSync(join(toolDirectory("csv-summary"), "..")).toSorted();
    expect([exitCode, installed.map(({ id }) => id)]).toEqual([0, names.map((name) => `dev.kami.${name}`)]);
    expect(await kami(["exec", "calculator", "--input", '{"expression": "1+1"}'], all)).toMatchObject({
      stdout: '{"value":2,"unit":"","text":"2"}\n',
    });
    const wrong = await kami(["install", "starter/csv-sumary"], all);
    expect([wrong.exitCode, wrong.stderr]).toEqual([
      2,
      'error: Cannot install "starter/csv-sumary": there is no such starter tool\n  hint: did you mean "starter/csv-summary"?\n',
    ]);
    expect((await kami(["install", "starter/../../etc"], all)).exitCode).toBe(2);
  }, 240_000);

  test("they weigh less than 15 MB together", () => {
    const files = [...new Bun.Glob("*/*.wasm").scanSync(join(toolDirectory("csv-summary"), ".."))];
    const bytes = files.map((file) => Bun.file(join(toolDirectory("csv-summary"), "..", file)).size);
    expect(files.length).toBe(11);
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(15_000_000);
  });
});

describe("kami dev", () => {
  test("serves the version of the last save to a client that is connected, and the one before while a save is broken", async () => {
    await kami(["init", "live", "--lang", "ts"], at);
    const project = temporary.at("live");
    borrowEngine(project);
    const client = new Client({ name: "test", version: "1" });
    const transport = new StdioClientTransport({
      command: KAMI.command,
      args: [KAMI.script, "dev", project],
      env: { PATH: process.env["PATH"] ?? "", HOME: temporary.path, KAMI_HOME: home },
      stderr: "pipe",
    });
    let shown = "";
    transport.stderr?.on("data", (data) => (shown += String(data)));
    await client.connect(transport);
    const call = async (): Promise<string> =>
      JSON.stringify((await client.callTool({ name: "live", arguments: { text: "a" } })).content);
    try {
      expect(await call()).toContain("shouted");
      const source = join(project, "src/tool.ts");
      const text = readFileSync(source, "utf8");
      writeFileSync(source, text.replace("shouted:", "whispered:"));
      await until(async () => (await call()).includes("whispered"));
      writeFileSync(source, "export default 1 +;\n");
      await Bun.sleep(300);
      expect(await call()).toContain("whispered");
      // A save while the one before is being built: the last one is what counts.
      writeFileSync(source, text.replace("shouted:", "hurried:"));
      await Bun.sleep(100);
      writeFileSync(source, text.replace("shouted:", "mended:"));
      await until(async () => (await call()).includes("mended"));
      // Ctrl-C while a save is being built.
      const ended = new Promise<void>((resolve) => (client.onclose = resolve));
      writeFileSync(source, text.replace("shouted:", "ended:"));
      await Bun.sleep(150);
      process.kill(transport.pid ?? Number.NaN, "SIGINT");
      await ended;
      expect(shown).toContain("kami: built local.live 0.1.0 from TypeScript in ");
      expect(shown).not.toMatch(/internal error|cancelled/);
    } finally {
      await client.close();
    }
    // Its home is its own: the user's tools do not know it.
    expect((await kami(["list", "--json"], at)).stdout).not.toContain("local.live");
  }, 240_000);
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(20);
}
