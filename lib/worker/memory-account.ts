/**
 * Counts what all memories, tables and objects of a call hold together, against one limit.
 *
 * Objects of the engine's heap are counted by the code that makes them, in a counter of each instance. It may make as many as it was
 * granted before it asks again: what is granted and not used is taken back when something else needs the room.
 */
import { TABLE_ELEMENT_BYTES } from "../policy/limits.ts";
import { HeapCounter } from "./heap-counter.ts";

/** Bytes of a page of memory. Source: WebAssembly 3.0, 4.2.8 Memory Instances. */
export const PAGE_BYTES = 65_536;
/**
 * Elements that all tables of a call may grow to. The engine moves a table as a whole when it grows, and fills or copies it in one go: more
 * would keep a guest from being interrupted.
 */
const MOST_TABLE_ELEMENTS = 262_144;
/** Bytes of objects that are granted at once: what is between two looks at the interrupt flag. */
const HEAP_SLICE_BYTES = 1_048_576;

/** The memory of one call. */
export class MemoryAccount {
  /** Whether the guest was ever refused: explains a crash that follows. */
  wasRefused = false;
  readonly #limitBytes: number;
  /** Bytes of memories and tables, with those that are being asked for. */
  #takenBytes = 0;
  /** Bytes of memories and tables that have come about. */
  #keptBytes = 0;
  /** Bytes of objects that no counter holds any more. */
  #settledHeapBytes = 0;
  readonly #heaps: HeapCounter[] = [];
  #tableElements = 0;
  #askedElements = 0;

  /** @param limitBytes - All memories, tables and objects of the call together. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes. */
  get inUseBytes(): number {
    return this.#takenBytes + this.#heapBytes;
  }

  /** Bytes at the highest point: nothing that a call has taken is given back before its end. */
  get peakBytes(): number {
    return this.#keptBytes + this.#heapBytes;
  }

  /** Bytes of the tables alone. */
  get tableBytes(): number {
    return this.#tableElements * TABLE_ELEMENT_BYTES;
  }

  /** Counts what an instance starts with. Returns false when it does not fit. */
  start(bytes: number, tableElements: number): boolean {
    if (!this.#take(bytes + tableElements * TABLE_ELEMENT_BYTES)) return false;
    this.#tableElements += tableElements;
    this.#keep();
    return true;
  }

  /**
   * Makes the counter of one more instance's objects.
   *
   * @param next - Takes over the bytes that were used since the last grant, and returns the next one; see {@link MemoryAccount.grantHeap}.
   */
  addHeap(next: (used: number) => number): HeapCounter {
    const heap = new HeapCounter(next);
    this.#heaps.push(heap);
    return heap;
  }

  /** Counts bytes of objects. Returns how many more may be made before it is asked again, or -1 when those do not fit. */
  grantHeap(used: number): number {
    this.#settledHeapBytes += used;
    const room = this.#room(HEAP_SLICE_BYTES);
    if (room >= 0) return Math.min(room, HEAP_SLICE_BYTES);
    // What does not fit is not made.
    this.#settledHeapBytes += room;
    this.wasRefused = true;
    return -1;
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
      this.#takenBytes -= bytes;
      return -1;
    }
  }

  /** Counts the elements that a table is about to grow by. Returns false when they do not fit. */
  askTable(elements: number): boolean {
    const fits = this.#tableElements + elements <= MOST_TABLE_ELEMENTS && this.#take(elements * TABLE_ELEMENT_BYTES);
    this.#askedElements = fits ? elements : 0;
    return fits;
  }

  /** Takes note whether the table grew. Returns the elements that it grew by. */
  grewTable(grew: boolean): number {
    const elements = this.#askedElements;
    this.#askedElements = 0;
    if (grew) {
      this.#tableElements += elements;
      this.#keep();
    } else this.#takenBytes -= elements * TABLE_ELEMENT_BYTES;
    return grew ? elements : 0;
  }

  get #heapBytes(): number {
    let bytes = this.#settledHeapBytes;
    for (const heap of this.#heaps) bytes += heap.used;
    return bytes;
  }

  /** Finds how much is free: takes back what was granted for objects when that leaves less than `needed` bytes. */
  #room(needed: number): number {
    let granted = 0;
    for (const heap of this.#heaps) granted += heap.left;
    const free = this.#limitBytes - this.inUseBytes;
    if (free - granted >= needed) return free - granted;
    for (const heap of this.#heaps) this.#settledHeapBytes += heap.withdraw();
    return free;
  }

  #take(bytes: number): boolean {
    if (this.#room(bytes) < bytes) {
      this.wasRefused = true;
      return false;
    }
    this.#takenBytes += bytes;
    return true;
  }

  /** What was taken has come about. */
  #keep(): void {
    this.#keptBytes = this.#takenBytes;
  }
}
