/**
 * Keeps the import ranks: a module imports from a lower rank or its own folder, never from an equal one; the trust boundary, the process's
 * authority and each outside package stay where they belong.
 */
import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { dirname, join, normalize } from "node:path";

const root = join(import.meta.dir, "..");

/** Rank by folder of `lib/`, or by file at its top. */
const RANKS = new Map<string, number>([
  ["errors.ts", 0],
  ["nearest.ts", 0],
  ["position.ts", 0],
  ["json-type.ts", 0],
  ["wasm", 1],
  ["manifest", 1],
  ["policy", 1],
  ["schema", 1],
  ["protocol", 2],
  ["component", 2],
  ["worker", 3],
  ["executor", 3],
  ["registry", 3],
  ["runtime.ts", 4],
  ["mcp", 5],
  ["cli", 6],
]);

/** Which folder may import an outside package; all others may not. */
const PACKAGES = new Map<string, readonly string[]>([
  ["citty", ["cli"]],
  ["smol-toml", ["manifest", "cli"]],
  ["bun:sqlite", ["registry"]],
  ["@modelcontextprotocol/server", ["mcp"]],
  ["@bytecodealliance/jco-transpile", ["component"]],
]);

/** What the guest's side of the boundary may import beside its own folder. */
const WORKER_MAY_IMPORT = ["errors.ts", "protocol", "policy", "component/instantiate.ts"];

interface Import {
  /** Relative to `lib/`. */
  readonly file: string;
  /** As written. */
  readonly specifier: string;
}

const files = [...new Glob("**/*.ts").scanSync(join(root, "lib"))]
  .filter((file) => !file.startsWith("guest/"))
  .toSorted();
const texts = new Map<string, string>();
for (const file of files) texts.set(file, await Bun.file(join(root, "lib", file)).text());
const imports = files.flatMap((file) => importsOf(file));

describe("the import ranks", () => {
  test("know every folder and top-level file of lib/", () => {
    expect([...new Set(files.map(unit))].filter((name) => !RANKS.has(name))).toEqual([]);
  });

  test("are kept", () => {
    const broken = imports.filter(({ file, specifier }) => {
      const target = resolve(file, specifier);
      if (target === undefined || unit(target) === unit(file)) return false;
      return (RANKS.get(unit(target)) ?? Infinity) >= (RANKS.get(unit(file)) ?? -1);
    });
    expect(broken).toEqual([]);
  });

  test("are seen by this test: it reads imports of every kind", () => {
    expect(
      specifiersIn(
        'import a from "./a.ts";\nimport type { B } from "./b.ts";\nexport { c } from "./c.ts";\nawait import("./d.ts");\nimport "./e.ts";',
      ),
    ).toEqual(["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts"]);
  });
});

describe("the trust boundary", () => {
  test("lib/worker imports only what the guest's side may have", () => {
    const foreign = imports
      .filter(({ file }) => unit(file) === "worker")
      .filter(({ file, specifier }) => {
        const target = resolve(file, specifier);
        if (target === undefined) return true;
        return (
          unit(target) !== "worker" &&
          !WORKER_MAY_IMPORT.some((allowed) => target === allowed || unit(target) === allowed)
        );
      });
    expect(foreign).toEqual([]);
  });

  test("nobody outside lib/worker imports from it: the executor names it by URL", () => {
    expect(
      imports.filter(
        ({ file, specifier }) => unit(file) !== "worker" && unit(resolve(file, specifier) ?? "") === "worker",
      ),
    ).toEqual([]);
  });

  test("the guest's side evaluates glue, the host's side never does", () => {
    const users = imports
      .filter(({ file, specifier }) => resolve(file, specifier) === "component/instantiate.ts")
      .map(({ file }) => unit(file));
    expect(new Set(users)).toEqual(new Set(["worker"]));
  });
});

describe("ambient authority", () => {
  test("process, console and Bun.env appear only in lib/cli", () => {
    const users = files.filter(
      (file) =>
        unit(file) !== "cli" &&
        /\b(?:process|console)\.|\bBun\.env\b|["']node:process["']/.test(codeOf(texts.get(file) ?? "")),
    );
    expect(users).toEqual([]);
  });

  test("each outside package stays in its folder", () => {
    const strays = imports.filter(({ file, specifier }) => {
      for (const [name, folders] of PACKAGES) {
        if (specifier === name || specifier.startsWith(`${name}/`)) return !folders.includes(unit(file));
      }
      return false;
    });
    expect(strays).toEqual([]);
  });

  test("every outside package that lib/ imports is a dependency", async () => {
    const manifest: { dependencies: Record<string, string> } = await Bun.file(join(root, "package.json")).json();
    const outside = imports
      .map(({ specifier }) => specifier)
      .filter((specifier) => !/^(?:\.|node:|bun(?::|$))/.test(specifier));
    const names = outside.map((specifier) =>
      specifier
        .split("/")
        .slice(0, specifier.startsWith("@") ? 2 : 1)
        .join("/"),
    );
    expect([...new Set(names)].filter((name) => manifest.dependencies[name] === undefined)).toEqual([]);
  });
});

describe("the tree", () => {
  test("has nothing at the top but what DESIGN names", () => {
    const top = [...new Glob("*").scanSync({ cwd: root, onlyFiles: false })]
      .filter((name) => name !== "node_modules")
      .toSorted();
    expect(top).toEqual(
      [
        "LICENSE",
        "README.md",
        "bench",
        "bin",
        "bun.lock",
        "bunfig.toml",
        "docs",
        "fixtures",
        "lib",
        "package.json",
        "test",
        "tsconfig.json",
      ].toSorted(),
    );
  });

  test("pins every dependency to an exact version", async () => {
    const manifest: Record<string, Record<string, string>> = await Bun.file(join(root, "package.json")).json();
    const ranges = Object.entries({ ...manifest["dependencies"], ...manifest["devDependencies"] });
    expect(ranges.filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual([]);
  });
});

function importsOf(file: string): Import[] {
  return specifiersIn(texts.get(file) ?? "").map((specifier) => ({ file, specifier }));
}

function specifiersIn(text: string): string[] {
  const pattern = /(?:^|\n)\s*(?:import|export)\s(?:[^;"']*?\sfrom\s)?["']([^"']+)["']|import\(\s*["']([^"']+)["']/g;
  return [...codeOf(text).matchAll(pattern)].map((match) => match[1] ?? match[2] ?? "");
}

/** The text without comments, as far as they stand on lines of their own. */
function codeOf(text: string): string {
  return text.replace(/^\s*(?:\/\/.*|\/?\*.*)$/gm, "");
}

/** What a relative import names, relative to `lib/`. */
function resolve(file: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? normalize(join(dirname(file), specifier)) : undefined;
}

function unit(file: string): string {
  return file.split("/")[0] ?? file;
}
