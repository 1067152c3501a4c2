/**
 * The protocol's own conformance suite, against `kami serve --http` with real components. What may fail, and why, is in `expected.yml`.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { conformanceDirectory } from "../../fixtures/paths.ts";
import { CONFORMANCE } from "../../fixtures/recipes.ts";
import { Home } from "../mcp/support/kami.ts";
import { ServedHttp } from "../mcp/support/served-http.ts";
import { ListChanger, packDiagnostics } from "./diagnostics.ts";

const SUITE = join(
  dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/conformance/package.json")),
  "dist/index.js",
);
const EXPECTED = join(import.meta.dir, "expected.yml");

let home: Home;
let served: ServedHttp;
let changer: ListChanger;

beforeAll(async () => {
  home = new Home();
  const packages = [...CONFORMANCE.map(conformanceDirectory), ...packDiagnostics(home), packTalker(home)];
  await home.installAll(packages, ["--grant", "all"]);
  changer = new ListChanger(home);
  // The suite sends no token.
  served = await ServedHttp.start(home, ["--no-auth"]);
});

afterAll(async () => {
  changer[Symbol.dispose]();
  await served[Symbol.asyncDispose]();
  home[Symbol.dispose]();
});

/** A tool that logs while it runs, under the name that the suite calls. */
function packTalker(at: Home): string {
  const directory = at.makePackage("log-flood", "max_fuel = 1000000000", "test-tool-with-progress");
  const manifest = join(directory, "tool.toml");
  const name = "test_tool_with_progress";
  writeFileSync(
    manifest,
    readFileSync(manifest, "utf8").replace('name = "test-tool-with-progress"', `name = "${name}"`),
  );
  return directory;
}

describe("@modelcontextprotocol/conformance", () => {
  const failed = new Set<string | undefined>();

  test.each(["2026-07-28", "2025-11-25"])(
    "%s: nothing fails but what is expected to",
    async (revision) => {
      const words = ["server", "--url", served.url, "--requirements", revision, "--expected-failures", EXPECTED];
      const child = Bun.spawn([process.execPath, SUITE, ...words], {
        cwd: home.path,
        env: { ...home.environment(), NO_COLOR: "1" },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
      const [stdout, stderr] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      const verdict = stdout.slice(stdout.indexOf("=== SUMMARY ==="));
      expect({ exitCode: await child.exited, verdict, stderr }).toMatchObject({ exitCode: 0 });
      expect(verdict).toMatch(/Total: \d\d+ passed/);
      for (const [, entry] of verdict.matchAll(/^ {2}~ (\S+)$/gm)) failed.add(entry);
    },
    120_000,
  );

  test("no check is excused that counts in neither revision", () => {
    const excused = readFileSync(EXPECTED, "utf8").matchAll(/^ {2}- (\S+)$/gm);
    expect(Array.from(excused, ([, entry]) => entry).filter((entry) => !failed.has(entry))).toEqual([]);
  });
});
