/**
 * The CPU time of another thread of this process.
 *
 * Source: Linux, clock_gettime(2) and include/linux/posix-timers.h: the clock of a thread is made of its number.
 */
import { dlopen, ptr } from "bun:ffi";

/** The channel by which a thread tells of itself. */
export const THREADS = "kami-bench-threads";

/** What it tells: its number when it starts, and the CPU time that it has used when a call has ended. */
export type ThreadReport =
  { readonly type: "started"; readonly thread: number } | { readonly type: "settled"; readonly cpuNs: number };

/** Hears the next thread that starts, and the ends of its calls. */
export class ThreadListener implements Disposable {
  readonly #channel = new BroadcastChannel(THREADS);
  readonly #started = Promise.withResolvers<number>();
  #settled = Promise.withResolvers<number>();

  constructor() {
    this.#channel.onmessage = ({ data }: MessageEvent<ThreadReport>) => {
      if (data.type === "started") this.#started.resolve(data.thread);
      else this.#settled.resolve(data.cpuNs);
    };
  }

  /** The thread's number. */
  get thread(): Promise<number> {
    return this.#started.promise;
  }

  /** Waits for the end of the next call: the CPU time that the thread has used then, in nanoseconds. */
  nextEnd(): Promise<number> {
    this.#settled = Promise.withResolvers();
    return this.#settled.promise;
  }

  [Symbol.dispose](): void {
    this.#channel.close();
  }
}

const PER_THREAD = 4;
const SCHEDULED = 2;

/**
 * Makes a clock of a thread's CPU time.
 *
 * @param thread - Not 0, which would be the one that asks.
 * @returns Nanoseconds; always 0 where there is no such clock.
 */
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
