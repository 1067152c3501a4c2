/**
 * How much memory this process and its descendants hold.
 */
import { family, readOrNothing } from "./processes.ts";

/** Looks at the memory: the least of some is what is held, the rest is garbage on its way out. */
const LOOKS = 3;
const PAUSE_MS = 50;
const MEBIBYTE = 1_048_576;

/**
 * Measures how much memory this process and its descendants hold when their garbage is gone, in MiB.
 *
 * Where there is `/proc`, what processes share is counted once: their proportional set sizes. Elsewhere it is this process alone.
 */
export async function residentMebibytes(): Promise<number> {
  let least = Infinity;
  for (let look = 0; look < LOOKS; look++) {
    Bun.gc(true);
    await Bun.sleep(PAUSE_MS);
    least = Math.min(least, heldBytes());
  }
  return least / MEBIBYTE;
}

/** How much memory the descendants of this process hold right now, in MiB. @param others - Descendants that do not count. */
export function descendantMebibytes(others: readonly number[]): number {
  const pids = family().filter((pid) => pid !== process.pid && !others.includes(pid));
  return pids.reduce((sum, pid) => sum + proportionalBytes(pid), 0) / MEBIBYTE;
}

function heldBytes(): number {
  if (process.platform !== "linux") return process.memoryUsage.rss();
  return family().reduce((sum, pid) => sum + proportionalBytes(pid), 0);
}

/** Source: proc_pid_smaps(5). */
function proportionalBytes(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(readOrNothing(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024;
}
