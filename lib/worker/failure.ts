/**
 * Tells what ended a guest: one failure code for each kind of trap, from what the engine threw. An agent reads KAMI's own
 * words, never theirs.
 *
 * Source: WebAssembly 3.0, 4.6 Execution, for what traps. The texts are JavaScriptCore's.
 */
import type { FailureCode, FailureDetail } from "../errors.ts";
import { DETAIL_LIMIT, type Limits } from "../protocol/limits.ts";
import type { Outcome } from "../protocol/messages.ts";
import type { Stop } from "./budget.ts";

/** What a call's budget knows about its end. */
export interface BudgetEnd {
  /** Why the call was stopped, if it was. */
  readonly stopped: Stop | undefined;
  /** Whether the guest was ever refused memory. */
  readonly memoryRefused: boolean;
  readonly limits: Limits;
}

type Texts = readonly (readonly [pattern: RegExp, outcome: Outcome])[];

/** Texts of the engine's traps, and what each stands for. The engine appends what it evaluated, in parentheses. */
const TRAPS: Texts = [
  [/^Unreachable code/, failed("GUEST_UNREACHABLE", {})],
  [/^Out of bounds memory|^Invalid data segment|size of a data segment/, outOfBounds("memory")],
  [/^Out of bounds (?:table|call_indirect)|out of bounds table|length of an element segment/, outOfBounds("table")],
  [/^Out of bounds.* array\.new_/, trap("an array that is too large, or an access out of a segment's bounds")],
  [/^Out of bounds array/, outOfBounds("array")],
  [/^Division by zero/, failed("GUEST_DIVIDE_BY_ZERO", {})],
  [/^Integer overflow/, trap("integer overflow")],
  [/^Out of bounds Trunc/, trap("a float that no integer can hold")],
  [/^call_indirect to/, trap("an indirect call to a function of another type, or to none")],
  [/null reference/, trap("use of a null reference")],
  [/^ref\.cast/, trap("a cast to a type that the reference does not have")],
  [/^Unaligned/, trap("an atomic access to an address that is not aligned")],
  [/^Failed to allocate/, trap("an array or a structure that is too large")],
];

/**
 * Makes the outcome of a call that threw.
 *
 * @param error - What came out of the guest's instantiation or entry function.
 * @param budget - The call's budget: when it was stopped, that is the reason, whatever was thrown.
 * @throws {Error} What the guest cannot be blamed for: a bug, or a plan that does not fit its modules.
 */
export function describeThrown(error: unknown, budget: BudgetEnd): Outcome {
  if (budget.stopped !== undefined) return { ok: false, ...budget.stopped };
  if (isStackOverflow(error)) return failed("STACK_OVERFLOW", {});
  // A guest that was refused memory crashes in its allocator: what it needs is memory, not another crash report.
  if (budget.memoryRefused) return failed("MEMORY_EXHAUSTED", { limitBytes: budget.limits.memoryBytes });
  return describeCrash(error);
}

/** What is denied, in an agent's words, by the beginning of the interface's name. */
const CAPABILITIES: readonly (readonly [prefix: string, capability: string])[] = [
  ["wasi:sockets/", "network access"],
  ["wasi:http/", "network access"],
  ["wasi:filesystem/", "file access"],
  ["wasi:cli/terminal", "terminal access"],
];

/** What a WIT name begins with when the function is a resource's. */
const SORT = /^\[(?:constructor|method|static)\]/;

/** Names what nobody serves, in words that an agent can read: `an unknown host function (acme:door/lock open)`. */
export function describeUnserved(interfaceName: string, name: string): string {
  const found = CAPABILITIES.find(([prefix]) => interfaceName.startsWith(prefix));
  const place = [interfaceName, name.replace(SORT, "")].filter((part) => part !== "").join(" ");
  return `${found?.[1] ?? "an unknown host function"} (${place.slice(0, 200)})`;
}

/** Failures that happen at a place in the guest's code that its author wants to know. */
const PLACED: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "FUEL_EXHAUSTED",
  "DEADLINE_EXCEEDED",
  "MEMORY_EXHAUSTED",
  "STACK_OVERFLOW",
  "GUEST_UNREACHABLE",
  "GUEST_OUT_OF_BOUNDS",
  "GUEST_DIVIDE_BY_ZERO",
  "GUEST_TRAP",
  "CAPABILITY_DENIED",
]);

/** Adds to a failure which of the guest's functions it happened in. @param frames - The innermost first. */
export function placeFailure(outcome: Outcome, frames: readonly string[] | undefined): Outcome {
  if (outcome.ok || frames === undefined || !PLACED.has(outcome.code)) return outcome;
  return { ...outcome, detail: { ...outcome.detail, frames } };
}

/** Cuts the texts of a failure to what any message shows of them: a guest chose them, and their length. */
export function cutTexts(outcome: Outcome): Outcome {
  if (outcome.ok) return outcome;
  const detail: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(outcome.detail) as [string, unknown][]) {
    detail[key] = typeof value === "string" ? value.slice(0, DETAIL_LIMIT) : value;
  }
  return { ...outcome, detail };
}

function describeCrash(error: unknown): Outcome {
  if (error instanceof WebAssembly.RuntimeError) {
    return find(TRAPS, error.message) ?? trap("a trap that KAMI has no words for");
  }
  if (error instanceof WebAssembly.LinkError || isBug(error)) throw error;
  if (!(error instanceof Error)) return trap("an exception that it did not catch");
  if (error.message.startsWith("Out of memory")) return trap("no memory is left on this machine");
  return trap("it broke the component ABI: a value that its type does not allow");
}

function find(texts: Texts, message: string): Outcome | undefined {
  return texts.find(([pattern]) => pattern.test(message))?.[1];
}

function isBug(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("BUG: ");
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.startsWith("Maximum call stack size exceeded");
}

function outOfBounds(what: string): Outcome {
  return failed("GUEST_OUT_OF_BOUNDS", { what });
}

function trap(reason: string): Outcome {
  return failed("GUEST_TRAP", { reason });
}

function failed<C extends FailureCode>(code: C, detail: FailureDetail<C>): Outcome {
  return { ok: false, code, detail };
}
