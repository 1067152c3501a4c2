/**
 * Whatever is wrong with what the user gives, `kami` says so in one line with a hint, exits with the right code, and leaves nothing behind.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { guestPath } from "../../fixtures/paths.ts";
import { listing, TemporaryDirectory } from "../cli/support/directory.ts";
import { type Finished, kami, writePackage } from "../cli/support/kami.ts";

const ID = "dev.example.echo";
const SIZE_OF_RANDOM = 100_000_000;

const template = new TemporaryDirectory();

beforeAll(async () => {
  const source = writePackage(template, "good", { guest: "echo", id: ID });
  const { exitCode, stderr } = await kami(["install", source], { home: template.at("home") });
  expect([exitCode, stderr]).toEqual([0, ""]);
});

afterAll(() => {
  template[Symbol.dispose]();
});

/** Makes a home in which one tool is installed, and the package that it was installed from. */
function homeInUse(temporary: TemporaryDirectory): string {
  cpSync(template.path, temporary.path, { recursive: true });
  return temporary.at("home");
}

interface Wrong {
  readonly what: string;
  /** Makes what is wrong, and says how kami is called. */
  readonly make: (temporary: TemporaryDirectory) => readonly string[];
  readonly exitCode: number;
  /** The message and the hint, `$` standing for the temporary directory. */
  readonly message: string | RegExp;
  readonly hint: string;
}

const INSTALLS: readonly Wrong[] = [
  {
    what: "a path that does not exist",
    make: (temporary) => ["install", temporary.at("nowhere")],
    exitCode: 2,
    message: 'Cannot read "$/nowhere": there is no such file or directory',
    hint: "check the path",
  },
  {
    what: "a directory without tool.toml",
    make: (temporary) => {
      temporary.write("bare/readme.txt", "x");
      return ["install", temporary.at("bare")];
    },
    exitCode: 3,
    message: 'Cannot install "$/bare": the directory has no tool.toml',
    hint: "name a directory that holds a tool.toml, or the tool.toml itself",
  },
  {
    what: "a core module instead of a component",
    make: (temporary) => ["install", writePackage(temporary, "core", { guest: "core-module", id: "dev.example.core" })],
    exitCode: 3,
    message: /^Cannot use "[^"]*core-module\.wasm": it is a core module, not a component$/,
    hint: "make a component of it, for example with: jco new core.wasm -o tool.wasm",
  },
  {
    what: "a truncated component",
    make: (temporary) => {
      const directory = writePackage(temporary, "cut", { guest: "echo", id: "dev.example.cut" });
      const path = temporary.at("cut/echo.wasm");
      truncateSync(path, Math.floor(readFileSync(path).length / 2));
      return ["install", directory];
    },
    exitCode: 3,
    message: /^Cannot compile the component: /,
    hint: "build the component again; it may be truncated or made by a broken toolchain",
  },
  {
    what: "an empty component",
    make: (temporary) => {
      const directory = writePackage(temporary, "empty", { guest: "echo", id: "dev.example.empty" });
      writeFileSync(temporary.at("empty/echo.wasm"), "");
      return ["install", directory];
    },
    exitCode: 3,
    message: /^Cannot use "[^"]*echo\.wasm": it is not WebAssembly$/,
    hint: "name a WebAssembly component (.wasm)",
  },
  {
    what: "a manifest that is no TOML",
    make: (temporary) => {
      temporary.write("broken/tool.toml", "[tool\n");
      return ["install", temporary.at("broken")];
    },
    exitCode: 3,
    message: /^Cannot parse \$\/broken\/tool\.toml:1:\d+: /,
    hint: "mend the TOML at that place",
  },
  {
    what: "a wasm path that leaves the package",
    make: (temporary) => [
      "install",
      writePackage(temporary, "out", { guest: "echo", id: ID, wasm: "../good/echo.wasm" }),
    ],
    exitCode: 3,
    message: /^Cannot .*\$\/out\/tool\.toml/,
    hint: "mend the value at that place",
  },
  {
    what: "a wasm path that names nothing",
    make: (temporary) => ["install", writePackage(temporary, "gone", { guest: "echo", id: ID, wasm: "gone.wasm" })],
    exitCode: 3,
    message: /^Cannot package "[^"]*gone\.wasm": there is no such file$/,
    hint: "tool.wasm names a regular file inside the package, by a relative path without symlinks",
  },
  {
    what: "a wasm path that is a symlink out of the package",
    make: (temporary) => {
      const directory = writePackage(temporary, "link", { guest: "echo", id: ID, wasm: "link.wasm" });
      symlinkSync(temporary.at("good/echo.wasm"), temporary.at("link/link.wasm"));
      return ["install", directory];
    },
    exitCode: 3,
    message: /^Cannot package "[^"]*link\.wasm": /,
    hint: "tool.wasm names a regular file inside the package, by a relative path without symlinks",
  },
  {
    what: "a wasm path through a symlinked directory",
    make: (temporary) => {
      const directory = writePackage(temporary, "through", { guest: "echo", id: ID, wasm: "inner/echo.wasm" });
      symlinkSync(temporary.at("good"), temporary.at("through/inner"));
      return ["install", directory];
    },
    exitCode: 3,
    message: /^Cannot package "[^"]*inner[^"]*": /,
    hint: "tool.wasm names a regular file inside the package, by a relative path without symlinks",
  },
];

