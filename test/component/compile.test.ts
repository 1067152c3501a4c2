import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { guestPath } from "../../fixtures/paths.ts";
import { digestOf } from "../../lib/digest.ts";
import type { Artifact } from "../../lib/component/artifact.ts";
import { compileComponent, crashed } from "../../lib/component/compile.ts";
import { explainRejection } from "../../lib/component/rejection.ts";
import { Failure } from "../../lib/errors.ts";
import { assemble, component } from "./support/components.ts";
import { temporaryDirectory } from "./support/directory.ts";

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];
const NO_ENTRY = "Cannot use the component: it exports none of kami:tool/tool, run and wasi:cli/run";

async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Failure) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** The kind, and what is called by which instance and name. */
function namesOf({ kind, entries, plan }: Artifact): readonly string[] {
  const called = entries.flatMap(({ exported }) => plan.exports.slice(exported, exported + 1));
  return [kind, ...called.map(({ instance, name }) => `${instance} ${name}`)];
}

describe("compileComponent()", () => {
  test("a bare tool", async () => {
    const bytes = await Bun.file(guestPath("echo")).bytes();
    const { plan, modules, ...rest } = await compileComponent(bytes);
    expect(rest).toEqual({
      digest: digestOf(bytes),
      kind: "bare",
      entries: [{ name: "run", exported: 0 }],
      imports: [],
    });
    expect(plan.steps).toEqual([{ module: 0, imports: [] }]);
    expect(plan.exports).toEqual([{ instance: null, name: "run", function: 0 }]);
    expect(modules.map(({ name }) => name)).toEqual(["tool.core.wasm"]);
    const [module] = modules;
    expect(WebAssembly.Module.imports(new WebAssembly.Module(Uint8Array.from(module?.bytes ?? [])))).toContainEqual({
      module: "kami:meter",
      name: "memory0",
      kind: "memory",
    });
    expect(module?.memories.length).toBe(1);
    expect(module?.initialTableElements).toBe(0);
  });

  test("a tool that exports kami:tool/tool", async () => {
    const artifact = await compileComponent(await Bun.file(guestPath("kami-tool")).bytes());
    expect(namesOf(artifact)).toEqual(["tool", "kami:tool/tool@0.1.0 run", "kami:tool/tool@0.1.0 describe"]);
    expect(artifact.imports.every((name) => name.startsWith("kami:tool/"))).toBe(true);
  });

  test("a WASI command, among exports that share its short name", async () => {
    const tail = `(instance $c (export "run" (func $command)))
      (export "evil:x/run@1.0.0" (instance $c)) (export "wasi:cli/run@0.2.3" (instance $c))`;
    const artifact = await compileComponent(await assemble({ tail }));
    expect(namesOf(artifact)).toEqual(["command", "wasi:cli/run@0.2.3 run"]);
  });

  test("bytes that pass between components are lowered by a plan: no module gets another one's memory", async () => {
    const artifact = await compileComponent(await component(NESTED));
    expect(artifact.kind).toBe("bare");
    expect(artifact.plan.instances).toBe(3);
    const lowered = artifact.plan.steps.flatMap(({ imports }) => imports.map(([, from]) => from));
    expect(lowered).toEqual([[["take", expect.objectContaining({ from: "lower", function: 0 })]]]);
    for (const { bytes } of artifact.modules) {
      const imports = WebAssembly.Module.imports(new WebAssembly.Module(Uint8Array.from(bytes)));
      expect(imports.filter(({ kind, module }) => kind === "memory" && module !== "kami:meter")).toEqual([]);
    }
  });

  test("the imports that core code is linked to are listed, sorted and without versions", async () => {
    const names = ["wasi:random/random@0.2.9", "wasi:cli/environment@0.2.0", "wasi:cli/environment@0.2.6"];
    const head = names.map((name, index) => `(import "${name}" (instance $x${index} (export "f" (func))))`).join(" ");
    const lowered = names.map((_, index) => `(core func $l${index} (canon lower (func $x${index} "f")))`).join(" ");
    const use = `${lowered} (core module $u (import "a" "0" (func)) (import "a" "1" (func)) (import "a" "2" (func)))
      (core instance (instantiate $u (with "a" (instance (export "0" (func $l0)) (export "1" (func $l1)) (export "2" (func $l2))))))`;
    const artifact = await compileComponent(await assemble({ head: `${head} ${use}` }));
    expect(artifact.imports).toEqual(["wasi:cli/environment", "wasi:random/random"]);
  });

  const invalid = [
    { bytes: [], text: "it does not begin like a component" },
    { bytes: [...new TextEncoder().encode("(component)")], text: "it does not begin like a component" },
    { bytes: [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], text: "it does not begin like a component" },
    { bytes: [...HEADER, 0x07], text: "malformed component: unexpected end at byte 9" },
    { bytes: [...HEADER, 0x63, 0x00], text: "malformed component: section 99 does not exist" },
  ];
  for (const { bytes, text } of invalid) {
    test(`${bytes.length} bytes that are no component: ${text}`, async () => {
      expect(await failureOf(compileComponent(Uint8Array.from(bytes)))).toBe(
        `COMPONENT_INVALID: Cannot compile the component: ${text}`,
      );
    });
  }

  test("what the engine says about a core module's code arrives as one line", async () => {
    const bytes = await assemble({ fields: "(func i32.add)" });
    expect(await failureOf(compileComponent(bytes))).toBe(
      "COMPONENT_INVALID: Cannot compile the component: malformed core module: it doesn't parse at byte 2: can't pop empty stack in binary right, in function at index 3",
    );
  });

  test("what jco's validator says arrives as one line", async () => {
    const bytes = await assemble({ head: '(import "a" (func)) (import "A" (func))' });
    expect(await failureOf(compileComponent(bytes))).toMatch(
      /^COMPONENT_INVALID: Cannot compile the component: failed to [a-z ]+: [ -~]+ \(at offset 0x[0-9a-f]+\)$/,
    );
  });

  test("a proposal that jco's validator refuses is named", async () => {
    const bytes = await assemble({ fields: "(func try catch_all end)" });
    expect(await failureOf(compileComponent(bytes))).toBe(
      "COMPONENT_UNSUPPORTED: Cannot compile the component: it uses legacy exception handling, which KAMI refuses",
    );
  });

  test("an empty component has no entry", async () => {
    expect(await failureOf(compileComponent(Uint8Array.from(HEADER)))).toBe(`COMPONENT_NO_ENTRY: ${NO_ENTRY}`);
  });

  test("a component cut at 50 places", async () => {
    const whole = await Bun.file(guestPath("echo")).bytes();
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        failureOf(compileComponent(whole.subarray(0, 9 + Math.floor((index * (whole.length - 10)) / 50)))),
      ),
    );
    for (const outcome of outcomes) {
      expect(outcome).toMatch(/^COMPONENT_(?:INVALID: Cannot compile the component: |NO_ENTRY: Cannot use)[ -~]+$/);
    }
  });

  test("noise behind a component's header", async () => {
    const outcomes = await Promise.all(
      [1, 2, 3, 4, 5].map((seed) => {
        const noise = Uint8Array.from(
          { length: 4096 },
          (_, index) => (Math.imul(index + seed, 2_654_435_761) >>> 13) & 0xff,
        );
        return failureOf(compileComponent(Uint8Array.from([...HEADER, ...noise])));
      }),
    );
    for (const outcome of outcomes)
      expect(outcome).toStartWith("COMPONENT_INVALID: Cannot compile the component: malformed");
  });

  test("a panic of jco is a crash, and the next component compiles", async () => {
    const head = '(import "url=<https://example.com/a>" (func $url))';
    const panics = await assemble({ head });
    expect(await failureOf(compileComponent(panics))).toBe(
      "COMPILE_CRASHED: Cannot compile the component: the compiler failed on it (panic: internal error: entered unreachable code)",
    );
    expect((await compileComponent(await assemble())).kind).toBe("bare");
  });

  test("the time limit", async () => {
    expect(await failureOf(compileComponent(await assemble(), { timeoutMs: 1 }))).toBe(
      "COMPILE_TIMEOUT: Cannot compile the component: it took longer than 1 ms",
    );
  });

  test("bytes that the caller changes meanwhile do not matter", async () => {
    const bytes = await assemble();
    const digest = digestOf(bytes);
    const pending = compileComponent(bytes);
    bytes.fill(0);
    expect((await pending).digest).toBe(digest);
  });

  test("a module of 12 MB passes through the pipes", async () => {
    const data = "x".repeat(1_000_000);
    const segments = Array.from({ length: 12 }, () => `(data "${data}")`).join(" ");
    const artifact = await compileComponent(await assemble({ fields: segments }));
    expect(artifact.modules[0]?.bytes.length).toBeGreaterThan(12_000_000);
  });

  test("nothing in the current directory or the environment reaches the child", async () => {
    using hostile = temporaryDirectory();
    const write = (name: string, content: string) => Bun.write(join(hostile.path, name), content);
    const marker = join(hostile.path, "marker");
    await write("evil.ts", `require("node:fs").writeFileSync(${JSON.stringify(marker)}, "run");`);
    await write("bunfig.toml", 'preload = ["./evil.ts"]\n[define]\n"undefined" = "1"\n');
    await write(".bunfig.toml", 'preload = ["./evil.ts"]\n');
    await write(".env", "BUN_OPTIONS=--preload=./evil.ts\nJCO_DEBUG=1\n");
    await write("tsconfig.json", '{"compilerOptions":{"baseUrl":".","paths":{"*":["./evil.ts"]}}}');
    await write("package.json", '{"name":"evil","type":"commonjs","imports":{"#x":"./evil.ts"}}');
    await write("node_modules/valibot/index.js", `require("node:fs").writeFileSync(${JSON.stringify(marker)}, "run");`);
    const script = fileURLToPath(new URL("support/run-compile.ts", import.meta.url));
    // The parent starts elsewhere: what its own directory may do to it is not the child's matter.
    const parent = Bun.spawn([process.execPath, script, guestPath("echo"), hostile.path], {
      cwd: "/",
      env: { HOME: hostile.path, XDG_CONFIG_HOME: hostile.path, TMPDIR: hostile.path, BUN_OPTIONS: "--silent" },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([
      new Response(parent.stdout).text(),
      new Response(parent.stderr).text(),
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: '{"kind":"bare","modules":["tool.core.wasm"]}\n', stderr: "" });
    expect(await Bun.file(marker).exists()).toBe(false);
  });
});

