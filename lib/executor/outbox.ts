/**
 * Writes to a pipe whose reader may be slow or stopped: what is sent in one turn goes out in one piece, and the pipe holds no more than one
 * piece at a time.
 */

/** Bytes that are handed to the pipe at once. */
const PIECE_BYTES = 262_144;

/** What the outbox needs of a pipe. */
export interface Sink {
  write(bytes: Uint8Array): unknown;
  flush(): unknown;
}

/** What waits to be written. */
export class Outbox {
  readonly #sink: Sink;
  /** Whole frames of which none has been written yet, each in one or more pieces. */
  #urgent: Uint8Array[][] = [];
  #frames: Uint8Array[][] = [];
  #isPumping = false;
  #isClosed = false;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Sends a frame behind all others. */
  send(frame: Uint8Array[]): void {
    this.#frames.push(frame);
    this.#start();
  }

  /** Sends a frame before all that have not begun. */
  sendUrgent(frame: Uint8Array[]): void {
    this.#urgent.push(frame);
    this.#start();
  }

  /** Drops what waits, and takes no more. */
  close(): void {
    this.#isClosed = true;
    this.#urgent = [];
    this.#frames = [];
  }

  #start(): void {
    if (this.#isPumping || this.#isClosed) return;
    this.#isPumping = true;
    // In a microtask: what is sent together goes out together.
    queueMicrotask(() => void this.#pump());
  }

  async #pump(): Promise<void> {
    try {
      for (let bytes = this.#next(); bytes !== undefined; bytes = this.#next()) await this.#write(bytes);
    } catch {
      // The reader is gone. Who listens to it learns of that in another way.
      this.close();
    } finally {
      this.#isPumping = false;
    }
  }

  /** Small pieces in one; a large one in parts. */
  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#isClosed; at += PIECE_BYTES) {
      // Both may be promises, and both may be rejected.
      await Promise.all([this.#sink.write(bytes.subarray(at, at + PIECE_BYTES)), this.#sink.flush()]);
    }
  }

  /** Frames together, until they fill a piece. */
  #next(): Uint8Array | undefined {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    while (bytes < PIECE_BYTES) {
      const frame = this.#urgent.shift() ?? this.#frames.shift();
      if (frame === undefined) break;
      pieces.push(...frame);
      bytes += frame.reduce((sum, piece) => sum + piece.length, 0);
    }
    const [only] = pieces;
    return pieces.length > 1 ? Buffer.concat(pieces, bytes) : only;
  }
}
