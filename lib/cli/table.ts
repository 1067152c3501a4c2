/**
 * Plain tables: aligned columns, no lines, cut to the width of a terminal.
 */
import { clean } from "../errors.ts";

const GAP = "  ";
/** Columns that prose gets on the narrowest terminal. */
const NARROWEST = 20;

/** A cell's text is cleaned; the rest of a row's width goes to its last column. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * Lays out a table.
 *
 * @param table - Head and rows, each with as many cells.
 * @param columns - Width to cut lines to, in terminal columns; undefined for none.
 * @returns One line for the head and one for each row, without line feeds.
 */
export function layOut(table: Table, columns: number | undefined): readonly string[] {
  const rows = [table.head, ...table.rows].map((row) => row.map((cell) => clean(cell, 5000)));
  const widths = table.head.map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ""))));
  return rows.map((row) => {
    const line = row.map((cell, column) => pad(cell, widths[column] ?? 0)).join(GAP);
    return cut(line.trimEnd(), columns);
  });
}

/**
 * Lays out names and values, the values aligned.
 *
 * @param columns - Width to wrap values to, in terminal columns; undefined for none.
 */
export function layOutPairs(
  pairs: readonly (readonly [name: string, value: string])[],
  indent = "",
  columns?: number,
): string {
  const width = Math.max(0, ...pairs.map(([name]) => widthOf(name)));
  const margin = " ".repeat(indent.length + width + GAP.length);
  return pairs
    .map(([name, value]) => `${indent}${pad(name, width)}${GAP}${wrap(value, columns, margin).trimStart()}`.trimEnd())
    .join("\n");
}

/**
 * Wraps prose between words; a longer word is left whole, to be copied.
 *
 * @param columns - Width in terminal columns, the margin included; undefined for none. Never less than 20 beside the margin.
 * @param margin - Spaces before each line.
 */
export function wrap(text: string, columns: number | undefined, margin = ""): string {
  if (columns === undefined) return margin + text;
  const room = Math.max(NARROWEST, columns - margin.length);
  const lines = Bun.wrapAnsi(text, room, { hard: false, wordWrap: true }).split("\n");
  return lines.map((line) => margin + line).join("\n");
}

/**
 * Cuts a line to a width, with an ellipsis in its last column.
 *
 * @param columns - Terminal columns, at least 1; undefined for no limit.
 */
export function cut(line: string, columns: number | undefined): string {
  if (columns === undefined || widthOf(line) <= columns) return line;
  let kept = "";
  let width = 0;
  for (const character of line) {
    width += widthOf(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** East Asian characters and emoji take two columns. */
function widthOf(text: string): number {
  return Bun.stringWidth(text);
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}
