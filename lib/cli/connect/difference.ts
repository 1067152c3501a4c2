/**
 * Shows which lines an edit takes out and puts in. Only those: what is around them may be a secret of another program's.
 */

/** Lines of one side that are shown. */
const SHOWN = 60;

/**
 * Compares two texts, of which one stretch of lines differs.
 *
 * @returns `@@ line 3`, then the old lines behind `- ` and the new ones behind `+ `; empty when nothing differs.
 */
export function difference(before: string, after: string): readonly string[] {
  const old = linesOf(before);
  const now = linesOf(after);
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  const most = Math.min(old.length, now.length) - start;
  while (end < most && old[old.length - 1 - end] === now[now.length - 1 - end]) end += 1;
  const removed = old.slice(start, old.length - end);
  const added = now.slice(start, now.length - end);
  if (removed.length === 0 && added.length === 0) return [];
  return [`@@ line ${start + 1}`, ...cut(removed, "-"), ...cut(added, "+")];
}

function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
}

function cut(lines: readonly string[], mark: string): readonly string[] {
  const shown = lines.slice(0, SHOWN).map((line) => `${mark} ${line}`);
  return lines.length > SHOWN ? [...shown, `${mark} … ${lines.length - SHOWN} more lines`] : shown;
}
