/**
 * A Worker's entry: loads components and runs calls, one at a time, from one wait to the next. The guest's side of the trust boundary.
 */
import type { LoadableArtifact } from "../component/instantiate.ts";
import { NO_OUTPUT, NO_USAGE } from "../protocol/limits.ts";
import type { CallMessage, HostMessage, WorkerMessage } from "../protocol/messages.ts";
import { ThreadBlock } from "../protocol/thread.ts";
import { runCall } from "./call.ts";
import { cutTexts } from "./failure.ts";
import { LIVE_CALLS } from "./live-calls.ts";
import { type LoadedComponent, loadComponent } from "./loaded.ts";
import { MemoryPool } from "./memory-pool.ts";
import { keepFrames } from "./trace.ts";

declare const self: Worker;

/**
 * Calls after which all garbage is collected. Each call leaves some that outlives the engine's small collections, and the engine makes a large one
 * only when the heap has grown to several times its size.
 */
const COLLECT_AFTER_CALLS = 2048;
/** Bytes of dead tables after which they are collected: the engine counts a table as some hundred bytes, whatever it holds. */
const COLLECT_AFTER_BYTES = 8 * 1_048_576;

/** By digest; the error of one that cannot be loaded is for the calls of it. */
const components = new Map<string, LoadedComponent | Error>();
const pool = new MemoryPool();
let answered = 0;

self.onmessage = (event: MessageEvent<HostMessage<LoadableArtifact>>) => obey(event.data);
LIVE_CALLS.onParked = () => post({ type: "parked" });
keepFrames();
post({ type: "ready" });

function obey(message: HostMessage<LoadableArtifact>): void {
  switch (message.type) {
    case "load":
      return load(message.digest, message.artifact);
    case "unload":
      return void components.delete(message.digest);
    case "interrupt":
      return LIVE_CALLS.interrupt(message.id);
    case "thread":
      LIVE_CALLS.thread = new ThreadBlock(message.buffer);
      return;
    case "call":
      return void answer(message);
  }
}

function load(digest: string, artifact: LoadableArtifact): void {
  try {
    components.set(digest, loadComponent(artifact));
  } catch (error) {
    components.set(digest, error instanceof Error ? error : new Error(String(error)));
  }
}

async function answer(message: CallMessage): Promise<void> {
  LIVE_CALLS.hold();
  try {
    const settled = await run(message);
    post(settled.type === "settled" ? { ...settled, outcome: cutTexts(settled.outcome) } : settled);
  } catch (error) {
    post(unusable(message, error instanceof Error ? error.message : String(error)));
  } finally {
    LIVE_CALLS.release();
    LIVE_CALLS.endTurn(message.id);
  }
  answered += 1;
  if (answered >= COLLECT_AFTER_CALLS || pool.leftBytes >= COLLECT_AFTER_BYTES) collect();
}

async function run(message: CallMessage): Promise<WorkerMessage> {
  const component = components.get(message.digest);
  if (component === undefined) throw new Error("BUG: the component was not loaded");
  if (component instanceof Error) throw component;
  const turn = LIVE_CALLS.takeTurn(message.id);
  if (turn !== undefined) await turn;
  return await runCall(message, component, pool);
}

/** Takes some milliseconds. A collection in the background (`false`) would leave what matters here. */
function collect(): void {
  answered = 0;
  pool.leftBytes = 0;
  Bun.gc(true);
}

/** An artifact that cannot be linked is the artifact's fault, not the Worker's. */
function unusable(message: CallMessage, reason: string): WorkerMessage {
  const outcome = { ok: false, code: "ARTIFACT_UNUSABLE", detail: { reason: reason.slice(0, 300) } } as const;
  return { type: "settled", id: message.id, outcome, usage: NO_USAGE, captured: NO_OUTPUT };
}

function post(message: WorkerMessage): void {
  self.postMessage(message);
}
