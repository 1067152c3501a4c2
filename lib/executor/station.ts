/**
 * What an executor process does: keeps the components that the host sends, compiles them, and runs calls in Workers.
 */
import { Failure, refuse } from "../errors.ts";
import { clockMs, type ControlBlock, type InterruptReason } from "../protocol/control.ts";
import { NO_USAGE, type Progress } from "../protocol/limits.ts";
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
import { Fleet } from "./fleet.ts";
import type { Letter } from "./frames.ts";
import { type Job, publishedUsage } from "./held-call.ts";
import { failed, type Settled } from "./settled.ts";
import { Turns } from "./turns.ts";

interface Running extends Pick<Job, "input" | "limits" | "control"> {
  readonly stop: AbortController;
}

/** A Worker that was lost, and the process with it. */
interface Loss {
  readonly reason: string;
  /** Of the call because of which, if there is one that has not ended. */
  readonly control: ControlBlock | undefined;
}

/** Milliseconds that calls wait here without any of them getting a turn. */
const PATIENCE_MS = 50;
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
  #fleet: Fleet | undefined;
  /** Calls that wait until there is room: no more than the host lets. */
  #turns: Turns | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #lastId = 0;
  /** Calls that have come and have no Worker yet: their component is being compiled. */
  #unplaced = 0;
  /** Whether the host wants to hear of room. */
  #isAsked = false;
  #loss: Loss | undefined;

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
      case "ask":
        this.#isAsked = true;
        return this.#serve();
    }
  }

  #start({ workers, startLimitMs, entry }: StartOrder): void {
    this.#fleet = new Fleet({
      concurrency: workers,
      worker: {
        startLimitMs,
        ...(entry === undefined ? {} : { entry: new URL(entry) }),
        onLost: (reason, control) => this.#loseWorker(reason.slice(0, LOSS_LIMIT), control),
      },
      onChange: () => this.#serve(),
    });
    this.#turns = new Turns(this.#fleet, Infinity, () => 0);
    this.#report({ type: "ready" });
  }

  async #call(order: CallOrder, input: string): Promise<void> {
    const { id, limits } = order;
    const running: Running = { input, limits, control: this.#controls.take(), stop: new AbortController() };
    this.#running.set(id, running);
    this.#lastId = id;
    const early = this.#early.get(id);
    if (early !== undefined) this.#interrupt(id, early);
    this.#early.delete(id);
    const settled = await this.#run(order, running);
    this.#running.delete(id);
    if (settled === undefined) return this.#report({ type: "returned", id });
    const { usage, captured, ...rest } = settled;
    const denials = rest.denials === undefined ? {} : { denials: rest.denials };
    const loss = this.#loss;
    if (loss?.control === running.control) this.#report({ type: "lost", id, reason: loss.reason, usage });
    // Once a Worker is lost, the process is: what it says of other calls is worth nothing.
    else if (loss !== undefined) return;
    else if (settled.ok)
      this.#report({ type: "ended", id, usage, captured, ...denials }, ENCODER.encode(settled.output));
    else this.#report({ type: "settled", id, outcome: outcomeOf(settled.failure), usage, captured, ...denials });
  }

  /** @returns Undefined when there was no room for it in time. */
  async #run(order: CallOrder, running: Running): Promise<Settled | undefined> {
    const [fleet, turns] = [this.#fleet, this.#turns];
    if (fleet === undefined || turns === undefined) throw new Error("BUG: a call comes before the start");
    const { input, limits, control, stop } = running;
    const { signal } = stop;
    this.#unplaced += 1;
    const artifact = await this.#arrivals.take(order.digest, signal);
    this.#unplaced -= 1;
    if (artifact instanceof Failure) {
      this.#controls.give(control);
      return failed(artifact);
    }
    const worker = order.isAhead ? await this.#wait(turns, order, signal) : fleet.take(order, true);
    // The host gives no more calls than there are places.
    if (worker === undefined) throw new Error("BUG: a promised place was not there");
    if (worker instanceof Failure) {
      this.#controls.give(control);
      return worker.code === "BUSY" ? undefined : failed(worker);
    }
    const onLeft = (isIntact: boolean): void => (isIntact ? this.#controls.give(control) : undefined);
    const { id, entry, policy, tells } = order;
    const onProgress = tells ? (progress: Progress) => this.#report({ type: "progress", id, ...progress }) : undefined;
    const ending = fleet.run(worker, { artifact, entry, input, limits, policy, control, signal, onProgress, onLeft });
    // Whoever asked before the call had a Worker wants to hear when that one parks.
    this.#serve();
    return await ending;
  }

  #wait(turns: Turns, wants: CallOrder, signal: AbortSignal): ReturnType<Turns["wait"]> {
    const turn = turns.wait({ client: "", wants, signal });
    this.#serve();
    return turn;
  }

  /** Gives places to calls that wait here, and tells the host of those that are left. */
  #serve(): void {
    const turns = this.#turns;
    if (this.#loss !== undefined || turns === undefined) return;
    const before = turns.size;
    turns.serve();
    if (turns.size !== before || before === 0) {
      clearTimeout(this.#patience);
      this.#patience = undefined;
    }
    if (turns.size === 0) return this.#offer();
    // What waits here takes no turns with others: when none of it gets one for a while, it goes back to where it does.
    this.#patience ??= setTimeout(() => {
      this.#patience = undefined;
      turns.clear(refuse("BUSY", { retryAfterMs: 0 }));
    }, PATIENCE_MS);
  }

  /** Tells the host, who wants to know, when there is more room than it can tell by itself: because calls wait. */
  #offer(): void {
    if (!this.#isAsked) return;
    if (this.#places() <= 0) this.#fleet?.want();
    // A Worker may have parked before it saw the wish.
    const places = this.#places();
    if (places <= 0) return;
    this.#isAsked = false;
    this.#report({ type: "room", lastId: this.#lastId, places });
  }

  #places(): number {
    return this.#fleet?.hasWaiting === true ? this.#fleet.places - this.#unplaced : 0;
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
    const isBehind = running !== undefined && ageMs === null && this.#fleet?.isBehind(running.control) === true;
    this.#report({ type: "state", id, ageMs, isBehind, usage });
  }

  #loseWorker(reason: string, control: ControlBlock | undefined): void {
    if (this.#loss !== undefined) return;
    const isRunning = [...this.#running.values()].some((each) => each.control === control);
    this.#loss = { reason, control: isRunning ? control : undefined };
    // Else with its usage, when the call has ended.
    if (!isRunning) this.#report({ type: "lost", id: null, reason, usage: NO_USAGE });
  }
}

function outcomeOf({ code, detail }: Failure): Outcome {
  return { ok: false, code, detail };
}
