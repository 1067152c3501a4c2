import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** What opens, compiles or serves something. `registry/files.ts` only reads files, `mcp/alias.ts` only makes names. */
const HEAVY = /^lib\/(?:runtime|registry\/(?!files\.ts)|executor|component|worker|mcp\/(?!alias\.ts)|wasm)|^bun:|^@/;
const transpiler = new Bun.Transpiler({ loader: "ts" });

/** All that a file loads before its first line runs: its imports that are not `import()`, and theirs. */
function loadedBy(path: string, seen: Set<string> = new Set<string>()): ReadonlySet<string> {
  const name = relative(ROOT, path);
  if (seen.has(name)) return seen;
  seen.add(name);
  if (!path.endsWith(".ts")) return seen;
  for (const { kind, path: wanted } of transpiler.scanImports(readFileSync(path, "utf8").replace(/^#!.*/, ""))) {
    if (kind !== "import-statement") continue;
    if (wanted.startsWith(".")) loadedBy(join(dirname(path), wanted), seen);
    else seen.add(wanted);
  }
  return seen;
}

describe("starting kami", () => {
  test("loads the command line alone: no SQLite, no executor, no MCP", async () => {
    // Loaded by an `import()`, so that missing dependencies can be told.
    expect(await Bun.file(join(ROOT, "bin/kami.ts")).text()).toContain('import("../lib/cli/main.ts")');
    const loaded = [...loadedBy(join(ROOT, "bin/kami.ts")), ...loadedBy(join(ROOT, "lib/cli/main.ts"))];
    expect(loaded.filter((name) => HEAVY.test(name))).toEqual([]);
    expect(loaded).toContain("lib/cli/program.ts");
    expect(loaded).not.toContain("lib/cli/commands/exec.ts");
  });

  test.each([
    "install",
    "list",
    "inspect",
    "uninstall",
    "grant",
    "revoke",
    "grants",
    "toggle",
    "run",
    "exec",
    "serve",
    "config",
  ])("loads %s's help without what the command works on", (name) => {
    const loaded = [...loadedBy(join(ROOT, `lib/cli/commands/${name}.ts`))];
    expect(loaded.filter((entry) => HEAVY.test(entry))).toEqual([]);
  });
});
