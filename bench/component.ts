/**
 * Components made ready in both ways: with metered core modules, as KAMI runs them, and plain, as jco alone would.
 *
 * Evaluates jco's glue in this process: only for the fixtures of this repository.
 */
import type { Artifact, ArtifactModule } from "../lib/component/artifact.ts";
import { digestOf } from "../lib/digest.ts";
import { findEntry } from "../lib/component/entry.ts";
import { generateGlue } from "../lib/component/glue.ts";
import { inspectComponent } from "../lib/component/inspect.ts";
import { createLinker, type Entry, type Linker } from "../lib/component/instantiate.ts";
import { compileArtifact, type LoadableModule } from "../lib/component/loadable.ts";
import { ControlBlock } from "../lib/protocol/control.ts";
import { meterModule } from "../lib/wasm/meter.ts";
import { Budget } from "../lib/worker/budget.ts";
import { Instances } from "../lib/worker/instance.ts";
import { MemoryPool } from "../lib/worker/memory-pool.ts";

/** A component's linkers. */
export interface PreparedComponent {
  readonly plain: Linker;
  readonly metered: Linker;
}

/** Prepares a component in both ways. */
export async function prepareComponent(component: Uint8Array): Promise<PreparedComponent> {
  const entry = findEntry(inspectComponent(component));
  const { glue, modules, imports } = await generateGlue(component);
  const link = async (parts: Artifact["modules"]): Promise<Linker> =>
    createLinker(
      await compileArtifact({
        digest: digestOf(component),
        kind: entry.kind,
        entryInstance: entry.instance,
        glue,
        modules: parts,
        imports,
      }),
    );
  const plain: ArtifactModule[] = [];
  const metered: ArtifactModule[] = [];
  for (const [name, bytes] of modules) {
    plain.push({ name, bytes, memories: [], initialTableElements: 0, initialHeapBytes: 0 });
    metered.push({ name, ...meterModule(bytes, name) });
  }
  return { plain: await link(plain), metered: await link(metered) };
}

/** Instantiates a component the way jco's glue does by itself: over memories of its own, nothing counted. */
export function instantiatePlain(linker: Linker): Entry {
  return linker.instantiate({}, ({ module }, imports) => new WebAssembly.Instance(module, imports));
}

/** Instantiates a metered component as a call does, with a budget that never ends. */
export function instantiateMetered(linker: Linker): Entry {
  return linker.instantiate({}, new Instances(endlessBudget(), new MemoryPool()).instantiateCore);
}

/** Rewrites and compiles a core module that stands alone. */
export function compileMetered(bytes: Uint8Array, name: string): LoadableModule {
  const { bytes: rewritten, ...rest } = meterModule(bytes, name);
  return { name, module: new WebAssembly.Module(Uint8Array.from(rewritten)), memoryImports: [], ...rest };
}

/** Makes a real budget, as a call has it, that is never used up. @param control - Takes about a millisecond to make. */
export function endlessBudget(control: ControlBlock = new ControlBlock()): Budget {
  const limits = { fuel: Number.MAX_SAFE_INTEGER, memoryBytes: Infinity, timeoutMs: Infinity };
  return new Budget(limits, control, performance.now());
}
