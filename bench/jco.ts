/**
 * Components linked by jco's glue, as anybody has them who uses jco alone: nothing metered, nothing counted.
 *
 * Evaluates jco's glue in this process: only for the fixtures of this repository.
 */
import { $init, generate } from "@bytecodealliance/jco-transpile/component";

/** The function that a component is called by: JSON text in, JSON text out. */
export type Run = (input: string) => unknown;

/** Makes instances of a component by jco's glue. */
export interface Glue {
  /** A fresh instance over fresh memories. */
  readonly instantiate: () => Run;
}

/** Has jco generate the glue of a component that imports nothing. @param instance - The exported instance that has `run`. */
export async function generateGlue(component: Uint8Array, instance: string | undefined): Promise<Glue> {
  await $init;
  const { files } = generate(component, {
    name: "tool",
    noTypescript: true,
    instantiation: { tag: "sync" },
    noNodejsCompat: true,
    base64Cutoff: 0,
    multiMemory: true,
  });
  const modules = new Map<string, WebAssembly.Module>();
  for (const [name, bytes] of files) {
    if (name.endsWith(".wasm")) modules.set(name, await WebAssembly.compile(Uint8Array.from(bytes)));
  }
  const source = new TextDecoder().decode(files.find(([name]) => name === "tool.js")?.[1]);
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const glue: unknown = await import(url);
  const getModule = (name: string): WebAssembly.Module | undefined => modules.get(name);
  const instantiate = requireFunction(glue, "instantiate");
  return {
    instantiate: () => {
      const exports = instantiate(getModule, {}, instantiateCore);
      return requireFunction(instance === undefined ? exports : memberOf(exports, instance), "run");
    },
  };
}

function instantiateCore(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance {
  return new WebAssembly.Instance(module, imports);
}

function memberOf(holder: unknown, name: string): unknown {
  return typeof holder === "object" && holder !== null ? Reflect.get(holder, name) : undefined;
}

function requireFunction(holder: unknown, name: string): (...values: unknown[]) => unknown {
  const found = memberOf(holder, name);
  if (typeof found !== "function") throw new Error(`BUG: the glue has no ${name}()`);
  return (...values) => Reflect.apply(found, undefined, values);
}
