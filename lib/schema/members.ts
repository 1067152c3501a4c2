/**
 * The members of JSON objects as text: the guest gets the text that it was sent, never a copy that a parser has rounded.
 *
 * What is validated is a parser's reading of that text, and of two members with one name it reads the last. Another parser may read the
 * first. So such a text is refused before anything is decided by it.
 *
 * Source: RFC 8259 §4 (what parsers do with repeated names), §6 (how exactly they read numbers); RFC 7493 §2.3 forbids repeated names.
 */
import { endOfString } from "./json.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = "\\";

/**
 * Finds a name that one object has twice, at any depth. Names are compared as what they mean: `"a"` is `"\u0061"`.
 *
 * @param json - Valid JSON text.
 * @returns The first name that comes a second time, not cleaned; undefined when there is none. Takes time linear in the text's length.
 */
export function findRepeatedName(json: string): string | undefined {
  /** Of each object and array around the cursor, the names so far; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let mayBeName = false;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(json, at);
      const names = mayBeName ? open.at(-1) : undefined;
      const name = names === undefined ? undefined : nameOf(json.slice(at, end + 1));
      if (name !== undefined && names?.has(name) === true) return name;
      if (name !== undefined) names?.add(name);
      mayBeName = false;
      at = end;
    } else if (code === COMMA) mayBeName = true;
    else mayBeName = step(open, code) || mayBeName;
  }
  return undefined;
}

/**
 * Appends members to an object's text, which else stays as it is.
 *
 * @param json - Valid JSON text of an object.
 * @param members - JSON values by names that the object does not have.
 * @returns The same text when there are no members.
 */
export function appendMembers(json: string, members: Readonly<Record<string, unknown>>): string {
  const added = JSON.stringify(members).slice(1, -1);
  if (added === "") return json;
  const end = json.lastIndexOf("}");
  const head = json.slice(0, end).trimEnd();
  return `${head}${head.endsWith("{") ? "" : ","}${added}${json.slice(end)}`;
}

/** Steps over a bracket. @returns Whether it opens an object. */
function step(open: (Set<string> | undefined)[], code: number): boolean {
  if (code === 0x7b) open.push(new Set());
  else if (code === 0x5b) open.push(undefined);
  else if (code === 0x7d || code === 0x5d) open.pop();
  return code === 0x7b;
}

function nameOf(literal: string): string {
  return literal.includes(BACKSLASH) ? String(JSON.parse(literal)) : literal.slice(1, -1);
}
