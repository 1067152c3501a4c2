/**
 * Runs one call: a fresh instance over pooled memories, its entry function, and what came of it. The guest's side of the trust boundary.
 */
import type { CoreInstance, LinkedCall } from "../component/link/linked.ts";
import type { FailureDetail } from "../errors.ts";
import { ControlBlock } from "../protocol/control.ts";
import {
  type Denial,
  DENIAL_TEXT_LIMIT,
  DENIALS_LIMIT,
  type GuestStream,
  type LogLevel,
  RESULT_LIMIT_BYTES,
  type Usage,
} from "../protocol/limits.ts";
import type { CallMessage, Outcome, WorkerMessage } from "../protocol/messages.ts";
import { type Attempt, attemptCall } from "./attempt.ts";
import { Budget } from "./budget.ts";
import { Capture } from "./capture.ts";
import type { CallContext } from "./context.ts";
import { type Convention, findConvention } from "./convention.ts";
import { describeThrown, describeUnserved, placeFailure } from "./failure.ts";
import { Instances } from "./instance.ts";
import type { LoadedComponent } from "./loaded.ts";
import type { MemoryPool } from "./memory-pool.ts";
import { Suspension } from "./suspension.ts";
import { Host } from "./wasi/host.ts";

/** Bytes that one unit of fuel pays for, as in bulk operations of guests. */
const BYTES_A_UNIT = 16;
const ENCODER = new TextEncoder();

/**
 * Runs a call to its end. Never throws: whatever the guest does becomes an outcome.
 *
 * @param component - The call's component.
 * @param pool - Where its memories come from and go back to.
 * @returns At once, not a promise, unless the component may block.
 */
export function runCall(
  message: CallMessage,
  component: LoadedComponent,
  pool: MemoryPool,
): WorkerMessage | Promise<WorkerMessage> {
  return new Call(message, component, pool).run();
}

class Call implements CallContext, LinkedCall<Host>, Disposable {
  readonly host: Host;
  readonly #message: CallMessage;
  readonly #component: LoadedComponent;
  readonly #convention: Convention;
  readonly #control: ControlBlock;
  readonly #startedAt = performance.now();
  readonly #budget: Budget;
  readonly #suspension: Suspension;
  readonly #instances: Instances;
  readonly #capture: Capture;
  readonly #denials: Denial[] = [];
  /** What of the input a command has not read yet. */
  #stdin: Uint8Array;
  #exitCode: number | undefined;

  constructor(message: CallMessage, component: LoadedComponent, pool: MemoryPool) {
    this.#message = message;
    this.#component = component;
    this.#convention = findConvention(component.artifact, message.entry ?? "run");
    this.#control = new ControlBlock(message.control);
    this.#control.begin();
    this.#budget = new Budget(message.limits, this.#control, this.#startedAt);
    this.#suspension = new Suspension(message.id, this.#budget);
    this.#instances = new Instances(this.#budget, pool);
    this.#capture = new Capture(message.tells === true ? message.id : undefined);
    this.host = new Host(this, message.policy);
    this.#stdin = this.#convention.output === undefined ? new Uint8Array() : ENCODER.encode(message.input);
  }

