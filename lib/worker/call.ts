/**
 * Runs one call: a fresh instance over pooled memories, its entry function, and what came of it. The guest's side of the trust boundary.
 */
import type { Linker } from "../component/instantiate.ts";
import type { FailureDetail } from "../errors.ts";
import { ControlBlock } from "../protocol/control.ts";
import { type GuestStream, type LogLevel, RESULT_LIMIT_BYTES, type Usage } from "../protocol/limits.ts";
import type { CallMessage, Outcome, WorkerMessage } from "../protocol/messages.ts";
import { abortGuest } from "./abort.ts";
import { Budget } from "./budget.ts";
import { Capture } from "./capture.ts";
import type { CallContext } from "./context.ts";
import { CommandOutput } from "./command-output.ts";
import { describeThrown, isErrorResult, placeFailure } from "./failure.ts";
import { createImports } from "./imports.ts";
import { Instances } from "./instance.ts";
import type { MemoryPool } from "./memory-pool.ts";
import { traceGuest } from "./trace.ts";

const ENCODER = new TextEncoder();

/**
 * Runs a call to its end. Never throws: whatever the guest does becomes an outcome.
 *
 * @param linker - The call's component.
 * @param pool - Where its memories come from and go back to.
 */
export function runCall(message: CallMessage, linker: Linker, pool: MemoryPool): WorkerMessage {
  using call = new Call(message, linker, pool);
  return call.run();
}

/** What came of a guest: what its entry function returned, or what was thrown and by which of its functions. */
type Attempt =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown; readonly frames: readonly string[] | undefined };

class Call implements CallContext, Disposable {
  readonly stdin: Uint8Array;
  readonly #message: CallMessage;
  readonly #linker: Linker;
  readonly #control: ControlBlock;
  readonly #startedAt = performance.now();
  readonly #budget: Budget;
  readonly #instances: Instances;
  readonly #capture = new Capture();
  readonly #commandOutput: CommandOutput | undefined;
  #exitCode: number | undefined;

  constructor(message: CallMessage, linker: Linker, pool: MemoryPool) {
    this.#message = message;
    this.#linker = linker;
    this.#control = new ControlBlock(message.control);
    this.#control.begin();
    this.#budget = new Budget(message.limits, this.#control, this.#startedAt);
    this.#instances = new Instances(this.#budget, pool);
    const isCommand = linker.artifact.kind === "command";
    this.stdin = isCommand ? ENCODER.encode(message.input) : new Uint8Array();
    this.#commandOutput = isCommand ? new CommandOutput() : undefined;
  }

  run(): WorkerMessage {
    const outcome = this.#outcome();
    this.#control.settle();
    return {
      type: "settled",
      id: this.#message.id,
      outcome,
      usage: this.#usage(outcome),
      captured: this.#capture.finish(),
    };
  }

  enter(): void {
    this.#budget.enterHost();
  }

  charge(units: number): void {
    this.#budget.charge(units);
  }

  checkInterrupt(): void {
    this.#budget.checkInterrupt();
  }

  deny(capability: string): never {
    this.#budget.stop("CAPABILITY_DENIED", { capability });
    return abortGuest();
  }

  trap(reason: string): never {
    this.#budget.stop("GUEST_TRAP", { reason: reason.slice(0, 300) });
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
    this.#instances[Symbol.dispose]();
  }

  #outcome(): Outcome {
    const attempt = this.#attempt();
    this.#budget.settle();
    const { stopped } = this.#budget;
    const hasExitedWell = stopped?.code === "TOOL_EXIT" && this.#exitCode === 0 && this.#commandOutput !== undefined;
    if (stopped !== undefined && !hasExitedWell) {
      const outcome: Outcome = { ok: false, ...stopped };
      return attempt.ok ? outcome : placeFailure(outcome, attempt.frames);
    }
    if (attempt.ok || hasExitedWell)
      return this.#commandOutput?.outcome() ?? checkResult(attempt.ok ? attempt.value : undefined);
    if (this.#commandOutput !== undefined && isErrorResult(attempt.error))
      return { ok: false, code: "TOOL_EXIT", detail: this.#exitDetail(1) };
    return placeFailure(describeThrown(attempt.error, this.#budget), attempt.frames);
  }

  #attempt(): Attempt {
    try {
      const entry = this.#linker.instantiate(createImports(this), this.#instances.instantiateCore);
      return { ok: true, value: this.#commandOutput === undefined ? entry(this.#message.input) : entry() };
    } catch (error) {
      // At once: a garbage collection turns the engine's stack into text, in which the guest's functions have no names.
      const frames = this.#budget.stopped?.code === "TOOL_EXIT" ? undefined : traceGuest(error);
      return { ok: false, error, frames };
    }
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

function checkResult(value: unknown): Outcome {
  if (typeof value !== "string") return { ok: false, code: "GUEST_TRAP", detail: { reason: "it returned no text" } };
  const bytes = Buffer.byteLength(value);
  if (bytes <= RESULT_LIMIT_BYTES) return { ok: true, output: value };
  return { ok: false, code: "RESULT_TOO_LARGE", detail: { bytes, limitBytes: RESULT_LIMIT_BYTES } };
}
