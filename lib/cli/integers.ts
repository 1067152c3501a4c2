/**
 * Whole numbers with ranges, as flags, variables and configuration files give them.
 */
import { LIMIT_RANGES, type IntegerRange } from "../manifest/defaults.ts";

/** A number that a flag or a setting takes. */
export type IntegerName = "fuel" | "memoryMb" | "timeoutMs" | "concurrency" | "queueLimit";

const NUMBERS = new Intl.NumberFormat("en-US");

/** What each number may be. Fuel is in units, memory in mebibytes, time in milliseconds, the rest in calls. */
export const RANGES: Readonly<Record<IntegerName, IntegerRange>> = Object.freeze({
  fuel: LIMIT_RANGES.maxFuel,
  memoryMb: LIMIT_RANGES.maxMemoryMb,
  timeoutMs: LIMIT_RANGES.maxExecutionMs,
  concurrency: Object.freeze({ least: 1, most: 256 }),
  queueLimit: Object.freeze({ least: 0, most: 65_536 }),
});

/**
 * Reads a whole number from its decimal digits.
 *
 * @returns The number, or undefined when the text is anything else (signs, spaces, exponents, leading zeros) or out of range.
 */
export function parseInteger(text: string, range: IntegerRange): number | undefined {
  if (!/^(?:0|[1-9]\d{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return isInRange(value, range) ? value : undefined;
}

/** Whether a value is a whole number in the range. */
export function isInRange(value: unknown, range: IntegerRange): value is number {
  return Number.isSafeInteger(value) && Number(value) >= range.least && Number(value) <= range.most;
}

/** Says what a number must be, for an error message. */
export function rangeRule(range: IntegerRange): string {
  return `must be a whole number from ${NUMBERS.format(range.least)} to ${NUMBERS.format(range.most)}`;
}
