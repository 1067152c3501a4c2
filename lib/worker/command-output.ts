/**
 * What a command prints on stdout: its result.
 */
import type { Outcome } from "../protocol/messages.ts";

/** Bytes of UTF-8 that a result may have, of any kind of tool. */
export const RESULT_LIMIT_BYTES = 1_048_576;

const TEXT = new TextDecoder();

/** Collects a result of at most {@link RESULT_LIMIT_BYTES}. */
export class CommandOutput {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** Keeps a copy of what was printed; beyond the limit it only counts. */
  add(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes <= RESULT_LIMIT_BYTES) this.#chunks.push(bytes.slice());
  }

  /** The result without a final line break, or the failure for one that is too large. */
  outcome(): Outcome {
    if (this.#bytes > RESULT_LIMIT_BYTES) {
      return { ok: false, code: "RESULT_TOO_LARGE", detail: { bytes: this.#bytes, limitBytes: RESULT_LIMIT_BYTES } };
    }
    return { ok: true, output: TEXT.decode(Buffer.concat(this.#chunks)).replace(/\r?\n$/, "") };
  }
}
