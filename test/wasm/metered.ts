/**
 * Test support: meters a core module given as text and runs it with a counter of its own.
 */
import { parse } from "@bytecodealliance/jco";
import { compileMetered, exportedFunction, MeterHost } from "./meter-host.ts";

/** A metered instance and what it used. */
export interface Metered {
  /** Calls an export. */
  call(name: string, ...values: unknown[]): unknown;
  /** Fuel units used so far. */
  readonly used: number;
  readonly instance: WebAssembly.Instance;
}

/** Meters a module and instantiates it with `fuel` units; `imports` are the module's own. */
export async function runMetered(wat: string, fuel = 1_000_000, imports: WebAssembly.Imports = {}): Promise<Metered> {
  const host = new MeterHost({ fuel, slice: 1 });
  const instance = host.instantiate(compileMetered(await parse(wat), "test", 1), imports);
  return {
    instance,
    call: (name, ...values) => exportedFunction(instance, name)(...values),
    get used() {
      return host.used;
    },
  };
}
