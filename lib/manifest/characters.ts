/**
 * Characters that no string of a manifest may hold, because they change what a person sees without being seen: a
 * consent screen and a model must read the same text as each other.
 *
 * Source: Unicode Technical Standard 55 (source code spoofing) §4 for bidirectional controls; UAX 44
 * `Default_Ignorable_Code_Point` for what is not shown, with the tag characters that carry text invisibly among it.
 */

/**
 * Controls, lone surrogates, what is not shown, line separators, annotations. Not among them: newline and tab (see below), the
 * joiners, text and emoji selectors and Mongolian selectors, which emoji and whole scripts need.
 */
const FORBIDDEN =
  /(?!\t|\n|\u180b|\u180c|\u180d|\u180f|\u200c|\u200d|\ufe0e|\ufe0f)[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\u2028\u2029\ufff9-\ufffb]/u;
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
