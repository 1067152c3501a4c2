/**
 * A process that opens fresh homes, one after the other: `open-child.ts <directory> <count>`. Says "ready" once it is loaded, and
 * begins when its stdin says anything.
 */
import { join } from "node:path";
import { Registry } from "../../lib/registry/registry.ts";

const [directory = "", count = "0"] = Bun.argv.slice(2);

console.log("ready");
const stdin = Bun.stdin.stream().getReader();
await stdin.read();
await stdin.cancel();

for (let index = 0; index < Number(count); index++) {
  using registry = Registry.open(join(directory, `home-${index}`));
  registry.list();
}
