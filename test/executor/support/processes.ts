/**
 * Test support: what the system tells about the processes that a test started. Linux only.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Whether this machine tells. */
export const canSeeProcesses: boolean = process.platform === "linux";

/** The ids of a process's children that run an executor. */
export function executorsOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => parentOf(child) === pid && /process-entry|hostile-process/.test(read(child, "cmdline")));
}

/** Whether a process is there and not a zombie. */
export function isAlive(pid: number): boolean {
  return !["", "Z", "X"].includes(/\) (\S)/.exec(read(pid, "stat"))?.[1] ?? "");
}

/** What a process's descriptors refer to, by number. */
function descriptorsOf(pid: number): Map<number, string> {
  const links = new Map<number, string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      links.set(Number(fd), readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      // The one that listed the directory is closed by now.
    }
  }
  return links;
}

/** What a process has open beside its three pipes and what its own event loop made. */
export function strangeDescriptors(pid: number): string[] {
  const links = descriptorsOf(pid);
  const pipes = [0, 1, 2].map((fd) => links.get(fd) ?? "");
  if (!pipes.every((link) => /^(?:socket|pipe):/.test(link))) return pipes;
  return [...links.values()].filter((link) => !pipes.includes(link) && !link.startsWith("anon_inode:[event"));
}

/** Hundredths of a second of CPU time. */
export function cpuTicks(pid: number): number {
  const fields = read(pid, "stat").split(") ").at(-1)?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

/** All that an executor has in its environment. */
export const EXECUTOR_ENVIRONMENT = "BUN_JSC_maxNumWasmFastMemories=4096\0";

/** The environment that a process was started with. */
export function environmentOf(pid: number): string {
  return read(pid, "environ");
}

function parentOf(pid: number): number {
  return Number(/\) \S (\d+)/.exec(read(pid, "stat"))?.[1] ?? 0);
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
