/**
 * Swaps a file of a package for a link and back, as fast as it can, until it is killed: `swap-child.ts <victim> <honest> <link>`.
 * `honest` and `link` lie beside the victim; each turn puts a hard link to one of them in its place with one rename.
 */
import { linkSync, renameSync } from "node:fs";

const [victim = "", honest = "", link = ""] = Bun.argv.slice(2);
for (let turn = 0; ; turn++) {
  const next = `${victim}.${turn}`;
  linkSync(turn % 2 === 0 ? link : honest, next);
  renameSync(next, victim);
}
