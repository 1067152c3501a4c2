/**
 * Tells the host what a guest logs while it runs, for a call whose client wants to hear: not every line of one that logs without end. The guest's
 * side of the trust boundary.
 */
import { SAID_LIMIT, SAID_LIMIT_LINES } from "../protocol/limits.ts";
import type { SaidMessage } from "../protocol/messages.ts";

declare const self: Worker;

/** Lines that may be told at once. */
const BURST = 8;
/** Milliseconds after which one more may be. */
const REFILL_MS = 100;

const TEXT = new TextDecoder();

/** Tells of one call. */
export class Teller {
  readonly #id: number;
  #lines = 0;
  /** Lines that may be told now, and since when that holds. */
  #room = BURST;
  #sinceMs = performance.now();

  /** @param id - Of the call. */
  constructor(id: number) {
    this.#id = id;
  }

  /** Tells a line, or leaves it out: all of them come with the call's end. */
  tell(bytes: Uint8Array): void {
    const nowMs = performance.now();
    this.#room = Math.min(this.#room + (nowMs - this.#sinceMs) / REFILL_MS, BURST);
    this.#sinceMs = nowMs;
    if (this.#room < 1 || this.#lines >= SAID_LIMIT_LINES) return;
    this.#room -= 1;
    this.#lines += 1;
    // A character has at most four bytes, and at least one code unit.
    const text = TEXT.decode(bytes.subarray(0, SAID_LIMIT * 4)).slice(0, SAID_LIMIT);
    const message: SaidMessage = { type: "said", id: this.#id, text };
    self.postMessage(message);
  }
}
