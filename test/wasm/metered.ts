/**
 * Test support: meters a core module given as text and runs it with a counter of its own.
 */
import { parse } from "@bytecodealliance/jco";
import { meterModule } from "../../lib/wasm/meter.ts";

/** A metered instance and what it used. */
export interface Metered {
  /** Calls an export. */
  call(name: string, ...values: number[]): unknown;
  /** Fuel units used so far. */
  readonly used: number;
  readonly instance: WebAssembly.Instance;
}

/** Meters a module and instantiates it with `fuel` units; `imports` are the module's own. */
export async function runMetered(wat: string, fuel = 1_000_000, imports: WebAssembly.Imports = {}): Promise<Metered> {
  const metered = meterModule(await parse(wat), "test");
  const counter = new WebAssembly.Global({ value: "i32", mutable: true }, fuel);
  const memories = metered.memories.map(({ initialPages: initial, maximumPages: maximum }) =>
    maximum === undefined ? new WebAssembly.Memory({ initial }) : new WebAssembly.Memory({ initial, maximum }),
  );
  const meter: WebAssembly.ModuleImports = {
    fuel: counter,
    refill: () => 0,
    grow: (delta: number, index: number) => memories[index]?.grow(delta),
    growTable: (delta: number) => delta,
  };
  for (const [index, memory] of memories.entries()) meter[`memory${index}`] = memory;
  const { instance } = await WebAssembly.instantiate(metered.bytes, { ...imports, "kami:meter": meter });
  return {
    instance,
    call(name, ...values) {
      const callee = instance.exports[name];
      if (typeof callee !== "function") throw new Error(`no export ${name}`);
      return callee(...values) as unknown;
    },
    get used() {
      return fuel - counter.value;
    },
  };
}
