/**
 * How much processor time a process and its descendants burn, from the kernel's own count. Linux only.
 *
 * Source: proc_pid_stat(5): field 4 is the parent, 14 and 15 are user and system time in clock ticks.
 */
import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks a second: what Linux reports to user space on every architecture that Bun runs on. */
const TICKS_PER_SECOND = 100;

interface Stat {
  readonly parent: number;
  readonly ticks: number;
}

/** Whether this machine can be asked. */
export const canMeasureCpu: boolean = process.platform === "linux";

/**
 * Measures over a window of wall time.
 *
 * @param pid - The process at the root.
 * @param windowMs - Length of the window.
 * @returns Processors kept busy on average: 1 is one core, all of the time.
 */
async function measureLoad(pid: number, windowMs: number): Promise<number> {
  const startedAt = performance.now();
  const before = familyTicks(pid);
  await Bun.sleep(windowMs);
  const seconds = (performance.now() - startedAt) / 1000;
  return (familyTicks(pid) - before) / TICKS_PER_SECOND / seconds;
}

/** Measures until the load fits, and returns it. */
export async function awaitLoad(pid: number, fits: (load: number) => boolean): Promise<number> {
  for (;;) {
    const load = await measureLoad(pid, 500);
    if (fits(load)) return load;
  }
}

function familyTicks(root: number): number {
  const stats = new Map(
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name): [number, Stat][] => {
        const stat = readStat(name);
        return stat === undefined ? [] : [[Number(name), stat]];
      }),
  );
  const isFamily = (pid: number): boolean => {
    const parent = stats.get(pid)?.parent ?? 0;
    return pid === root || (parent > 1 && isFamily(parent));
  };
  return [...stats].reduce((sum, [pid, { ticks }]) => (isFamily(pid) ? sum + ticks : sum), 0);
}

function readStat(pid: string): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in field 2 may hold spaces and parentheses: the fields are counted from the last parenthesis.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    // The process ended between the listing and the reading.
    return undefined;
  }
}
