/**
 * What a command prints on stdout: its result.
 */
import { RESULT_LIMIT_BYTES } from "../protocol/limits.ts";
import type { Outcome } from "../protocol/messages.ts";

const TEXT = new TextDecoder();

/** Collects a result of at most {@link RESULT_LIMIT_BYTES}. */
export class CommandOutput {
  /** Grown by doubling: what it costs depends on what was printed, not on in how many writes. */
  #kept = new Uint8Array(4096);
  #bytes = 0;

  /** Keeps a copy of what was printed; beyond the limit it only counts. */
  add(bytes: Uint8Array): void {
    const end = this.#bytes + bytes.length;
    if (end <= RESULT_LIMIT_BYTES) {
      this.#makeRoom(end);
      this.#kept.set(bytes, this.#bytes);
    }
    this.#bytes = end;
  }

  /** The result without a final line break, or the failure for one that is too large. */
  outcome(): Outcome {
    if (this.#bytes > RESULT_LIMIT_BYTES) {
      return { ok: false, code: "RESULT_TOO_LARGE", detail: { bytes: this.#bytes, limitBytes: RESULT_LIMIT_BYTES } };
    }
    return { ok: true, output: TEXT.decode(this.#kept.subarray(0, this.#bytes)).replace(/\r?\n$/, "") };
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#kept.length) return;
    const larger = new Uint8Array(Math.max(bytes, this.#kept.length * 2));
    larger.set(this.#kept);
    this.#kept = larger;
  }
}
