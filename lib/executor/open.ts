/**
 * Chooses where guests run.
 */
import type { Calls } from "./calls.ts";
import { LocalCalls } from "./local.ts";
import { ProcessPool } from "./pool.ts";

/** Where guests run, and how many calls there may be. */
export interface CallsOptions {
  /** In Workers of this process, which is the default, or in executor processes. */
  readonly isolation?: "worker" | "process" | undefined;
  /** Calls that run at once, 1 to 256. */
  readonly concurrency: number;
  /** Calls that may wait; more are refused with `BUSY`. */
  readonly queueLimit: number;
}

/** Opens what runs calls. Starts no Worker and no process yet. */
export function openCalls({ isolation, ...extent }: CallsOptions): Calls {
  return isolation === "process" ? new ProcessPool(extent) : new LocalCalls(extent);
}
