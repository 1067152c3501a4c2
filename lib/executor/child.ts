/**
 * One executor process, from the host's side: starts it, gives it calls, and gives it up when it does not answer, breaks the protocol or
 * ends. It evaluates guests' code and is believed as little as they are: giving it up is to kill it, with all that runs there.
 */
import { fileURLToPath } from "node:url";
import { type Failure, refuse } from "../errors.ts";
import type { Usage } from "../protocol/limits.ts";
import type {
  ExecutorOrder,
  LostReport,
  ProgressReport,
  ReturnedReport,
  RoomReport,
  StateReport,
} from "../protocol/messages.ts";
import { codeOf } from "../roles.ts";
import { Channel } from "./channel.ts";
import { FarCall, type FarJob } from "./far-call.ts";
import { FarWatch } from "./far-watch.ts";
import type { Letter } from "./frames.ts";
import { Holdings } from "./holdings.ts";
import { failed, parseReport, type Settled, type SettledMessage } from "./settled.ts";

/** How a process is started, and who is told when it is lost. */
export interface ProcessOptions {
  /** Calls that it runs at once, beside those that wait. */
  readonly workers: number;
  /** Most milliseconds until it is ready, and until a Worker there starts on a call. */
  readonly startLimitMs: number;
  /** The code of the process, and of its Workers; default: KAMI's own. */
  readonly entries?: Partial<Readonly<Record<"process" | "worker", URL>>> | undefined;
  /** Told how many more calls it can be given at once, after it was asked. */
  readonly onRoom: (places: number) => void;
  /** Told once when the process was given up, not when it was disposed of. */
  readonly onLost: () => void;
}

/** What a call failed of that ran beside the one that lost the process. */
const NEIGHBOUR = "a call beside this one lost it";

/** A process that runs a few calls at once. */
export class ExecutorProcess implements Disposable {
  readonly #options: ProcessOptions;
  readonly #channel: Channel | undefined;
  readonly #holdings: Holdings;
  readonly #calls = new Map<number, FarCall>();
  #startTimer: ReturnType<typeof setTimeout> | undefined;
  #isReady = false;
  #isHealthy = false;
  #isEnding = false;
  #isAsked = false;
  /** Why the process was given up, once it was. */
  #lost: Failure | undefined;
  #nextId = 1;

