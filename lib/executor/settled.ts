/**
 * Checks what a Worker says. A guest that took over its Worker could say anything: it is believed as little as the guest.
 */
import * as v from "valibot";
import { Failure, type FailureCode, refuse } from "../errors.ts";
import { type MadeRequest, REHEARSAL_LIMITS } from "../policy/rehearsal.ts";
import {
  LOSS_LIMIT,
  type LostReport,
  type ProgressReport,
  type ReturnedReport,
  type RoomReport,
  type SaidMessage,
  type StateReport,
} from "../protocol/messages.ts";
import {
  CAPTURE_LIMIT_BYTES,
  CAPTURE_LIMIT_PIECES,
  type Captured,
  type Denial,
  DENIAL_TEXT_LIMIT,
  DENIALS_LIMIT,
  DETAIL_LIMIT,
  FRAME_LIMIT,
  FRAME_NAME_LIMIT,
  NO_OUTPUT,
  NO_USAGE,
  RESULT_LIMIT_BYTES,
  SAID_LIMIT,
  type Usage,
} from "../protocol/limits.ts";

/** How a call ended, checked. */
export type Settled =
  | (SettledRest & { readonly ok: true; readonly output: string })
  | (SettledRest & { readonly ok: false; readonly failure: Failure });

interface SettledRest {
  readonly usage: Usage;
  readonly captured: Captured;
  /** What the guest was denied; absent when it was denied nothing. Not cleaned. */
  readonly denials?: readonly Denial[];
  /** The HTTP requests of a call that rehearses them. Not cleaned. */
  readonly requests?: readonly MadeRequest[];
}

/** A Worker's word on one call. */
export interface SettledMessage {
  readonly id: number;
  readonly settled: Settled;
}

const Amount = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Milliseconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const UsageSchema = v.object({
  fuel: Amount,
  cpuMs: Milliseconds,
  wallMs: Milliseconds,
  peakMemoryBytes: Amount,
  hostCalls: Amount,
  inputBytes: Amount,
  outputBytes: Amount,
  // Who can say this was not given up.
  isPartial: v.literal(false),
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
/** Bytes of a URL or a field, and fields of a head: what the Worker's own limits let through. */
const RequestText = v.pipe(v.string(), v.maxLength(65_536));
const HEADERS_LIMIT = 256;
const DenialText = v.pipe(v.string(), v.maxLength(DENIAL_TEXT_LIMIT));
const DenialsSchema = v.optional(
  v.pipe(v.array(v.object({ capability: DenialText, target: DenialText })), v.maxLength(DENIALS_LIMIT)),
  [],
);
const ReplySchema = v.strictObject({
  status: v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)),
  headers: v.pipe(v.array(v.strictTuple([RequestText, RequestText])), v.maxLength(HEADERS_LIMIT)),
  body: v.pipe(
    v.instance(Uint8Array),
    v.check(({ length }) => length <= REHEARSAL_LIMITS.bodyBytes),
  ),
});
const RequestsSchema = v.exactOptional(
  v.pipe(
    v.array(
      v.strictObject({
        method: v.pipe(v.string(), v.maxLength(64)),
        url: RequestText,
        outcome: v.picklist(["answered", "denied", "unknown", "failed"]),
        reply: v.exactOptional(ReplySchema),
      }),
    ),
    v.maxLength(REHEARSAL_LIMITS.requests),
    v.check(
      (made) => made.reduce((sum, { reply }) => sum + (reply?.body.length ?? 0), 0) <= REHEARSAL_LIMITS.totalBytes,
    ),
  ),
);
const Text = v.pipe(v.string(), v.maxLength(DETAIL_LIMIT));
const Nothing = v.strictObject({});
const Frames = v.pipe(v.array(v.pipe(v.string(), v.maxLength(FRAME_NAME_LIMIT))), v.maxLength(FRAME_LIMIT));
/** Where in the guest's code: a part of other details. */
const place = { frames: v.exactOptional(Frames) };
const ExitCode = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255));
/** The failures that a Worker may report, each with its detail. */
const FailureSchema = v.variant("code", [
  reported("FUEL_EXHAUSTED", v.object({ fuelLimit: Amount, ...place })),
  reported("DEADLINE_EXCEEDED", v.object({ limitMs: Milliseconds, ...place })),
  reported("MEMORY_EXHAUSTED", v.object({ limitBytes: Amount, ...place })),
  reported("RESULT_TOO_LARGE", v.object({ bytes: Amount, limitBytes: Amount })),
  reported("TOOL_ERROR", v.object({ message: Text })),
  reported("TOOL_EXIT", v.object({ exitCode: ExitCode, message: Text })),
  reported("GUEST_OUT_OF_BOUNDS", v.object({ what: Text, ...place })),
  reported("GUEST_TRAP", v.object({ reason: Text, ...place })),
  reported("CAPABILITY_DENIED", v.object({ capability: Text, ...place })),
  reported("ARTIFACT_UNUSABLE", v.object({ reason: Text })),
  reported("STACK_OVERFLOW", v.strictObject(place)),
  reported("GUEST_UNREACHABLE", v.strictObject(place)),
  reported("GUEST_DIVIDE_BY_ZERO", v.strictObject(place)),
  reported("CANCELLED", Nothing),
]);
const Result = v.pipe(
  v.string(),
  v.maxLength(RESULT_LIMIT_BYTES),
  v.check((text) => Buffer.byteLength(text) <= RESULT_LIMIT_BYTES),
);
const SuccessSchema = v.object({ ok: v.literal(true), output: Result });
const OutcomeSchema = v.variant("ok", [SuccessSchema, FailureSchema]);
const Said = v.pipe(v.string(), v.maxLength(SAID_LIMIT));
const Ready = v.object({ type: v.literal("ready") });
const settledEntries = {
  type: v.literal("settled"),
  id: v.number(),
  outcome: OutcomeSchema,
  captured: CapturedSchema,
  denials: DenialsSchema,
};
const MessageSchema = v.variant("type", [
  Ready,
  v.object({ type: v.literal("parked") }),
  v.strictObject({ type: v.literal("said"), id: v.number(), text: Said }),
  v.object({ ...settledEntries, usage: UsageSchema, requests: RequestsSchema }),
]);
/** What is known of a call that had to be ended without its Worker. */
const PartialUsageSchema = v.object({ ...UsageSchema.entries, isPartial: v.boolean() });
const ReportSchema = v.variant("type", [
  Ready,
  v.object({ ...settledEntries, usage: PartialUsageSchema }),
  v.strictObject({
    type: v.literal("ended"),
    id: v.number(),
    usage: UsageSchema,
    captured: CapturedSchema,
    denials: DenialsSchema,
  }),
  v.strictObject({
    type: v.literal("state"),
    id: v.number(),
    ageMs: v.nullable(Milliseconds),
    isBehind: v.boolean(),
    usage: PartialUsageSchema,
  }),
  v.strictObject({ type: v.literal("progress"), id: v.number(), fuel: Amount, said: v.exactOptional(Said) }),
  v.strictObject({ type: v.literal("room"), lastId: Amount, places: Amount }),
  v.strictObject({ type: v.literal("returned"), id: v.number() }),
  v.strictObject({
    type: v.literal("lost"),
    id: v.nullable(v.number()),
    reason: v.pipe(v.string(), v.maxLength(LOSS_LIMIT)),
    usage: PartialUsageSchema,
  }),
]);

