/**
 * Test support: what metered modules import, without the limits of a call: fuel in slices of any size, memories and tables that may grow.
 */
import { METER_EXPORTS, METER_IMPORT, SIGNAL_MEMORY } from "../../lib/component/instantiate.ts";
import { ControlBlock, SLICE } from "../../lib/protocol/control.ts";
import { type MemorySpec, meterModule } from "../../lib/wasm/meter.ts";

/** Fuel units. */
export interface Grant {
  readonly fuel: number;
  /** Units after which a module settles, 1 to 2^30: what it was metered with. */
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

/**
 * Meters and compiles a module.
 *
 * @param slice - Units after which it settles: what its host is made with.
 * @throws {Failure} when the meter refuses it.
 */
export function compileMetered(bytes: Uint8Array, name: string, slice: number = SLICE): Compiled {
  const metered = meterModule(bytes, name, slice);
  const module = new WebAssembly.Module(new Uint8Array(metered.bytes));
  const linked = WebAssembly.Module.imports(module).filter(
    (entry) => entry.kind === "memory" && entry.module !== METER_IMPORT,
  );
  return { module, memories: metered.memories, linked };
}

/** Instances that burn from one grant. */
export class MeterHost {
  readonly #grant: Grant;
  readonly #control: ControlBlock;
  readonly #readers: (() => unknown)[] = [];

  constructor(grant: Grant) {
    this.#grant = grant;
    this.#control = spareControls.pop() ?? new ControlBlock();
    this.#control.reset();
    this.#control.grantFuel(grant.fuel);
  }

  /** Fuel units that all instances have used so far. */
  get used(): number {
    const { fuel, slice } = this.#grant;
    return this.#readers.reduce((sum, read) => sum + slice - Number(read()), fuel - this.#control.fuelLeft);
  }

  /** Whether they have used more than was granted: the call then fails, also when nobody has looked since. */
  get isExhausted(): boolean {
    return this.used > this.#grant.fuel;
  }

  /** Makes an instance and runs its start function. */
  instantiate({ module, memories, linked }: Compiled, imports: WebAssembly.Imports): WebAssembly.Instance {
    const own = memories.map(({ initialPages: initial, maximumPages: maximum }) =>
      maximum === undefined ? new WebAssembly.Memory({ initial }) : new WebAssembly.Memory({ initial, maximum }),
    );
    const all = [...linked.map(({ module: from, name }) => imports[from]?.[name]), ...own];
    const meter: WebAssembly.ModuleImports = {
      [SIGNAL_MEMORY]: this.#control.memory,
      grow: (delta: number, index: number) => growMemory(all[index], delta),
      growTable: (delta: number) => delta,
      grewTable: (before: number) => before,
      // As many objects as the engine itself makes, and arrays as long.
      allocate: () => 2 ** 31 - 1,
      refuseArray: () => undefined,
    };
    for (const [index, memory] of own.entries()) meter[`memory${index}`] = memory;
    const instance = new WebAssembly.Instance(module, { ...imports, [METER_IMPORT]: meter });
    if (METER_EXPORTS.read in instance.exports) this.#readers.push(exportedFunction(instance, METER_EXPORTS.read));
    if (METER_EXPORTS.start in instance.exports) exportedFunction(instance, METER_EXPORTS.start)();
    return instance;
  }

  /** Its control block goes to the next one: to be called when its instances run no more. */
  [Symbol.dispose](): void {
    spareControls.push(this.#control);
  }
}

/** Making one takes a millisecond. */
const spareControls: ControlBlock[] = [];

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
