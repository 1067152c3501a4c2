/**
 * Where things stand in the index spaces after KAMI's own imports and helpers have been added.
 *
 * KAMI's imports come after the module's own imports, so imported indices stay, defined ones move up. Its helper functions and
 * types come last, so nothing else moves.
 */
import { refuse } from "../errors.ts";
import type { Layout } from "./layout.ts";

/** The rewritten module's indices. */
export interface IndexMap {
  /** Functions that KAMI imports, put between the imported and the defined ones; 0 when the module has no code. */
  readonly addedFunctions: number;
  readonly importedFunctions: number;
  /** Imported and defined functions of the original module. */
  readonly functions: number;
  readonly importedGlobals: number;
  /** The fuel counter: an imported mutable i32. */
  readonly fuelGlobal: number;
  /** `grow(delta pages, memory) -> old pages or -1`. */
  readonly growMemory: number;
  /** `growTable(delta elements) -> delta or -1`. */
  readonly growTable: number;
  /** `refill() -> 0 when the call must end`. */
  readonly refill: number;
  /** Helper: asks for fuel, traps when refused. */
  readonly check: number;
  /** Helper: charges for a number of bytes and returns it. */
  readonly chargeBytes: number;
  /** Helper: charges for a number of elements and returns it. */
  readonly chargeElements: number;
}

/** How many functions KAMI imports into a module that has code. */
const ADDED_IMPORTS = 3;

/** Lays out the index spaces of the rewritten module. */
export function mapIndices(layout: Layout): IndexMap {
  const added = layout.functions === 0 ? 0 : ADDED_IMPORTS;
  const functions = layout.importedFunctions + layout.functions;
  const helpers = functions + added;
  return {
    addedFunctions: added,
    importedFunctions: layout.importedFunctions,
    functions,
    importedGlobals: layout.importedGlobals,
    fuelGlobal: layout.importedGlobals,
    refill: layout.importedFunctions,
    growMemory: layout.importedFunctions + 1,
    growTable: layout.importedFunctions + 2,
    check: helpers,
    chargeBytes: helpers + 1,
    chargeElements: helpers + 2,
  };
}

/**
 * Moves a function index.
 *
 * @throws {Failure} COMPONENT_INVALID when the original module has no such function: it must not reach one of KAMI's.
 */
export function mapFunction(map: IndexMap, index: number): number {
  if (index >= map.functions) {
    throw refuse("COMPONENT_INVALID", { reason: `malformed core module: function ${index} does not exist` });
  }
  return index < map.importedFunctions ? index : index + map.addedFunctions;
}

/** Moves a global index, so that no original index means the fuel counter. */
export function mapGlobal(map: IndexMap, index: number): number {
  const added = map.addedFunctions === 0 ? 0 : 1;
  return index < map.importedGlobals ? index : index + added;
}
