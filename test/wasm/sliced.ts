/**
 * Test support: runs generated programs, metered with slices of any size or with the reference's ticks, and says everything that can be
 * seen of a run.
 */
import { parse } from "@bytecodealliance/jco";
import { type Compiled, compileMetered, exportedFunction, type Grant, MeterHost } from "./meter-host.ts";
import { type Program, renderProgram } from "./program.ts";
import { renderReference } from "./reference.ts";

const PAGE_BYTES = 65_536;
/** How often the host calls back in one run. */
const MOST_CALLBACKS = 8;
const GLOBALS = ["mixed", "wide", "single", "double"];

const spares = [makeMemory(), makeMemory()];

/** What can be seen of a run. */
export interface Run {
  /** What it returned, or why it ended. */
  readonly outcome: string;
  /** Fuel units. */
  readonly used: number;
  /** The exported globals and tables, and hashes of the memories, as text. */
  readonly state: string;
}

/** One program in both forms. */
export class Comparison {
  readonly #program: Program;
  readonly #bytes: Uint8Array;
  /** By the size of slices. */
  readonly #metered = new Map<number, Compiled>();
  readonly #reference: WebAssembly.Module;

  private constructor(program: Program, bytes: Uint8Array, reference: Uint8Array) {
    this.#program = program;
    this.#bytes = bytes;
    this.#reference = new WebAssembly.Module(new Uint8Array(reference));
  }

  /** Compiles a program. @throws {Error} when it is not valid, or when it is not any more once it is metered. */
  static async compile(program: Program): Promise<Comparison> {
    return new Comparison(program, await parse(renderProgram(program)), await parse(renderReference(program)));
  }

  /** Runs it with the reference's ticks. */
  runReference(): Run {
    const host = new Host(this.#program);
    const run = host.run((imports) => new WebAssembly.Instance(this.#reference, imports));
    return { ...run, used: Number(host.ticks.value) };
  }

  /** Runs it metered. What the host adds for growing memories and tables is left out. */
  runMetered(grant: Grant): Run {
    using meter = new MeterHost(grant);
    const compiled = this.#compiled(grant.slice);
    const run = new Host(this.#program, countImports(compiled.module)).run((imports) =>
      meter.instantiate(compiled, imports),
    );
    return { ...run, outcome: meter.isExhausted ? OUT_OF_FUEL : run.outcome, used: meter.used };
  }

  #compiled(slice: number): Compiled {
    const known = this.#metered.get(slice) ?? compileMetered(this.#bytes, "generated", slice);
    this.#metered.set(slice, known);
    return known;
  }
}

/** What a call says that has used more fuel than it was granted. */
const OUT_OF_FUEL = "out of fuel";

/** Runs programs metered, each once and freshly compiled. */
export async function runCold(programs: readonly Program[], grant: Grant): Promise<readonly Run[]> {
  const compiled = await Promise.all(programs.map((program) => Comparison.compile(program)));
  return compiled.map((comparison) => comparison.runMetered(grant));
}

/** What a program imports, and how it is run. */
class Host {
  readonly ticks: WebAssembly.Global<"i64"> = new WebAssembly.Global({ value: "i64", mutable: true }, 0n);
  readonly #mayThrow: boolean;
  readonly #first: number | undefined;
  readonly #memories = [takeMemory(0), takeMemory(1)];
  #instance: WebAssembly.Instance | undefined;
  #calls = 0;
  #callbacks = 0;

  /** @param first - The index of the program's first function, where what is exported is not that function itself. */
  constructor({ mayThrow }: Program, first?: number) {
    this.#mayThrow = mayThrow;
    this.#first = first;
  }

  /** Makes the instance and calls its entry. */
  run(instantiate: (imports: WebAssembly.Imports) => WebAssembly.Instance): Omit<Run, "used"> {
    const env: WebAssembly.ModuleImports = { ticks: this.ticks, host: this.#host, back: this.#back };
    for (const [index, name] of ["memory", "second"].entries()) env[name] = this.#memories[index] ?? makeMemory();
    const outcome = outcomeOf(() => {
      this.#instance = instantiate({ env });
      return exportedFunction(this.#instance, "f0")(7);
    });
    return { outcome, state: [...this.#memories.map(describeMemory), this.#describeExports()].join(", ") };
  }

  /** A few of its calls throw: always the same ones, and not so many that a loop around one goes on for long. */
  readonly #host = (value: number): number => {
    this.#calls += 1;
    if (this.#mayThrow && this.#calls < 20 && this.#calls % 3 === 0) throw new Error("the host throws");
    return value * 3 + this.#calls;
  };

  /** Calls back into the program, a few times. Its start function runs before there is anything to call. */
  readonly #back = (value: number): number => {
    this.#callbacks += 1;
    if (this.#instance === undefined || this.#callbacks > MOST_CALLBACKS) return value;
    return Number(exportedFunction(this.#instance, "f2")(value));
  };

  #describeExports(): string {
    const exports = this.#instance?.exports;
    if (exports === undefined) return "no instance";
    const globals = GLOBALS.map((name) => `${name} ${describeGlobal(exports[name])}`);
    const first = this.#first ?? indexOf(exports["f0"]);
    const tables = ["table", "spare"].map((name) => `${name} ${describeTable(exports[name], first)}`);
    return [...globals, ...tables, describeMemory(exports["second"])].join(", ");
  }
}

/** An empty memory: the last one again, unless it grew. Making one takes longer than everything else. */
function takeMemory(index: number): WebAssembly.Memory {
  const spare = spares[index];
  if (spare?.buffer.byteLength !== PAGE_BYTES) return (spares[index] = makeMemory());
  new Uint8Array(spare.buffer).fill(0);
  return spare;
}

function makeMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: 3 });
}

function outcomeOf(run: () => unknown): string {
  try {
    return `returned ${String(run())}`;
  } catch (error) {
    if (!(error instanceof Error)) return "threw an exception";
    // The engine's tiers have different words for it.
    if (/ null reference\b/.test(error.message)) return "a null reference";
    return error.message.replace(/ \(evaluating .*$/s, "");
  }
}

function describeMemory(memory: unknown): string {
  if (!(memory instanceof WebAssembly.Memory)) throw new Error("no memory");
  return `memory ${memory.buffer.byteLength} ${Bun.hash(new Uint8Array(memory.buffer))}`;
}

function describeGlobal(global: unknown): string {
  if (!(global instanceof WebAssembly.Global)) throw new Error("no global");
  return String(global.value);
}

function countImports(module: WebAssembly.Module): number {
  return WebAssembly.Module.imports(module).filter(({ kind }) => kind === "function").length;
}

/** The engine calls an exported function by its index. */
function indexOf(exported: unknown): number {
  return typeof exported === "function" ? Number(exported.name) : NaN;
}

/** Names a table's functions by their places among the program's. @param first - The first one's index. */
function describeTable(table: unknown, first: number): string {
  if (!(table instanceof WebAssembly.Table)) throw new Error("no table");
  const describe = (element: unknown): string => (typeof element === "function" ? `f${indexOf(element) - first}` : "-");
  return Array.from({ length: table.length }, (_, index) => describe(table.get(index))).join(" ");
}
