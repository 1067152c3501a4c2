/**
 * The index spaces of one component while it is put together: what each index stands for once all is resolved.
 *
 * Source: WebAssembly Component Model, Explainer.md, Index Spaces.
 */
import type { CoreFunction, CoreItem } from "../link/plan.ts";
import type { FunctionType, ResourceId, ValueType } from "../../schema/value-type.ts";
import { present } from "../index-space.ts";
import type { ComponentReader } from "../reader.ts";
import type { Builder } from "./builder.ts";

/** A type. */
export type Type =
  | { readonly form: "value"; readonly type: ValueType }
  | { readonly form: "func"; readonly type: FunctionType }
  | { readonly form: "resource"; readonly id: ResourceId }
  /** Made for each import of it: its resources are the import's own. */
  | { readonly form: "instance"; readonly make: (interfaceName: string | undefined) => Instance }
  | { readonly form: "component" };

/** What a name of an instance stands for. */
export type Item =
  /** Number of a function of the plan. */
  | { readonly sort: "func"; readonly func: number }
  | { readonly sort: "type"; readonly type: Type }
  | { readonly sort: "instance"; readonly instance: Instance }
  | { readonly sort: "component"; readonly component: Definition }
  | { readonly sort: "module"; readonly module: number };

/** An instance's exports. */
export type Instance = ReadonlyMap<string, Item>;

/** A component that can be instantiated: its bytes, and the scope that it stands in. */
interface Definition {
  readonly outer: Scope;
  /** Opens its bytes behind the preamble, anew for each instance. */
  readonly open: () => ComponentReader;
}

/** A core instance: made by a step, or put together of items. */
type CoreInstance = number | ReadonlyMap<string, CoreSorted>;

/** A core item and its sort. */
export interface CoreSorted {
  readonly sort: number;
  readonly item: CoreItem;
}

/** The index spaces of one component instance, or of one type. */
export interface Scope {
  readonly outer: Scope | undefined;
  readonly builder: Builder;
  /** Number of the component instance. */
  readonly instance: number;
  /** What it was instantiated with; undefined for the outermost component, whose imports are the host's. */
  readonly given: Instance | undefined;
  readonly coreModules: number[];
  readonly coreInstances: CoreInstance[];
  readonly coreFunctions: CoreFunction[];
  /** Memories, by index. */
  readonly coreMemories: CoreItem[];
  /** Tables, globals and tags, by sort and index. */
  readonly coreOthers: ReadonlyMap<number, CoreItem[]>;
  readonly functions: number[];
  readonly types: Type[];
  readonly components: Definition[];
  readonly instances: Instance[];
  readonly exports: Map<string, Item>;
}

/** Sorts of core items. Source: Binary.md, `core:sort`. */
export const CoreSort = {
  function: 0x00,
  table: 0x01,
  memory: 0x02,
  global: 0x03,
  tag: 0x04,
  type: 0x10,
  module: 0x11,
  instance: 0x12,
} as const;

/** Opens a scope. */
export function openScope(from: Pick<Scope, "outer" | "builder" | "instance" | "given">): Scope {
  return {
    ...from,
    coreModules: [],
    coreInstances: [],
    coreFunctions: [],
    coreMemories: [],
    coreOthers: new Map([
      [CoreSort.table, []],
      [CoreSort.global, []],
      [CoreSort.tag, []],
    ]),
    functions: [],
    types: [],
    components: [],
    instances: [],
    exports: new Map(),
  };
}

/** Adds an item to the index space of its sort. */
export function define(scope: Scope, item: Item): void {
  scope.builder.count();
  if (item.sort === "func") scope.functions.push(item.func);
  else if (item.sort === "type") scope.types.push(item.type);
  else if (item.sort === "instance") scope.instances.push(item.instance);
  else if (item.sort === "component") scope.components.push(item.component);
  else scope.coreModules.push(item.module);
}

/** Adds a core item to the index space of its sort. */
export function defineCore(scope: Scope, { sort, item }: CoreSorted): void {
  scope.builder.count();
  if (sort === CoreSort.function) scope.coreFunctions.push(item);
  else if (sort === CoreSort.memory) scope.coreMemories.push(item);
  else present(scope.coreOthers.get(sort), "core sort", sort).push(item);
}

/** Finds a core item by its sort and index. @throws {Failure} COMPONENT_INVALID */
export function coreItemAt(scope: Scope, sort: number, index: number): CoreItem {
  if (sort === CoreSort.function) return present(scope.coreFunctions[index], "core function", index);
  if (sort === CoreSort.memory) return present(scope.coreMemories[index], "core memory", index);
  return present(present(scope.coreOthers.get(sort), "core sort", sort)[index], "core item", index);
}
