import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { identifyClang } from "../../fixtures/clang.ts";
import { runCompiler } from "../../lib/author/compiler.ts";
import { packProject } from "../../lib/author/pack.ts";
import { readProject } from "../../lib/author/project.ts";
import { told } from "../cli/support/failure.ts";
import { summarize, TestRuntime } from "../support/runtime.ts";
import { TemporaryDirectory } from "../support/temporary.ts";
import { TestProject } from "./support.ts";

const hasClang = (await identifyClang()) !== undefined;
const LIMITS = { fuel: 100_000_000 };

async function call(path: string, input: unknown): Promise<unknown> {
  await using home = new TestRuntime();
  return summarize(await home.runtime.runFile(path, JSON.stringify(input), { limits: LIMITS }));
}

describe("buildProject(), TypeScript", () => {
  test("builds what kami init writes, and the tool's errors are messages without a stack", async () => {
    using project = await TestProject.start("ts");
    project.borrow("componentize-qjs");
    const { path } = await project.build();
    expect(path).toBe(project.join("hello.wasm"));
    expect(await call(path, { text: "hello world" })).toEqual({ output: { shouted: "HELLO WORLD", words: 2 } });
    expect(await call(path, { text: "" })).toMatchObject({ code: "TOOL_ERROR", message: "text is empty" });
    expect(await call(path, { text: 7 })).toMatchObject({ message: "text must be of type string" });
    expect(await call(path, {})).toMatchObject({ message: "text is missing" });
  });

  test("builds a bare function run as well", async () => {
    using project = await TestProject.start("ts");
    project.borrow("componentize-qjs");
    await project.write(
      "src/tool.ts",
      "export function run(input: string): string { return JSON.stringify(JSON.parse(input).a + 1); }\n",
    );
    expect(await call((await project.build()).path, { a: 1 })).toEqual({ output: 2 });
  });

  test("takes schemas of valibot, and gives the log and the variables that there are", async () => {
    using project = await TestProject.start("ts");
    for (const name of ["componentize-qjs", "valibot"]) project.borrow(name);
    await project.write(
      "src/tool.ts",
      `import * as v from "valibot";
import { defineTool, env, log } from "kami/guest";
const schema = v.object({ n: v.pipe(v.number(), v.minValue(1, "too small")) });
// What @valibot/to-json-schema adds.
const input = { ...schema, "~standard": { ...schema["~standard"], jsonSchema: { input: () => ({ type: "object" }) } } };
export default defineTool({
  name: "x", version: "1.0.0", description: "d", input, output: { type: "object", properties: { half: { type: "number", maximum: 10 } } },
  run: ({ n }) => { log("warn", "seen", n); return { half: n / 2, home: env("HOME") ?? null }; },
});`,
    );
    const { path } = await project.build();
    await using home = new TestRuntime();
    const result = await home.runtime.runFile(path, '{"n": 4}', { limits: LIMITS });
    expect(summarize(result)).toEqual({ output: { half: 2, home: null } });
    expect(result.captured.pieces).toMatchObject([{ level: "warn", text: "seen 4" }]);
    expect(await call(path, { n: 0 })).toMatchObject({ message: "n: too small" });
    expect(await call(path, { n: 40 })).toMatchObject({ message: "half must be at most 10" });
  });

  test("an async run is a clear error on an engine that cannot wait", async () => {
    using project = await TestProject.start("ts");
    project.borrow("componentize-qjs");
    await project.write(
      "src/tool.ts",
      'import { defineTool } from "kami/guest";\nexport default defineTool({ name: "x", version: "1.0.0", description: "d", input: { type: "object" }, run: async () => 1 });\n',
    );
    expect(await call((await project.build()).path, {})).toMatchObject({
      code: "TOOL_ERROR",
      message: "run is async, which this engine cannot wait for: build with --engine spidermonkey",
    });
  });

  test("names an engine that is missing with the command that adds it", async () => {
    using project = await TestProject.start("ts");
    expect(await told(() => project.build({ PWD: project.path }))).toEqual([
      "TOOLCHAIN_MISSING",
      "Cannot build the tool: componentize-qjs is not installed",
      "add it with: bun add -d -E componentize-qjs@0.4.5",
    ]);
  });

  test("says what the compiler says", async () => {
    using project = await TestProject.start("ts");
    project.borrow("componentize-qjs");
    await project.write("src/tool.ts", "export default 1 +;\n");
    const [code, message] = await told(() => project.build());
    expect([code, message]).toEqual(["BUILD_FAILED", expect.stringContaining("Unexpected ;")]);
  });
});

