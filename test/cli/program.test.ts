import { describe, expect, test } from "bun:test";
import { loadCommand, runProgram } from "../../lib/cli/program.ts";
import { commandNames } from "../../lib/cli/summaries.ts";
import { type HostOptions, type TestHost, testHost } from "./support/host.ts";

async function run(words: readonly string[], options: HostOptions | TestHost = {}): Promise<[number, string, string]> {
  const host = "printed" in options ? options : testHost(options);
  const exit = await runProgram(words, host);
  return [exit, host.printed.stdout, host.printed.stderr];
}

describe("runProgram()", () => {
  test("prints the version", async () => {
    expect(await run(["--version"])).toEqual([0, "kami 1.2.3\n", ""]);
  });

  test("prints the versions of all that it is made of", async () => {
    const [exit, text] = await run(["--version", "--json"]);
    const installed: { version: string } = await Bun.file(
      `${import.meta.dir}/../../node_modules/@bytecodealliance/jco-transpile/package.json`,
    ).json();
    expect([exit, JSON.parse(text)]).toEqual([
      0,
      {
        kami: "1.2.3",
        shipment: "sources",
        bun: Bun.version,
        jco: installed.version,
        registrySchema: expect.any(Number),
        artifactAbi: expect.stringMatching(/^m\d+-p\d+$/),
        wasi: "0.2.12",
        tool: "kami:tool@0.1.0",
        platform: `${process.platform}-${process.arch}`,
      },
    ]);
    expect(await run(["--json", "--version"])).toEqual([0, text, ""]);
    expect((await run(["--version", "list"]))[0]).toBe(2);
  });

  test("prints the same help for nothing, --help, -h and help", async () => {
    const [exit, help, stderr] = await run([]);
    expect([exit, stderr]).toEqual([0, ""]);
    expect(help).toStartWith("kami 1.2.3: runs WebAssembly tools");
    for (const words of [["--help"], ["-h"], ["help"]]) expect(await run(words)).toEqual([0, help, ""]);
  });

  const wrong: readonly { words: readonly string[]; problem: string; hint: string }[] = [
    {
      words: ["instal"],
      problem: 'Cannot run "kami instal": there is no such command',
      hint: 'did you mean "kami install"?',
    },
    {
      words: ["frobnicate"],
      problem: 'Cannot run "kami frobnicate": there is no such command',
      hint: "see the commands with: kami --help",
    },
    {
      words: ["help", "exce"],
      problem: 'Cannot run "kami exce": there is no such command',
      hint: 'did you mean "kami exec"?',
    },
    { words: [""], problem: 'Cannot run "kami": there is no such command', hint: "see the commands with: kami --help" },
    {
      words: ["--json", "list"],
      problem: 'Cannot run "kami": there is no flag "--json" before the command',
      hint: "put flags behind the command: kami <command> [flags]",
    },
    {
      words: ["--hepl"],
      problem: 'Cannot run "kami": there is no flag "--hepl" before the command',
      hint: 'did you mean "--help"?',
    },
    ...["-v", "-V"].map((word) => ({
      words: [word],
      problem: `Cannot run "kami": there is no flag "${word}" before the command`,
      hint: 'did you mean "--version"?',
    })),
    ...Object.entries({ ls: "list", rm: "uninstall", remove: "uninstall", add: "install" }).map(([word, meant]) => ({
      words: [word],
      problem: `Cannot run "kami ${word}": there is no such command`,
      hint: `did you mean "kami ${meant}"?`,
    })),
    {
      words: ["list", "--filte", "x"],
      problem: 'Cannot run "kami list": there is no flag "--filte"',
      hint: 'did you mean "--filter"?',
    },
  ];
  test.each(wrong.filter(({ words }) => !words.includes("--json")))(
    "refuses $words",
    async ({ words, problem, hint }) => {
      expect(await run(words)).toEqual([2, "", `error: ${problem}\n  hint: ${hint}\n`]);
    },
  );

  test.each(wrong)("refuses $words with --json in one JSON object", async ({ words, problem, hint }) => {
    const [exit, stdout, stderr] = await run([...words, ...(words.includes("--json") ? [] : ["--json"])]);
    expect([exit, stdout, stderr]).toEqual([
      2,
      "",
      `${JSON.stringify({ error: { code: "USAGE", message: problem, hint } })}\n`,
    ]);
  });

  test("calls an error that is no failure a bug, on one line", async () => {
    const host = {
      ...testHost(),
      currentDirectory: () => {
        throw new Error("BUG: no directory");
      },
    };
    const [exit, stdout, stderr] = await run(["config"], host);
    expect([exit, stdout]).toEqual([70, ""]);
    expect(stderr).toBe(
      "internal error: BUG: no directory\n  hint: this is a bug in KAMI: set KAMI_DEBUG=1 to see where, and report it\n",
    );
  });

  test("prints the settings, as a table and as JSON", async () => {
    const environment = { KAMI_HOME: "/srv/kami", KAMI_MAX_FUEL: "500" };
    expect(await run(["config"], { environment })).toEqual([
      0,
      `SETTING           VALUE                  FROM         WHERE
home              /srv/kami              environment  KAMI_HOME
db                /srv/kami/registry.db  default
concurrency       4                      default
queue_limit       256                    default
max_fuel          500                    environment  KAMI_MAX_FUEL
max_memory_mb     1024                   default
max_execution_ms  60000                  default
`,
      "",
    ]);
    const [, json] = await run(["config", "--json"], { environment });
    expect(JSON.parse(json)).toEqual({
      settings: [
        { key: "home", value: "/srv/kami", origin: "environment", source: "KAMI_HOME" },
        { key: "db", value: "/srv/kami/registry.db", origin: "default", source: null },
        { key: "concurrency", value: 4, origin: "default", source: null },
        { key: "queue_limit", value: 256, origin: "default", source: null },
        { key: "max_fuel", value: 500, origin: "environment", source: "KAMI_MAX_FUEL" },
        { key: "max_memory_mb", value: 1024, origin: "default", source: null },
        { key: "max_execution_ms", value: 60_000, origin: "default", source: null },
      ],
    });
  });
});

