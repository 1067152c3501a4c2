/**
 * A process that swaps, as fast as it can, a directory and a file for symlinks that lead out of their directory, and back. It ends with its stdin.
 *
 * Its argument is the directory; the symlinks wait in it.
 */
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";

const [, , top = ""] = process.argv;
const at = (name: string): string => join(top, name);

process.stdin.on("end", () => process.exit(0)).resume();
process.stdout.write("ready\n");
swapForAWhile();

function swapForAWhile(): void {
  for (let n = 0; n < 2000 && existsSync(top); n += 1) {
    for (const name of ["dir", "file"]) {
      renameSync(at(name), at(`${name}-real`));
      renameSync(at(`${name}-link`), at(name));
      renameSync(at(name), at(`${name}-link`));
      renameSync(at(`${name}-real`), at(name));
    }
  }
  setImmediate(swapForAWhile);
}