describe("buildProject(), other languages", () => {
  test.skipIf(!hasClang)("builds C, without an import", async () => {
    using project = await TestProject.start("c");
    expect(await call((await project.build()).path, { text: "a b" })).toEqual({ output: { shouted: "A B", words: 2 } });
  });

  test("names a compiler that is missing", async () => {
    const missing: Record<string, unknown> = {};
    for (const language of ["c", "rust", "as"] as const) {
      using project = await TestProject.start(language);
      const [code, , hint] = await told(() => project.build({ PATH: "/nonexistent" }));
      missing[language] = [code, hint?.replace(project.path, "<project>")];
    }
    expect(missing).toEqual({
      c: [
        "TOOLCHAIN_MISSING",
        "add it with: apt-get install clang-22 lld-22 libclang-rt-22-dev-wasm32 wasi-libc, or set WASI_SDK_PATH",
      ],
      rust: ["TOOLCHAIN_MISSING", "add it with: rustup target add wasm32-wasip2"],
      as: ["TOOLCHAIN_MISSING", "add it with: cd <project> && bun add -d -E assemblyscript@0.28.20"],
    });
  });

  test("does not guess", async () => {
    using project = new TestProject();
    expect((await told(() => readProject(project.path)))[0]).toBe("PROJECT_UNKNOWN");
    await project.write(
      "tool.toml",
      '[tool]\nid = "a.b"\nname = "b"\nversion = "1.0.0"\nwasm = "b.wasm"\n[mcp]\ndescription = "d"\n',
    );
    expect((await told(() => readProject(project.path)))[0]).toBe("PROJECT_UNKNOWN");
  });
});

describe("packProject()", () => {
  test.skipIf(!hasClang)("writes the same bytes each time, and what it writes can be installed", async () => {
    using project = await TestProject.start("c");
    await project.build();
    const path = await packProject(readProject(project.path));
    expect(path).toBe(project.join("local.hello-0.1.0.zip"));
    const first = readFileSync(path);
    await project.build();
    await packProject(readProject(project.path));
    expect(readFileSync(path).equals(first)).toBe(true);
    await using home = new TestRuntime();
    const { tool } = await home.runtime.install(path);
    expect(summarize(await home.runtime.call(tool.id, '{"text": "a"}'))).toEqual({
      output: { shouted: "A", words: 1 },
    });
  });
});

/** What a hostile directory would leave if any of its code ran. */
const WRITE = (project: TestProject): string =>
  `require("node:fs").writeFileSync(${JSON.stringify(project.join("RAN"))}, "x");`;

describe("runCompiler()", () => {
  test("ends a compiler that nobody wants any more, and starts none then", async () => {
    using scratch = new TemporaryDirectory();
    const stop = new AbortController();
    const workshop = { bun: process.execPath, environment: new Map(), scratch: scratch.path, signal: stop.signal };
    const words = ["/bin/sh", "-c", "echo $$ > pid && mv pid started && exec /bin/sleep 1000"];
    const run = { what: "sleeping", words, cwd: scratch.path };
    const running = told(() => runCompiler(workshop, run));
    while (!existsSync(scratch.join("started"))) await Bun.sleep(5);
    const pid = Number(readFileSync(scratch.join("started"), "utf8"));
    stop.abort();
    expect((await running)[0]).toBe("CANCELLED");
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    expect((await told(() => runCompiler(workshop, { ...run, words: ["/bin/sh", "-c", "echo > again"] })))[0]).toBe(
      "CANCELLED",
    );
    expect(existsSync(scratch.join("again"))).toBe(false);
  });
});

