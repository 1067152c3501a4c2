/**
 * What is to be changed in a function body: pieces of input with what comes in their place, in order. Nothing is written until the body
 * has been read to its end, because what a run costs, and whether its function can recurse, is known only then.
 */
import type { Writer } from "./writer.ts";

/** Writes what comes in place of a piece; `value` is the patch's own. */
export type WritePatch = (out: Writer, value: number) => void;

/** The patches of one body after another. */
export class Patches {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #writes: WritePatch[] = [];
  readonly #values: number[] = [];
  /** Patches of this body: the lists keep their length, to be filled again. */
  #count = 0;
  #isInOrder = true;
  readonly #input: Uint8Array;
  readonly #out: Writer;

  constructor(input: Uint8Array, out: Writer) {
    this.#input = input;
    this.#out = out;
  }

  /** Puts something in front of the input at `at`; of two patches at the same place the one that was added first comes first. */
  insert(at: number, write: WritePatch, value = 0): void {
    const patch = this.#count++;
    if (patch > 0 && (this.#starts[patch - 1] ?? 0) > at) this.#isInOrder = false;
    this.#starts[patch] = at;
    this.#ends[patch] = at;
    this.#writes[patch] = write;
    this.#values[patch] = value;
  }

  /** Has what was put in last take the place of the input up to `end`. */
  cover(end: number): void {
    this.#ends[this.#count - 1] = end;
  }

  /** Copies `[from, to)` of the input with all patches, and forgets them. */
  apply(from: number, to: number): void {
    const input = this.#input;
    const out = this.#out;
    let copied = from;
    const order = this.#isInOrder ? undefined : this.#sorted();
    for (let place = 0; place < this.#count; place++) {
      const patch = order?.[place] ?? place;
      const start = this.#starts[patch] ?? 0;
      if (start > copied) out.copyRange(input, copied, start);
      this.#writes[patch]?.(out, this.#values[patch] ?? 0);
      copied = this.#ends[patch] ?? 0;
    }
    if (to > copied) out.copyRange(input, copied, to);
    this.#count = 0;
    this.#isInOrder = true;
  }

  /** What is only put in comes before what replaces the input behind it. */
  #sorted(): number[] {
    const start = (patch: number): number => this.#starts[patch] ?? 0;
    const replaced = (patch: number): number => Math.sign((this.#ends[patch] ?? 0) - start(patch));
    const order = Array.from({ length: this.#count }, (_, patch) => patch);
    return order.toSorted((a, b) => start(a) - start(b) || replaced(a) - replaced(b) || a - b);
  }
}
