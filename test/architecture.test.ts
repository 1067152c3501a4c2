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
  ["roles.ts", 0],
  ["shipped.ts", 0],
  ["digest.ts", 0],
  ["nearest.ts", 0],
  ["position.ts", 0],
  ["json-type.ts", 0],
  ["frame-reader.ts", 0],
  ["network-rule.ts", 0],
  ["wasm", 1],
  ["zip", 1],
  ["manifest", 1],
  ["policy", 1],
  ["schema", 1],
  ["protocol", 2],
  ["component", 2],
  ["worker", 3],
  ["executor", 3],
  ["registry", 3],
  ["runtime", 3.5],
  ["runtime.ts", 4],
  ["mcp", 5],
  ["author", 5],
  ["cli", 6],
]);

/** Which folder may import an outside package; all others may not. */
const PACKAGES = new Map<string, readonly string[]>([
  ["citty", ["cli"]],
  ["smol-toml", ["manifest", "author", "cli"]],
  ["jsonc-parser", ["cli"]],
  ["bun:sqlite", ["registry"]],
  ["@modelcontextprotocol/server", ["mcp"]],
  ["@bytecodealliance/jco-transpile", ["component", "author"]],
  ["jose", ["mcp"]],
  // The edges, where `unknown` becomes data: manifests, forms of guests, replies of the compiler's process, cached files, messages
  // of Workers, token files.
  ["valibot", ["manifest", "schema", "component", "executor", "mcp", "author"]],
]);

/** Files outside `lib/cli` that look at the process or the machine, each with the reason. */
const AMBIENT_EXCEPTIONS = new Map<string, string>([
  ["cli/shipped.ts", "Bun.main: the path of the package's program, to tell how it is started"],
  ["component/compile-child.ts", "Bun.argv: whether it is to answer once, or to stand ready"],
  ["runtime.ts", "navigator: the number of cores, for the default concurrency"],
]);

/** Files outside `lib/cli` that ask `process` for something, and for nothing else. */
const PROCESS_EXCEPTIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ["worker/cpu-clock.ts", ["process.cpuUsage", "process.threadCpuUsage"]],
  // The path of the running Bun or binary, to start another one.
  ["component/child.ts", ["process.execPath", "process.execPath"]],
]);

/** What the guest's side of the boundary may import beside its own folder. */
const WORKER_MAY_IMPORT = [
  "errors.ts",
  "network-rule.ts",
  "protocol",
  "policy",
  "component/instantiate.ts",
  "component/link",
  "component/exported.ts",
  // Types and JSON values: pure, and the same on both sides.
  "schema",
];

/**
 * Modules of the system that the Worker loads, and the only files that may: those that open, read and write what was granted. All of them start from
 * a directory that is open; paths of the host's appear in `ambient.ts` alone.
 */
const WORKER_SYSTEM_MODULES = new Map<string, readonly string[]>([
  // Connections and listeners, plain and over TLS, for what the policy allowed. Bun's own sockets cannot be given up while they connect.
  ["node:net", ["worker/net/ambient.ts"]],
  ["node:tls", ["worker/net/ambient.ts"]],
  // The names of errors, and which system this is: nothing that can be done with files.
  ["node:os", ["worker/files/ambient.ts", "worker/files/error.ts"]],
  // Calls that Bun has no function for, because it knows no open directories.
  [
    "bun:ffi",
    ["ambient-library", "darwin", "darwin-listing", "linux", "memory"].map((name) => `worker/files/${name}.ts`),
  ],
  // Reading and writing by descriptor; by path only in `ambient.ts`, which the test below keeps.
  [
    "node:fs",
    [
      "ambient",
      "close",
      "content",
      "darwin",
      "kernel-resolver",
      "ledger",
      "linux",
      "look",
      "open",
      "usage",
      "walk-resolver",
    ].map((name) => `worker/files/${name}.ts`),
  ],
]);

/** What the files above may take of `node:fs`: it works on descriptors, not on paths. */
const DESCRIPTOR_FUNCTIONS: ReadonlySet<string> = new Set([
  "closeSync",
  "constants",
  "fdatasync",
  "fsync",
  "ftruncateSync",
  "readSync",
  "writeSync",
]);