describe("the commands", () => {
  test("are these", () => {
    expect(commandNames()).toEqual([
      "install",
      "list",
      "inspect",
      "uninstall",
      "grant",
      "revoke",
      "grants",
      "enable",
      "disable",
      "run",
      "exec",
      "serve",
      "connect",
      "doctor",
      "token",
      "init",
      "build",
      "validate",
      "test",
      "dev",
      "bench",
      "config",
      "completion",
    ]);
  });

  test.each(commandNames())("%s has complete help, and lines that fit", async (name) => {
    const command = await loadCommand(name);
    const [exit, help, stderr] = await run([name, "--help"]);
    expect([command.name, exit, stderr]).toEqual([name, 0, ""]);
    const wanted = ["Usage: kami ", "Flags:", "Examples:", "Exit codes: see kami --help", command.summary];
    expect(wanted.filter((text) => !help.includes(text))).toEqual([]);
    expect(Object.entries(command.args).filter(([, definition]) => (definition.description ?? "") === "")).toEqual([]);
    expect(command.examples.length).toBeGreaterThan(0);
    expect(help.split("\n").filter((line) => line.length > 100 && !line.includes("--cwd="))).toEqual([]);
    expect(await run(["help", name])).toEqual([0, help, ""]);
  });

  test("print data as JSON, all but those that stream, serve or print a script", async () => {
    const commands = await Promise.all(commandNames().map(loadCommand));
    expect(commands.filter(({ args }) => args["json"] === undefined).map(({ name }) => name)).toEqual([
      "serve",
      "dev",
      "completion",
    ]);
  });
});
