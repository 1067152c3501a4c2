/**
 * One Worker, from the host's side: starts it, gives it calls, and gives it up when it does not answer, breaks the protocol or ends.
 */
import type { LoadableArtifact } from "../component/loadable.ts";
import { type Failure, refuse } from "../errors.ts";
import type { ControlBlock, InterruptReason } from "../protocol/control.ts";
import type { HostMessage, SaidMessage } from "../protocol/messages.ts";
import { ThreadBlock } from "../protocol/thread.ts";
import { codeOf } from "../roles.ts";
import { findActive, HeldCall, type Job } from "./held-call.ts";
import { Loaded } from "./loaded.ts";
import { failed, parseWorkerMessage, type SettledMessage } from "./settled.ts";
import { Vigil } from "./vigil.ts";
import { Watch } from "./watch.ts";

/** How Workers are started. */
export interface WorkerOptions {
  /** The code that a Worker runs; default: KAMI's own. */
  readonly entry?: URL | undefined;
  /**
   * Most milliseconds until a new Worker is ready, and from giving a Worker a call until it starts on it: it loads the component
   * first. Default {@link START_LIMIT_MS}.
   */
  readonly startLimitMs?: number | undefined;
  /** Told when a Worker was given up, with the control block of the call because of which; not when the executor ends. */
  readonly onLost?: ((reason: string, control: ControlBlock | undefined) => void) | undefined;
}

/** Who listens to a Worker. */
export interface WorkerListener {
  /** Told when there may be room: a call has left, or all calls wait. */
  readonly changed: (worker: WorkerHandle) => void;
}

/** Most milliseconds that a Worker may take to start, unless the options say otherwise. */
export const START_LIMIT_MS = 10_000;
/** Most UTF-16 code units that are kept of what an engine says about a Worker that threw. */
const CAUSE_LIMIT = 2000;
/** Milliseconds that a Worker has to close what its calls have open, when the executor ends. */
const END_MS = 250;
/** What a call failed of that the Worker held beside the one because of which it was lost. */
const NEIGHBOUR = "a call beside this one lost it";

/** A Worker: it runs one call at a time, and holds others that wait. */
export class WorkerHandle implements Disposable {
  readonly #options: WorkerOptions;
  readonly #listener: WorkerListener;
  readonly #worker: Worker;
  readonly #startLimitMs: number;
  readonly #thread = new ThreadBlock();
  readonly #startTimer: ReturnType<typeof setTimeout>;
  #endTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #vigil: Vigil;
  readonly #loaded = new Loaded((message) => this.#post(message));
  readonly #held = new Map<number, HeldCall>();
  /** When KAMI ends: calls that the Worker has not given up yet. */
  readonly #leaving = new Set<number>();
  #tenant: string | undefined;
  #promised = 0;
  #isReady = false;
  #isEnding = false;
  #isWanted = false;
  /** Why the Worker was given up, once it was. */
  #lost: Failure | undefined;
  #nextId = 1;

