/**
 * Runs one call: a fresh instance over pooled memories, its entry function, and what came of it. The guest's side of the trust boundary.
 */
import { type InstantiateCore, type Linker, METER_IMPORT } from "../component/instantiate.ts";
import { ControlBlock } from "../protocol/control.ts";
import type { GuestStream, LogLevel, Usage } from "../protocol/limits.ts";
import type { CallMessage, Outcome, WorkerMessage } from "../protocol/messages.ts";
import { Budget, StopSignal } from "./budget.ts";
import { Capture } from "./capture.ts";
import type { CallContext } from "./context.ts";
import { CommandOutput, RESULT_LIMIT_BYTES } from "./command-output.ts";
import { describeThrown } from "./failure.ts";
import { createImports } from "./imports.ts";
import type { MemoryPool, MemorySize } from "./memory-pool.ts";
import { HostTrap } from "./trap.ts";

/** The module name under which the glue gives the core modules between components its string copies. */
const TRANSCODE = "transcode";
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

class Call implements CallContext, Disposable {
  readonly stdin: Uint8Array;
  readonly #message: CallMessage;
  readonly #linker: Linker;
  readonly #pool: MemoryPool;
  readonly #control: ControlBlock;
  readonly #startedAt = performance.now();
  readonly #budget: Budget;
  readonly #capture = new Capture();
  readonly #commandOutput: CommandOutput | undefined;
  readonly #taken: { readonly size: MemorySize; readonly memory: WebAssembly.Memory }[] = [];
  #exitCode: number | undefined;

  constructor(message: CallMessage, linker: Linker, pool: MemoryPool) {
    this.#message = message;
    this.#linker = linker;
    this.#pool = pool;
    this.#control = new ControlBlock(message.control);
    this.#budget = new Budget(message.limits, this.#control, this.#startedAt);
    const isCommand = linker.artifact.kind === "command";
    this.stdin = isCommand ? ENCODER.encode(message.input) : new Uint8Array();
    this.#commandOutput = isCommand ? new CommandOutput() : undefined;
  }

