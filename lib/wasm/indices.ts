/**
 * Where things stand in the index spaces after KAMI's own imports and helpers have been added.
 *
 * KAMI's function imports come after the module's own imports, so the indices of imported functions stay, those of defined ones move up. Its
 * helper functions, its types and its global come last, so nothing else moves.
 */
import { refuse } from "../errors.ts";
import type { Layout } from "./layout.ts";
import type { Place } from "./settle.ts";

/** The rewritten module's indices. */
export interface IndexMap {
  /** Functions that KAMI imports, put between the imported and the defined ones; 0 when the module has no code. */
  readonly addedFunctions: number;
  readonly importedFunctions: number;
  /** Imported and defined functions of the original module. */
  readonly functions: number;
  /** Imported and defined globals of the original module. */
  readonly globals: number;
  /** The fuel counter: a mutable i32 of the module's own, which the engine keeps closer at hand than an imported one. */
  readonly fuelGlobal: number;
  /** `grow(delta pages, memory) -> old pages or -1`. */
  readonly growMemory: number;
  /** `growTable(delta elements) -> delta or -1`: asked before a table grows. */
  readonly growTable: number;
  /** `grewTable(old size or -1) -> the same`: told how it went. */
  readonly grewTable: number;
  /** The stack that is left, in bytes: a mutable i32. */
  readonly stackGlobal: number;
  /** Imported and defined memories of the original module. */
  readonly memories: number;
  /** What settling works on. The signal memory comes behind all others. */
  readonly signal: Place;
  /** Bytes of objects that may be made without asking: a mutable i32. Only where the code can make objects, as the next two. */
  readonly heapGlobal: number;
  /** `allocate(left) -> bytes that may be made next`: traps when what was made does not fit. */
  readonly allocate: number;
  /** `refuseArray() -> ()`: traps, for an array that is too large. */
  readonly refuseArray: number;
  /** Helper: settles, see {@link writeSettle}. */
  readonly check: number;
  /** Helper: charges for a number of bytes and returns it. */
  readonly chargeBytes: number;
  /** Helper: charges for a number of elements and returns it. */
  readonly chargeElements: number;
  /** Helper: `() -> counter`, exported to the host. */
  readonly readFuel: number;
  /** Helper: `(counter) -> ()`, exported to the host. */
  readonly writeFuel: number;
  /** Helper: `() -> bytes of stack left`, exported to the host. */
  readonly readStack: number;
  /** Helpers for the other counter, exported to the host; only where the code can make objects. */
  readonly readHeap: number;
  readonly writeHeap: number;
  /** Where the helpers begin that are made only where they are needed. */
  readonly firstHelper: number;
}

/** How many functions KAMI imports into a module that has code, and how many more when the code can make objects. */
const ADDED_IMPORTS = 3;
const OBJECT_IMPORTS = 2;
/** Helpers of every module with code. */
const HELPERS = 6;
const OBJECT_HELPERS = 2;

/** Lays out the index spaces of the rewritten module. @param slice - Units of a slice. */
export function mapIndices(layout: Layout, slice: number): IndexMap {
  const added = layout.functions === 0 ? 0 : ADDED_IMPORTS + (layout.hasObjects ? OBJECT_IMPORTS : 0);
  const functions = layout.importedFunctions + layout.functions;
  const helpers = functions + added;
  const memories = layout.importedMemories + layout.memories.length;
  return {
    addedFunctions: added,
    importedFunctions: layout.importedFunctions,
    functions,
    globals: layout.globals,
    fuelGlobal: layout.globals,
    stackGlobal: layout.globals + 1,
    memories,
    signal: { memory: memories, fuel: layout.globals, slice },
    growMemory: layout.importedFunctions,
    growTable: layout.importedFunctions + 1,
    grewTable: layout.importedFunctions + 2,
    heapGlobal: layout.globals + 2,
    allocate: layout.importedFunctions + ADDED_IMPORTS,
    refuseArray: layout.importedFunctions + ADDED_IMPORTS + 1,
    check: helpers,
    chargeBytes: helpers + 1,
    chargeElements: helpers + 2,
    readFuel: helpers + 3,
    writeFuel: helpers + 4,
    readStack: helpers + 5,
    readHeap: helpers + HELPERS,
    writeHeap: helpers + HELPERS + 1,
    firstHelper: helpers + HELPERS + (layout.hasObjects ? OBJECT_HELPERS : 0),
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

/**
 * Checks a global index: globals stay where they are.
 *
 * @throws {Failure} COMPONENT_INVALID when the original module has no such global: it must not reach the fuel counter.
 */
export function requireGlobal(map: IndexMap, index: number): number {
  if (index < map.globals) return index;
  throw refuse("COMPONENT_INVALID", { reason: `malformed core module: global ${index} does not exist` });
}

/**
 * Checks a memory index: memories stay where they are.
 *
 * @throws {Failure} COMPONENT_INVALID when the original module has no such memory: it must not reach the one by which it is stopped.
 */
export function requireMemory(map: IndexMap, index: number): number {
  if (index < map.memories) return index;
  throw refuse("COMPONENT_INVALID", { reason: `malformed core module: memory ${index} does not exist` });
}
