/**
 * Holds a tool to what it said of its results, and finds out when it returned a question in place of one.
 */
import { refuse } from "../errors.ts";
import type { Settled } from "../executor/settled.ts";
import { ELICITATION_NAME } from "../policy/capability.ts";
import { type Denial, DENIAL_TEXT_LIMIT, DENIALS_LIMIT } from "../protocol/limits.ts";
import { findMismatch, type Mismatch } from "../schema/conform.ts";
import type { ForeignSchema } from "../schema/references.ts";
import { findDepth } from "../schema/json.ts";
import { isQuestion, messageOf, type Question, readQuestion } from "../schema/question.ts";

/** Most levels of a result that a schema is given for. */
const DEPTH_LIMIT = 128;

/** How a call ended. With a question it has failed, `ELICITATION_NEEDED`, unless whoever made it gets the answers and calls again. */
export type Ended = Settled & { readonly question?: Question };

/** What a call's end is held to. */
export interface Terms {
  /** The tool's id. */
  readonly tool: string;
  readonly schema: ForeignSchema | undefined;
  /** Whether a question is one, and not data. */
  readonly asks: boolean;
  /** Whether the user lets the tool ask. */
  readonly hasElicitation: boolean;
}

/**
 * Checks how a call ended.
 *
 * @returns Its end, or the failure in its place: `RESULT_INVALID`, `CAPABILITY_DENIED`, `ELICITATION_INVALID`, `ELICITATION_NEEDED`.
 */
export function checkEnd(settled: Settled, { tool, schema, asks, hasElicitation }: Terms): Ended {
  if (!settled.ok || !isQuestion(settled.output)) return checkResult(settled, schema);
  const { output, ...rest } = settled;
  const read = readQuestion(output);
  const message = read.ok ? messageOf(read.value) : "";
  const denial: Denial = { capability: ELICITATION_NAME, target: message.slice(0, DENIAL_TEXT_LIMIT) };
  const denials = [...(rest.denials ?? []).slice(0, DENIALS_LIMIT - 1), denial];
  // It may be data; more likely the manifest was forgotten, which nobody would find out.
  if (!asks) return checkResult(read.ok ? { ...settled, denials } : settled, schema);
  if (!hasElicitation)
    return { ...rest, ok: false, failure: refuse("CAPABILITY_DENIED", { capability: ELICITATION_NAME }), denials };
  if (!read.ok) return { ...rest, ok: false, failure: refuse("ELICITATION_INVALID", { tool, ...read }) };
  return { ...rest, ok: false, failure: refuse("ELICITATION_NEEDED", { tool, message }), question: read.value };
}

/**
 * Checks a result against the schema that the tool gave when it was installed.
 *
 * @returns The result, or the failure in its place: `RESULT_INVALID`.
 */
function checkResult(settled: Settled, schema: ForeignSchema | undefined): Settled {
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
