/**
 * Instantiates the core modules of one call: with memories from the pool, and linked to the call's budget.
 */
import { type LoadableModule, METER_EXPORTS, METER_IMPORT, SIGNAL_MEMORY } from "../component/instantiate.ts";
import type { CoreCallable } from "../component/link/context.ts";
import type { CoreInstance } from "../component/link/linked.ts";
import type { Budget } from "./budget.ts";
import type { MemoryPool, MemorySize } from "./memory-pool.ts";

/**
 * Memories of a call that the engine surely grows in place. It has eight such places in a process that was not told otherwise, and one is the
 * control block's; what it makes beyond them it copies as a whole to grow it.
 */
const STEADY_MEMORIES = 7;

/** The instances of one call. Disposing gives their memories back. */
export class Instances implements Disposable {
  readonly #budget: Budget;
  readonly #pool: MemoryPool;
  readonly #taken: { readonly size: MemorySize; readonly memory: WebAssembly.Memory }[] = [];
  /** Those that the engine may have to move. */
  readonly #movable = new Set<WebAssembly.Memory>();

  constructor(budget: Budget, pool: MemoryPool) {
    this.#budget = budget;
    this.#pool = pool;
  }

  /** Makes a fresh instance; its start function is for the caller to run. @throws {WebAssembly.RuntimeError} when the call must end. */
  make(module: LoadableModule, imports: WebAssembly.Imports): CoreInstance {
    const memories = this.#takeMemories(module);
    const linked = module.memoryImports.map(([from, name]) => memoryOf(imports, from, name));
    const meter = this.#meterImports([...linked, ...memories]);
    const heap = this.#budget.addHeap();
    meter[SIGNAL_MEMORY] = this.#budget.signal;
    meter["allocate"] = heap.refill;
    for (const [index, memory] of memories.entries()) meter[`memory${index}`] = memory;
    const own: WebAssembly.Imports = { [METER_IMPORT]: meter };
    const instance = new WebAssembly.Instance(module.module, Object.assign(Object.create(null), imports, own));
    const read = instance.exports[METER_EXPORTS.read];
    const write = instance.exports[METER_EXPORTS.write];
    const readHeap = instance.exports[METER_EXPORTS.readHeap];
    const writeHeap = instance.exports[METER_EXPORTS.writeHeap];
    const stack = instance.exports[METER_EXPORTS.stack];
    const start = instance.exports[METER_EXPORTS.start];
    if (isFunction(read) && isFunction(write) && isFunction(stack)) {
      this.#budget.addFuel({ read: () => Number(read()), write, stack: () => Number(stack()) });
    }
    if (isFunction(readHeap) && isFunction(writeHeap))
      heap.attach({ read: () => Number(readHeap()), write: writeHeap });
    return { exports: instance.exports, start: isFunction(start) ? start : undefined };
  }

  [Symbol.dispose](): void {
    for (const { size, memory } of this.#taken) this.#pool.give(size, memory);
    this.#taken.length = 0;
    this.#pool.leftBytes += this.#budget.memory.tableBytes;
  }

  #takeMemories(module: LoadableModule): WebAssembly.Memory[] {
    const pages = module.memories.reduce((sum, { initialPages }) => sum + initialPages, 0);
    const { initialTableElements: tableElements, initialHeapBytes: heapBytes } = module;
    this.#budget.reserve({ memories: module.memories.length, pages, tableElements, heapBytes });
    return module.memories.map((size) => {
      // Where there are many, the engine collects its garbage to make one more: some milliseconds for each.
      this.#budget.checkInterrupt();
      const memory = this.#pool.take(size);
      if (this.#taken.push({ size, memory }) > STEADY_MEMORIES) this.#movable.add(memory);
      return memory;
    });
  }

  #meterImports(memories: readonly WebAssembly.Memory[]): WebAssembly.ModuleImports {
    const meter: WebAssembly.ModuleImports = Object.create(null);
    meter["growTable"] = (delta: number): number => this.#budget.growTable(delta);
    meter["refuseArray"] = (): never => this.#budget.refuseArray();
    meter["grewTable"] = (before: number): number => this.#budget.grewTable(before);
    meter["grow"] = (delta: number, index: number): number => {
      const memory = memories[index];
      if (memory === undefined) throw new Error("BUG: the guest grows a memory that it does not have");
      return this.#budget.grow(memory, delta, this.#movable.has(memory));
    };
    return meter;
  }
}

function isFunction(value: unknown): value is CoreCallable {
  return typeof value === "function";
}

function memoryOf(imports: WebAssembly.Imports, from: string, name: string): WebAssembly.Memory {
  const memory = imports[from]?.[name];
  if (!(memory instanceof WebAssembly.Memory)) throw new Error(`BUG: no memory is linked to ${from} ${name}`);
  return memory;
}
