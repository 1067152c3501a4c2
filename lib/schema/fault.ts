/**
 * Finds the first place where a text stops being JSON. The engine's parser says only that there is one.
 *
 * Source: RFC 8259 §2-§7.
 */

/** Why a text is not JSON. */
export interface JsonFault {
  /** UTF-16 code units from the start; the text's length when the text ends too early. */
  readonly offset: number;
  /** In plain words; on one line when the text is cleaned. */
  readonly problem: string;
}

interface Cursor {
  readonly text: string;
  at: number;
}

/** Carries a fault out of the readers below; never leaves this file. */
class Fault extends Error implements JsonFault {
  readonly offset: number;
  readonly problem: string;

  constructor(offset: number, problem: string) {
    super(problem);
    this.offset = offset;
    this.problem = problem;
  }
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /[A-Za-z0-9_$.+-]+/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const BLANK = /[ \t\r\n]*/y;
const UNSEEN = /^[\s\p{C}\p{Default_Ignorable_Code_Point}]/u;
const LITERALS: ReadonlySet<string> = new Set(["true", "false", "null"]);

/**
 * Finds the first fault.
 *
 * @param text - Text that nests no deeper than the stack allows.
 * @returns The fault, or `undefined` for a text that is JSON.
 */
export function findFault(text: string): JsonFault | undefined {
  const cursor: Cursor = { text, at: 0 };
  try {
    skip(cursor, BLANK);
    if (cursor.at === text.length) throw new Fault(text.length, "it is empty");
    readValue(cursor);
    skip(cursor, BLANK);
    if (cursor.at < text.length) throw new Fault(cursor.at, `it has ${found(cursor)} after the end of the value`);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return { offset: error.offset, problem: error.problem };
    throw error;
  }
}

function readValue(cursor: Cursor): void {
  const first = cursor.text[cursor.at];
  if (first === "{") return readMembers(cursor);
  if (first === "[") return readElements(cursor);
  if (first === '"') return readString(cursor);
  readWord(cursor);
}

function readMembers(cursor: Cursor): void {
  if (isEmpty(cursor, "}")) return;
  do {
    skip(cursor, BLANK);
    if (cursor.text[cursor.at] !== '"') throw expected(cursor, "a property name in double quotes");
    readString(cursor);
    skip(cursor, BLANK);
    if (!take(cursor, ":")) throw expected(cursor, "a colon");
    skip(cursor, BLANK);
    readValue(cursor);
    skip(cursor, BLANK);
  } while (take(cursor, ","));
  if (!take(cursor, "}")) throw expected(cursor, 'a comma or "}"');
}

function readElements(cursor: Cursor): void {
  if (isEmpty(cursor, "]")) return;
  do {
    skip(cursor, BLANK);
    readValue(cursor);
    skip(cursor, BLANK);
  } while (take(cursor, ","));
  if (!take(cursor, "]")) throw expected(cursor, 'a comma or "]"');
}

/** Steps over an opening bracket, and over the closing one when nothing is between. */
function isEmpty(cursor: Cursor, end: string): boolean {
  cursor.at += 1;
  skip(cursor, BLANK);
  return take(cursor, end);
}

function readString(cursor: Cursor): void {
  cursor.at += 1;
  for (skip(cursor, PLAIN); !take(cursor, '"'); skip(cursor, PLAIN)) {
    if (cursor.at >= cursor.text.length) throw new Fault(cursor.text.length, "it ends inside a string");
    if (cursor.text[cursor.at] !== "\\") throw new Fault(cursor.at, `it has ${found(cursor)} inside a string`);
    if (skip(cursor, ESCAPE) === 0) throw new Fault(cursor.at, "it has an escape that JSON does not know");
  }
}

function readWord(cursor: Cursor): void {
  const start = cursor.at;
  const length = skip(cursor, WORD);
  if (length === 0) throw expected(cursor, "a value");
  const word = cursor.text.slice(start, cursor.at);
  if (LITERALS.has(word)) return;
  cursor.at = start;
  if (skip(cursor, NUMBER) === length) return;
  cursor.at = start;
  throw expected(cursor, "a value");
}

function expected(cursor: Cursor, what: string): Fault {
  if (cursor.at >= cursor.text.length) return new Fault(cursor.text.length, `it ends where ${what} is expected`);
  return new Fault(cursor.at, `it has ${found(cursor)} instead of ${what}`);
}

/** Names what stands at the cursor: a word as a whole, a character that is not seen by its code. */
function found(cursor: Cursor): string {
  WORD.lastIndex = cursor.at;
  const word = WORD.exec(cursor.text)?.[0] ?? String.fromCodePoint(cursor.text.codePointAt(cursor.at) ?? 0);
  if (UNSEEN.test(word)) {
    const code = word.codePointAt(0) ?? 0;
    return `the character U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  }
  return word === '"' ? "a double quote" : `"${word.length > 20 ? `${word.slice(0, 20)}…` : word}"`;
}

function take(cursor: Cursor, character: string): boolean {
  if (cursor.text[cursor.at] !== character) return false;
  cursor.at += 1;
  return true;
}

/** Steps over what matches, and returns how many code units that were. */
function skip(cursor: Cursor, pattern: RegExp): number {
  pattern.lastIndex = cursor.at;
  const length = pattern.exec(cursor.text)?.[0].length ?? 0;
  cursor.at += length;
  return length;
}
