/**
 * KAMI's Worker, which first tells who it is: the system's number of its thread, 0 where there is none, to all that listen to {@link THREADS}.
 * A Worker's address says nothing of the part behind its path, so that nobody can be told by it where to tell.
 */
import { dlopen } from "bun:ffi";
import { THREADS } from "./thread-clock.ts";

declare const self: Worker;

// A message that comes before there is a handler would be lost.
const early: MessageEvent[] = [];
self.onmessage = (event: MessageEvent) => void early.push(event);
const channel = new BroadcastChannel(THREADS);
channel.postMessage(threadNumber());
channel.close();
await import("../lib/worker/entry.ts");
for (const event of early) self.onmessage(event);

function threadNumber(): number {
  if (process.platform !== "linux") return 0;
  return dlopen("libc.so.6", { gettid: { args: [], returns: "i32" } }).symbols.gettid();
}
