/**
 * What an executor process does: keeps the components that the host sends, compiles them, and runs calls in Workers.
 */
import { unlessAborted } from "../component/abandon.ts";
import { Failure, refuse } from "../errors.ts";
import { clockMs, type ControlBlock, type InterruptReason } from "../protocol/control.ts";
import { NO_USAGE } from "../protocol/limits.ts";
import {
  type CallOrder,
  type ExecutorOrder,
  type ExecutorReport,
  LOSS_LIMIT,
  type Outcome,
  type StartOrder,
} from "../protocol/messages.ts";
import { Arrivals } from "./arrivals.ts";
import { ControlPool } from "./controls.ts";
import { Executor, type ExecutorCall } from "./executor.ts";
import type { Letter } from "./frames.ts";
import { failed, type Settled } from "./settled.ts";
import { type Job, publishedUsage } from "./worker.ts";

interface Running extends Omit<Job, "artifact"> {
  readonly stop: AbortController;
  /** Why its Worker was lost, once it was. */
  lost: string | undefined;
}

const DECODER = new TextDecoder();
const ENCODER = new TextEncoder();

/** The calls of one process. */
export class Station {
  readonly #report: (report: ExecutorReport, body?: Uint8Array) => void;
  readonly #arrivals = new Arrivals();
  readonly #running = new Map<number, Running>();
  /** Interrupts that came before their call: they pass what is large. */
  readonly #early = new Map<number, InterruptReason>();
  readonly #controls = new ControlPool();
  #executor: Executor | undefined;
  #lastId = 0;

  /** @param report - Tells the host; the body is a call's output. */
  constructor(report: (report: ExecutorReport, body?: Uint8Array) => void) {
    this.#report = report;
  }

  /** Does what the host orders. */
  obey({ header: order, body }: Letter<ExecutorOrder>): void {
    switch (order.type) {
      case "start":
        return this.#start(order);
      case "load":
        return this.#arrivals.begin(order.digest, order.manifest);
      case "part":
        return this.#arrivals.add(order.digest, body);
      case "unload":
        return this.#arrivals.forget(order.digest);
      case "call":
        return void this.#call(order, DECODER.decode(body));
      case "interrupt":
        return this.#interrupt(order.id, order.reason);
      case "look":
        return this.#look(order.id);
    }
  }

  #start({ workers, startLimitMs, entry }: StartOrder): void {
    this.#executor = new Executor({
      concurrency: workers,
      // The host gives no more calls than there are Workers.
      queueLimit: 0,
      worker: {
        startLimitMs,
        ...(entry === undefined ? {} : { entry: new URL(entry) }),
        onLost: (reason, control) => this.#loseWorker(reason.slice(0, LOSS_LIMIT), control),
      },
    });
    this.#report({ type: "ready" });
  }

  async #call({ id, digest, limits, policy }: CallOrder, input: string): Promise<void> {
    const job = { input, limits, policy, control: this.#controls.take() };
    const running: Running = { ...job, stop: new AbortController(), lost: undefined };
    this.#running.set(id, running);
    this.#lastId = id;
    const early = this.#early.get(id);
    if (early !== undefined) this.#interrupt(id, early);
    this.#early.delete(id);
    const settled = await this.#run(digest, { ...job, client: "", signal: running.stop.signal });
    this.#running.delete(id);
    if (running.lost === undefined) this.#controls.give(job.control);
    const { usage, captured, ...rest } = settled;
    const denials = rest.denials === undefined ? {} : { denials: rest.denials };
    if (running.lost !== undefined) this.#report({ type: "lost", id, reason: running.lost, usage });
    else if (settled.ok)
      this.#report({ type: "ended", id, usage, captured, ...denials }, ENCODER.encode(settled.output));
    else this.#report({ type: "settled", id, outcome: outcomeOf(settled.failure), usage, captured, ...denials });
  }

  async #run(digest: string, call: Omit<ExecutorCall, "artifact">): Promise<Settled> {
    if (this.#executor === undefined) throw new Error("BUG: a call comes before the start");
    try {
      const artifact = await unlessAborted(() => this.#arrivals.take(digest), [call.signal]);
      return await this.#executor.call({ ...call, artifact });
    } catch (error) {
      if (error instanceof Failure && error.code === "CANCELLED") return failed(error);
      const reason = error instanceof Error ? error.message : String(error);
      return failed(refuse("ARTIFACT_UNUSABLE", { reason: reason.slice(0, LOSS_LIMIT) }, error));
    }
  }

  #interrupt(id: number, reason: InterruptReason): void {
    if (id > this.#lastId) return void this.#early.set(id, reason);
    const running = this.#running.get(id);
    running?.control.interrupt(reason);
    running?.stop.abort();
  }

  #look(id: number): void {
    const running = this.#running.get(id);
    // A call that has ended has been reported. One that has not come yet is behind something large.
    if (running === undefined && id <= this.#lastId) return;
    const startedAtMs = running?.control.startedAtMs;
    const ageMs = startedAtMs === undefined ? null : Math.max(clockMs() - startedAtMs, 0);
    const usage = running === undefined || ageMs === null ? NO_USAGE : publishedUsage(running, ageMs);
    this.#report({ type: "state", id, ageMs, usage });
  }

  #loseWorker(reason: string, control: ControlBlock | undefined): void {
    const running = [...this.#running.values()].find((each) => each.control === control);
    // With its usage, when the executor has ended the call.
    if (running !== undefined) running.lost = reason;
    else this.#report({ type: "lost", id: null, reason, usage: NO_USAGE });
  }
}

function outcomeOf({ code, detail }: Failure): Outcome {
  return { ok: false, code, detail };
}
