/**
 * Clocks: what passes on the wall, or the CPU time of this thread or process. CPU time is the same as wall time for what computes on a machine that
 * has nothing else to do, and others do not lengthen it on one that has.
 *
 * Source: POSIX.1-2024, clock_gettime. `process.threadCpuUsage()` counts in ticks of 4 ms on some kernels.
 */
import { dlopen, ptr } from "bun:ffi";

/** What counts as time. */
export type Clock = "wall" | "thread" | "process";

interface Platform {
  readonly library: string;
  /** The identifiers of the system's clocks. */
  readonly thread: number;
  readonly process: number;
}

const PLATFORMS = new Map<string, Platform>([
  ["linux", { library: "libc.so.6", thread: 3, process: 2 }],
  ["darwin", { library: "libSystem.B.dylib", thread: 16, process: 12 }],
]);

/** Makes a clock. @returns Nanoseconds; wall time where the system's clocks are not known. */
export function makeClock(clock: Clock): () => number {
  const platform = PLATFORMS.get(process.platform);
  if (clock === "wall" || platform === undefined) return () => Bun.nanoseconds();
  const { symbols } = dlopen(platform.library, { clock_gettime: { args: ["i32", "ptr"], returns: "i32" } });
  const time = new BigInt64Array(2);
  const address = ptr(time);
  const id = platform[clock];
  return () => {
    symbols.clock_gettime(id, address);
    return Number(time[0]) * 1e9 + Number(time[1]);
  };
}
