/**
 * How this KAMI is started by others, and how its own files are read: what differs between the sources, the package and the binary.
 */
import { join } from "node:path";
import { SHIPMENT } from "../roles.ts";

const ROOT = join(import.meta.dir, "..", "..");

/** The words that start this KAMI wherever they are typed: `kami` may not be on the PATH, and Bun obeys files of the current directory. */
export function startWords(): readonly string[] {
  if (SHIPMENT === "sources") return ["bun", `--cwd=${ROOT}`, "bin/kami.ts"];
  return [SHIPMENT === "package" ? Bun.main : process.execPath];
}
