/**
 * Compiles an artifact's core modules, once for all Workers of a process: a compiled module can be sent to a Worker and shared.
 */
import { refuse } from "../errors.ts";
import { METER_MODULE } from "../wasm/layout.ts";
import type { MemorySpec } from "../wasm/meter.ts";
import type { Artifact, ArtifactModule, Entries } from "./artifact.ts";
import type { Plan } from "./link/plan.ts";

/** A compiled core module, ready to be instantiated. */
export interface LoadableModule {
  /** What messages call it. */
  readonly name: string;
  readonly module: WebAssembly.Module;
  /** Memories that it imports from other modules of the component: module and field name, in index order. */
  readonly memoryImports: readonly (readonly [from: string, name: string])[];
  /** The module's own memories, which its instances import from the host; they come after the others in index order. */
  readonly memories: readonly MemorySpec[];
  /** Elements of the module's own tables at the start. */
  readonly initialTableElements: number;
  /** Bytes of the objects that the module's constant expressions make. */
  readonly initialHeapBytes: number;
}

/** A compiled component, ready to be sent to a Worker. */
export interface LoadableArtifact extends Entries {
  /** SHA-256 of the component, lower-case hex. */
  readonly digest: string;
  readonly plan: Plan;
  /** By their numbers in the plan. */
  readonly modules: readonly LoadableModule[];
}

/**
 * Compiles an artifact's core modules.
 *
 * @throws {Failure} COMPONENT_INVALID when the engine refuses one.
 */
export async function compileArtifact(artifact: Artifact): Promise<LoadableArtifact> {
  const { digest, kind, entries, plan } = artifact;
  return {
    digest,
    kind,
    entries,
    plan,
    modules: await Promise.all(artifact.modules.map(compileModule)),
  };
}

async function compileModule(module: ArtifactModule): Promise<LoadableModule> {
  const { name, memories, initialTableElements, initialHeapBytes } = module;
  const compiled = await compileBytes(module);
  const memoryImports = WebAssembly.Module.imports(compiled)
    .filter((entry) => entry.kind === "memory" && entry.module !== METER_MODULE)
    .map((entry) => [entry.module, entry.name] as const);
  return { name, module: compiled, memoryImports, memories, initialTableElements, initialHeapBytes };
}

async function compileBytes(module: ArtifactModule): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(module.bytes);
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw refuse("COMPONENT_INVALID", { reason: `${module.name}: ${error.message}` }, error);
  }
}
