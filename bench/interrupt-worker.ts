/**
 * KAMI's Worker, which first tells who it is: the system's number of its thread, in the file that its address names.
 */
import { dlopen } from "bun:ffi";
import { writeFileSync } from "node:fs";

declare const self: Worker;

const path = new URL(import.meta.url).searchParams.get("tell");
if (path !== null && process.platform === "linux") {
  const { symbols } = dlopen("libc.so.6", { gettid: { args: [], returns: "i32" } });
  writeFileSync(path, String(symbols.gettid()));
}
// A message that comes before there is a handler would be lost.
const early: MessageEvent[] = [];
self.onmessage = (event: MessageEvent) => void early.push(event);
await import("../lib/worker/entry.ts");
for (const event of early) self.onmessage(event);
