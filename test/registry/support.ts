/**
 * Packages and directories for the tests of the registry. A component here is a header and one custom section: the registry does not compile.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Failure } from "../../lib/errors.ts";
import type { FailureCode } from "../../lib/errors.ts";

/** What a package says; each has a default. */
export interface PackageOptions {
  readonly id?: string;
  readonly name?: string;
  readonly version?: string;
  readonly wasm?: string;
  /** Lines of `[security]`. */
  readonly security?: string;
  /** Makes the component's bytes differ from those of other seeds. */
  readonly seed?: string;
  /** Bytes of the component, at least. */
  readonly size?: number;
}

/** The header of a component, and of a core module. */
export const COMPONENT_HEADER: Uint8Array<ArrayBuffer> = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00,
]);
export const MODULE_HEADER: Uint8Array<ArrayBuffer> = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/** Makes an empty directory that is gone at the end of the test. */
export function temporaryDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "kami-registry-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Makes a component of a header and a custom section called "seed". */
export function makeComponent(seed: string, size = 0): Uint8Array<ArrayBuffer> {
  const content = new TextEncoder().encode(seed.padEnd(size, "."));
  const section = [4, ...new TextEncoder().encode("seed"), ...content];
  return new Uint8Array([...COMPONENT_HEADER, 0, ...leb128(section.length), ...section]);
}

/** Makes the text of a manifest. */
export function makeManifest({
  id = "dev.example.echo",
  name = "echo",
  version = "1.0.0",
  wasm = "tool.wasm",
  security = "",
}: PackageOptions): string {
  return `[tool]\nid = "${id}"\nname = "${name}"\nversion = "${version}"\nwasm = ${JSON.stringify(wasm)}\n\n[mcp]\ndescription = "Gives back what it gets"\n\n[security]\n${security}\n`;
}

/** Writes a package into a directory, and returns the directory. */
export function writePackage(directory: string, options: PackageOptions = {}): string {
  const { wasm = "tool.wasm", seed = "seed", size = 0 } = options;
  mkdirSync(join(directory, dirname(wasm)), { recursive: true });
  writeFileSync(join(directory, "tool.toml"), makeManifest(options));
  writeFileSync(join(directory, wasm), makeComponent(seed, size));
  return directory;
}

/** What a failure says: its code and its message. */
export interface Told {
  readonly code: FailureCode;
  readonly message: string;
}

/** Runs something that must fail, and returns what its failure says. */
export async function failureOf(work: () => unknown): Promise<Told> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Failure) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("it did not fail");
}

function leb128(value: number): number[] {
  const low = value & 0x7f;
  return value < 0x80 ? [low] : [low | 0x80, ...leb128(value >>> 7)];
}
