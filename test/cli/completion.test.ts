/**
 * The completion scripts, by the shells themselves where they are installed.
 */
import { describe, expect, test } from "bun:test";
import { flagNames } from "../../lib/cli/arguments.ts";
import { completionScript, SHELLS } from "../../lib/cli/completion.ts";
import { loadCommand } from "../../lib/cli/program.ts";
import { commandNames } from "../../lib/cli/summaries.ts";
import { TemporaryDirectory } from "./support/directory.ts";

const COMMANDS = await Promise.all(commandNames().map(loadCommand));
const HARMFUL = "$(touch mark)";

/** Completes the last of some words. @returns What a shell offers, sorted. */
function complete(shell: "bash" | "fish", words: readonly string[], directory: string): readonly string[] {
  const script = completionScript(shell, COMMANDS);
  const line = words.map((word) => `'${word}'`).join(" ");
  const program =
    shell === "bash"
      ? `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _kami; printf '%s\\n' "\${COMPREPLY[@]}"`
      : `${script}\ncomplete -C '${words.join(" ")}'`;
  const { stdout, stderr } = Bun.spawnSync(
    shell === "bash" ? ["bash", "--norc", "-c", program] : ["fish", "-N", "-c", program],
    {
      cwd: directory,
      env: { PATH: process.env.PATH, HOME: directory },
    },
  );
  expect(stderr.toString()).toBe("");
  const offers = stdout
    .toString()
    .split("\n")
    .filter((offer) => offer !== "");
  return offers.map((offer) => offer.split("\t")[0] ?? "").toSorted();
}

describe.skipIf(Bun.which("bash") === null)("bash", () => {
  test("completes commands, and flags of each command", () => {
    using directory = new TemporaryDirectory();
    expect(complete("bash", ["kami", ""], directory.path)).toEqual(
      [...commandNames(), "--help", "--version"].toSorted(),
    );
    expect(complete("bash", ["kami", "ex"], directory.path)).toEqual(["exec"]);
    for (const { name, args } of COMMANDS) {
      const flags = [...flagNames(args).map((flag) => `--${flag}`), "--help"];
      expect([name, ...complete("bash", ["kami", name, "--"], directory.path)]).toEqual([name, ...flags.toSorted()]);
    }
    expect(complete("bash", ["kami", "completion", "b"], directory.path)).toEqual(["bash"]);
    expect(complete("bash", ["kami", "exec", "--fuel", ""], directory.path)).toEqual([]);
  });

  test("completes paths, whatever they are called: no name is executed", () => {
    using files = new TemporaryDirectory();
    files.write(`${HARMFUL}.wasm`, "");
    files.write("two words.wasm", "");
    expect(complete("bash", ["kami", "run", ""], files.path)).toEqual(
      expect.arrayContaining([`${HARMFUL}.wasm`, "two words.wasm"]),
    );
    expect(complete("bash", ["kami", "exec", "--input-file", "two"], files.path)).toEqual(["two words.wasm"]);
    expect(complete("bash", ["kami", HARMFUL], files.path)).toEqual([]);
    expect(complete("bash", ["kami", "run", "$(t"], files.path)).toEqual([`${HARMFUL}.wasm`]);
    expect(complete("bash", ["kami", "run", ""], files.path)).not.toContain("mark");
  });
});

describe.skipIf(Bun.which("fish") === null)("fish", () => {
  test("completes commands and flags", () => {
    using directory = new TemporaryDirectory();
    expect(complete("fish", ["kami", "ex"], directory.path)).toEqual(["exec"]);
    expect(complete("fish", ["kami", "exec", "--fu"], directory.path)).toEqual(["--fuel", "--function"]);
    expect(complete("fish", ["kami", "completion", "z"], directory.path)).toEqual(["zsh"]);
  });
});

describe.skipIf(Bun.which("zsh") === null)("zsh", () => {
  test("reads the script, and has the function", () => {
    const script = completionScript("zsh", COMMANDS);
    const program = `autoload -Uz compinit && compinit -D -u; ${script}\nprint -r -- \${_comps[kami]}; whence -w _kami`;
    const { stdout, stderr } = Bun.spawnSync(["zsh", "-f", "-c", program], { env: { PATH: process.env.PATH } });
    expect([stdout.toString(), stderr.toString()]).toEqual(["_kami\n_kami: function\n", ""]);
  });
});

describe("completionScript()", () => {
  test.each(SHELLS)("for %s names every command and every flag", (shell) => {
    const script = completionScript(shell, COMMANDS);
    for (const { name, args } of COMMANDS) {
      expect(script).toContain(name);
      for (const flag of flagNames(args)) expect(script).toContain(shell === "fish" ? `-l ${flag}` : `--${flag}`);
    }
  });
});
