/**
 * A process that installs packages: `install-child.ts <home> <rounds> <package>…`. Says "ready" once it is loaded, and begins when its
 * stdin says anything. Every third round it also uninstalls the last package, and every round it records a call.
 */
import { Failure } from "../../lib/errors.ts";
import { NO_USAGE } from "../../lib/protocol/limits.ts";
import { readPackage } from "../../lib/registry/package.ts";
import { Registry } from "../../lib/registry/registry.ts";

const [home = "", rounds = "0", ...packages] = Bun.argv.slice(2);

console.log("ready");
for await (const _line of Bun.stdin.stream()) break;

using registry = Registry.open(home);
for (let round = 1; round <= Number(rounds); round++) {
  let last = "";
  for (const path of packages) last = registry.install(await readPackage(path)).tool.id;
  registry.recordCall({ toolId: last, startedAt: Date.now(), outcome: "OK", usage: NO_USAGE });
  if (round % 3 === 0) uninstall(last);
}

/** Another process may have uninstalled it first. */
function uninstall(id: string): void {
  try {
    registry.uninstall(id);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "TOOL_UNKNOWN") throw error;
  }
}
