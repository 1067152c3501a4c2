/**
 * Copies what came with KAMI to where other programs can read it: what the binary contains, no system call finds. Ambient: writes files.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Copies a directory.
 *
 * @param from - Absolute path of one that came with KAMI.
 * @param to - Absolute path of what is to be made, in a directory that is there and nobody else's.
 */
export function copyShipped(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyShipped(source, target);
    else writeFileSync(target, readFileSync(source));
  }
}
