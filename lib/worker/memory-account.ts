/**
 * Counts what all memories and tables of a call hold together, against one limit.
 */
/** Bytes of a page of memory. Source: WebAssembly 3.0, 4.2.8 Memory Instances. */
export const PAGE_BYTES = 65_536;
/** What an element of a table takes in the engine, measured for `funcref`. */
const ELEMENT_BYTES = 48;

/** The memory of one call. */
export class MemoryAccount {
  /** Whether the guest was ever refused: explains a crash that follows. */
  wasRefused = false;
  /** Bytes at the highest point. */
  peakBytes = 0;
  /** Bytes. */
  inUseBytes = 0;
  readonly #limitBytes: number;
  #askedElements = 0;

  /** @param limitBytes - All memories and tables of the call together. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Counts what an instance starts with. Returns false when it does not fit. */
  start(memoryBytes: number, tableElements: number): boolean {
    return this.#take(memoryBytes + tableElements * ELEMENT_BYTES) && this.#keep();
  }

  /** Grows a memory. Returns its old size in pages, or -1 when there is no room for `pages` more. */
  grow(memory: WebAssembly.Memory, pages: number): number {
    const bytes = pages * PAGE_BYTES;
    if (!this.#take(bytes)) return -1;
    try {
      const before = memory.grow(pages);
      this.#keep();
      return before;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#giveBack(bytes);
      return -1;
    }
  }

  /** Counts the elements that a table is about to grow by. Returns false when they do not fit. */
  askTable(elements: number): boolean {
    const fits = this.#take(elements * ELEMENT_BYTES);
    this.#askedElements = fits ? elements : 0;
    return fits;
  }

  /** Takes note whether the table grew. Returns the elements that it grew by. */
  grewTable(grew: boolean): number {
    const elements = this.#askedElements;
    this.#askedElements = 0;
    if (grew) this.#keep();
    else this.#giveBack(elements * ELEMENT_BYTES);
    return grew ? elements : 0;
  }

  #take(bytes: number): boolean {
    if (this.inUseBytes + bytes > this.#limitBytes) {
      this.wasRefused = true;
      return false;
    }
    this.inUseBytes += bytes;
    return true;
  }

  /** What was taken has come about. */
  #keep(): true {
    this.peakBytes = Math.max(this.peakBytes, this.inUseBytes);
    return true;
  }

  #giveBack(bytes: number): void {
    this.inUseBytes -= bytes;
  }
}
