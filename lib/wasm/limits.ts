/**
 * The largest core module that KAMI takes. Refused at install, before any engine sees it.
 */
import { refuse } from "../errors.ts";

/** Most of each thing that one core module may have. */
export const MODULE_LIMITS = {
  /** Bytes. */
  moduleBytes: 67_108_864,
  types: 100_000,
  imports: 10_000,
  functions: 200_000,
  exports: 100_000,
  globals: 10_000,
  memories: 16,
  tables: 100,
  /** Elements at the start, all tables of the module together. */
  tableElements: 1_000_000,
  /** Locals of one function, parameters not counted. */
  locals: 50_000,
  /** Blocks inside each other in one function. */
  nesting: 10_000,
} as const;

/**
 * Checks one count against its limit.
 *
 * @throws {Failure} COMPONENT_LIMIT when `value` is above it.
 */
export function checkLimit(limit: keyof typeof MODULE_LIMITS, value: number, what: string): void {
  if (value > MODULE_LIMITS[limit]) throw refuse("COMPONENT_LIMIT", { what, value, limit: MODULE_LIMITS[limit] });
}