  run(): WorkerMessage {
    this.#control.state = "running";
    const outcome = this.#outcome();
    this.#control.state = "settled";
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

  checkInterrupt(): void {
    this.#budget.checkInterrupt();
  }

  deny(capability: string): never {
    this.#budget.stop("CAPABILITY_DENIED", { capability });
    throw new StopSignal();
  }

  trap(reason: string): never {
    this.#budget.stop("GUEST_TRAP", { reason: reason.slice(0, 300) });
    throw new HostTrap(reason);
  }

  exit(exitCode: number): never {
    this.#exitCode ??= exitCode;
    this.#budget.stop("TOOL_EXIT", { exitCode: this.#exitCode, message: this.#capture.lastLine("stderr") });
    throw new StopSignal();
  }

  capture(stream: GuestStream, bytes: Uint8Array, level?: LogLevel): void {
    if (stream === "stdout" && this.#commandOutput !== undefined) this.#commandOutput.add(bytes);
    else this.#capture.add(stream, bytes, level);
  }

  [Symbol.dispose](): void {
    for (const { size, memory } of this.#taken) this.#pool.give(size, memory);
  }

  #outcome(): Outcome {
    const attempt = this.#attempt();
    this.#budget.settle();
    const { stopped } = this.#budget;
    const hasExitedWell = stopped?.code === "TOOL_EXIT" && this.#exitCode === 0 && this.#commandOutput !== undefined;
    if (stopped !== undefined && !hasExitedWell) return { ok: false, ...stopped };
    if (attempt.ok || hasExitedWell)
      return this.#commandOutput?.outcome() ?? checkResult(attempt.ok ? attempt.value : undefined);
    if (this.#commandOutput !== undefined && isErrorResult(attempt.error)) return this.#exited(1);
    return describeThrown(attempt.error, this.#budget);
  }

  #attempt(): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown } {
    try {
      const entry = this.#linker.instantiate(createImports(this), this.#instantiateCore);
      return { ok: true, value: this.#commandOutput === undefined ? entry(this.#message.input) : entry() };
    } catch (error) {
      return { ok: false, error };
    }
  }

  #exited(exitCode: number): Outcome {
    return { ok: false, code: "TOOL_EXIT", detail: { exitCode, message: this.#capture.lastLine("stderr") } };
  }

  readonly #refill = (): number => this.#budget.refill();
  readonly #growTable = (delta: number): number => this.#budget.growTable(delta);

  readonly #instantiateCore: InstantiateCore = (module, imports) => {
    const memories = module.memoryImports.map(([from, name]) => memoryOf(imports, from, name));
    const meter: WebAssembly.ModuleImports = Object.create(null);
    meter["fuel"] = this.#budget.fuel;
    meter["refill"] = this.#refill;
    meter["growTable"] = this.#growTable;
    for (const [index, size] of module.memories.entries()) {
      const memory = this.#takeMemory(size);
      meter[`memory${index}`] = memory;
      memories.push(memory);
    }
    meter["grow"] = (delta: number, index: number): number => {
      const memory = memories[index];
      if (memory === undefined) throw new Error("BUG: the guest grows a memory that it does not have");
      return this.#budget.grow(memory, delta);
    };
    this.#budget.addTableElements(module.initialTableElements);
    const own: WebAssembly.Imports = { [METER_IMPORT]: meter };
    if (imports[TRANSCODE] !== undefined) own[TRANSCODE] = this.#chargeCopies(imports[TRANSCODE]);
    return new WebAssembly.Instance(module.module, Object.assign(Object.create(null), imports, own));
  };

  /** Charges for the strings that components inside the component hand to each other: the glue copies them, unmetered. */
  #chargeCopies(copies: WebAssembly.ModuleImports): WebAssembly.ModuleImports {
    const charged: WebAssembly.ModuleImports = Object.create(null);
    for (const [name, copy] of Object.entries(copies)) {
      charged[name] = typeof copy === "function" ? this.#chargeCopy(copy) : copy;
    }
    return charged;
  }

  #chargeCopy(copy: Function): (from: number, length: number, ...rest: number[]) => unknown {
    return (from, length, ...rest) => {
      this.#budget.enterCopy(length >>> 0);
      return Reflect.apply(copy, undefined, [from, length, ...rest]) as unknown;
    };
  }

  #takeMemory(size: MemorySize): WebAssembly.Memory {
    this.#budget.reserve(size.initialPages);
    const memory = this.#pool.take(size);
    this.#taken.push({ size, memory });
    this.#budget.addMemory(memory);
    return memory;
  }

  #usage(outcome: Outcome): Usage {
    return {
      fuel: this.#budget.fuelUsed,
      wallMs: performance.now() - this.#startedAt,
      peakMemoryBytes: this.#budget.peakMemoryBytes,
      hostCalls: this.#budget.hostCalls,
      inputBytes: Buffer.byteLength(this.#message.input),
      outputBytes: outcome.ok ? Buffer.byteLength(outcome.output) : 0,
    };
  }
}

function memoryOf(imports: WebAssembly.Imports, from: string, name: string): WebAssembly.Memory {
  const memory = imports[from]?.[name];
  if (!(memory instanceof WebAssembly.Memory)) throw new Error(`BUG: the glue links no memory to ${from} ${name}`);
  return memory;
}

function checkResult(value: unknown): Outcome {
  if (typeof value !== "string") return { ok: false, code: "GUEST_TRAP", detail: { reason: "it returned no text" } };
  const bytes = Buffer.byteLength(value);
  if (bytes <= RESULT_LIMIT_BYTES) return { ok: true, output: value };
  return { ok: false, code: "RESULT_TOO_LARGE", detail: { bytes, limitBytes: RESULT_LIMIT_BYTES } };
}

/** Whether a function of type `result` returned its error: the glue throws it, with a payload. */
function isErrorResult(error: unknown): boolean {
  return error instanceof Error && Object.hasOwn(error, "payload");
}
