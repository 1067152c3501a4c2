/**
 * Prints how much memory the rewriting of a core module takes at its peak, as a multiple of the module's size: in a fresh process, the module
 * itself and the result included. `bun bench/peak.ts file.wasm`
 */
import { readFileSync } from "node:fs";
import { meterModule } from "../lib/wasm/meter.ts";

const SMALL = new URL("guests/rust/serde-json.wasm", import.meta.url);
const WARM_UP_RUNS = 40;
const COMPILERS_MS = 300;

const [, , path = ""] = process.argv;
// The engine's compilers are done with the rewriter before anything is counted: they take some 15 MB once, whatever the module.
const small = await Bun.file(SMALL).bytes();
for (let run = 0; run < WARM_UP_RUNS; run++) meterModule(small, "small");
await Bun.sleep(COMPILERS_MS);
Bun.gc(true);
const before = process.memoryUsage.rss();
const bytes = await Bun.file(path).bytes();
const metered = meterModule(bytes, "module");
if (metered.bytes.length < bytes.length) throw new Error("BUG: the module shrank");
console.log((peakBytes() - before) / bytes.length);

/** The most that this process ever had resident. */
function peakBytes(): number {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS * 1024;
  // Not getrusage: its maximum begins with that of the process that started this one.
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(kib) * 1024;
}
