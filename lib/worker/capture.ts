/**
 * Keeps what a guest writes, up to a limit; counts what it drops.
 */
import type { Captured, GuestOutput, GuestStream, LogLevel } from "../protocol/limits.ts";

/** Bytes of log, stdout and stderr that a call keeps, together. */
export const CAPTURE_LIMIT_BYTES = 65_536;
/** Pieces that a call keeps: each costs more than its bytes. */
const PIECE_LIMIT = 4096;
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

  /** Keeps a copy of as much of `bytes` as there is room for. Neighbouring writes to one standard stream become one piece. */
  add(stream: GuestStream, bytes: Uint8Array, level?: LogLevel): void {
    const last = this.#pieces.at(-1);
    const joins = stream !== "log" && last?.stream === stream;
    const room = joins || this.#pieces.length < PIECE_LIMIT ? CAPTURE_LIMIT_BYTES - this.#keptBytes : 0;
    const kept = bytes.slice(0, room);
    this.#droppedBytes += bytes.length - kept.length;
    this.#keptBytes += kept.length;
    if (kept.length === 0 && bytes.length > 0) return;
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
