/**
 * Checks what a Worker says. A guest that took over its Worker could say anything: it is believed as little as the guest.
 */
import * as v from "valibot";
import { type Failure, type FailureCode, refuse } from "../errors.ts";
import {
  CAPTURE_LIMIT_BYTES,
  CAPTURE_LIMIT_PIECES,
  type Captured,
  DETAIL_LIMIT,
  NO_OUTPUT,
  NO_USAGE,
  RESULT_LIMIT_BYTES,
  type Usage,
} from "../protocol/limits.ts";

/** How a call ended, checked. */
export type Settled =
  | { readonly ok: true; readonly output: string; readonly usage: Usage; readonly captured: Captured }
  | { readonly ok: false; readonly failure: Failure; readonly usage: Usage; readonly captured: Captured };

/** A Worker's word on one call. */
export interface SettledMessage {
  readonly id: number;
  readonly settled: Settled;
}

const Amount = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Milliseconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const UsageSchema = v.object({
  fuel: Amount,
  wallMs: Milliseconds,
  peakMemoryBytes: Amount,
  hostCalls: Amount,
  inputBytes: Amount,
  outputBytes: Amount,
});
const Piece = v.object({
  stream: v.picklist(["log", "stdout", "stderr"]),
  level: v.exactOptional(v.picklist(["trace", "debug", "info", "warn", "error"])),
  text: v.string(),
});
const CapturedSchema = v.object({
  pieces: v.pipe(
    v.array(Piece),
    v.maxLength(CAPTURE_LIMIT_PIECES),
    v.check((pieces) => pieces.reduce((sum, { text }) => sum + text.length, 0) <= CAPTURE_LIMIT_BYTES),
  ),
  droppedBytes: Amount,
});
const Text = v.pipe(v.string(), v.maxLength(DETAIL_LIMIT));
const Nothing = v.strictObject({});
const ExitCode = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255));
/** The failures that a Worker may report, each with its detail. */
const FailureSchema = v.variant("code", [
  reported("FUEL_EXHAUSTED", v.object({ fuelLimit: Amount })),
  reported("DEADLINE_EXCEEDED", v.object({ limitMs: Milliseconds })),
  reported("MEMORY_EXHAUSTED", v.object({ limitBytes: Amount })),
  reported("RESULT_TOO_LARGE", v.object({ bytes: Amount, limitBytes: Amount })),
  reported("TOOL_ERROR", v.object({ message: Text })),
  reported("TOOL_EXIT", v.object({ exitCode: ExitCode, message: Text })),
  reported("GUEST_OUT_OF_BOUNDS", v.object({ what: Text })),
  reported("GUEST_TRAP", v.object({ reason: Text })),
  reported("CAPABILITY_DENIED", v.object({ capability: Text })),
  reported("ARTIFACT_UNUSABLE", v.object({ reason: Text })),
  reported("STACK_OVERFLOW", Nothing),
  reported("GUEST_UNREACHABLE", Nothing),
  reported("GUEST_DIVIDE_BY_ZERO", Nothing),
  reported("CANCELLED", Nothing),
]);
const Result = v.pipe(
  v.string(),
  v.maxLength(RESULT_LIMIT_BYTES),
  v.check((text) => Buffer.byteLength(text) <= RESULT_LIMIT_BYTES),
);
const SuccessSchema = v.object({ ok: v.literal(true), output: Result });
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

/** Makes the end of a call that failed without a word from the Worker. */
export function failed(failure: Failure, usage: Usage = NO_USAGE): Settled {
  return { ok: false, failure, usage, captured: NO_OUTPUT };
}

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

function reported<const C extends FailureCode, S extends v.GenericSchema>(code: C, detail: S) {
  return v.object({ ok: v.literal(false), code: v.literal(code), detail });
}