/** Makes the end of a call that failed without a word from the Worker. */
export function failed(failure: Failure, usage: Usage = NO_USAGE): Settled {
  return { ok: false, failure, usage, captured: NO_OUTPUT };
}

/** Turns an outcome of the domain into a call's end. Rethrows what is none. */
export function failedBy(error: unknown): Settled {
  if (!(error instanceof Failure)) throw error;
  return failed(error);
}

/**
 * Parses a message of a Worker.
 *
 * @returns `"ready"`, `"parked"`, what a guest said, a settled call, or undefined when it is none of them.
 */
export function parseWorkerMessage(message: unknown): "ready" | "parked" | SaidMessage | SettledMessage | undefined {
  const parsed = v.safeParse(MessageSchema, message);
  if (!parsed.success) return undefined;
  if (parsed.output.type === "said") return parsed.output;
  return parsed.output.type === "settled" ? settledOf(parsed.output) : parsed.output.type;
}

/**
 * Parses a message of an executor process.
 *
 * @param body - The bytes behind it: a call's output.
 * @returns Undefined when it is none.
 */
export function parseReport(
  message: unknown,
  body: Uint8Array,
): "ready" | SettledMessage | StateReport | ProgressReport | RoomReport | ReturnedReport | LostReport | undefined {
  const parsed = v.safeParse(ReportSchema, message);
  if (!parsed.success) return undefined;
  const report = parsed.output;
  if (report.type === "ended") {
    const output = v.safeParse(Result, new TextDecoder().decode(body));
    if (!output.success) return undefined;
    return { id: report.id, settled: { ok: true, output: output.output, ...restOf(report) } };
  }
  if (body.length > 0) return undefined;
  if (report.type === "settled") return settledOf(report);
  return report.type === "ready" ? "ready" : report;
}

interface SettledWords extends Omit<SettledMessage, "settled"> {
  readonly outcome: v.InferOutput<typeof OutcomeSchema>;
  readonly usage: Usage;
  readonly captured: Captured;
  readonly denials: readonly Denial[];
  readonly requests?: readonly MadeRequest[];
}

function settledOf({ id, outcome, ...words }: SettledWords): SettledMessage {
  const rest = restOf(words);
  if (outcome.ok) return { id, settled: { ok: true, output: outcome.output, ...rest } };
  return { id, settled: { ok: false, failure: refuse(outcome.code, outcome.detail), ...rest } };
}

/** Takes what every end of a call has. */
function restOf({ usage, captured, denials, requests }: Omit<SettledWords, "id" | "outcome">): SettledRest {
  return {
    usage,
    captured,
    ...(denials.length === 0 ? {} : { denials }),
    ...(requests === undefined ? {} : { requests }),
  };
}

function reported<const C extends FailureCode, S extends v.GenericSchema>(code: C, detail: S) {
  return v.object({ ok: v.literal(false), code: v.literal(code), detail });
}
