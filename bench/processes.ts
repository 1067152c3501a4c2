/**
 * This process and its descendants, and the CPU time that they have used.
 *
 * Source: proc_pid_stat(5).
 */
import { readdirSync, readFileSync } from "node:fs";

/** Milliseconds of a tick, in which `/proc` counts: 100 a second on every platform that has it. */
const TICK_MS = 10;
/** Behind the name in parentheses: the state, then the parent; user and system time, of the process and of its children that have ended. */
const FIELDS = { parent: 1, times: [11, 12, 13, 14] } as const;

/** What was measured once. */
export interface Timing {
  readonly wallMs: number;
  /** Of all processes that took part. */
  readonly cpuMs: number;
}

/** Measures what is done once. */
export async function timed(work: () => Promise<void>): Promise<Timing> {
  const [startMs, startCpuMs] = [performance.now(), cpuMilliseconds()];
  await work();
  return { wallMs: performance.now() - startMs, cpuMs: cpuMilliseconds() - startCpuMs };
}

/** Lists this process and its descendants; elsewhere than on Linux, this process alone. */
export function family(): readonly number[] {
  if (process.platform !== "linux") return [process.pid];
  const parents = readdirSync("/proc").filter(isNumber).map(Number).map(parentOf);
  const found = [process.pid];
  for (const pid of found) {
    for (const [child, parent] of parents) if (parent === pid) found.push(child);
  }
  return found;
}

/** Counts the CPU time of this process and its descendants, those that have ended included, in milliseconds. */
function cpuMilliseconds(): number {
  const usage = process.cpuUsage();
  if (process.platform !== "linux") return (usage.user + usage.system) / 1000;
  return (
    family().reduce((sum, pid) => sum + FIELDS.times.reduce((own, field) => own + read(pid, field), 0), 0) * TICK_MS
  );
}

/** Reads a file of `/proc`. @returns Nothing when the process has ended meanwhile. */
export function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}

function parentOf(pid: number): readonly [pid: number, parent: number] {
  return [pid, read(pid, FIELDS.parent)];
}

function read(pid: number, field: number): number {
  return Number(readOrNothing(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ")[field] ?? 0);
}
