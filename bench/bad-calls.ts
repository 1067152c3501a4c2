/**
 * Calls that end badly, in every way that there is but the loss of a Worker, which costs a quarter of a second each.
 */
import { guestDirectory } from "../fixtures/paths.ts";
import type { FailureCode } from "../lib/errors.ts";
import type { Limits } from "../lib/protocol/limits.ts";
import type { CallResult, Runtime } from "../lib/runtime.ts";

const GUESTS = [
  "bad-abi",
  "big-result",
  "catch-all",
  "echo",
  "exit",
  "fail",
  "hog",
  "hog-table",
  "recurse",
  "spin",
  "trap",
];
const MEBIBYTE = 1_048_576;
const ENDLESS = 1e15;
const TOGETHER = 24;

interface BadCall {
  readonly guest: string;
  readonly input?: unknown;
  /** The input as text, where it is none that a value could be written as. */
  readonly text?: string;
  readonly limits?: Partial<Limits>;
  /** Milliseconds after which it is cancelled; 0 is at once. */
  readonly cancelAfterMs?: number;
  readonly ends: FailureCode | undefined;
}

const BAD_CALLS: readonly BadCall[] = [
  { guest: "trap", input: { kind: "unreachable" }, ends: "GUEST_UNREACHABLE" },
  { guest: "trap", input: { kind: "divide" }, ends: "GUEST_DIVIDE_BY_ZERO" },
  { guest: "trap", input: { kind: "bounds" }, ends: "GUEST_OUT_OF_BOUNDS" },
  { guest: "bad-abi", input: { kind: "pointer" }, ends: "GUEST_TRAP" },
  { guest: "recurse", limits: { fuel: ENDLESS }, ends: "STACK_OVERFLOW" },
  { guest: "spin", limits: { fuel: 10_000 }, ends: "FUEL_EXHAUSTED" },
  { guest: "spin", limits: { fuel: ENDLESS, timeoutMs: 2 }, ends: "DEADLINE_EXCEEDED" },
  { guest: "hog", limits: { memoryBytes: 3 * MEBIBYTE }, ends: "MEMORY_EXHAUSTED" },
  { guest: "hog-table", limits: { memoryBytes: 8 * MEBIBYTE }, ends: "MEMORY_EXHAUSTED" },
  { guest: "big-result", input: { bytes: MEBIBYTE + 1 }, limits: { fuel: ENDLESS }, ends: "RESULT_TOO_LARGE" },
  { guest: "catch-all", input: { call: "door", then: "return" }, ends: "CAPABILITY_DENIED" },
  { guest: "exit", input: { code: 3 }, ends: "TOOL_EXIT" },
  { guest: "fail", input: { own: "words" }, ends: "TOOL_ERROR" },
  { guest: "echo", text: "{", ends: "INPUT_NOT_JSON" },
  { guest: "echo", cancelAfterMs: 0, ends: "CANCELLED" },
  { guest: "spin", limits: { fuel: ENDLESS }, cancelAfterMs: 1, ends: "CANCELLED" },
];

/** Makes such calls, one after another. */
export class BadCalls {
  readonly #runtime: Runtime;
  readonly #ids: ReadonlyMap<string, string>;
  #turn = 0;

  private constructor(runtime: Runtime, ids: ReadonlyMap<string, string>) {
    this.#runtime = runtime;
    this.#ids = ids;
  }

  /** Installs the guests. */
  static async open(runtime: Runtime): Promise<BadCalls> {
    const ids = new Map<string, string>();
    for (const guest of GUESTS) ids.set(guest, (await runtime.install(guestDirectory(guest))).tool.manifest.tool.id);
    return new BadCalls(runtime, ids);
  }

  /**
   * Makes the next call, or a crowd of which most find no room or are cancelled while they wait.
   *
   * @returns How many calls it made.
   * @throws {Error} when one does not end as it should.
   */
  async next(): Promise<number> {
    const call = BAD_CALLS[this.#turn % (BAD_CALLS.length + 1)];
    this.#turn += 1;
    if (call === undefined) return this.#crowd();
    expectEnd(await this.#make(call), [call.ends]);
    return 1;
  }

  async #crowd(): Promise<number> {
    const calls = Array.from({ length: TOGETHER }, () => this.#make({ guest: "fail", ends: "TOOL_ERROR" }));
    const waiting = Array.from({ length: 2 }, () => this.#make({ guest: "echo", cancelAfterMs: 1, ends: "CANCELLED" }));
    for (const result of await Promise.all(calls)) expectEnd(result, ["TOOL_ERROR", "BUSY"]);
    for (const result of await Promise.all(waiting)) expectEnd(result, ["CANCELLED", "BUSY", undefined]);
    const unknown = await this.#runtime.call("dev.example.none", "{}");
    expectEnd(unknown, ["TOOL_UNKNOWN"]);
    return calls.length + waiting.length + 1;
  }

  async #make({ guest, input = {}, text, limits, cancelAfterMs }: BadCall): Promise<CallResult> {
    const controller = new AbortController();
    const { signal } = controller;
    if (cancelAfterMs === 0) controller.abort();
    const timer = cancelAfterMs === undefined ? undefined : setTimeout(() => controller.abort(), cancelAfterMs);
    const id = this.#ids.get(guest) ?? "";
    const result = await this.#runtime.call(id, text ?? JSON.stringify(input), { limits, signal });
    clearTimeout(timer);
    return result;
  }
}

/** @param ends - Codes that it may end with; undefined for success. */
function expectEnd(result: CallResult, ends: readonly (FailureCode | undefined)[]): void {
  const end = result.ok ? undefined : result.failure.code;
  if (!ends.includes(end)) throw new Error(`BUG: a call ended with ${end ?? "success"}, not with ${ends.join(" or ")}`);
}
