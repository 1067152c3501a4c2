/**
 * A process that installs packages: `install-child.ts <home> <rounds> <package>…`. Says "ready" once it is loaded, and begins when its
 * stdin says anything. The last package is its own, which no other process installs: it is verified after each install, and uninstalled after
 * each round but the last.
 */
import { NO_USAGE } from "../../lib/protocol/limits.ts";
import { verifyPackage, readPackage } from "../../lib/registry/package.ts";
import { Registry } from "../../lib/registry/registry.ts";

const [home = "", roundsText = "0", ...packages] = Bun.argv.slice(2);
const rounds = Number(roundsText);
const own = packages.pop() ?? "";

console.log("ready");
const stdin = Bun.stdin.stream().getReader();
await stdin.read();
await stdin.cancel();

using registry = Registry.open(home);
for (let round = 1; round <= rounds; round++) {
  for (const path of packages) registry.install(await readPackage(path));
  const { tool } = registry.install(await readPackage(own));
  verifyPackage(tool);
  await registry.recordCall({ toolId: tool.id, startedAt: Date.now(), outcome: "OK", usage: NO_USAGE });
  if (round < rounds) registry.uninstall(tool.id);
}