/** Where the Worker's side may name the ways to the network that need no import. */
const NETWORK_GLOBALS =
  /\bfetch\(|\bBun\.(?:connect|listen|serve|udpSocket|dns)\b|\b(?:WebSocket|EventSource|XMLHttpRequest)\b/;

/** What nothing that the Worker loads may lie in: it would bring the host's state or authority to the guest's side. */
const HOST_ONLY = new Set(["registry", "executor", "cli", "mcp", "runtime.ts", "manifest"]);

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
      // Its versions are data, and no module.
      if (target === undefined || unit(target) === unit(file) || target === "../package.json") return false;
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
        if (target === undefined) return WORKER_SYSTEM_MODULES.get(specifier)?.includes(file) !== true;
        return (
          unit(target) !== "worker" &&
          !WORKER_MAY_IMPORT.some((allowed) => target === allowed || target.startsWith(`${allowed}/`))
        );
      });
    expect(foreign).toEqual([]);
  });

  test("the Worker loads nothing of the host's side, whatever its modules load in turn", () => {
    const { files: loaded } = closure("worker/entry.ts");
    expect(loaded).toContain("worker/call.ts");
    expect(loaded.filter((file) => HOST_ONLY.has(unit(file)))).toEqual([]);
  });

  test("the Worker loads no package, and modules of the system only where the reason is known: none for processes or databases", () => {
    const system = imports.filter(({ specifier }) => WORKER_SYSTEM_MODULES.has(specifier));
    const users = (specifier: string): string[] =>
      system.filter((found) => found.specifier === specifier && unit(found.file) === "worker").map(({ file }) => file);
    for (const [specifier, allowed] of WORKER_SYSTEM_MODULES) {
      expect([specifier, ...users(specifier).toSorted()]).toEqual([specifier, ...allowed.toSorted()]);
    }
    expect(closure("worker/entry.ts").outside.filter((specifier) => !WORKER_SYSTEM_MODULES.has(specifier))).toEqual([]);
  });

  test("the guest's side names files of the host's by path in one place", () => {
    const names = imports
      .filter(({ file, specifier }) => unit(file) === "worker" && specifier === "node:fs")
      .flatMap(({ file }) => namesFrom(file, "node:fs").map((name) => ({ file, name })));
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter(({ name }) => !DESCRIPTOR_FUNCTIONS.has(name))).toEqual([
      { file: "worker/files/ambient.ts", name: "openSync" },
    ]);
  });

  test("the Worker reaches the network in one file", () => {
    const users = files.filter(
      (file) => unit(file) === "worker" && NETWORK_GLOBALS.test(codeOf(texts.get(file) ?? "")),
    );
    expect(users).toEqual(["worker/net/ambient.ts"]);
  });

  test("is seen by this test: the closure follows imports of imports, and leaves out types", () => {
    const { files: loaded, outside } = closure("runtime.ts");
    expect(loaded).toEqual(expect.arrayContaining(["registry/registry.ts", "registry/files.ts", "executor/worker.ts"]));
    expect(outside).toEqual(expect.arrayContaining(["bun:sqlite", "node:fs"]));
    expect(specifiersIn('import type { A } from "./a.ts";\nimport { type B } from "./b.ts";', "values")).toEqual([
      "./b.ts",
    ]);
  });

  test("nobody outside lib/worker imports from it: the executor names it by URL", () => {
    expect(
      imports.filter(
        ({ file, specifier }) => unit(file) !== "worker" && unit(resolve(file, specifier) ?? "") === "worker",
      ),
    ).toEqual([]);
  });

  test("components are linked on the guest's side, and never on the host's", () => {
    const linking = new Set(["component/instantiate.ts", "component/link/linker.ts", "component/link/linked.ts"]);
    const users = imports
      .filter(
        ({ file, specifier }) => linking.has(resolve(file, specifier) ?? "") && !file.startsWith("component/link/"),
      )
      .map(({ file }) => unit(file));
    expect(new Set(users)).toEqual(new Set(["worker"]));
  });
});

describe("ambient authority", () => {
  test("process, console and Bun.env appear only in lib/cli", () => {
    const users = files.filter(
      (file) =>
        unit(file) !== "cli" &&
        !PROCESS_EXCEPTIONS.has(file) &&
        /\b(?:process|console)\.|\bBun\.env\b|["']node:process["']/.test(codeOf(texts.get(file) ?? "")),
    );
    expect(users).toEqual([]);
  });

  test("who may ask process for something asks for nothing else", () => {
    for (const [file, allowed] of PROCESS_EXCEPTIONS) {
      const uses = codeOf(texts.get(file) ?? "").match(/\b(?:process|console|Bun\.env)\b\W*\w*/g);
      expect([file, ...(uses ?? [])]).toEqual([file, ...allowed]);
    }
  });

  test("Bun.argv, Bun.main and navigator appear only where the reason is known", () => {
    const users = files.filter((file) => /\bBun\.(?:argv|main)\b|\bnavigator\b/.test(codeOf(texts.get(file) ?? "")));
    expect(users).toEqual([...AMBIENT_EXCEPTIONS.keys()]);
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
      .filter((name) => !["node_modules", "dist"].includes(name))
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

/** All imports, or those alone that are left when the types are gone. */
function specifiersIn(text: string, kind: "all" | "values" = "all"): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s(?:(type\s)?[^;"']*?\sfrom\s)?["']([^"']+)["']|import\(\s*["']([^"']+)["']/g;
  return [...codeOf(text).matchAll(pattern)]
    .filter((match) => kind === "all" || match[1] === undefined)
    .map((match) => match[2] ?? match[3] ?? "");
}

/** What a file takes of a module, by the names that the module has for it. */
function namesFrom(file: string, specifier: string): string[] {
  const pattern = new RegExp(`import\\s+\\{([^}]*)\\}\\s+from\\s+"${specifier}"`, "g");
  return [...codeOf(texts.get(file) ?? "").matchAll(pattern)].flatMap(([, names = ""]) =>
    names
      .split(",")
      .flatMap((name) => name.trim().split(" ")[0] ?? [])
      .filter((name) => name !== ""),
  );
}

/** All that a file of `lib/` makes Bun load, at its start or later. */
function closure(entry: string): { readonly files: readonly string[]; readonly outside: readonly string[] } {
  const reached = new Set([entry]);
  const outside = new Set<string>();
  for (const file of reached) {
    for (const specifier of specifiersIn(texts.get(file) ?? "", "values")) {
      const target = resolve(file, specifier);
      if (target === undefined) outside.add(specifier);
      else reached.add(target);
    }
  }
  return { files: [...reached].toSorted(), outside: [...outside].toSorted() };
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
