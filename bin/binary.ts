/**
 * What `bun build --compile` starts: the `kami` command, or one of its own processes, which are the same binary started in a role.
 */
import { main } from "../lib/cli/main.ts";
import { roleOf } from "../lib/roles.ts";
import { version } from "../package.json" with { type: "json" };

const words = process.argv.slice(2);
const role = roleOf(words[0], process.env);
if (role === "executor") await import("../lib/executor/process-entry.ts");
else if (role === "compiler") await import("../lib/component/compile-child.ts");
else await main(words, version);
