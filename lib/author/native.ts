/**
 * Builds tools in languages that have a compiler for WebAssembly of their own.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { refuse } from "../errors.ts";
import { ask, BUN_FLAGS, findProgram, runCompiler, type Workshop } from "./compiler.ts";
import { addInitialMemory } from "./initial-memory.ts";
import type { Project } from "./project.ts";

const HEADERS = fileURLToPath(new URL("../guest/c", import.meta.url));
/** 32 MiB, beside the 2 or 3 that a program starts with: what a Go program may allocate. */
const GO_PAGES = 512;
const ASSEMBLYSCRIPT = "assemblyscript@0.28.20";

/** Compiles C and C++ for WASI. @returns A core module. @throws {Failure} `TOOLCHAIN_MISSING`, `BUILD_FAILED` */
export async function buildC({ directory, sources }: Project, workshop: Workshop): Promise<Uint8Array<ArrayBuffer>> {
  const sdk = workshop.environment.get("WASI_SDK_PATH");
  const isCpp = sources.some((source) => !source.endsWith(".c"));
  const name = isCpp ? "clang++" : "clang";
  const known = ["22", "21", "20", "19"].map((version) => `${name}-${version}`);
  const clang = sdk === undefined ? findProgram(workshop, [...known, name]) : join(sdk, "bin", name);
  const sysroot = sdk === undefined ? "/usr" : join(sdk, "share/wasi-sysroot");
  const hasLibc = ["lib/wasm32-wasi/libc.a", "lib/wasm32-wasip1/libc.a"].some((file) =>
    existsSync(join(sysroot, file)),
  );
  if (clang === undefined || !existsSync(clang) || !hasLibc) {
    const command = `apt-get install clang-22 lld-22 libclang-rt-22-dev-wasm32 wasi-libc${isCpp ? " libc++-22-dev-wasm32 libc++abi-22-dev-wasm32" : ""}, or set WASI_SDK_PATH`;
    throw refuse("TOOLCHAIN_MISSING", { what: `${name} for WASI`, command });
  }
  const output = join(workshop.scratch, "built.wasm");
  const flags = [
    "--target=wasm32-wasi",
    `--sysroot=${sysroot}`,
    "-O2",
    "-Wall",
    "-Wno-deprecated",
    "-mexec-model=reactor",
    "--no-wasm-opt",
  ];
  const language = isCpp ? ["-std=c++23", "-fno-exceptions"] : ["-std=c17"];
  const last = [`-I${HEADERS}`, `-ffile-prefix-map=${directory}=.`, "-Wl,--strip-all", "-o", output];
  await runCompiler(workshop, {
    what: name,
    words: [clang, ...flags, ...language, ...last, ...sources],
    cwd: directory,
  });
  return Bun.file(output).bytes();
}

/** Compiles a crate. @returns A component, or a core module that says which world it is for. @throws {Failure} `TOOLCHAIN_MISSING`, `BUILD_FAILED` */
export async function buildRust({ directory }: Project, workshop: Workshop): Promise<Uint8Array<ArrayBuffer>> {
  const cargo = findProgram(workshop, ["cargo"]);
  const rustc = workshop.environment.get("RUSTC") ?? findProgram(workshop, ["rustc"]);
  const target = cargo === undefined || rustc === undefined ? undefined : findTarget(workshop, rustc);
  if (cargo === undefined || target === undefined)
    throw refuse("TOOLCHAIN_MISSING", { what: "Rust for WebAssembly", command: "rustup target add wasm32-wasip2" });
  const words = [
    cargo,
    "build",
    "--release",
    "--target",
    target.name,
    "--message-format=json-render-diagnostics",
    ...target.flags,
  ];
  const output = await runCompiler(workshop, { what: "cargo", words, cwd: directory, environment: target.environment });
  const files = output
    .split("\n")
    .flatMap((line) => (line.includes('"compiler-artifact"') ? wasmFilesIn(JSON.parse(line)) : []));
  const file = files.at(-1);
  if (file === undefined)
    throw refuse("BUILD_FAILED", {
      what: "cargo",
      reason: 'the crate makes no .wasm: its [lib] needs crate-type = ["cdylib"]',
    });
  return Bun.file(file).bytes();
}

