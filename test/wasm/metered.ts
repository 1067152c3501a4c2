/**
 * Test support: meters a core module given as text and runs it with a counter of its own.
 */
import { parse } from "@bytecodealliance/jco";
import { METER_EXPORTS, METER_IMPORT } from "../../lib/component/instantiate.ts";
import { meterModule } from "../../lib/wasm/meter.ts";
import { FuelCounter } from "../../lib/worker/fuel-counter.ts";

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
  const memories = metered.memories.map(({ initialPages: initial, maximumPages: maximum }) =>
    maximum === undefined ? new WebAssembly.Memory({ initial }) : new WebAssembly.Memory({ initial, maximum }),
  );
  const counter = new FuelCounter((used) => {
    settled += used;
    return settled > fuel ? -1 : fuel - settled;
  });
  let settled = 0;
  const meter: WebAssembly.ModuleImports = {
    refill: counter.refill,
    grow: (delta: number, index: number) => memories[index]?.grow(delta),
    growTable: (delta: number) => delta,
    grewTable: (before: number) => before,
  };
  for (const [index, memory] of memories.entries()) meter[`memory${index}`] = memory;
  const { instance } = await WebAssembly.instantiate(metered.bytes, { ...imports, [METER_IMPORT]: meter });
  const exported = (name: string): ((...values: number[]) => unknown) => {
    const callee = instance.exports[name];
    if (typeof callee !== "function") throw new Error(`no export ${name}`);
    return (...values) => callee(...values) as unknown;
  };
  if (METER_EXPORTS.read in instance.exports) {
    counter.attach({ read: () => Number(exported(METER_EXPORTS.read)()), write: exported(METER_EXPORTS.write) });
  }
  if (METER_EXPORTS.start in instance.exports) exported(METER_EXPORTS.start)();
  return {
    instance,
    call: (name, ...values) => exported(name)(...values),
    get used() {
      return settled + counter.used;
    },
  };
}
