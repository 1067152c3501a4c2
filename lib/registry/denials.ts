/**
 * What tools were denied, the newest of each tool. Kept by tool, so that none that is denied much pushes out what others were denied.
 */
import type { Database } from "bun:sqlite";
import { clean } from "../errors.ts";
import type { Denial } from "../protocol/limits.ts";

/** A denial, as the log keeps it: its texts are cleaned. */
export interface DenialRecord extends Denial {
  /** When its call started, in milliseconds since the epoch. */
  readonly at: number;
}

/** How many are kept of each tool. */
export const DENIALS_KEPT = 100;

const INSERT = "INSERT INTO denials (tool_id, at, capability, target) VALUES (?, ?, ?, ?)";
const TRIM = `DELETE FROM denials WHERE tool_id = ?1 AND sequence <= (
  SELECT sequence FROM denials WHERE tool_id = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ${DENIALS_KEPT})`;
const NEWEST = "SELECT at, capability, target FROM denials WHERE tool_id = ? ORDER BY sequence DESC LIMIT ?";

/** What one call was denied. */
export interface CallDenials {
  readonly toolId: string;
  readonly startedAt: number;
  readonly denials?: readonly Denial[] | undefined;
}

/** Adds the denials of calls; inside a transaction. */
export function insertDenials(database: Database, calls: readonly CallDenials[]): void {
  const insert = database.query<never, [string, number, string, string]>(INSERT);
  const denied = calls.filter(({ denials = [] }) => denials.length > 0);
  for (const { toolId, startedAt, denials = [] } of denied) {
    for (const { capability, target } of denials) insert.run(toolId, startedAt, clean(capability), clean(target));
  }
  const trim = database.query<never, [string]>(TRIM);
  for (const id of new Set(denied.map(({ toolId }) => toolId))) trim.run(id);
}

/** Reads the newest denials of a tool, the newest first. */
export function newestDenials(database: Database, toolId: string, limit: number): readonly DenialRecord[] {
  return database.query<DenialRecord, [string, number]>(NEWEST).all(toolId, limit);
}
