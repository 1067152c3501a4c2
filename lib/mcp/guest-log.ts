/**
 * What a guest wrote, as lines for KAMI's log. The guest chose every character: nothing of it may look like a line of KAMI's own, steer
 * a terminal, or fill the log.
 */
import { clean } from "../errors.ts";
import type { Captured, GuestOutput } from "../protocol/limits.ts";

/** Most lines of one call that reach the log. */
export const GUEST_LINES_LIMIT = 50;

/** Most code units of one line that reach the log. */
export const GUEST_LINE_LIMIT = 500;

/**
 * Turns what a guest wrote in one call into lines, each marked with the tool and the stream.
 *
 * @param id - The tool's id.
 * @param captured - What the runtime captured. Not cleaned.
 * @returns At most {@link GUEST_LINES_LIMIT} lines, and one that says what was left out when something was.
 */
export function guestLines(id: string, captured: Captured): readonly string[] {
  const lines = captured.pieces.flatMap(linesOf);
  const shown = lines
    .slice(0, GUEST_LINES_LIMIT)
    .map((line) => `${id} ${line.mark}: ${clean(line.text, GUEST_LINE_LIMIT)}`);
  const hidden = lines.length - shown.length;
  if (hidden === 0 && captured.droppedBytes === 0) return shown;
  return [...shown, `${id}: left out ${hidden} more lines and ${captured.droppedBytes} bytes beyond the capture limit`];
}

function linesOf({ stream, level, text }: GuestOutput): readonly { mark: string; text: string }[] {
  const mark = level === undefined ? stream : `${stream} ${level}`;
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => ({ mark, text: line }));
}
