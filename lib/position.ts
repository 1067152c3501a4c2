/**
 * Where an offset of a text is, for a person with an editor.
 */

/** A place in a text. */
export interface Position {
  /** 1-based; lines end with LF, or CR and LF. */
  readonly line: number;
  /** 1-based, in UTF-16 code units. */
  readonly column: number;
}

/**
 * Turns an offset into line and column.
 *
 * @param text - The whole text.
 * @param offset - UTF-16 code units from its start; an offset beyond the end means the end.
 */
export function positionAt(text: string, offset: number): Position {
  const end = Math.min(offset, text.length);
  let line = 1;
  let start = 0;
  for (let feed = text.indexOf("\n"); feed !== -1 && feed < end; feed = text.indexOf("\n", start)) {
    line += 1;
    start = feed + 1;
  }
  return { line, column: end - start + 1 };
}
