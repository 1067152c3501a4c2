/**
 * What an agent gets back: the result of a call as a result of `tools/call`.
 *
 * Clients differ in which part of a result they show: some only the structured part, some only the text. So both carry the same
 * value, or there is only text.
 *
 * Source: MCP 2026-07-28, "Server features / Tools", "Tool Result" and "Error Handling".
 */
import type { CallToolResult } from "@modelcontextprotocol/server";
import { clean, type Failure, refuse } from "../errors.ts";
import { isJsonObject } from "../json-type.ts";
import { type Denial, usageJson } from "../protocol/limits.ts";
import type { CallResult } from "../runtime.ts";
import { readContent } from "./content.ts";

/** Key of the call's usage in a result's `_meta`. */
const USAGE_META_KEY = "dev.kami/usage";

/** Key of what was left out of the guest's log, stdout and stderr, in the `_meta` of a call's result; there when something was. */
const CUT_META_KEY = "dev.kami/dropped-output-bytes";

/** Key of the failure's code in the `_meta` of a failed call's result. */
const FAILURE_META_KEY = "dev.kami/failure";

/** Key of what the guest tried and may not, in the `_meta` of a call's result; there when there was something. */
const DENIALS_META_KEY = "dev.kami/denials";

/** Denials that the sentence about them names. */
const DENIALS_NAMED = 3;

/** Code units of a denial's text that a model reads: the guest chose it. */
const DENIAL_SHOWN = 120;

/** Most bytes of one result on the wire. The MCP SDK's clients close a connection at a line of 10 MiB. */
export const WIRE_LIMIT_BYTES: number = 9 * 1_048_576;

/** Bytes of output from which the size on the wire is measured: JSON text grows by at most 9 times, value and text together. */
const MEASURED_FROM_BYTES = 1_048_576;

/** Most levels of objects and arrays in a structured result. */
const DEPTH_LIMIT = 128;

/** What an agent reads about a failure whose text is for the user alone. */
const WITHHELD = "The tool could not be run; its user can see why in KAMI's log";

/**
 * Makes the result of `tools/call`. Never throws.
 *
 * @param result - What the runtime said.
 */
export function toToolResult(result: CallResult): CallToolResult {
  if (!result.ok) return toFailure(result.failure, result);
  const answer: CallToolResult = { ...contentOf(result.output), _meta: metaOf(result) };
  if (result.usage.outputBytes < MEASURED_FROM_BYTES && result.output.length < MEASURED_FROM_BYTES) return answer;
  const bytes = Buffer.byteLength(JSON.stringify(answer));
  if (bytes <= WIRE_LIMIT_BYTES) return answer;
  return toFailure(refuse("RESULT_TOO_LARGE", { bytes, limitBytes: WIRE_LIMIT_BYTES }), result);
}

function contentOf(output: string): CallToolResult {
  const value = parseFaithful(output);
  if (value === undefined) return { content: [{ type: "text", text: output }] };
  const shaped = readContent(value);
  if (shaped !== undefined) return { ...shaped };
  return { content: [{ type: "text", text: JSON.stringify(value) }], structuredContent: value };
}

function toFailure(failure: Failure, result: CallResult): CallToolResult {
  return {
    isError: true,
    content: [{ type: "text", text: textOf(failure, result.denials) }],
    _meta: { ...metaOf(result), [FAILURE_META_KEY]: failure.code },
  };
}

function textOf(failure: Failure, denials: readonly Denial[] = []): string {
  const text = failure.agentMayRead ? explainToAgent(failure) : WITHHELD;
  return denials.length === 0 ? text : `${text}. ${explainDenials(denials)}`;
}

function metaOf({ usage, captured: { droppedBytes }, denials = [] }: CallResult): Record<string, unknown> {
  return {
    [USAGE_META_KEY]: usageJson(usage),
    ...(droppedBytes > 0 && { [CUT_META_KEY]: droppedBytes }),
    ...(denials.length > 0 && { [DENIALS_META_KEY]: denials.map(cleanDenial) }),
  };
}

function cleanDenial({ capability, target }: Denial): Denial {
  return { capability: clean(capability), target: clean(target) };
}

/** Says in one sentence what the call was denied. */
function explainDenials(denials: readonly Denial[]): string {
  const names = [...new Set(denials.map(({ capability }) => `"${clean(capability, DENIAL_SHOWN)}"`))];
  const more = names.length > DENIALS_NAMED ? ` and ${names.length - DENIALS_NAMED} more` : "";
  return `The tool was denied ${names.slice(0, DENIALS_NAMED).join(", ")}${more}: the user can grant it, and finds how in KAMI's log`;
}

/** Joins a failure's message, its place and its hint, for the user's log. */
export function explain({ message, where, hint }: Failure): string {
  return join(message, where, hint);
}

/**
 * Joins a failure's message, its place and what an agent can do about it. The caller has seen to it that an agent may read them.
 */
export function explainToAgent({ message, where, agentHint }: Failure): string {
  return join(message, where, agentHint);
}

function join(message: string, where: string | undefined, hint: string | undefined): string {
  const text = where === undefined ? message : `${message}, ${where}`;
  return hint === undefined ? text : `${text} (${hint})`;
}

/** Parses a JSON object, if the text is one that an agent will see unchanged whichever part of the result it is shown. */
function parseFaithful(text: string): Record<string, unknown> | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) && isFaithful(value, DEPTH_LIMIT) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether a parsed value says what its text said: integers beyond 2^53 have been rounded, the key `__proto__` would be lost in the SDK,
 * and deep nesting would overflow the stack where the message is written.
 */
function isFaithful(value: unknown, levels: number): boolean {
  if (typeof value === "number") return !Number.isInteger(value) || Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0 || Object.hasOwn(value, "__proto__")) return false;
  return Object.values(value).every((member) => isFaithful(member, levels - 1));
}
