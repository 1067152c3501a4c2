/**
 * A guest for tests of the imports that is only a memory and an allocator: it calls all that is served with core values of any kind.
 */
import { parse } from "@bytecodealliance/jco";
import { type CoreSignature, coreSignature } from "../../../lib/component/link/gates.ts";
import type { CoreInstance } from "../../../lib/component/link/linked.ts";
import { Linker } from "../../../lib/component/link/linker.ts";
import type { CoreFunction, Options } from "../../../lib/component/link/plan.ts";
import { shapeOf } from "../../../lib/component/link/shape.ts";
import { Builder } from "../../../lib/component/plan/builder.ts";
import { INTERFACES } from "../../../lib/worker/imports.ts";
import type { Host } from "../../../lib/worker/wasi/host.ts";
import { Recorder } from "./recorder.ts";

/** A function of an interface; `[resource-drop]pollable` drops a handle. */
export type Place = readonly [interfaceName: string, name: string];

type Encoding = Options["encoding"];

/** Everything that is served, imported with one encoding of text. */
interface World {
  readonly linker: Linker<Host>;
  /** Calls what it imports. */
  readonly module: WebAssembly.Module;
}

/** Bytes of a guest's memory at the start. */
export const MEMORY_BYTES = 65_536;
const worlds = new Map<Encoding, Promise<World>>();

/** A guest's side of all imports. */
export class Guest {
  readonly call: Recorder = new Recorder("the input");
  readonly memory: WebAssembly.Memory = new WebAssembly.Memory({ initial: 1 });
  /** What the guest's allocator returns. */
  allocated = 1024;
  readonly allocations: (readonly number[])[] = [];
  /** The guest's allocator. */
  realloc = (...values: readonly number[]): number => {
    this.allocations.push(values);
    return this.allocated;
  };
  #exports: WebAssembly.Exports = {};

  /** Makes a guest. @param encoding - Of its texts. */
  static async open(encoding: Encoding = "utf8"): Promise<Guest> {
    const world = worlds.get(encoding) ?? makeWorld(encoding);
    worlds.set(encoding, world);
    const { linker, module } = await world;
    const guest = new Guest();
    guest.call.instantiateCore = (number, imports) => guest.#instantiate(number === 0 ? undefined : module, imports);
    await linker.instantiate(guest.call);
    return guest;
  }

  /** Calls a function of an interface as core code does. */
  core([interfaceName, name]: Place, ...values: readonly unknown[]): Promise<unknown> {
    const found: unknown = this.#exports[`${interfaceName} ${name}`];
    if (typeof found !== "function") throw new Error(`no ${interfaceName} ${name}`);
    return promising(found)(...values);
  }

  /** Calls a function that has to end the call. */
  endOf(...args: Parameters<Guest["core"]>): Promise<string> {
    return this.call.endOfWait(() => this.core(...args));
  }

  /** Writes text into the memory. */
  write(text: string, at = 0): void {
    new TextEncoder().encodeInto(text, new Uint8Array(this.memory.buffer, at));
  }

  /** Reads words of the memory. */
  words(at: number, count: number): number[] {
    return [...new Uint32Array(this.memory.buffer, at, count)];
  }

  #instantiate(module: WebAssembly.Module | undefined, imports: WebAssembly.Imports): CoreInstance {
    const realloc = (...values: readonly number[]): number => this.realloc(...values);
    if (module === undefined) return { exports: { memory: this.memory, realloc }, start: undefined };
    this.#exports = new WebAssembly.Instance(module, imports).exports;
    return { exports: this.#exports, start: undefined };
  }
}

async function makeWorld(encoding: Encoding): Promise<World> {
  const builder = new Builder();
  const instance = builder.addInstance();
  const memory = { from: "export", instance: 0, name: "memory" } as const;
  const options: Options = {
    instance,
    memory,
    realloc: { ...memory, name: "realloc" },
    postReturn: null,
    encoding,
  };
  const items: [string, CoreFunction][] = [];
  const text: string[] = [];
  const calls: string[] = [];
  const add = (name: string, { parameters, result }: CoreSignature, item: CoreFunction): void => {
    const type = `(param ${parameters.join(" ")}) ${result === undefined ? "" : `(result ${result})`}`;
    const given = parameters.map((_, index) => `(local.get ${index})`).join(" ");
    text.push(`(import "served" "${name}" (func $f${items.length} ${type})) `);
    // Not exported as they are: what suspends has to be called by core code.
    calls.push(`(func (export "${name}") ${type} (call $f${items.length} ${given})) `);
    items.push([name, item]);
  };
  for (const { name, functions, resources } of INTERFACES.values()) {
    for (const [member, { type }] of functions) {
      const planned = { from: "import", interface: name, name: member, type: builder.signature(type) } as const;
      const lowered = { from: "lower", function: builder.addFunction(planned), options } as const;
      add(`${name} ${member}`, coreSignature(shapeOf(type)), lowered);
    }
    for (const resource of resources) {
      const drop = { from: "resource.drop", resource: `${name}/${resource}`, instance } as const;
      add(`${name} [resource-drop]${resource}`, { parameters: ["i32"], result: undefined }, drop);
    }
  }
  builder.addStep({ module: 0, imports: [] });
  builder.addStep({ module: 1, imports: [["served", items]] });
  const module = await WebAssembly.compile(Uint8Array.from(await parse(`(module ${text.join("")}${calls.join("")})`)));
  return { linker: new Linker(builder.finish([]), INTERFACES), module };
}

/** Source: WebAssembly JavaScript Promise Integration, `WebAssembly.promising`. */
function promising(run: object): (...values: readonly unknown[]) => Promise<unknown> {
  const integration: unknown = Reflect.get(WebAssembly, "promising");
  if (typeof integration !== "function") throw new Error("the engine has no promise integration");
  const made: unknown = Reflect.apply(integration, WebAssembly, [run]);
  if (typeof made !== "function") throw new Error("not promising");
  return (...values) => Promise.resolve(Reflect.apply(made, undefined, values));
}
