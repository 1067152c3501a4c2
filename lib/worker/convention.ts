/**
 * How a component's function takes a call's input, and how what it returns becomes the call's output: text, JSON by its types, or a command's
 * streams. The guest's side of the trust boundary.
 */
import { exportedType } from "../component/exported.ts";
import type { LoadableArtifact } from "../component/instantiate.ts";
import type { FunctionType } from "../schema/value-type.ts";
import { CommandOutput } from "./command-output.ts";
import { RESULT_LIMIT_BYTES } from "../protocol/limits.ts";
import type { Outcome } from "../protocol/messages.ts";
import { fromValue, toArguments } from "../schema/wit-value.ts";

/** A function that is called with JSON text. */
export interface Convention {
  /** Number of the function in the plan. */
  readonly number: number;
  /** @throws {Failure} INPUT_INVALID when the input is not of the function's types. */
  readonly toValues: (input: string) => readonly unknown[];
  /** What was returned, in JSON text; undefined for a command's error, of which only its exit code is known. */
  readonly toOutcome: (returned: unknown) => Outcome | undefined;
  /** Where a command's stdout goes: it is its output, as the input is its stdin. */
  readonly output: CommandOutput | undefined;
}

/**
 * Finds a function of an artifact.
 *
 * @param entry - Its name among the artifact's entries.
 * @throws {Error} `BUG: …` when there is none: the host has looked before.
 */
export function findConvention({ kind, entries, plan }: LoadableArtifact, entry: string): Convention {
  const exported = entries.find(({ name }) => name === entry)?.exported;
  const planned = exported === undefined ? undefined : plan.exports[exported];
  if (exported === undefined || planned === undefined) throw new Error("BUG: the artifact has no such entry");
  const number = planned.function;
  if (kind === "command") return commandConvention(number);
  if (kind !== "functions") {
    const toValues = (input: string): readonly unknown[] => (entry === "run" ? [input] : []);
    return { number, toValues, toOutcome: toTextOutcome, output: undefined };
  }
  const type = exportedType(plan, exported);
  return {
    number,
    toValues: (input) => toArguments(type, JSON.parse(input)),
    toOutcome: (returned) => toJsonOutcome(type, returned),
    output: undefined,
  };
}

function commandConvention(number: number): Convention {
  const output = new CommandOutput();
  const toOutcome = (returned: unknown): Outcome | undefined =>
    isTagged(returned) && returned.tag !== "ok" ? undefined : output.outcome();
  return { number, toValues: () => [], toOutcome, output };
}

/** The text that `run` or `describe` returned. */
function toTextOutcome(returned: unknown): Outcome {
  const { tag, value } = isTagged(returned) ? returned : { tag: "ok", value: returned };
  if (typeof value !== "string") throw new Error("BUG: the entry function returned no text");
  return tag === "ok" ? checkOutput(value) : { ok: false, code: "TOOL_ERROR", detail: { message: value } };
}

function toJsonOutcome({ result }: FunctionType, returned: unknown): Outcome {
  if (result?.kind !== "result" || !isTagged(returned)) return checkOutput(JSON.stringify(fromValue(result, returned)));
  if (returned.tag === "ok") return checkOutput(JSON.stringify(fromValue(result.ok, returned.value)));
  const problem = fromValue(result.error, returned.value);
  const message = typeof problem === "string" ? problem : JSON.stringify(problem);
  return { ok: false, code: "TOOL_ERROR", detail: { message } };
}

/** Whether a value is a `result`. */
function isTagged(value: unknown): value is { readonly tag: string; readonly value: unknown } {
  return typeof value === "object" && value !== null && "tag" in value && "value" in value;
}

function checkOutput(value: string): Outcome {
  const bytes = Buffer.byteLength(value);
  if (bytes <= RESULT_LIMIT_BYTES) return { ok: true, output: value };
  return { ok: false, code: "RESULT_TOO_LARGE", detail: { bytes, limitBytes: RESULT_LIMIT_BYTES } };
}
