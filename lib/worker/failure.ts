/**
 * Tells what ended a guest: one failure code for each kind of trap, from what the engine or the glue threw.
 *
 * Source: WebAssembly 3.0, 4.6 Execution, for what traps; the texts are JavaScriptCore's.
 */
import type { FailureCode, FailureDetail } from "../errors.ts";
import type { Outcome } from "../protocol/messages.ts";
import type { Budget } from "./budget.ts";
import { HostTrap } from "./trap.ts";

/** Engine texts, and the code that each stands for. The engine appends what it evaluated, in parentheses. */
const TRAPS: readonly (readonly [pattern: RegExp, outcome: Outcome])[] = [
  [/^Unreachable code/, failed("GUEST_UNREACHABLE", {})],
  [/^Out of bounds memory access/, failed("GUEST_OUT_OF_BOUNDS", { what: "memory" })],
  [/^Out of bounds (?:table access|call_indirect)/, failed("GUEST_OUT_OF_BOUNDS", { what: "table" })],
  [/^Division by zero/, failed("GUEST_DIVIDE_BY_ZERO", {})],
];

/**
 * Makes the outcome of a call that threw.
 *
 * @param error - What came out of the guest's instantiation or entry function.
 * @param budget - The call's budget: when it was stopped, that is the reason, whatever was thrown.
 */
export function describeThrown(error: unknown, budget: Budget): Outcome {
  if (budget.stopped !== undefined) return { ok: false, ...budget.stopped };
  if (error instanceof HostTrap) return failed("GUEST_TRAP", { reason: error.reason });
  const payload = payloadOf(error);
  if (payload !== undefined) return failed("TOOL_ERROR", { message: payload });
  if (isStackOverflow(error)) return failed("STACK_OVERFLOW", {});
  // A guest that was refused memory crashes in its allocator: what it needs is memory, not another crash report.
  if (budget.memoryRefused) return failed("MEMORY_EXHAUSTED", { limitBytes: budget.limits.memoryBytes });
  return describeTrap(error);
}

function describeTrap(error: unknown): Outcome {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof WebAssembly.RuntimeError) {
    const known = TRAPS.find(([pattern]) => pattern.test(text));
    if (known !== undefined) return known[1];
  }
  return failed("GUEST_TRAP", { reason: text.replace(/ \(evaluating .*\)$/s, "").slice(0, 300) });
}

/** The error half of a `result<_, string>` that the entry function returned: the glue throws it. */
function payloadOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !Object.hasOwn(error, "payload")) return undefined;
  const payload: unknown = Reflect.get(error, "payload");
  return typeof payload === "string" ? payload : undefined;
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.startsWith("Maximum call stack size exceeded");
}

function failed<C extends FailureCode>(code: C, detail: FailureDetail<C>): Outcome {
  return { ok: false, code, detail };
}
