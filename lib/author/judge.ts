/**
 * Says whether a call did what a test case expects, and what a tool needs by what its calls used. Pure.
 */
import { isDeepStrictEqual } from "node:util";
import type { Usage } from "../protocol/limits.ts";
import type { CallResult } from "../runtime.ts";
import type { TestCase } from "./cases.ts";

const MEBIBYTE = 1_048_576;
/** Room that the advice leaves above what was measured. */
const FUEL_ROOM = 2;
const MEMORY_ROOM = 1.5;

/**
 * Compares a call with what a case expects.
 *
 * @returns What is wrong; undefined when nothing is.
 */
export function judge(expected: TestCase, result: CallResult): string | undefined {
  return judgeOutcome(expected, result) ?? judgeRequests(expected, result) ?? judgeUsage(expected, result.usage);
}

function judgeOutcome(expected: TestCase, result: CallResult): string | undefined {
  const { error, denied } = expected;
  // A tool that is told of a denial may go on, and end as it likes.
  if (denied !== undefined && result.denials?.some(({ capability }) => capability.includes(denied))) return undefined;
  if (result.ok) {
    if (error !== undefined) return `it succeeds with ${result.output}, and should fail with "${error}"`;
    if (denied !== undefined) return `it succeeds with ${result.output}, and should be denied ${denied}`;
    return judgeOutput(expected, result.output);
  }
  const { failure } = result;
  if (denied !== undefined) {
    const isDenied = failure.code === "CAPABILITY_DENIED" && failure.message.includes(denied);
    return isDenied ? undefined : `it should be denied ${denied}: ${failure.message}`;
  }
  if (result.question !== undefined && error === undefined)
    return `it asks its user ${[...result.question.forms.keys()].join(", ")}, and the case has no answers that its forms allow`;
  if (error === undefined) return `${failure.message}${failure.hint === undefined ? "" : ` (${failure.hint})`}`;
  return failure.message.includes(error) ? undefined : `it should fail with "${error}": ${failure.message}`;
}

function judgeOutput({ output, outputHas }: TestCase, text: string): string | undefined {
  if (output === undefined && outputHas === undefined) return undefined;
  const given = parseOutput(text);
  if (output !== undefined && !isDeepStrictEqual(given, output))
    return `the output is ${text}, and should be ${JSON.stringify(output)}`;
  if (outputHas === undefined) return undefined;
  const members = new Map<string, unknown>(typeof given === "object" && given !== null ? Object.entries(given) : []);
  const wrong = Object.entries(outputHas).find(([name, value]) => !isDeepStrictEqual(members.get(name), value));
  return wrong === undefined
    ? undefined
    : `"${wrong[0]}" is ${JSON.stringify(members.get(wrong[0])) ?? "missing"}, and should be ${JSON.stringify(wrong[1])}`;
}

function judgeRequests({ requests }: TestCase, result: CallResult): string | undefined {
  if (requests === undefined) return undefined;
  const made = (result.requests ?? []).map(({ method, url }) => `${method} ${url}`);
  if (isDeepStrictEqual(made, requests)) return undefined;
  return `it requests ${listed(made)}, and should request ${listed(requests)}`;
}

function listed(requests: readonly string[]): string {
  return requests.length === 0 ? "nothing" : requests.join(", ");
}

function judgeUsage({ maxFuel, maxMemoryMb, maxMs }: TestCase, usage: Usage): string | undefined {
  if (maxFuel !== undefined && usage.fuel > maxFuel)
    return `it uses ${usage.fuel} fuel, and should use ${maxFuel} at most`;
  const memoryMb = usage.peakMemoryBytes / MEBIBYTE;
  if (maxMemoryMb !== undefined && memoryMb > maxMemoryMb)
    return `it uses ${memoryMb.toFixed(2)} MiB, and should use ${maxMemoryMb} at most`;
  if (maxMs !== undefined && usage.wallMs > maxMs)
    return `it takes ${usage.wallMs.toFixed(1)} ms, and should take ${maxMs} at most`;
  return undefined;
}

/** What a manifest should say. */
export interface Advice {
  readonly maxFuel: number;
  readonly maxMemoryMb: number;
}

/** Advises limits: what the hungriest call used, with room, in round numbers. @returns Undefined without calls. */
export function advise(usages: readonly Usage[]): Advice | undefined {
  if (usages.length === 0) return undefined;
  const fuel = Math.max(...usages.map((usage) => usage.fuel));
  const bytes = Math.max(...usages.map((usage) => usage.peakMemoryBytes));
  return { maxFuel: roundUp(fuel * FUEL_ROOM), maxMemoryMb: Math.max(1, Math.ceil((bytes * MEMORY_ROOM) / MEBIBYTE)) };
}

/** To two digits. */
function roundUp(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1);
  return Math.max(1000, Math.ceil(value / unit) * unit);
}

function parseOutput(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
