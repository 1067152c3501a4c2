/**
 * Holds a tool to what it said of its results.
 */
import { refuse } from "../errors.ts";
import type { Settled } from "../executor/settled.ts";
import { findMismatch, type Mismatch } from "../schema/conform.ts";
import type { ForeignSchema } from "../schema/references.ts";
import { findDepth } from "../schema/json.ts";

/** Most levels of a result that a schema is given for. */
const DEPTH_LIMIT = 128;

/**
 * Checks a result against the schema that the tool gave when it was installed.
 *
 * @returns The result, or the failure in its place: `RESULT_INVALID`.
 */
export function checkResult(settled: Settled, schema: ForeignSchema | undefined): Settled {
  if (!settled.ok || schema === undefined) return settled;
  const mismatch = mismatchOf(settled.output, schema);
  if (mismatch === undefined) return settled;
  const { output: _, ...rest } = settled;
  return { ...rest, ok: false, failure: refuse("RESULT_INVALID", { ...mismatch }) };
}

function mismatchOf(output: string, schema: ForeignSchema): Mismatch | undefined {
  const field = "result";
  if (findDepth(output, DEPTH_LIMIT + 1) !== -1) return { field, problem: `nests deeper than ${DEPTH_LIMIT} levels` };
  try {
    return findMismatch(schema, structuredPart(JSON.parse(output)), field);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { field, problem: "is not JSON" };
  }
}

/** Of a result in MCP's own shape, the part that its schema is about. Source: MCP 2026-07-28, "Tools / Output Schema". */
function structuredPart(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("content" in value) || !Array.isArray(value.content))
    return value;
  return "structuredContent" in value ? value.structuredContent : value;
}