  constructor(options: ProcessOptions) {
    this.#options = options;
    const { workers, startLimitMs, entries } = options;
    this.#holdings = new Holdings((order, body) => this.#send(order, body));
    try {
      this.#channel = new Channel(fileURLToPath(entries?.process ?? codeOf("executor")), {
        receive: (letter) => this.#receive(letter),
        fail: (reason) => this.#lose(reason),
      });
    } catch (error) {
      // Later: who starts it does not have it yet.
      queueMicrotask(() => this.#lose("it cannot be started", { cause: error }));
      return;
    }
    this.#startTimer = setTimeout(() => this.#lose(`it did not start within ${startLimitMs} ms`), startLimitMs);
    const entry = entries?.worker === undefined ? {} : { entry: entries.worker.href };
    this.#send({ type: "start", workers, startLimitMs, ...entry });
  }

  /** Calls that it has taken on and not ended. */
  get size(): number {
    return this.#calls.size;
  }

  /** Whether it was given up: it takes no more calls. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Whether it was ever ready. */
  get wasReady(): boolean {
    return this.#isReady;
  }

  /** Whether it ever ended a call. */
  get wasHealthy(): boolean {
    return this.#isHealthy;
  }

  /** Calls of a tenant that it has taken on and not ended. */
  sizeOf(tenant: string): number {
    return this.#of(tenant).length;
  }

  /** Whether it holds a component already. */
  has(digest: string): boolean {
    return this.#holdings.has(digest);
  }

  /** Asks it to say when it can take another call, once: it knows which of its calls wait. */
  ask(): void {
    if (this.#isAsked || this.isLost) return;
    this.#isAsked = true;
    this.#send({ type: "ask" });
  }

  /**
   * Runs one call to its end.
   *
   * @returns Also when the process is lost: the call then failed with `EXECUTOR_LOST` or `WORKER_LOST`, or as it was interrupted. Undefined when it
   *   was sent ahead and has come back: it has not begun.
   */
  async run(job: FarJob): Promise<Settled | undefined> {
    if (job.signal?.aborted === true) return failed(refuse("CANCELLED", {}));
    if (this.#lost !== undefined) return failed(this.#lost);
    const call = new FarCall(this.#nextId++, job);
    const cancel = (): void => this.#cancel(call);
    job.signal?.addEventListener("abort", cancel, { once: true });
    this.#calls.set(call.id, call);
    if (this.#isReady) this.#give(call);
    try {
      return await call.ended;
    } finally {
      job.signal?.removeEventListener("abort", cancel);
    }
  }

  /** Kills the process; calls that it runs are cancelled. */
  [Symbol.dispose](): void {
    this.#isEnding = true;
    for (const call of this.#calls.values()) this.#finish(call, failed(refuse("CANCELLED", {})));
    this.#lose("KAMI is shutting down");
  }

  #give(call: FarCall): void {
    const { artifact, entry, input, limits, policy, tenant, isAhead, onProgress } = call.job;
    const { id } = call;
    const { digest } = artifact;
    this.#holdings.hold(artifact);
    const tells = onProgress !== undefined;
    this.#send({ type: "call", id, digest, tenant, isAhead, entry, limits, tells, policy }, Buffer.from(input));
    call.watch = new FarWatch({
      timeoutMs: limits.timeoutMs,
      startLimitMs: this.#options.startLimitMs,
      look: () => this.#channel?.sendUrgent({ type: "look", id }),
      interrupt: (reason) => this.#channel?.sendUrgent({ type: "interrupt", id, reason }),
      mostBehindMs: () => this.#longestBeside(call),
      giveUp: (reason) => this.#lose(reason, { culprit: id }),
    });
  }

  /** The longest time limit of the calls that may have a Worker together with this one. */
  #longestBeside({ id, job }: FarCall): number {
    const beside = this.#of(job.tenant).filter((each) => each.id !== id);
    return beside.reduce((longest, each) => Math.max(longest, each.job.limits.timeoutMs), 0);
  }

  #of(tenant: string): FarCall[] {
    return [...this.#calls.values()].filter((call) => call.job.tenant === tenant);
  }

  #cancel(call: FarCall): void {
    if (call.watch !== undefined) call.watch.interrupt("cancelled");
    else this.#finish(call, failed(refuse("CANCELLED", {})));
  }

  #receive({ header, body }: Letter<unknown>): void {
    if (this.isLost) return;
    const report = parseReport(header, body);
    if (report === undefined) this.#lose("it sent a message that makes no sense");
    else if (report === "ready") this.#becomeReady();
    else if (!("type" in report)) this.#settle(report);
    else if (report.type === "lost") this.#loseWorker(report);
    else if (report.type === "room") this.#makeRoom(report);
    else if (report.type === "returned") this.#takeBack(report);
    else if (report.type === "progress") this.#hear(report);
    else this.#tell(report);
  }

  #becomeReady(): void {
    if (this.#isReady) return this.#lose("it said twice that it is ready");
    this.#isReady = true;
    clearTimeout(this.#startTimer);
    for (const call of this.#calls.values()) this.#give(call);
  }

  #settle({ id, settled }: SettledMessage): void {
    const call = this.#calls.get(id);
    if (call?.watch === undefined) return this.#lose("it answered a call that it was not running");
    const { artifact } = call.job;
    if (!settled.ok && settled.failure.code === "ARTIFACT_UNUSABLE") this.#holdings.drop(artifact.digest);
    this.#isHealthy = true;
    this.#finish(call, settled);
  }

  #makeRoom({ lastId, places }: RoomReport): void {
    if (!this.#isAsked) return this.#lose("it told about room that nobody asked about");
    this.#isAsked = false;
    // What was given since it said so has taken its places.
    const taken = Math.max(this.#nextId - 1 - lastId, 0);
    this.#options.onRoom(Math.min(places, this.#options.workers) - taken);
  }

  #takeBack({ id }: ReturnedReport): void {
    const call = this.#calls.get(id);
    if (call?.watch === undefined || !call.job.isAhead)
      return this.#lose("it gave back a call that was not sent ahead");
    const isCancelled = call.watch.interrupted !== undefined;
    this.#finish(call, isCancelled ? failed(refuse("CANCELLED", {})) : undefined);
  }

  #tell({ id, ageMs, isBehind, usage }: StateReport): void {
    const call = this.#calls.get(id);
    if (call?.watch?.told(ageMs, isBehind) === true) call.told = usage;
    else this.#lose("it told about a call that nobody asked about");
  }

  #hear({ id, fuel, said }: ProgressReport): void {
    if (this.#calls.get(id)?.hear({ fuel, said }) !== true)
      this.#lose("it told about a call more than anybody wants to hear");
  }

  /** Whoever lost a Worker there may have the process: what it says of its other calls is worth nothing any more. */
  #loseWorker({ id, reason, usage }: LostReport): void {
    if (id === null) return this.#lose(`a worker was lost: ${reason}`);
    if (this.#calls.get(id)?.watch === undefined) return this.#lose("it lost a call that it was not running");
    this.#lose(reason, { culprit: id, worker: refuse("WORKER_LOST", { reason }), usage });
  }

  /** Gives the process up. `culprit` is the call because of which; what is known of it stands beside. */
  #lose(reason: string, known: { culprit?: number; worker?: Failure; usage?: Usage; cause?: unknown } = {}): void {
    if (this.#lost !== undefined) return;
    const { culprit, worker, usage, cause } = known;
    this.#lost = refuse("EXECUTOR_LOST", { reason }, cause ?? this.#channel?.lastWords);
    clearTimeout(this.#startTimer);
    this.#channel?.kill();
    const neighbour = refuse("EXECUTOR_LOST", { reason: NEIGHBOUR }, this.#lost.cause);
    for (const call of this.#calls.values()) {
      if (culprit === undefined) call.lose(this.#lost);
      else if (call.id === culprit) call.lose(worker ?? this.#lost, usage);
      else call.lose(neighbour);
    }
    this.#calls.clear();
    if (!this.#isEnding) this.#options.onLost();
  }

  #finish(call: FarCall, settled: Settled | undefined): void {
    this.#calls.delete(call.id);
    call.finish(settled);
  }

  #send(order: ExecutorOrder, body?: Uint8Array): void {
    this.#channel?.send(order, body);
  }
}