interface Target {
  readonly name: string;
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** An installed target, else the plain one with a standard library that is built from its source. */
function findTarget(workshop: Workshop, rustc: string): Target | undefined {
  for (const name of ["wasm32-wasip2", "wasm32-wasip1", "wasm32-unknown-unknown"]) {
    const library = ask(workshop, [rustc, "--print", "target-libdir", "--target", name]);
    if (library !== undefined && existsSync(library)) return { name, flags: [], environment: {} };
  }
  const sysroot = ask(workshop, [rustc, "--print", "sysroot"]) ?? "";
  const release = /^rustc ([\d.]+)/.exec(ask(workshop, [rustc, "--version"]) ?? "")?.[1] ?? "";
  const places = [join(sysroot, "lib/rustlib/src/rust/library"), join(sysroot, `src/rustc-${release}/library`)];
  const source = places.find((place) => existsSync(join(place, "Cargo.lock")));
  if (source === undefined) return undefined;
  const environment = { RUSTC_BOOTSTRAP: "1", __CARGO_TESTS_ONLY_SRC_ROOT: source };
  return { name: "wasm32-unknown-unknown", flags: ["-Zbuild-std=std,panic_abort"], environment };
}

function wasmFilesIn(message: { readonly filenames?: readonly string[] }): readonly string[] {
  return (message.filenames ?? []).filter((file) => file.endsWith(".wasm"));
}

/** Compiles AssemblyScript. @returns A core module whose strings are UTF-16. @throws {Failure} `TOOLCHAIN_MISSING`, `BUILD_FAILED` */
export async function buildAssemblyScript(
  { directory, sources }: Project,
  workshop: Workshop,
): Promise<Uint8Array<ArrayBuffer>> {
  const compiler = join(directory, "node_modules/assemblyscript/bin/asc.js");
  if (!existsSync(compiler))
    throw refuse("TOOLCHAIN_MISSING", {
      what: "assemblyscript",
      command: `cd ${directory} && bun add -d -E ${ASSEMBLYSCRIPT}`,
    });
  const [output, config] = [join(workshop.scratch, "built.wasm"), join(workshop.scratch, "asconfig.json")];
  // The project's own configuration could name a transform, which is code that runs in the compiler.
  await Bun.write(config, "{}");
  const flags = [
    "--config",
    config,
    "--runtime",
    "minimal",
    "--optimize",
    "--noAssert",
    "--use",
    "abort=assembly/kami/abort",
  ];
  const words = [workshop.bun, ...BUN_FLAGS, compiler, ...sources, ...flags, "--outFile", output];
  await runCompiler(workshop, { what: "asc", words, cwd: directory });
  return Bun.file(output).bytes();
}

/** Compiles a Go command. @returns A core module. @throws {Failure} `TOOLCHAIN_MISSING`, `BUILD_FAILED` */
export async function buildGo({ directory }: Project, workshop: Workshop): Promise<Uint8Array<ArrayBuffer>> {
  const go = findProgram(workshop, ["go"]);
  if (go === undefined)
    throw refuse("TOOLCHAIN_MISSING", { what: "Go", command: "apt-get install golang, or see go.dev/dl" });
  const output = join(workshop.scratch, "built.wasm");
  // No C compiler, no other toolchain than this one: a go.mod could ask for both.
  const environment = { GOOS: "wasip1", GOARCH: "wasm", CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOFLAGS: "" };
  const words = [go, "build", "-trimpath", "-ldflags=-s -w", "-buildvcs=false", "-o", output, "."];
  await runCompiler(workshop, { what: "go", words, cwd: directory, environment });
  return addInitialMemory(await Bun.file(output).bytes(), GO_PAGES);
}
