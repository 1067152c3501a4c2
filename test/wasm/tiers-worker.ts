/**
 * Test support: a Worker that runs generated programs and answers with what can be seen of it.
 */
import type { Grant } from "./meter-host.ts";
import type { Program } from "./program.ts";
import { runCold } from "./sliced.ts";

/** What it is asked for. */
export interface Order {
  readonly programs: readonly Program[];
  readonly grant: Grant;
}

self.onmessage = async ({ data }: MessageEvent<Order>) => postMessage(await runCold(data.programs, data.grant));
postMessage("ready");
