/**
 * JSON text from outside → value, bounded in depth, with errors that say where.
 *
 * Source: RFC 8259; §9 lets a parser limit the depth, §8.1 lets it ignore a byte order mark.
 */
import { refuse } from "../errors.ts";
import { positionAt } from "../position.ts";
import { findFault } from "./fault.ts";

/** The most levels that objects and arrays may nest. */
const JSON_DEPTH_LIMIT = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Takes a byte order mark off the front of a text: a parser may ignore it, so that one that does not must never see it.
 */
export function withoutMark(text: string): string {
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

/**
 * Parses JSON text.
 *
 * @param text - Of any content; its length is bounded by the caller.
 * @param source - Where it comes from, for messages: `--input`, `standard input`, a file name.
 * @returns The value. A key `__proto__` is an own property like any other.
 * @throws {Failure} `INPUT_NOT_JSON` when it is not JSON, or nests deeper than {@link JSON_DEPTH_LIMIT}.
 */
export function parseJson(text: string, source: string): unknown {
  const json = withoutMark(text);
  // Checked first: the parser recurses, and what it returns is walked by code that recurses too.
  const tooDeep = findDepth(json, JSON_DEPTH_LIMIT + 1);
  if (tooDeep !== -1) {
    const problem = `it nests deeper than ${JSON_DEPTH_LIMIT} levels at ${place(json, tooDeep)}`;
    throw refuse("INPUT_NOT_JSON", { source, problem });
  }
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw refuse("INPUT_NOT_JSON", { source, problem: describeFault(json) }, cause);
  }
}

/**
 * Finds where JSON text reaches a depth, without recursion, in time linear in its length.
 *
 * @param text - JSON or not.
 * @param depth - Levels, at least 1: a value outside every object and array is at level 0.
 * @returns The offset of the bracket that opens that level, or -1.
 */
export function findDepth(text: string, depth: number): number {
  let level = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    // With bit 5 set, "[" and "{" are one code, "]" and "}" another; no other ASCII character falls on them.
    const bracket = code | 0x20;
    if (bracket === 0x7b) level += 1;
    else if (bracket === 0x7d) level -= 1;
    if (level === depth) return at;
  }
  return -1;
}

/**
 * Finds where a string ends.
 *
 * @param text - JSON or not.
 * @param start - Offset of the opening quote.
 * @returns The offset of the closing quote, or the text's length when it has none.
 */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}

function describeFault(text: string): string {
  const fault = findFault(text);
  if (fault === undefined) return "it is not JSON";
  return fault.offset >= text.length ? fault.problem : `${fault.problem} at ${place(text, fault.offset)}`;
}

function place(text: string, offset: number): string {
  const { line, column } = positionAt(text, offset);
  return `line ${line}, column ${column}`;
}