const CALLS: readonly Wrong[] = [
  {
    what: "a file that does not exist",
    make: (temporary) => ["run", temporary.at("nowhere.wasm")],
    exitCode: 2,
    message: 'Cannot read "$/nowhere.wasm": there is no such file or directory',
    hint: "check the path",
  },
  {
    what: "100 MB of random bytes",
    make: (temporary) => ["run", temporary.write("random.wasm", randomBytes(SIZE_OF_RANDOM))],
    exitCode: 3,
    message: /^Cannot use "\$\/random\.wasm": it /,
    hint: "",
  },
  {
    what: "a directory",
    make: (temporary) => ["run", temporary.path],
    exitCode: 2,
    message: /^Cannot read "\$": /,
    hint: "check the path and its permissions",
  },
  {
    what: "a core module",
    make: () => ["run", guestPath("core-module")],
    exitCode: 3,
    message: /^Cannot use "[^"]*core-module\.wasm": it is a core module, not a component$/,
    hint: "make a component of it, for example with: jco new core.wasm -o tool.wasm",
  },
  {
    what: "input that is no JSON",
    make: () => ["exec", ID, "--input", "{a: 1}"],
    exitCode: 2,
    message: /^Cannot use the input from --input: .+ at line 1, column 2$/,
    hint: `give JSON text, for example: --input '{"name": "value"}'`,
  },
  {
    what: "10 MB of input",
    make: (temporary) => [
      "exec",
      ID,
      "--input-file",
      temporary.write("big.json", JSON.stringify("x".repeat(10_000_000))),
    ],
    exitCode: 2,
    message: "Cannot use the input: it has 10000002 bytes, the limit is 4194304",
    hint: "send less at once",
  },
  {
    what: "an input file that does not exist",
    make: (temporary) => ["exec", ID, "--input-file", temporary.at("nowhere.json")],
    exitCode: 2,
    message: 'Cannot read "$/nowhere.json": there is no such file or directory',
    hint: "check the path",
  },
  {
    what: "a limit out of range",
    make: () => ["exec", ID, "--memory-mb", "4097"],
    exitCode: 2,
    message: 'Cannot use --memory-mb "4097": it must be a whole number from 1 to 4,096',
    hint: "for example: --memory-mb 64",
  },
  ...["exec", "inspect", "uninstall", "enable", "disable"].map((command) => ({
    what: `an id that is not installed, to ${command}`,
    make: () => [command, "dev.example.ecko"],
    exitCode: 4,
    message: 'Cannot find the tool "dev.example.ecko": it is not installed',
    hint: `did you mean "${ID}"?`,
  })),
  {
    what: "an id that steers the terminal",
    make: () => ["exec", "\u001b[31m\u202ered"],
    exitCode: 4,
    message: 'Cannot find the tool "red": it is not installed',
    hint: "see what is installed with: kami list",
  },
];

describe("bad input", () => {
  test.each([...INSTALLS, ...CALLS])("$what", async ({ make, exitCode, message, hint }) => {
    using temporary = new TemporaryDirectory();
    const home = homeInUse(temporary);
    const words = make(temporary);
    const before = listing(home);

    const [finished, json] = await Promise.all([kami(words, { home }), kami([...words, "--json"], { home })]);
    expectOneLine(finished, { exitCode, message, hint }, temporary.path);
    expect([json.exitCode, json.stdout, json.stderr.split("\n").length]).toEqual([exitCode, "", 2]);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } });

    expect(listing(home)).toEqual(before);
  });

  test("10 MB on standard input is read no further than the limit", async () => {
    using temporary = new TemporaryDirectory();
    const home = homeInUse(temporary);
    const stdin = new Blob([JSON.stringify("x".repeat(10_000_000))]);
    expect(await kami(["exec", ID, "--input-file", "-"], { home, stdin })).toEqual({
      exitCode: 2,
      stdout: "",
      stderr:
        "error: Cannot use the input: it has more than 4194304 bytes, which is the limit\n  hint: send less at once\n",
    });
  });

  test("a home that is a file", async () => {
    using temporary = new TemporaryDirectory();
    const home = temporary.write("home", "x");
    const { exitCode, stdout, stderr } = await kami(["list"], { home });
    expect([exitCode, stdout]).toEqual([8, ""]);
    expect(stderr).toMatch(/^error: Cannot open the registry "[^"]+": .+\n  hint: .+\n$/);
  });
});

function expectOneLine(
  { exitCode, stdout, stderr }: Finished,
  wanted: Pick<Wrong, "exitCode" | "message" | "hint">,
  directory: string,
): void {
  const [first = "", second = "", ...rest] = stderr.replaceAll(directory, "$").split("\n");
  expect({ exitCode, stdout, rest }).toEqual({ exitCode: wanted.exitCode, stdout: "", rest: [""] });
  const message = first.replace(/^error: /, "");
  if (typeof wanted.message === "string") expect(message).toBe(wanted.message);
  else expect(message).toMatch(wanted.message);
  expect(first).toStartWith("error: Cannot ");
  if (wanted.hint === "") expect(second).toStartWith("  hint: ");
  else expect(second).toBe(`  hint: ${wanted.hint}`);
}

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}
