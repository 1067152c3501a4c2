/**
 * KAMI's Worker, which tells who it is and how much CPU time it has used when a call ends, to all that listen to {@link THREADS}: a host
 * that looks by itself comes late, and counts what the Worker does after the call. A Worker's address says nothing of the part behind its path,
 * so that nobody can be told by it where to tell.
 */
import { dlopen } from "bun:ffi";
import { makeClock } from "./clock.ts";
import { THREADS, type ThreadReport } from "./thread-clock.ts";

declare const self: Worker;

// A message that comes before there is a handler would be lost.
const early: MessageEvent[] = [];
self.onmessage = (event: MessageEvent) => void early.push(event);
const channel = new BroadcastChannel(THREADS);
const cpu = makeClock("thread");
const post = self.postMessage.bind(self);
self.postMessage = (message: { readonly type: string }) => {
  if (message.type === "settled") tell({ type: "settled", cpuNs: cpu() });
  post(message);
};
tell({ type: "started", thread: threadNumber() });
await import("../lib/worker/entry.ts");
for (const event of early) self.onmessage(event);

function tell(report: ThreadReport): void {
  channel.postMessage(report);
}

function threadNumber(): number {
  if (process.platform !== "linux") return 0;
  return dlopen("libc.so.6", { gettid: { args: [], returns: "i32" } }).symbols.gettid();
}
