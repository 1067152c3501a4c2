/**
 * Characters that no string of a manifest may hold, because they change what a person sees without being seen: a
 * consent screen and a model must read the same text as each other.
 *
 * Source: Unicode Technical Standard 55 (source code spoofing) §4 for bidirectional controls; Unicode 16 §23.9 for the tag
 * characters that carry text invisibly. ZERO WIDTH JOINER and NON-JOINER stay: emoji and whole scripts need them.
 */

/** C0 and C1 controls, bidirectional controls, separators, invisible operators, tags, and lone surrogates. */
const FORBIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}\p{Cs}]/u;
const LINE_LAYOUT = /[\t\n]/;

/**
 * Says which rule about characters a string breaks.
 *
 * @param text - Any string of a manifest.
 * @param layout - Whether newlines and tabs are text here, as in a description.
 * @returns The rule, or `undefined` when the string is clean.
 */
export function forbiddenCharacter(text: string, layout: "one line" | "lines"): string | undefined {
  const found = FORBIDDEN.exec(text) ?? (layout === "one line" ? LINE_LAYOUT.exec(text) : null);
  if (found === null) return undefined;
  const codePoint = text.codePointAt(found.index) ?? 0;
  return `must not contain the control or invisible character U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`;
}
