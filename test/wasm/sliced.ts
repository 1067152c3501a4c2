/**
 * Test support: runs generated programs, metered with slices of any size or with the reference's ticks, and says everything that can be
 * seen of a run.
 */
import { parse } from "@bytecodealliance/jco";
import { METER_EXPORTS, METER_IMPORT } from "../../lib/component/instantiate.ts";
import { meterModule } from "../../lib/wasm/meter.ts";
import { FuelCounter } from "../../lib/worker/fuel-counter.ts";
import { type Program, renderProgram } from "./program.ts";
import { renderReference } from "./reference.ts";

const PAGE_BYTES = 65_536;

let spare = new WebAssembly.Memory({ initial: 1, maximum: 3 });

/** What can be seen of a run. */
export interface Run {
  /** What it returned, or why it ended. */
  readonly outcome: string;
  /** Fuel units. */
  readonly used: number;
  /** The exported globals and a hash of the memory, as text. */
  readonly state: string;
}

/** Fuel units. */
export interface Grant {
  readonly fuel: number;
  /** Most that one refill gives. */
  readonly slice: number;
}

/** One program in both forms. */
export class Comparison {
  readonly #program: Program;
  readonly #metered: WebAssembly.Module;
  readonly #reference: WebAssembly.Module;

  private constructor(program: Program, metered: Uint8Array, reference: Uint8Array) {
    this.#program = program;
    this.#metered = new WebAssembly.Module(new Uint8Array(metered));
    this.#reference = new WebAssembly.Module(new Uint8Array(reference));
  }

  /** Compiles a program. @throws {Error} when it is not valid, or when it is not any more once it is metered. */
  static async compile(program: Program): Promise<Comparison> {
    const metered = meterModule(await parse(renderProgram(program)), "generated");
    return new Comparison(program, metered.bytes, await parse(renderReference(program)));
  }

  /** Runs it with the reference's ticks. */
  runReference(): Run {
    const instance = new WebAssembly.Instance(this.#reference, { env: makeHost(this.#program, takeMemory()) });
    const outcome = callEntry(instance);
    return { outcome, used: Number(readGlobal(instance, "ticks")), state: describeState(instance) };
  }

  /** Runs it metered. What the host adds for growing memories and tables is left out. */
  runMetered({ fuel, slice }: Grant): Run {
    let settled = 0;
    const counter = new FuelCounter((used) => {
      settled += used;
      return settled > fuel ? -1 : Math.min(fuel - settled, slice);
    });
    const memory = takeMemory();
    const meter: WebAssembly.ModuleImports = {
      refill: counter.refill,
      grow: (delta: number) => growMemory(memory, delta),
      growTable: (delta: number) => delta,
      grewTable: (before: number) => before,
    };
    const imports = { env: makeHost(this.#program, memory), [METER_IMPORT]: meter };
    const instance = new WebAssembly.Instance(this.#metered, imports);
    counter.attach({
      read: () => Number(exported(instance, METER_EXPORTS.read)()),
      write: exported(instance, METER_EXPORTS.write),
    });
    const outcome = callEntry(instance);
    return { outcome, used: settled + counter.used, state: describeState(instance) };
  }
}

/** An empty memory: the last one again, unless it grew. Making one takes longer than everything else. */
function takeMemory(): WebAssembly.Memory {
  if (spare.buffer.byteLength !== PAGE_BYTES) spare = new WebAssembly.Memory({ initial: 1, maximum: 3 });
  else new Uint8Array(spare.buffer).fill(0);
  return spare;
}

function growMemory(memory: WebAssembly.Memory, delta: number): number {
  try {
    return memory.grow(delta);
  } catch {
    return -1;
  }
}

/** A few of its calls throw: always the same ones, and not so many that a loop around one goes on for long. */
function makeHost({ mayThrow }: Program, memory: WebAssembly.Memory): WebAssembly.ModuleImports {
  let calls = 0;
  return {
    memory,
    host(value: number) {
      calls += 1;
      if (mayThrow && calls < 20 && calls % 3 === 0) throw new Error("the host throws");
      return value * 3 + calls;
    },
  };
}

function callEntry(instance: WebAssembly.Instance): string {
  try {
    return `returned ${String(exported(instance, "f")(7))}`;
  } catch (error) {
    if (error instanceof Error) return error.message.replace(/ \(evaluating .*$/s, "");
    return "threw an exception";
  }
}

function describeState(instance: WebAssembly.Instance): string {
  const globals = ["mixed", "wide", "single", "double"].map((name) => `${name} ${String(readGlobal(instance, name))}`);
  const memory = instance.exports["memory"];
  if (!(memory instanceof WebAssembly.Memory)) throw new Error("no memory");
  return [...globals, `memory ${memory.buffer.byteLength} ${Bun.hash(new Uint8Array(memory.buffer))}`].join(", ");
}

function readGlobal(instance: WebAssembly.Instance, name: string): unknown {
  const global = instance.exports[name];
  if (!(global instanceof WebAssembly.Global)) throw new Error(`no global ${name}`);
  return global.value;
}

function exported(instance: WebAssembly.Instance, name: string): (...values: number[]) => unknown {
  const callee = instance.exports[name];
  if (typeof callee !== "function") throw new Error(`no export ${name}`);
  return (...values) => callee(...values) as unknown;
}
