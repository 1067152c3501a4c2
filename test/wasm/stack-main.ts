/**
 * Test support: a process, or a Worker, that runs each recursive program cold and hot and tells how deep it got.
 */
import { runAll } from "./stack-cases.ts";

const runs = await runAll();
if (Bun.isMainThread) console.log(JSON.stringify(runs));
else postMessage(runs);
