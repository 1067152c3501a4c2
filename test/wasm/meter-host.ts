/**
 * Test support: what metered modules import, without the limits of a call: fuel in slices of any size, memories and tables that may grow.
 */
import { METER_EXPORTS, METER_IMPORT } from "../../lib/component/instantiate.ts";
import { type MemorySpec, meterModule } from "../../lib/wasm/meter.ts";
import { FuelCounter } from "../../lib/worker/fuel-counter.ts";

/** Fuel units. */
export interface Grant {
  readonly fuel: number;
  /** Most that one refill gives; at most 2^31 - 1. */
  readonly slice: number;
}

/** A metered module, compiled. */
export interface Compiled {
  readonly module: WebAssembly.Module;
  /** The memories that it used to define. */
  readonly memories: readonly MemorySpec[];
  /** Where it imports other memories from. */
  readonly linked: readonly { readonly module: string; readonly name: string }[];
}

/** Meters and compiles a module. @throws {Failure} when the meter refuses it. */
export function compileMetered(bytes: Uint8Array, name: string): Compiled {
  const metered = meterModule(bytes, name);
  const module = new WebAssembly.Module(new Uint8Array(metered.bytes));
  const linked = WebAssembly.Module.imports(module).filter(
    (entry) => entry.kind === "memory" && entry.module !== METER_IMPORT,
  );
  return { module, memories: metered.memories, linked };
}

/** Instances that burn from one grant. */
export class MeterHost {
  readonly #grant: Grant;
  readonly #counters: FuelCounter[] = [];
  #settled = 0;

  constructor(grant: Grant) {
    this.#grant = grant;
  }

  /** Fuel units that all instances have used so far. */
  get used(): number {
    return this.#counters.reduce((sum, { used }) => sum + used, this.#settled);
  }

  /** Makes an instance and runs its start function. */
  instantiate({ module, memories, linked }: Compiled, imports: WebAssembly.Imports): WebAssembly.Instance {
    const own = memories.map(({ initialPages: initial, maximumPages: maximum }) =>
      maximum === undefined ? new WebAssembly.Memory({ initial }) : new WebAssembly.Memory({ initial, maximum }),
    );
    const all = [...linked.map(({ module: from, name }) => imports[from]?.[name]), ...own];
    const counter = this.#addCounter();
    const meter: WebAssembly.ModuleImports = {
      refill: counter.refill,
      grow: (delta: number, index: number) => growMemory(all[index], delta),
      growTable: (delta: number) => delta,
      grewTable: (before: number) => before,
      // As many objects as the engine itself makes, and arrays as long.
      allocate: () => 2 ** 31 - 1,
      refuseArray: () => undefined,
    };
    for (const [index, memory] of own.entries()) meter[`memory${index}`] = memory;
    const instance = new WebAssembly.Instance(module, { ...imports, [METER_IMPORT]: meter });
    if (METER_EXPORTS.read in instance.exports) {
      const read = exportedFunction(instance, METER_EXPORTS.read);
      counter.attach({ read: () => Number(read()), write: exportedFunction(instance, METER_EXPORTS.write) });
    }
    if (METER_EXPORTS.start in instance.exports) exportedFunction(instance, METER_EXPORTS.start)();
    return instance;
  }

  #addCounter(): FuelCounter {
    const { fuel, slice } = this.#grant;
    const counter = new FuelCounter((used) => {
      this.#settled += used;
      return this.#settled > fuel ? -1 : Math.min(fuel - this.#settled, slice);
    });
    this.#counters.push(counter);
    return counter;
  }
}

/** Returns an exported function. @throws {Error} when there is none of that name. */
export function exportedFunction(instance: WebAssembly.Instance, name: string): (...values: unknown[]) => unknown {
  const callee = instance.exports[name];
  if (typeof callee !== "function") throw new Error(`no export ${name}`);
  return (...values) => callee(...values) as unknown;
}

function growMemory(memory: unknown, delta: number): number {
  if (!(memory instanceof WebAssembly.Memory)) throw new Error("a memory grows that is not there");
  try {
    return memory.grow(delta >>> 0);
  } catch {
    return -1;
  }
}