describe("a hostile directory", () => {
  test("has none of its code run while it is bundled, and does not replace kami/guest", async () => {
    using project = await TestProject.start("ts");
    project.borrow("componentize-qjs");
    await project.write("evil.ts", `${WRITE(project)}\nexport const evil = () => 1;\n`);
    await project.write("bunfig.toml", 'preload = ["./evil.ts"]\n[test]\npreload = ["./evil.ts"]\n');
    await project.write(".env", `BUN_OPTIONS="--preload ${project.join("evil.ts")}"\n`);
    await project.write("tsconfig.json", '{ "compilerOptions": { "paths": { "kami/guest": ["./evil.ts"] } } }');
    await project.write("node_modules/kami/package.json", '{ "name": "kami", "exports": { "./guest": "./guest.js" } }');
    await project.write(
      "node_modules/kami/guest.js",
      "export const defineTool = () => ({ run: () => '\"owned\"' });\n",
    );
    await project.write(
      "package.json",
      JSON.stringify({ scripts: { prebuild: "touch RAN", build: "touch RAN", postinstall: "touch RAN" } }),
    );
    expect(await call((await project.build()).path, { text: "a" })).toEqual({ output: { shouted: "A", words: 1 } });
    expect(await Bun.file(project.join("RAN")).exists()).toBe(false);
  });

  test("has no macro run", async () => {
    using project = await TestProject.start("ts");
    project.borrow("componentize-qjs");
    await project.write("evil.ts", `${WRITE(project)}\nexport const evil = () => 1;\n`);
    await project.write(
      "src/tool.ts",
      'import { evil } from "../evil.ts" with { type: "macro" };\nexport const run = () => String(evil());\n',
    );
    const [code, message] = await told(() => project.build());
    expect([code, message]).toEqual(["BUILD_FAILED", expect.stringContaining("Macros are disabled")]);
    expect(await Bun.file(project.join("RAN")).exists()).toBe(false);
  });

  test("has no AssemblyScript transform run", async () => {
    using project = await TestProject.start("as");
    await project.write(
      "node_modules/assemblyscript/bin/asc.js",
      'if (!process.argv.includes("--config")) throw new Error("reads asconfig.json");\nprocess.exit(1);\n',
    );
    await project.write("asconfig.json", '{ "options": { "transform": ["./evil.js"] } }');
    await project.write("evil.js", WRITE(project));
    expect((await told(() => project.build()))[0]).toBe("BUILD_FAILED");
    expect(await Bun.file(project.join("RAN")).exists()).toBe(false);
  });

  test.skipIf(!hasClang)("cannot have a build write outside of it, by a link in the component's place", async () => {
    using victim = new TemporaryDirectory();
    await Bun.write(victim.join("precious"), "precious");
    using project = await TestProject.start("c");
    symlinkSync(victim.join("precious"), project.join("hello.wasm"));
    await project.build();
    expect(await Bun.file(victim.join("precious")).text()).toBe("precious");
    expect(await Bun.file(project.join("hello.wasm")).bytes()).toHaveLength((await project.build()).component.length);
  });

  test("cannot have a build write outside of it, by a link to a directory", async () => {
    using victim = new TemporaryDirectory();
    using project = await TestProject.start("c");
    symlinkSync(victim.path, project.join("out"));
    await project.write(
      "tool.toml",
      readFileSync(project.join("tool.toml"), "utf8").replace('"hello.wasm"', '"out/hello.wasm"'),
    );
    expect((await told(() => project.build()))[0]).toBe("PACKAGE_PATH");
    expect([...new Bun.Glob("**").scanSync(victim.path)]).toEqual([]);
  });

  test("is not searched for compilers, nor is a directory above it that is another's", async () => {
    using project = await TestProject.start("c");
    mkdirSync(project.join("bin"));
    await project.write("bin/clang", `#!/bin/sh\ntouch ${project.join("RAN")}\n`);
    expect((await told(() => project.build({ PATH: ".:bin:" })))[0]).toBe("TOOLCHAIN_MISSING");
    expect(await Bun.file(project.join("RAN")).exists()).toBe(false);
  });
});
