/**
 * How a component's parts are put together: what its binary says, with all nesting, aliases and type indices resolved, as data. The compiler's
 * process makes a plan, a Worker follows it; nothing of it is code.
 *
 * Everything is referred to by its number: types, resources, functions, and core instances in the order of their making.
 */
import type { Primitive } from "../../schema/value-type.ts";

/** A type whose parts are numbers of types. A part has a lower number than the whole. */
export type TypeNode =
  | { readonly kind: Primitive }
  | { readonly kind: "list"; readonly element: number }
  | { readonly kind: "record"; readonly fields: readonly NamedType[] }
  | { readonly kind: "tuple"; readonly elements: readonly number[] }
  | { readonly kind: "variant"; readonly cases: readonly (readonly [name: string, type: number | null])[] }
  | { readonly kind: "enum" | "flags"; readonly names: readonly string[] }
  | { readonly kind: "option"; readonly some: number }
  | { readonly kind: "result"; readonly ok: number | null; readonly error: number | null }
  /** A resource of the host's by name, or one of the plan's by number. */
  | { readonly kind: "own" | "borrow"; readonly resource: string | number };

/** A name and the number of a type. */
type NamedType = readonly [name: string, type: number];

/** A function's type. */
export interface Signature {
  readonly parameters: readonly NamedType[];
  readonly result: number | null;
}

/** A resource type that the component defines. */
export interface PlannedResource {
  /** The component instance that defines it. */
  readonly instance: number;
  /** What is called with the representation when an owned handle is dropped. */
  readonly destructor: CoreExport | null;
}

/** Where a core function, memory, table or global comes from. */
export type CoreItem = CoreExport | CoreFunction;

/** What a core instance exports. */
export interface CoreExport {
  readonly from: "export";
  /** Number of the core instance. */
  readonly instance: number;
  readonly name: string;
}

/** A core function. */
export type CoreFunction =
  | CoreExport
  | { readonly from: "lower"; readonly function: number; readonly options: Options }
  | {
      readonly from: "resource.new" | "resource.drop" | "resource.rep";
      readonly resource: string | number;
      /** The component instance whose table of handles it works on. */
      readonly instance: number;
    };

/** Canonical options. */
export interface Options {
  /** The component instance that lifts or lowers. */
  readonly instance: number;
  readonly memory: CoreExport | null;
  readonly realloc: CoreExport | null;
  readonly postReturn: CoreExport | null;
  readonly encoding: "utf8" | "utf16" | "latin1+utf16";
}

/** A function of a component's, or of its host's. */
export type PlannedFunction =
  | {
      readonly from: "import";
      /** The interface without version; the function's own name when the component imports it without an interface. */
      readonly interface: string;
      /** Empty when it is imported without an interface. */
      readonly name: string;
      readonly type: Signature;
    }
  | { readonly from: "lift"; readonly core: CoreExport; readonly type: Signature; readonly options: Options };

/** Makes one core instance. */
export interface Step {
  /** Number of the core module. */
  readonly module: number;
  /** What its imports are taken from: a core instance's exports by its number, or single items by name. */
  readonly imports: readonly (readonly [name: string, from: number | readonly (readonly [string, CoreItem])[]])[];
}

/** A function that the component exports. */
export interface PlannedExport {
  /** The exported instance that it belongs to, with version: `kami:tool/tool@0.1.0`; null for a function of its own. */
  readonly instance: string | null;
  readonly name: string;
  readonly function: number;
}

/** How a component is put together. */
export interface Plan {
  readonly types: readonly TypeNode[];
  readonly resources: readonly PlannedResource[];
  /** How many component instances there are. */
  readonly instances: number;
  readonly functions: readonly PlannedFunction[];
  /** In this order. */
  readonly steps: readonly Step[];
  readonly exports: readonly PlannedExport[];
}
