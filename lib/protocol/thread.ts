/**
 * What a Worker's thread and the host share about all of the thread's calls: how many of them are suspended, and whether the host wants to hear when
 * all are. A Worker whose calls wait sends no message for that, unless somebody waits for its thread. Both sides touch it only through Atomics; the
 * host takes what it reads there as a claim.
 *
 * Layout: int32 at 0 suspended calls, at 4 whether the host wants to know.
 */

const BYTES = 8;
const SUSPENDED = 0;
const WANTED = 1;

/** One side's view of it. */
export class ThreadBlock {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** @param buffer - The block of the other side; without one a new block is made. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** Calls that are suspended, abandoned ones that have not been given up yet among them. */
  get suspended(): number {
    return Atomics.load(this.#words, SUSPENDED);
  }

  set suspended(calls: number) {
    Atomics.store(this.#words, SUSPENDED, calls);
  }

  /**
   * Host: asks for a `parked`, once. Look at {@link suspended} behind it: the Worker counts first and looks for the wish then, so that one of both sees
   * the other.
   */
  want(): void {
    Atomics.store(this.#words, WANTED, 1);
  }

  /** Worker: takes the wish, if there is one. */
  takeWant(): boolean {
    return Atomics.exchange(this.#words, WANTED, 0) === 1;
  }
}
