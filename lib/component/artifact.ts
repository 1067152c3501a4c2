/**
 * What a component is compiled into. Data only: who holds an artifact has run none of the guest's code yet.
 */
import { METER_ABI, type MemorySpec } from "../wasm/meter.ts";
import type { Plan } from "./link/plan.ts";

/** Changes whenever plans, the rules for entries, or the files of an artifact change. */
const PLAN_ABI = 6;

/** Tells apart artifacts that only one version of KAMI can use: part of an artifact's directory name. */
export const ARTIFACT_ABI: string = `m${METER_ABI}-p${PLAN_ABI}`;

/** What is limited about a component. */
type ComponentLimit =
  | "modules"
  | "instances"
  | "componentInstances"
  | "coreBytes"
  | "meteredBytes"
  | "planBytes"
  | "engineMs"
  | "sections"
  | "imports"
  | "exports"
  | "nesting"
  | "types";

/** The most that a component and its artifact may have. */
export const COMPONENT_LIMITS: Readonly<Record<ComponentLimit, number>> = Object.freeze({
  /** Core modules, of all nested components. */
  modules: 64,
  /** Bytes of all core modules together, before they are metered. */
  coreBytes: 67_108_864,
  /** Bytes of all core modules together, after they are metered. */
  meteredBytes: 268_435_456,
  /** Core instances: a call makes each of them anew. A component of many parts has a few dozen. */
  instances: 256,
  /** Instances of components: with each that makes two of the one before, a few hundred bytes make millions. */
  componentInstances: 10_000,
  /** Bytes of the plan, as JSON. */
  planBytes: 2_097_152,
  /**
   * Milliseconds that the engine takes to read the core modules, as they are, and once more when they are metered: it reads them again,
   * where nothing can interrupt it, in each Worker that loads them. A component of 12 MB takes it 200 ms.
   */
  engineMs: 5000,
  /** Sections, of all scopes together; custom ones included. */
  sections: 20_000,
  /** Interfaces and functions that the component imports. */
  imports: 1000,
  /** What the component and those in it export: jco takes 1 ms for each, and 20 KB. */
  exports: 2000,
  /** Components and types inside each other. */
  nesting: 50,
  /** Types that the component defines, imports or names, all scopes together. */
  types: 200_000,
});

/** A core module of an artifact, metered. */
export interface ArtifactModule {
  /** What messages call it: `tool.core.wasm`, `tool.core2.wasm`, …. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The memories that the module now imports, in index order. */
  readonly memories: readonly MemorySpec[];
  /** Elements of the module's own tables at the start, all together. */
  readonly initialTableElements: number;
  /** Bytes of the objects that the module's constant expressions make. */
  readonly initialHeapBytes: number;
}

/**
 * How a component is called: `kami:tool/tool`, a bare `run(string) -> result<string, string>`, `wasi:cli/run`, or any functions whose
 * values JSON can hold.
 */
export type ComponentKind = "tool" | "bare" | "command" | "functions";

/** A function that can be called. */
export interface EntryFunction {
  /** `run`; of a component of functions its own name: `add`, or with its interface `calc.add`. */
  readonly name: string;
  /** Number of the export in the plan. */
  readonly exported: number;
}

/** What a component exports to be called by. */
export interface Entries {
  readonly kind: ComponentKind;
  /** At least one, each with a name of its own. */
  readonly entries: readonly EntryFunction[];
}

/** What the compiler makes. */
export interface Compiled extends Entries {
  readonly plan: Plan;
  readonly modules: readonly ArtifactModule[];
  /** Interfaces that it imports functions of, sorted, without versions: `wasi:cli/environment`. */
  readonly imports: readonly string[];
}

/** A compiled component, and which one it is. */
export interface Artifact extends Compiled {
  /** SHA-256 of the component, lower-case hex. */
  readonly digest: string;
}

/** Counts the bytes of an artifact's core modules. */
export function artifactBytes({ modules }: Compiled): number {
  return modules.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
