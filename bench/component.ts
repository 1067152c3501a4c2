/**
 * Components made ready in three ways: linked by jco's glue, and by KAMI's linker with core modules as they are, and with metered ones.
 */
import type { ArtifactModule } from "../lib/component/artifact.ts";
import { digestOf } from "../lib/digest.ts";
import { findEntries } from "../lib/component/entry.ts";
import { inspectComponent, moduleName } from "../lib/component/inspect.ts";
import type { CoreInstance, LinkedCall } from "../lib/component/link/linked.ts";
import { Linker } from "../lib/component/link/linker.ts";
import { compileArtifact, type LoadableArtifact, type LoadableModule } from "../lib/component/loadable.ts";
import { listImports, planComponent } from "../lib/component/plan/plan.ts";
import { ControlBlock } from "../lib/protocol/control.ts";
import { meterModule } from "../lib/wasm/meter.ts";
import { Budget } from "../lib/worker/budget.ts";
import { Instances } from "../lib/worker/instance.ts";
import { MemoryPool } from "../lib/worker/memory-pool.ts";
import { generateGlue, type Glue, type Run } from "./jco.ts";

/** A component that imports nothing, ready to be instantiated. */
export interface PreparedComponent {
  readonly jco: Glue;
  /** As it was written. */
  readonly plain: LoadableArtifact;
  readonly metered: LoadableArtifact;
}

type InstantiateCore = LinkedCall<undefined>["instantiateCore"];

/** Prepares a component in all ways. */
export async function prepareComponent(component: Uint8Array): Promise<PreparedComponent> {
  const { plan, modules } = planComponent(component);
  const entries = findEntries(plan, inspectComponent(component));
  const link = (parts: readonly ArtifactModule[]): Promise<LoadableArtifact> =>
    compileArtifact({
      digest: digestOf(component),
      ...entries,
      plan,
      modules: parts,
      imports: listImports(plan),
    });
  const plain = modules.map((bytes, index) => ({
    name: moduleName(index),
    bytes,
    memories: [],
    initialTableElements: 0,
    initialHeapBytes: 0,
  }));
  const metered = plain.map(({ name, bytes }) => ({ name, ...meterModule(bytes, name) }));
  return {
    jco: await generateGlue(component, plan.exports[entries.entries[0]?.exported ?? 0]?.instance ?? undefined),
    plain: await link(plain),
    metered: await link(metered),
  };
}

/** Makes instances of a component by KAMI's linker, over memories of their own, nothing counted. */
export function linkPlain(artifact: LoadableArtifact): () => Run {
  return linkWith(artifact, (module, imports) => {
    const { exports } = new WebAssembly.Instance(moduleAt(artifact, module).module, imports);
    return { exports, start: undefined };
  });
}

/** Instantiates a metered component as a call does, with a budget that never ends. */
export function instantiateMetered(artifact: LoadableArtifact): Run {
  const instances = new Instances(endlessBudget(), new MemoryPool());
  return linkWith(artifact, (module, imports): CoreInstance => instances.make(moduleAt(artifact, module), imports))();
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

function linkWith({ plan, entries }: LoadableArtifact, instantiateCore: InstantiateCore): () => Run {
  const linker = new Linker<undefined>(plan, new Map());
  const entry = plan.exports[entries[0]?.exported ?? -1];
  if (entry === undefined) throw new Error("BUG: the component has no entry function");
  const call: LinkedCall<undefined> = {
    host: undefined,
    instantiateCore,
    enter: () => undefined,
    chargeBytes: () => undefined,
    suspend: (wait) => wait,
    deny: refuse,
    trap: refuse,
    refuseResult: refuse,
  };
  return () => {
    const linked = linker.instantiate(call);
    if (linked instanceof Promise) throw new Error("BUG: the component may block");
    return (input) => linked.invoke(entry.function, [input]);
  };
}

function moduleAt({ modules }: LoadableArtifact, number: number): LoadableModule {
  const found = modules[number];
  if (found === undefined) throw new Error("BUG: the plan makes a module that there is not");
  return found;
}

function refuse(): never {
  throw new Error("BUG: the call was refused");
}
