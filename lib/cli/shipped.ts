/**
 * How this KAMI is started by others, and how its own files are read: what differs between the sources, the package and the binary.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { SHIPMENT } from "../roles.ts";

const ROOT = join(import.meta.dir, "..", "..");

/** The words that start this KAMI wherever they are typed: `kami` may not be on the PATH, and Bun obeys files of the current directory. */
export function startWords(): readonly string[] {
  if (SHIPMENT === "sources") return ["bun", `--cwd=${ROOT}`, "bin/kami.ts"];
  return [SHIPMENT === "package" ? Bun.main : process.execPath];
}

/** Directories that can be read like any others, until they are disposed of. */
export interface Readable extends Disposable {
  /** Absolute. */
  readonly paths: readonly string[];
}

/**
 * Makes directories that came with KAMI readable. The binary's are in the binary, where no system call finds them: they are copied to a
 * directory of the system's for temporary files that nobody else can enter.
 *
 * @param paths - Absolute, beneath KAMI's own place.
 */
export function readable(paths: readonly string[]): Readable {
  if (SHIPMENT !== "binary") return { paths, [Symbol.dispose]: () => undefined };
  const place = mkdtempSync(join(tmpdir(), "kami-"));
  const dispose = (): void => rmSync(place, { recursive: true, force: true });
  try {
    for (const path of paths) copy(path, join(place, basename(path)));
  } catch (error) {
    dispose();
    throw error;
  }
  return { paths: paths.map((path) => join(place, basename(path))), [Symbol.dispose]: dispose };
}

function copy(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copy(source, target);
    else writeFileSync(target, readFileSync(source));
  }
}
