/**
 * A guest for tests of the imports that is only a memory and a table of handles: it calls them with core values of any kind.
 */
import { DISPOSE, LOWER } from "../../../lib/worker/wasi/boundary.ts";
import { invoke, Recorder } from "./recorder.ts";

/** What the glue's tables have in their numbers for a handle that is owned, and for an entry that is free. */
export const FLAG: number = 2 ** 30;

/** A guest's side of one import. */
export class Guest {
  readonly call: Recorder = new Recorder("the input");
  readonly memory: WebAssembly.Memory = new WebAssembly.Memory({ initial: 1 });
  readonly table: number[] = [FLAG, 0];
  /** What the guest's allocator returns. */
  allocated = 1024;
  readonly allocations: (readonly number[])[] = [];

  /** Calls a function of an interface, or a method of a resource, as core code does. */
  core(place: readonly [interfaceName: string, ...names: string[]], ...values: readonly unknown[]): unknown {
    const [interfaceName, ...names] = place;
    let found: unknown = Reflect.get(this.call.imports, interfaceName);
    for (const name of names) found = Reflect.get(Object(found), name);
    const lower: unknown = Reflect.get(Object(found), LOWER);
    if (typeof lower !== "function") throw new Error(`${place.join(" ")} brings no core function`);
    return invoke({ core: lower(this.options) as unknown }, "core", values);
  }

  /** What the glue knows of the import. */
  options: object = {
    memory: this.memory,
    realloc: (...values: readonly number[]) => {
      this.allocations.push(values);
      return this.allocated;
    },
    resourceTables: [this.table],
  };

  /** Calls a function that has to end the call. */
  endOf(...args: Parameters<Guest["core"]>): string {
    return this.call.endOf(() => this.core(...args));
  }

  /** Drops a handle as the glue does. */
  drop([interfaceName, resource]: readonly [string, string], handle: number): void {
    const [free = 0, number = 0] = [this.table[0], this.table[handle * 2 + 1]];
    this.table[handle * 2] = free | FLAG;
    this.table[0] = handle | FLAG;
    const dispose: unknown = Reflect.get(
      Object(Reflect.get(Object(Reflect.get(this.call.imports, interfaceName)), resource)),
      DISPOSE,
    );
    invoke({ dispose }, "dispose", [number & ~FLAG]);
  }

  /** Writes text into the memory. */
  write(text: string, at = 0): void {
    new TextEncoder().encodeInto(text, new Uint8Array(this.memory.buffer, at));
  }

  /** Reads words of the memory. */
  words(at: number, count: number): number[] {
    return [...new Uint32Array(this.memory.buffer, at, count)];
  }
}
