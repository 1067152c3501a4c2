/**
 * Keeps what a guest writes, up to a limit; counts what it drops.
 */
import { CAPTURE_LIMIT_BYTES, CAPTURE_LIMIT_PIECES } from "../protocol/limits.ts";
import type { Captured, GuestOutput, GuestStream, LogLevel } from "../protocol/limits.ts";
import { Teller } from "./teller.ts";

const TEXT = new TextDecoder();

interface Piece {
  readonly stream: GuestStream;
  readonly level: LogLevel | undefined;
  readonly chunks: Uint8Array[];
}

/** The output of one call. */
export class Capture {
  readonly #pieces: Piece[] = [];
  #keptBytes = 0;
  #droppedBytes = 0;
  readonly #teller: Teller | undefined;

  /** @param told - Id of the call, when the host wants to hear its log at once. */
  constructor(told?: number) {
    this.#teller = told === undefined ? undefined : new Teller(told);
  }

  /** Keeps a copy of as much of `bytes` as there is room for. Neighbouring writes to one standard stream become one piece. */
  add(stream: GuestStream, bytes: Uint8Array, level?: LogLevel): void {
    if (stream === "log") this.#teller?.tell(bytes);
    const last = this.#pieces.at(-1);
    const joins = stream !== "log" && last?.stream === stream;
    const hasPlace = joins || this.#pieces.length < CAPTURE_LIMIT_PIECES;
    const kept = bytes.slice(0, hasPlace ? CAPTURE_LIMIT_BYTES - this.#keptBytes : 0);
    this.#droppedBytes += bytes.length - kept.length;
    this.#keptBytes += kept.length;
    const isEmptyLine = stream === "log" && bytes.length === 0;
    if (!hasPlace || (kept.length === 0 && !isEmptyLine)) return;
    if (joins && last !== undefined) last.chunks.push(kept);
    else this.#pieces.push({ stream, level, chunks: [kept] });
  }

  /** The last line with text that was kept of a stream, or nothing. */
  lastLine(stream: GuestStream): string {
    const last = this.#pieces.findLast((piece) => piece.stream === stream);
    return last === undefined ? "" : (decode(last).text.trimEnd().split("\n").at(-1) ?? "");
  }

  /** Decodes what was kept; what is not UTF-8 becomes U+FFFD. */
  finish(): Captured {
    return { pieces: this.#pieces.map(decode), droppedBytes: this.#droppedBytes };
  }
}

function decode(piece: Piece): GuestOutput {
  const text = TEXT.decode(Buffer.concat(piece.chunks));
  return piece.level === undefined
    ? { stream: piece.stream, text }
    : { stream: piece.stream, level: piece.level, text };
}