  run(): WorkerMessage | Promise<WorkerMessage> {
    const attempt = attemptCall({ call: this, component: this.#component, number: this.#convention.number }, () =>
      this.#convention.toValues(this.#message.input),
    );
    if (!(attempt instanceof Promise)) return this.#finish(attempt);
    return attempt.then((ended) => this.#finish(ended));
  }

  enter(): void {
    this.#budget.enterHost();
  }

  charge(units: number): void {
    this.#budget.charge(units);
  }

  chargeBytes(count: number): void {
    this.#budget.charge(Math.ceil(count / BYTES_A_UNIT));
  }

  takeInput(limit: number): Uint8Array {
    const piece = this.#stdin.slice(0, limit);
    this.#stdin = this.#stdin.subarray(piece.length);
    return piece;
  }

  suspend<T>(wait: Promise<T>): Promise<T> {
    return this.#suspension.wait(wait);
  }

  instantiateCore(module: number, imports: WebAssembly.Imports): CoreInstance {
    const loadable = this.#component.artifact.modules[module];
    if (loadable === undefined) throw new Error("BUG: a plan makes an instance of a module that there is not");
    return this.#instances.make(loadable, imports);
  }

  noteDenial(capability: string, target: string): void {
    const denial = { capability: capability.slice(0, DENIAL_TEXT_LIMIT), target: target.slice(0, DENIAL_TEXT_LIMIT) };
    const isNew = !this.#denials.some((each) => each.capability === denial.capability && each.target === denial.target);
    if (isNew && this.#denials.length < DENIALS_LIMIT) this.#denials.push(denial);
  }

  deny(interfaceName: string, name: string): never {
    return this.#budget.end("CAPABILITY_DENIED", { capability: describeUnserved(interfaceName, name) });
  }

  trap(reason: string): never {
    return this.#budget.end("GUEST_TRAP", { reason: reason.slice(0, 300) });
  }

  refuseResult(bytes: number): never {
    return this.#budget.end("RESULT_TOO_LARGE", { bytes, limitBytes: RESULT_LIMIT_BYTES });
  }

  exit(exitCode: number): never {
    this.#exitCode ??= exitCode;
    return this.#budget.end("TOOL_EXIT", this.#exitDetail(this.#exitCode));
  }

  capture(stream: GuestStream, bytes: Uint8Array, level?: LogLevel): void {
    const { output } = this.#convention;
    if (stream === "stdout" && output !== undefined) output.add(bytes);
    else this.#capture.add(stream, bytes, level);
  }

  [Symbol.dispose](): void {
    this.host[Symbol.dispose]();
    this.#instances[Symbol.dispose]();
    this.#suspension[Symbol.dispose]();
  }

  #finish(attempt: Attempt): WorkerMessage {
    try {
      return this.#settle(this.#outcome(attempt));
    } finally {
      this[Symbol.dispose]();
    }
  }

  #settle(outcome: Outcome): WorkerMessage {
    this.#control.settle();
    return {
      type: "settled",
      id: this.#message.id,
      outcome,
      usage: this.#usage(outcome),
      captured: this.#capture.finish(),
      ...(this.#denials.length === 0 ? {} : { denials: this.#denials }),
      ...(this.host.rehearsed === undefined ? {} : { requests: this.host.rehearsed.made }),
    };
  }

  #outcome(attempt: Attempt): Outcome {
    this.#budget.settle();
    const { stopped } = this.#budget;
    const hasExitedWell =
      stopped?.code === "TOOL_EXIT" && this.#exitCode === 0 && this.#convention.output !== undefined;
    if (stopped !== undefined && !hasExitedWell) {
      const outcome: Outcome = { ok: false, ...stopped };
      return attempt.ok ? outcome : placeFailure(outcome, attempt.frames);
    }
    if (!attempt.ok && !hasExitedWell) return placeFailure(describeThrown(attempt.error, this.#budget), attempt.frames);
    return this.#result(attempt.ok ? attempt.value : undefined);
  }

  #result(returned: unknown): Outcome {
    const outcome = this.#convention.toOutcome(returned);
    // A command's error is no more than its exit code.
    return outcome ?? { ok: false, code: "TOOL_EXIT", detail: this.#exitDetail(1) };
  }

  #exitDetail(exitCode: number): FailureDetail<"TOOL_EXIT"> {
    return { exitCode, message: this.#capture.lastLine("stderr") };
  }

  #usage(outcome: Outcome): Usage {
    return {
      fuel: this.#budget.fuelUsed,
      cpuMs: this.#budget.cpuMs,
      wallMs: performance.now() - this.#startedAt,
      peakMemoryBytes: this.#budget.memory.peakBytes,
      hostCalls: this.#budget.hostCalls,
      inputBytes: Buffer.byteLength(this.#message.input),
      outputBytes: outcome.ok ? Buffer.byteLength(outcome.output) : 0,
      isPartial: false,
    };
  }
}
