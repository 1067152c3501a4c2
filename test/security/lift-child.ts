/**
 * Runs one guest in a process of its own, and prints how the call ended and by how much the process's peak memory grew.
 */
import { readFileSync } from "node:fs";
import { AMPLE, summarize, TestRuntime } from "../support/runtime.ts";

const [guest = "", input = "{}", limits = "{}"] = process.argv.slice(2);
await using kami = new TestRuntime({ concurrency: 1 });
// What every first call costs is not the guest's.
await kami.run("echo");
const before = peakBytes();
const result = await kami.run(guest, JSON.parse(input), { limits: Object.assign({ ...AMPLE }, JSON.parse(limits)) });
const { wallMs, fuel } = result.usage;
console.log(JSON.stringify({ ends: summarize(result), wallMs, fuel, grownBytes: peakBytes() - before }));

/** The most resident memory that the process has had; Linux tells. */
function peakBytes(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
