/**
 * Prints how much memory the rewriting of a core module takes at its peak, as a multiple of the module's size: in a fresh process, the module
 * itself and the result included. `bun bench/peak.ts file.wasm`
 */
import { readFileSync } from "node:fs";
import { meterModule } from "../lib/wasm/meter.ts";

const [, , path = ""] = process.argv;
// The code is loaded and has run once before anything is counted.
meterModule(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), "empty");
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
