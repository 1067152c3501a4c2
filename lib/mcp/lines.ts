/**
 * Cuts a byte stream into lines, within a bound on memory: a line over the limit is reported once and skipped to its end.
 *
 * Source: MCP 2026-07-28, "Transports / stdio": messages are delimited by newlines and contain none.
 */

/** A line without its newline, or the news that one was too long. */
export type Line = { readonly kind: "line"; readonly bytes: Uint8Array } | { readonly kind: "too-long" };

const NEWLINE = 0x0a;

/** The state of one stream. */
export class LineSplitter {
  readonly #limitBytes: number;
  #parts: Uint8Array[] = [];
  #heldBytes = 0;
  #skipping = false;

  /** @param limitBytes - Most bytes of a line, its newline not counted. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Takes the next bytes and returns the lines that they complete. */
  push(chunk: Uint8Array): readonly Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#hold(chunk.subarray(start, end), lines);
      lines.push(...this.end());
      start = end + 1;
    }
    this.#hold(chunk.subarray(start), lines);
    return lines;
  }

  /** Ends the line that is held, as the end of the stream does. Returns nothing when there is none. */
  end(): readonly Line[] {
    const bytes = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
    const line: readonly Line[] =
      this.#skipping || bytes === undefined || bytes.length === 0 ? [] : [{ kind: "line", bytes }];
    this.#forget();
    this.#skipping = false;
    return line;
  }

  #hold(part: Uint8Array, lines: Line[]): void {
    if (this.#skipping || part.length === 0) return;
    if (this.#heldBytes + part.length <= this.#limitBytes) {
      this.#parts.push(part);
      this.#heldBytes += part.length;
      return;
    }
    this.#forget();
    this.#skipping = true;
    lines.push({ kind: "too-long" });
  }

  #forget(): void {
    this.#parts = [];
    this.#heldBytes = 0;
  }
}
