/**
 * Starts a child that spins, prints its process id once it does, and waits for it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runAmbientChild } from "../../../lib/component/child.ts";

const running = runAmbientChild({
  script: fileURLToPath(new URL("probe.ts", import.meta.url)),
  input: new TextEncoder().encode("spin"),
  timeoutMs: 60_000,
  memoryBytes: 1_073_741_824,
  outputBytes: 1000,
});

/** Hundredths of a second of CPU time: more than Bun needs to start, so that the child spins by then. */
const SPINNING_TICKS = 30;

let child = findChild();
while (child === undefined || cpuTicks(child) < SPINNING_TICKS) {
  await Bun.sleep(5);
  child = findChild();
}
console.log(child);
await running;

/** The child whose program is the probe: before `exec` it is still a copy of this process. */
function findChild(): string | undefined {
  return readdirSync(`/proc/${process.pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${process.pid}/task/${thread}/children`, "utf8").trim().split(" "))
    .find((pid) => pid !== "" && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("probe.ts"));
}

function cpuTicks(pid: string): number {
  const [, fields = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  return Number(fields.split(" ")[11]);
}