  constructor(options: WorkerOptions, listener: WorkerListener) {
    this.#options = options;
    this.#listener = listener;
    this.#startLimitMs = options.startLimitMs ?? START_LIMIT_MS;
    this.#worker = new Worker(options.entry ?? codeOf("worker"), { env: {} });
    this.#worker.onmessage = (event: MessageEvent<unknown>) => this.#receive(event.data);
    this.#worker.onerror = (event) =>
      this.#lose("it threw outside of a call", { cause: new Error(event.message.slice(0, CAUSE_LIMIT)) });
    this.#worker.addEventListener("close", () => this.#lose("it ended"));
    this.#startTimer = setTimeout(
      () => this.#lose(`it did not start within ${this.#startLimitMs} ms`),
      this.#startLimitMs,
    );
    this.#vigil = new Vigil({
      isOwing: () => this.#calls().some((call) => call.isEnded),
      isBusy: () => this.#calls().some((call) => call.isActive),
      giveUp: (reason) => this.#lose(reason),
    });
  }

  /** Whether the Worker was given up: it takes no more calls. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Calls that it holds, or is going to. */
  get size(): number {
    return this.#held.size + this.#promised;
  }

  /** Whether it has calls and all of them wait, by its own word: it may have another of the same tenant. */
  get isParked(): boolean {
    return this.#promised === 0 && this.#held.size > 0 && this.#thread.suspended === this.#held.size;
  }

  /** Whether any of its calls waits, by its own word. */
  get hasWaiting(): boolean {
    return this.#held.size > 0 && this.#thread.suspended > 0;
  }

  /** Whose calls it holds; undefined when it holds none. */
  get tenant(): string | undefined {
    return this.size === 0 ? undefined : this.#tenant;
  }

  /** What it holds. */
  get jobs(): Job[] {
    return this.#calls().map(({ job }) => job);
  }

  /** Whether a component is already loaded here. */
  has(digest: string): boolean {
    return this.#loaded.has(digest);
  }

  /** Promises the next {@link run} to a tenant. Only when it holds no call, or is parked with the tenant's. */
  promise(tenant: string): void {
    this.#tenant = tenant;
    this.#promised += 1;
  }

  /** Asks it to say when all of its calls wait. Whether they do already has to be looked at behind this. */
  want(): void {
    // Not twice: it answers each time that it finds the wish, and nobody may answer what was not asked.
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#thread.want();
  }

  /**
   * Takes on a promised call.
   *
   * @returns The call. It ends also when the Worker is lost: it then failed with `WORKER_LOST`, or as it was interrupted.
   */
  run(job: Job): HeldCall {
    const call = new HeldCall(this.#nextId++, job);
    this.#promised -= 1;
    this.#held.set(call.id, call);
    if (job.control.interrupted !== undefined) this.#drop(call, refuse("CANCELLED", {}));
    else if (this.#lost !== undefined) this.#drop(call, this.#lost);
    else if (this.#isReady) this.#give(call);
    return call;
  }

  /** Interrupts a call, also before it starts. */
  interrupt(call: HeldCall, reason: InterruptReason): void {
    call.job.control.interrupt(reason);
    if (call.isEnded) return;
    if (call.watch === undefined) this.#drop(call, refuse("CANCELLED", {}));
    else call.watch.interrupt(reason);
  }

  /** Whether the call of a control block is here and stands behind another one that has the thread. */
  isBehind(control: ControlBlock): boolean {
    let isHere = false;
    let isTaken = false;
    for (const call of this.isParked ? [] : this.#held.values()) {
      if (call.job.control === control) isHere = true;
      else if (call.hasThread) isTaken = true;
    }
    return isHere && isTaken;
  }

  /** Ends the Worker; calls that it holds are cancelled. It has a moment to close what they have open. */
  [Symbol.dispose](): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    for (const { id, job, watch } of this.isLost ? [] : this.#held.values()) {
      job.control.interrupt("shutdown");
      if (watch !== undefined) this.#leaving.add(id);
    }
    this.#lose("KAMI is shutting down");
    for (const id of this.#leaving) this.#post({ type: "interrupt", id });
    if (this.#leaving.size === 0) return;
    this.#endTimer = setTimeout(() => this.#worker.terminate(), END_MS);
    this.#endTimer.unref();
  }

  #calls(): HeldCall[] {
    return [...this.#held.values()];
  }

  #receive(data: unknown): void {
    const message = parseWorkerMessage(data);
    if (this.#isEnding) this.#seeOff(message);
    else if (message === undefined) this.#lose("it sent a message that makes no sense");
    else if (message === "ready") this.#becomeReady();
    else if (message === "parked") this.#park();
    else if ("text" in message) this.#hear(message);
    else this.#settle(message);
  }

  /** When KAMI ends: the Worker does, once it has no call any more. */
  #seeOff(message: ReturnType<typeof parseWorkerMessage>): void {
    if (typeof message === "object" && "settled" in message) this.#leaving.delete(message.id);
    if (this.#leaving.size > 0) return;
    clearTimeout(this.#endTimer);
    this.#worker.terminate();
  }

  #becomeReady(): void {
    if (this.#isReady) return this.#lose("it said twice that it is ready");
    this.#isReady = true;
    clearTimeout(this.#startTimer);
    this.#post({ type: "thread", buffer: this.#thread.buffer });
    for (const call of this.#held.values()) this.#give(call);
  }

  #park(): void {
    if (!this.#isWanted) return this.#lose("it said that its calls wait, and nobody had asked");
    this.#isWanted = false;
    this.#listener.changed(this);
  }

  #hear({ id, text }: SaidMessage): void {
    if (this.#held.get(id)?.job.hear?.(text) !== true) this.#lose("it said what nobody wanted to hear");
  }

  #settle({ id, settled }: SettledMessage): void {
    const call = this.#held.get(id);
    if (call?.watch === undefined) return this.#lose("it answered a call that it was not running");
    if (!settled.ok && settled.failure.code === "ARTIFACT_UNUSABLE") this.#loaded.drop(call.job.artifact.digest);
    this.#vigil.note();
    // An abandoned call has ended before: what the Worker says of it comes too late, and only frees its place.
    if (!call.isEnded) call.end(settled);
    this.#leave(call, true);
  }

  #give(call: HeldCall): void {
    const { artifact, entry, input, limits, policy, control, hear } = call.job;
    const { id } = call;
    this.#loaded.load(artifact);
    call.watch = new Watch({
      control,
      timeoutMs: limits.timeoutMs,
      startLimitMs: this.#startLimitMs,
      wake: () => this.#post({ type: "interrupt", id }),
      isBehind: () => this.isBehind(control),
      abandoned: () => this.#abandon(call),
      giveUp: (reason) => this.#lose(reason, { culprit: call }),
    });
    const order = { entry, input, limits, policy, tells: hear !== undefined, control: control.memory };
    this.#post({ type: "call", id, digest: artifact.digest, ...order });
  }

  /** The Worker still has the call, and is going to give it up when it comes to it. */
  #abandon(call: HeldCall): void {
    call.fail(refuse("CANCELLED", {}));
    this.#vigil.start();
  }

  /** Gives the Worker up. `culprit` is the call because of which; default: the one that it seems to be at. */
  #lose(reason: string, known: { culprit?: HeldCall; cause?: Error } = {}): void {
    if (this.#lost !== undefined) return;
    const lost = refuse("WORKER_LOST", { reason }, known.cause);
    this.#lost = lost;
    clearTimeout(this.#startTimer);
    this.#vigil[Symbol.dispose]();
    const held = this.#calls();
    const culprit = known.culprit ?? findActive(held);
    if (!this.#isEnding) this.#options.onLost?.(reason, culprit?.job.control);
    const neighbour = culprit === undefined ? lost : refuse("WORKER_LOST", { reason: NEIGHBOUR }, known.cause);
    this.#held.clear();
    // The one because of which comes first: whoever hears of it knows what became of the others.
    culprit?.fail(lost);
    for (const call of held) {
      if (!call.isEnded) call.fail(neighbour);
      // Ending the Worker does not stop a guest that spins: its own next look at the interrupt flag does.
      call.job.control.interrupt("shutdown");
      call.job.onLeft?.(false);
    }
    // Not awaited: it never settles for a Worker that spins.
    if (this.#leaving.size === 0) this.#worker.terminate();
    this.#listener.changed(this);
  }

  /** Ends a call that the Worker was not given. */
  #drop(call: HeldCall, failure: Failure): void {
    call.end(failed(failure));
    this.#leave(call, true);
  }

  #leave(call: HeldCall, isIntact: boolean): void {
    this.#held.delete(call.id);
    call.job.onLeft?.(isIntact);
    this.#listener.changed(this);
  }

  #post(message: HostMessage<LoadableArtifact>): void {
    this.#worker.postMessage(message);
  }
}