describe("crashed()", () => {
  const endings = [
    { result: { ending: "memory", stderr: "x" }, reason: "it used more than 1 GiB of memory" },
    { result: { ending: "output", stderr: "x" }, reason: "its answer is too large" },
    { result: { ending: "exit", signal: "SIGSEGV", stderr: "" }, reason: "ended by SIGSEGV" },
    { result: { ending: "exit", exitCode: 3, stderr: "" }, reason: "exit code 3" },
    {
      result: { ending: "exit", exitCode: 1, stderr: "1 | code\n\nRangeError: Out of\u001b[31m memory\n  at x\n" },
      reason: "Out of memory",
    },
    {
      result: { ending: "exit", exitCode: 1, stderr: `panicked at /src/a.rs:1:2:\n${"y".repeat(1000)}\nstack` },
      reason: `panic: ${"y".repeat(200)}…`,
    },
  ] as const;
  for (const { result, reason } of endings) {
    test(reason, () => {
      const failure = crashed({ exitCode: undefined, signal: undefined, ...result });
      expect(failure.message).toBe(`Cannot compile the component: the compiler failed on it (${reason})`);
    });
  }
});

describe("explainRejection()", () => {
  const messages = [
    {
      message: "failed to translate\n\nCaused by:\n    0: unexpected end\n    1: (at offset 0x4)\n",
      text: "Cannot compile the component: failed to translate: unexpected end: (at offset 0x4)",
    },
    {
      message: "bad\n\nStack backtrace:\n   0: std::panic\n   1: main",
      text: "Cannot compile the component: bad",
    },
    {
      message: "`thread.spawn` requires the shared-everything-threads proposal (at offset 0xb)",
      text: "Cannot compile the component: it uses threads, which KAMI refuses",
    },
    {
      message: "the custom page sizes proposal must be enabled to customize a memory's page size",
      text: "Cannot compile the component: it uses memories with custom page sizes, which KAMI refuses",
    },
    {
      message: "failed to translate component: exceptions proposal not enabled (at offset 0x78)",
      text: "Cannot compile the component: it uses exception handling, which KAMI refuses",
    },
    {
      message: "root-level component imports are not supported",
      text: "Cannot compile the component: it uses components that are imported, which KAMI refuses",
    },
  ];
  for (const { message, text } of messages) {
    test(text, () => {
      expect(explainRejection(message).message).toBe(text);
    });
  }
});

/** A bare tool that also hands a list of bytes to a component inside it. */
const NESTED = `
  (component $sink
    (core module $m (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "take") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func (export "take") (param "bytes" (list u8))
      (canon lift (core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $source
    (import "take" (func $take (param "bytes" (list u8))))
    (core module $libc (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $libc (instantiate $libc))
    (core func $take (canon lower (func $take) (memory (core memory $libc "memory"))))
    (core module $m (import "a" "take" (func $take (param i32 i32)))
      (func (export "run") (param i32 i32) (result i32)
        (call $take (local.get 0) (local.get 1)) (i32.const 16)))
    (core instance $i (instantiate $m (with "a" (instance (export "take" (func $take))))))
    (func (export "run") (param "input" string) (result (result string (error string)))
      (canon lift (core func $i "run") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))
  (instance $sink (instantiate $sink))
  (instance $source (instantiate $source (with "take" (func $sink "take"))))
  (export "run" (func $source "run"))`;
