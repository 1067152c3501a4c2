/**
 * Checks what a Worker says. A guest that took over its Worker could say anything: it is believed as little as the guest.
 */
import * as v from "valibot";
import { type Failure, type FailureCode, refuse } from "../errors.ts";
import type { Captured, Usage } from "../protocol/limits.ts";

/** How a call ended, checked. */
export type Settled =
  | { readonly ok: true; readonly output: string; readonly usage: Usage; readonly captured: Captured }
  | { readonly ok: false; readonly failure: Failure; readonly usage: Usage; readonly captured: Captured };

/** A Worker's word on one call. */
export interface SettledMessage {
  readonly id: number;
  readonly settled: Settled;
}

const Amount = v.pipe(v.number(), v.minValue(0));
const UsageSchema = v.object({
  fuel: Amount,
  wallMs: Amount,
  peakMemoryBytes: Amount,
  hostCalls: Amount,
  inputBytes: Amount,
  outputBytes: Amount,
});
const CapturedSchema = v.object({
  pieces: v.pipe(
    v.array(
      v.object({
        stream: v.picklist(["log", "stdout", "stderr"]),
        level: v.exactOptional(v.picklist(["trace", "debug", "info", "warn", "error"])),
        text: v.pipe(v.string(), v.maxLength(65_536)),
      }),
    ),
    v.maxLength(4096),
  ),
  droppedBytes: Amount,
});
const Text = v.pipe(v.string(), v.maxLength(4096));
const Nothing = v.strictObject({});
/** The failures that a Worker may report, each with its detail. */
const FailureSchema = v.variant("code", [
  failed("FUEL_EXHAUSTED", v.object({ fuelLimit: Amount })),
  failed("DEADLINE_EXCEEDED", v.object({ limitMs: Amount })),
  failed("MEMORY_EXHAUSTED", v.object({ limitBytes: Amount })),
  failed("RESULT_TOO_LARGE", v.object({ bytes: Amount, limitBytes: Amount })),
  failed("TOOL_ERROR", v.object({ message: v.string() })),
  failed("TOOL_EXIT", v.object({ exitCode: v.number(), message: v.string() })),
  failed("GUEST_OUT_OF_BOUNDS", v.object({ what: Text })),
  failed("GUEST_TRAP", v.object({ reason: Text })),
  failed("CAPABILITY_DENIED", v.object({ capability: Text })),
  failed("ARTIFACT_UNUSABLE", v.object({ reason: Text })),
  failed("STACK_OVERFLOW", Nothing),
  failed("GUEST_UNREACHABLE", Nothing),
  failed("GUEST_DIVIDE_BY_ZERO", Nothing),
  failed("CANCELLED", Nothing),
]);
const SuccessSchema = v.object({ ok: v.literal(true), output: v.pipe(v.string(), v.maxLength(1_048_576)) });
const OutcomeSchema = v.variant("ok", [SuccessSchema, FailureSchema]);
const MessageSchema = v.variant("type", [
  v.object({ type: v.literal("ready") }),
  v.object({
    type: v.literal("settled"),
    id: v.number(),
    outcome: OutcomeSchema,
    usage: UsageSchema,
    captured: CapturedSchema,
  }),
]);

/**
 * Parses a message of a Worker.
 *
 * @returns `"ready"`, a settled call, or undefined when it is neither.
 */
export function parseWorkerMessage(message: unknown): "ready" | SettledMessage | undefined {
  const parsed = v.safeParse(MessageSchema, message);
  if (!parsed.success) return undefined;
  if (parsed.output.type === "ready") return "ready";
  const { id, outcome, usage, captured } = parsed.output;
  if (outcome.ok) return { id, settled: { ok: true, output: outcome.output, usage, captured } };
  return { id, settled: { ok: false, failure: refuse(outcome.code, outcome.detail), usage, captured } };
}

function failed<const C extends FailureCode, S extends v.GenericSchema>(code: C, detail: S) {
  return v.object({ ok: v.literal(false), code: v.literal(code), detail });
}
