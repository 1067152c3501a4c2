/**
 * Runs one call: a fresh instance over pooled memories, its entry function, and what came of it. The guest's side of the trust boundary.
 */
import type { LoadableArtifact } from "../component/instantiate.ts";
import type { CoreInstance, Linked, LinkedCall } from "../component/link/linked.ts";
import { Linker } from "../component/link/linker.ts";
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
import { abortGuest } from "./abort.ts";
import { Budget } from "./budget.ts";
import { Capture } from "./capture.ts";
import { CommandOutput } from "./command-output.ts";
import { type Convention, findConvention, isTagged } from "./convention.ts";
import type { CallContext } from "./context.ts";
import { describeThrown, placeFailure } from "./failure.ts";
import { describeUnserved, INTERFACES } from "./imports.ts";
import { Instances } from "./instance.ts";
import type { MemoryPool } from "./memory-pool.ts";
import { Suspension } from "./suspension.ts";
import { traceGuest } from "./trace.ts";
import { Host } from "./wasi/host.ts";

/** Bytes that one unit of fuel pays for, as in bulk operations of guests. */
const BYTES_A_UNIT = 16;
const ENCODER = new TextEncoder();

/** A component that was loaded. */
export interface LoadedComponent {
  readonly artifact: LoadableArtifact;
  readonly linker: Linker<Host>;
}

/** Prepares a component for its calls. @throws {Error} `BUG: …` when the artifact is not as the compiler makes it. */
export function loadComponent(artifact: LoadableArtifact): LoadedComponent {
  return { artifact, linker: new Linker(artifact.plan, INTERFACES) };
}

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

/** What came of a guest: what its entry function returned, or what was thrown and by which of its functions. */
type Attempt =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown; readonly frames: readonly string[] | undefined };

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
  readonly #capture = new Capture();
  readonly #commandOutput: CommandOutput | undefined;
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
    this.host = new Host(this, message.policy);
    const isCommand = component.artifact.kind === "command";
    this.#stdin = isCommand ? ENCODER.encode(message.input) : new Uint8Array();
    this.#commandOutput = isCommand ? new CommandOutput() : undefined;
  }

  run(): WorkerMessage | Promise<WorkerMessage> {
    const attempt = this.#attempt();
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
    this.#budget.stop("CAPABILITY_DENIED", { capability: describeUnserved(interfaceName, name) });
    return abortGuest();
  }

  trap(reason: string): never {
    this.#budget.stop("GUEST_TRAP", { reason: reason.slice(0, 300) });
    return abortGuest();
  }

  refuseResult(bytes: number): never {
    this.#budget.stop("RESULT_TOO_LARGE", { bytes, limitBytes: RESULT_LIMIT_BYTES });
    return abortGuest();
  }

  exit(exitCode: number): never {
    this.#exitCode ??= exitCode;
    this.#budget.stop("TOOL_EXIT", this.#exitDetail(this.#exitCode));
    return abortGuest();
  }

  capture(stream: GuestStream, bytes: Uint8Array, level?: LogLevel): void {
    if (stream === "stdout" && this.#commandOutput !== undefined) this.#commandOutput.add(bytes);
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
    };
  }

  #outcome(attempt: Attempt): Outcome {
    this.#budget.settle();
    const { stopped } = this.#budget;
    const hasExitedWell = stopped?.code === "TOOL_EXIT" && this.#exitCode === 0 && this.#commandOutput !== undefined;
    if (stopped !== undefined && !hasExitedWell) {
      const outcome: Outcome = { ok: false, ...stopped };
      return attempt.ok ? outcome : placeFailure(outcome, attempt.frames);
    }
    if (!attempt.ok && !hasExitedWell) return placeFailure(describeThrown(attempt.error, this.#budget), attempt.frames);
    return this.#result(attempt.ok ? attempt.value : undefined);
  }

  #result(returned: unknown): Outcome {
    if (this.#commandOutput === undefined) return this.#convention.toOutcome(returned);
    if (isTagged(returned) && returned.tag !== "ok")
      return { ok: false, code: "TOOL_EXIT", detail: this.#exitDetail(1) };
    return this.#commandOutput.outcome();
  }

  #attempt(): Attempt | Promise<Attempt> {
    const { number, toValues } = this.#convention;
    try {
      const linked = this.#component.linker.instantiate(this);
      if (linked instanceof Promise) return this.#attemptBlocking(linked);
      return { ok: true, value: linked.invoke(number, toValues(this.#message.input)) };
    } catch (error) {
      return this.#fail(error);
    }
  }

  async #attemptBlocking(linking: Promise<Linked<Host>>): Promise<Attempt> {
    const { number, toValues } = this.#convention;
    try {
      const linked = await linking;
      return { ok: true, value: await linked.invoke(number, toValues(this.#message.input)) };
    } catch (error) {
      return this.#fail(error);
    }
  }

  #fail(error: unknown): Attempt {
    // At once: a garbage collection turns the engine's stack into text, in which the guest's functions have no names.
    const frames = this.#budget.stopped?.code === "TOOL_EXIT" ? undefined : traceGuest(error);
    return { ok: false, error, frames };
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
