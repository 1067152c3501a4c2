/**
 * The index spaces of one component, component type or instance type. Types are kept as WIT text: enough to tell what a function is.
 *
 * Source: WebAssembly Component Model, Explainer.md, Index Spaces.
 */
import { refuse } from "../errors.ts";
import { COMPONENT_LIMITS } from "./artifact.ts";
import { EngineTime } from "./engine.ts";
import type { ModuleReader } from "./module-reader.ts";

/** What an index refers to. */
export type Item =
  | { readonly sort: "func"; readonly text: string }
  | { readonly sort: "type"; readonly type: Type }
  | ({ readonly sort: "component" } & Component)
  | { readonly sort: "instance"; readonly exports: Exports }
  /** Core things, whose types play no part here. */
  | { readonly sort: "core" };

/** The exports of an instance or a component, by name. */
export type Exports = ReadonlyMap<string, Item>;

/** A component that may be instantiated. */
interface Component {
  readonly exports: Exports;
  /** Instances of components that it makes in turn, all the way down. */
  readonly instances: number;
}

/** A type: a value's or a function's in WIT text, or what an instance or a component of it exports. */
export type Type =
  | { readonly form: "value" | "func"; readonly text: string }
  | { readonly form: "component" | "instance"; readonly exports: Exports };

/** The index spaces of one scope. */
export interface Scope {
  readonly outer: Scope | undefined;
  readonly depth: number;
  readonly funcs: string[];
  readonly types: Type[];
  readonly components: Component[];
  readonly instances: Exports[];
  /** What the scope exports. */
  readonly exports: Map<string, Item>;
  /** Instances of components that the scope makes, those that they make included. */
  instancesMade: number;
  readonly totals: Totals;
}

/** What has been counted in all scopes of a component together. */
interface Totals {
  types: number;
  sections: number;
  exports: number;
  modules: number;
  coreBytes: number;
  readonly engine: EngineTime;
  readonly reader: ModuleReader;
}

const EMPTY: Omit<Totals, "engine" | "reader"> = { types: 0, sections: 0, exports: 0, modules: 0, coreBytes: 0 };

/** Opens the scope of a component that is in no other. @param reader - Of its core modules. */
export function openOutermost(reader: ModuleReader): Scope {
  return open(undefined, { ...EMPTY, engine: new EngineTime(), reader });
}

/**
 * Opens a scope in another one.
 *
 * @throws {Failure} COMPONENT_LIMIT when it stands too deep in others.
 */
export function openScope(outer: Scope): Scope {
  return open(outer, outer.totals);
}

function open(outer: Scope | undefined, totals: Totals): Scope {
  const depth = (outer?.depth ?? 0) + 1;
  checkTotal("the nesting of components and types", depth, COMPONENT_LIMITS.nesting);
  const spaces = { funcs: [], types: [], components: [], instances: [], exports: new Map<string, Item>() };
  return { outer, depth, ...spaces, instancesMade: 0, totals };
}

/** Adds an item to the index space of its sort. @throws {Failure} COMPONENT_LIMIT when there are too many types. */
export function define(scope: Scope, item: Item): void {
  if (item.sort === "func") scope.funcs.push(item.text);
  else if (item.sort === "component") scope.components.push(item);
  else if (item.sort === "instance") scope.instances.push(item.exports);
  else if (item.sort === "type") {
    scope.totals.types += 1;
    checkTotal("the number of types", scope.totals.types, COMPONENT_LIMITS.types);
    scope.types.push(item.type);
  }
}

/** Checks one count against its limit. @throws {Failure} COMPONENT_LIMIT when `value` is above it. */
export function checkTotal(what: string, value: number, limit: number): void {
  if (value > limit) throw refuse("COMPONENT_LIMIT", { what, value, limit });
}
