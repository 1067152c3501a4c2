/**
 * A Worker's entry: loads components and runs calls, one after another. The guest's side of the trust boundary.
 */
import { createLinker, type Linker, type LoadableArtifact } from "../component/instantiate.ts";
import { NO_OUTPUT, NO_USAGE } from "../protocol/limits.ts";
import type { CallMessage, HostMessage, WorkerMessage } from "../protocol/messages.ts";
import { runCall } from "./call.ts";
import { cutTexts } from "./failure.ts";
import { MemoryPool } from "./memory-pool.ts";

declare const self: Worker;

const linkers = new Map<string, Promise<Linker>>();
const pool = new MemoryPool();

self.onmessage = (event: MessageEvent<HostMessage<LoadableArtifact>>) => {
  const message = event.data;
  if (message.type === "load") load(message.digest, message.artifact);
  else if (message.type === "unload") linkers.delete(message.digest);
  else void answer(message);
};
post({ type: "ready" });

function load(digest: string, artifact: LoadableArtifact): void {
  const linker = createLinker(artifact);
  // The call that waits for the component reports it. Nobody else does: a rejection without a handler would end the Worker first.
  linker.catch(() => undefined);
  linkers.set(digest, linker);
}

async function answer(message: CallMessage): Promise<void> {
  const linker = linkers.get(message.digest);
  try {
    if (linker === undefined) throw new Error("BUG: the component was not loaded");
    const settled = runCall(message, await linker, pool);
    post(settled.type === "settled" ? { ...settled, outcome: cutTexts(settled.outcome) } : settled);
  } catch (error) {
    post(unusable(message, error instanceof Error ? error.message : String(error)));
  }
}

/** Glue that does not load is the component's fault, not the Worker's. */
function unusable(message: CallMessage, reason: string): WorkerMessage {
  const outcome = { ok: false, code: "ARTIFACT_UNUSABLE", detail: { reason: reason.slice(0, 300) } } as const;
  return { type: "settled", id: message.id, outcome, usage: NO_USAGE, captured: NO_OUTPUT };
}

function post(message: WorkerMessage): void {
  self.postMessage(message);
}
