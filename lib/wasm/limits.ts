/**
 * The largest core module that KAMI takes. Refused at install, before any engine sees it.
 */
import { refuse } from "../errors.ts";

/**
 * Bytes of the elements of one array, at run time. The engine makes, fills and copies an array in one go: this bounds how long a guest cannot
 * be interrupted meanwhile.
 */
export const ARRAY_LIMIT_BYTES = 8_388_608;

/** Most of each thing that one core module may have. */
export const MODULE_LIMITS = {
  /** Bytes. */
  moduleBytes: 67_108_864,
  /** Custom ones included; a module has a dozen, and some more with debug information. */
  sections: 10_000,
  types: 100_000,
  imports: 10_000,
  functions: 200_000,
  exports: 100_000,
  globals: 10_000,
  memories: 16,
  tables: 100,
  /** Elements at the start, all tables of the module together: more than functions there can be. */
  tableElements: 262_144,
  dataSegments: 100_000,
  elementSegments: 100_000,
  /** Elements of one segment: a table or an array takes them over in one go. */
  segmentElements: 262_144,
  /** Elements of all segments of the module together. */
  elements: 1_000_000,
  /** Bytes of the objects that constant expressions make. */
  initialHeapBytes: 8_388_608,
  /** Locals of one function, parameters not counted. */
  locals: 50_000,
  /** Locals of all functions together: the engine writes them out one by one, 160 KB of code take it 5 s and 2 GB otherwise. */
  allLocals: 5_000_000,
  /** Blocks inside each other in one function. */
  nesting: 10_000,
  /** Blocks of one function, once metered: inside of a loop each takes the engine 1 KB. A large function of a compiler's has 5,000. */
  blocks: 250_000,
  /** Blocks of all functions together, once metered: each takes the engine up to 1 µs. A module of 12 MB has 200,000. */
  allBlocks: 2_000_000,
  /** Bytes of one function, once metered. Source: JavaScriptCore, `maxFunctionSize`: it refuses a larger one. */
  functionBytes: 7_654_321,
} as const;

/**
 * Checks one count against its limit.
 *
 * @throws {Failure} COMPONENT_LIMIT when `value` is above it.
 */
export function checkLimit(limit: keyof typeof MODULE_LIMITS, value: number, what: string): void {
  if (value > MODULE_LIMITS[limit]) throw refuse("COMPONENT_LIMIT", { what, value, limit: MODULE_LIMITS[limit] });
}
