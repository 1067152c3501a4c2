/**
 * Turns a compiled component into a running instance. The guest's side of the trust boundary: glue is code that jco made from hostile
 * bytes, so only a Worker calls this.
 *
 * Everything that knows jco's glue at run time is here, so that another linker can take its place.
 */
import { METER_MODULE } from "../wasm/layout.ts";
import type { LoadableArtifact, LoadableModule } from "./loadable.ts";

export { METER_EXPORTS } from "../wasm/layout.ts";
export { SIGNAL_MEMORY } from "../wasm/signal.ts";
export { ARRAY_LIMIT_BYTES } from "../wasm/limits.ts";
export type { LoadableArtifact, LoadableModule } from "./loadable.ts";

/** The module name under which a rewritten core module imports `signal`, `grow`, `allocate`, …, `memory0`, …. */
export const METER_IMPORT: string = METER_MODULE;

/** Instantiates one core module with the imports that the glue gives it. */
export type InstantiateCore = (module: LoadableModule, imports: WebAssembly.Imports) => WebAssembly.Instance;

/** The entry function of an instance: `run` of a tool takes JSON text and returns it; a command's takes and returns nothing. */
export type Entry = (input?: string) => unknown;

/** An artifact whose glue has been evaluated. */
export interface Linker {
  readonly artifact: LoadableArtifact;
  /** Makes a fresh instance and returns its entry function. `imports` is keyed by interface name. */
  instantiate(imports: object, instantiateCore: InstantiateCore): Entry;
}

interface Glue {
  instantiate(getModule: (name: string) => unknown, imports: object, instantiateCore: GlueInstantiateCore): unknown;
}

type GlueInstantiateCore = (module: WebAssembly.Module, imports?: WebAssembly.Imports) => WebAssembly.Instance;

/**
 * Evaluates an artifact's glue.
 *
 * @throws {Error} `BUG: …` when the glue does not have the shape that jco gives it.
 */
export async function createLinker(artifact: LoadableArtifact): Promise<Linker> {
  const glue = await evaluate(artifact.glue);
  const byName = new Map(artifact.modules.map((module) => [module.name, module.module]));
  const byModule = new Map(artifact.modules.map((module) => [module.module, module]));
  return {
    artifact,
    instantiate(imports, instantiateCore) {
      const exports = glue.instantiate(
        (name) => byName.get(name),
        imports,
        (module, moduleImports = {}) => {
          const loadable = byModule.get(module);
          if (loadable === undefined) throw new Error("BUG: the glue instantiates a module that is not the artifact's");
          return instantiateCore(loadable, moduleImports);
        },
      );
      return findEntry(exports, artifact.entryInstance);
    },
  };
}

async function evaluate(source: string): Promise<Glue> {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    const glue: unknown = await import(url);
    if (!isGlue(glue)) throw new Error("BUG: the glue exports no instantiate()");
    return glue;
  } finally {
    URL.revokeObjectURL(url);
  }
}

function isGlue(value: unknown): value is Glue {
  return (
    typeof value === "object" && value !== null && "instantiate" in value && typeof value.instantiate === "function"
  );
}

function findEntry(exports: unknown, instance: string | undefined): Entry {
  const holder = instance === undefined ? exports : member(exports, instance);
  const run = member(holder, "run");
  if (typeof run !== "function") throw new Error("BUG: the instance has no run()");
  return (...input) => run(...input) as unknown;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
