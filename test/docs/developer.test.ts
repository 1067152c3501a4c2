/**
 * The commands of docs/DEVELOPER.md, run as they stand there, block by block, by a shell that finds `kami` on its PATH.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { identifyRust } from "../../fixtures/cargo.ts";
import { identifyClang } from "../../fixtures/clang.ts";
import { TemporaryDirectory } from "../cli/support/directory.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TEXT = readFileSync(join(ROOT, "docs/DEVELOPER.md"), "utf8");
const BLOCKS = [...TEXT.matchAll(/^## (.*?)$|^```sh\n(.*?)^```$/gms)].reduce<{
  section: string;
  blocks: [section: string, script: string][];
}>(
  ({ section, blocks }, [, title, script]) => ({
    section: title ?? section,
    blocks: script === undefined ? blocks : [...blocks, [section, script]],
  }),
  { section: "", blocks: [] },
).blocks;

/** What a section needs, beside what this repository has. */
const HAS: Readonly<Record<string, boolean>> = {
  "The first minute": true,
  "While you write": true,
  Rust: identifyRust("wasm32-unknown-unknown") !== undefined,
  "C and C++": (await identifyClang()) !== undefined,
  AssemblyScript: existsSync(join(ROOT, "node_modules/assemblyscript")),
};

const temporary = new TemporaryDirectory();
afterAll(() => temporary[Symbol.dispose]());

beforeAll(() => {
  shim("kami", `exec "${process.execPath}" "${join(ROOT, "bin/kami.ts")}" "$@"`);
  // No test reaches past this machine: what would be downloaded is what this repository has.
  shim(
    "bun",
    `mkdir -p node_modules && for name in componentize-qjs assemblyscript; do ln -sfn "${join(ROOT, "node_modules")}/$name" node_modules/$name; done`,
  );
});

function shim(name: string, line: string): void {
  mkdirSync(temporary.at("bin"), { recursive: true });
  chmodSync(temporary.write(`bin/${name}`, `#!/bin/sh\n${line}\n`), 0o755);
}

describe("docs/DEVELOPER.md", () => {
  test("has blocks in the sections that are known here", () => {
    expect(BLOCKS.map(([section]) => section)).toEqual(Object.keys(HAS));
  });

  for (const [section, script] of BLOCKS) {
    test.skipIf(HAS[section] !== true)(
      section,
      () => {
        // The second block goes on where the first one ended.
        const directory = section === "While you write" ? temporary.at("hello") : temporary.path;
        const { exitCode, stderr } = Bun.spawnSync(["sh", "-eu", "-c", script], {
          cwd: directory,
          env: {
            ...process.env,
            PATH: `${temporary.at("bin")}:${process.env["PATH"]}`,
            KAMI_HOME: temporary.at("home"),
          },
        });
        expect([exitCode, stderr.toString()]).toEqual([0, ""]);
      },
      240_000,
    );
  }

  test("names only flags and files that there are", () => {
    const links = [...TEXT.matchAll(/\]\(([^)]+)\)/g)].map(([, link = ""]) => link);
    expect(links.filter((link) => !isThere(link))).toEqual([]);
  });
});

/** Whether there is such a file, with such a heading when the link names one. */
function isThere(link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const file = join(ROOT, "docs", path === "" ? "DEVELOPER.md" : path);
  if (anchor === undefined || !existsSync(file)) return existsSync(file);
  const headings = [...readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.some((heading) => heading.toLowerCase().replaceAll(" ", "-") === anchor);
}
