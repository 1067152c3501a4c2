/**
 * The state of one module's rewriting, which the writers of its sections share.
 */
import { type ConstantContext, copyConstant } from "./constants.ts";
import { HelperSet } from "./helper-set.ts";
import { type IndexMap, mapIndices } from "./indices.ts";
import type { Layout } from "./layout.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** One module's rewriting. */
export interface Rewrite {
  /** For messages. */
  readonly module: string;
  readonly layout: Layout;
  readonly indices: IndexMap;
  readonly out: Writer;
  /** What constant expressions stand in, and have made so far. */
  readonly constants: ConstantContext;
  /** Functions that the code has needed so far. */
  readonly helpers: HelperSet;
  /** Exported functions of the module's own, and where the output says which. */
  readonly exports: { readonly at: number; readonly ordinal: number }[];
  /** Whether other modules may put functions into one of its tables. */
  sharesTables: boolean;
  /** Elements of the module's own tables so far. */
  tableElements: number;
  /** Where the function section says how many functions there are, and where it ends; 0 in a module without functions. */
  functionCountAt: number;
  functionsEnd: number;
}

/** Where a rewritten module goes, and the units of its slices. */
export interface Target {
  readonly out: Writer;
  readonly slice: number;
}

/** Begins a module's rewriting. */
export function beginRewrite(module: string, layout: Layout, { out, slice }: Target): Rewrite {
  const indices = mapIndices(layout, slice);
  const globals = Array.from<undefined>({ length: layout.importedGlobals });
  return {
    module,
    layout,
    indices,
    out,
    constants: { module, out, indices, types: layout.types, globals, heapBytes: 0 },
    helpers: new HelperSet(indices, layout.types.length),
    exports: [],
    sharesTables: layout.importedTables > 0,
    tableElements: 0,
    functionCountAt: 0,
    functionsEnd: 0,
  };
}

/** Copies a vector's length. */
export function copyCount(rewrite: Rewrite, reader: Reader): number {
  const count = reader.u32();
  rewrite.out.u32(count);
  return count;
}

/** Copies a constant expression. @returns Its value, where it is a number that is known. */
export function copyExpression(rewrite: Rewrite, reader: Reader): number | undefined {
  return copyConstant(rewrite.constants, reader);
}

/** Copies what is left of a section, when the module has it. */
export function copyRest(rewrite: Rewrite, reader: Reader | undefined): void {
  if (reader === undefined) return;
  rewrite.out.copyRange(reader.bytes, reader.pos, reader.end);
  reader.pos = reader.end;
}
