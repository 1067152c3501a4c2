/**
 * The CPU time of another thread of this process.
 *
 * Source: Linux, clock_gettime(2) and include/linux/posix-timers.h: the clock of a thread is made of its number.
 */
import { dlopen, ptr } from "bun:ffi";

const PER_THREAD = 4;
const SCHEDULED = 2;

/** The channel by which a thread tells its number. */
export const THREADS = "kami-bench-threads";

/** Waits for the number of the next thread that tells it. */
export function nextThread(): Promise<number> {
  const channel = new BroadcastChannel(THREADS);
  const { promise, resolve } = Promise.withResolvers<number>();
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    channel.close();
    resolve(Number(data));
  };
  return promise;
}

/** Makes a clock of a thread's CPU time. @param thread - Not 0, which would be the one that asks. @returns Nanoseconds; always 0 where there is no such clock. */
export function makeThreadClock(thread: number): () => number {
  if (process.platform !== "linux") return () => 0;
  if (!(thread > 0)) throw new Error("BUG: a thread without a number");
  const { symbols } = dlopen("libc.so.6", { clock_gettime: { args: ["i32", "ptr"], returns: "i32" } });
  const time = new BigInt64Array(2);
  const address = ptr(time);
  const id = (~thread << 3) | PER_THREAD | SCHEDULED;
  return () => {
    symbols.clock_gettime(id, address);
    return Number(time[0]) * 1e9 + Number(time[1]);
  };
}
