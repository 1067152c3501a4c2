/**
 * Real guests for tests of the imports: components built from text, planned and linked by KAMI.
 */
import { componentEmbed, componentNew, parse, preview1AdapterReactorPath } from "@bytecodealliance/jco";
import type { Linked } from "../../../lib/component/link/linked.ts";
import { Linker } from "../../../lib/component/link/linker.ts";
import { planComponent } from "../../../lib/component/plan/plan.ts";
import { INTERFACES } from "../../../lib/worker/imports.ts";
import type { Host } from "../../../lib/worker/wasi/host.ts";
import type { Recorder } from "./recorder.ts";

/** Text of a WIT package with a world `guest`, and of the packages that it refers to. */
export interface Source {
  /** A core module. */
  readonly text: string;
  readonly wit: string;
  /** Whether the core module imports WASI preview 1. */
  readonly preview1?: boolean;
}

/** The parts of WASI that these guests use; nested packages, so that one text is enough. */
export const WASI: string = `
package wasi:io@0.2.6 {
  interface error { resource error { to-debug-string: func() -> string; } }
  interface poll {
    resource pollable { ready: func() -> bool; block: func(); }
    poll: func(in: list<borrow<pollable>>) -> list<u32>;
  }
  interface streams {
    use error.{error};
    use poll.{pollable};
    variant stream-error { last-operation-failed(error), closed }
    resource input-stream {
      read: func(len: u64) -> result<list<u8>, stream-error>;
      subscribe: func() -> pollable;
    }
    resource output-stream {
      check-write: func() -> result<u64, stream-error>;
      write: func(contents: list<u8>) -> result<_, stream-error>;
      blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
      splice: func(src: borrow<input-stream>, len: u64) -> result<u64, stream-error>;
    }
  }
}
package wasi:cli@0.2.6 {
  interface stdin { use wasi:io/streams@0.2.6.{input-stream}; get-stdin: func() -> input-stream; }
  interface stdout { use wasi:io/streams@0.2.6.{output-stream}; get-stdout: func() -> output-stream; }
}
package wasi:clocks@0.2.6 {
  interface monotonic-clock {
    use wasi:io/poll@0.2.6.{pollable};
    now: func() -> u64;
    subscribe-duration: func(when: u64) -> pollable;
  }
}
`;

/** A bump allocator for what the imports return. */
export const REALLOC: string = `
  (memory (export "memory") 4)
  (global $heap (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $start i32)
    (local.set $start (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (global.set $heap (i32.add (local.get $start) (local.get 3)))
    (local.get $start))
`;

/** Makes a component of a core module. */
export async function buildComponent(source: Source): Promise<Uint8Array> {
  const core = await parse(source.text);
  const binary = await componentEmbed({ binary: core, witSource: source.wit, world: "guest" });
  const adapter = source.preview1 === true ? await Bun.file(preview1AdapterReactorPath()).bytes() : undefined;
  return componentNew(binary, adapter === undefined ? [] : [["wasi_snapshot_preview1", adapter]]);
}

/** A component that was instantiated for a call. */
export class Started {
  readonly #linker: Linker<Host>;
  readonly #linked: Linked<Host>;

  constructor(linker: Linker<Host>, linked: Linked<Host>) {
    this.#linker = linker;
    this.#linked = linked;
  }

  /** Calls an exported function. @returns A promise when the component may block. */
  call(name: string, ...values: readonly unknown[]): unknown {
    const exported = this.#linker.plan.exports.find((each) => each.name === name);
    if (exported === undefined) throw new Error(`no export ${name}`);
    return this.#linked.invoke(exported.function, values);
  }
}

/** Instantiates a component with the imports of a call. */
export async function startComponent(component: Uint8Array, call: Recorder): Promise<Started> {
  const { plan, modules } = planComponent(component);
  call.modules = await Promise.all(modules.map((bytes) => WebAssembly.compile(Uint8Array.from(bytes))));
  const linker = new Linker(plan, INTERFACES);
  return new Started(linker, await linker.instantiate(call));
}

/** A guest whose world imports `imports` and exports `run: func() -> u32`. `text` are the fields of its core module. */
export async function buildGuest(imports: string, text: string, wit: string = WASI): Promise<Uint8Array> {
  const world = `package test:guest;\nworld guest { ${imports} export run: func() -> u32; }\n`;
  return buildComponent({ text: `(module ${text})`, wit: `${world}${wit}` });
}

/** Runs a guest to its end. */
export async function run(component: Uint8Array, call: Recorder): Promise<unknown> {
  return await (await startComponent(component, call)).call("run");
}

/** Runs a guest that has to end its call, and says how it did. */
export async function endOf(component: Uint8Array, call: Recorder): Promise<string> {
  const started = await startComponent(component, call);
  return call.endOfWait(() => started.call("run"));
}
