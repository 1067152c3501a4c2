/**
 * Real guests for tests of the imports: components built from text, run by jco's glue as the Worker runs them.
 */
import { componentEmbed, componentNew, parse, preview1AdapterReactorPath } from "@bytecodealliance/jco";
import { $init, generate } from "@bytecodealliance/jco-transpile/component";
import { invoke, type Recorder } from "./recorder.ts";

/** Exports of an instance. */
export type Exports = object;

/** Text of a WIT package with a world `guest`, and of the packages that it refers to. */
export interface Source {
  /** A core module. */
  readonly text: string;
  readonly wit: string;
  /** Whether the core module imports WASI preview 1. */
  readonly preview1?: boolean;
}

/** Makes a component of a core module. */
export async function buildComponent(source: Source): Promise<Uint8Array> {
  const core = await parse(source.text);
  const binary = await componentEmbed({ binary: core, witSource: source.wit, world: "guest" });
  const adapter = source.preview1 === true ? await Bun.file(preview1AdapterReactorPath()).bytes() : undefined;
  return componentNew(binary, adapter === undefined ? [] : [["wasi_snapshot_preview1", adapter]]);
}

/** Instantiates a component with the imports of a call. */
export async function startComponent(component: Uint8Array, call: Recorder): Promise<Exports> {
  await $init;
  const { files } = generate(component, {
    name: "guest",
    noTypescript: true,
    instantiation: { tag: "sync" },
    tlaCompat: false,
    noNodejsCompat: true,
    base64Cutoff: 0,
    noNamespacedExports: true,
  });
  const byName = new Map(files);
  const glue: unknown = await import(writeGlue(byName.get("guest.js")));
  const getModule = (name: string) => new WebAssembly.Module(new Uint8Array(byName.get(name) ?? []));
  const exports = invoke(glue, "instantiate", [
    getModule,
    call.imports,
    (module: WebAssembly.Module, imports: WebAssembly.Imports) => new WebAssembly.Instance(module, imports),
  ]);
  if (typeof exports !== "object" || exports === null) throw new Error("no exports");
  return exports;
}

function writeGlue(bytes: Uint8Array | undefined): string {
  return URL.createObjectURL(new Blob([new Uint8Array(bytes ?? [])], { type: "text/javascript" }));
}
