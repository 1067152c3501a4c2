/**
 * Functions that the meter adds to a module only where its code needs them. They stand behind all others, in the order in which they
 * were first needed.
 */
import type { IndexMap } from "./indices.ts";
import type { WritePatch } from "./patches.ts";
import type { Writer } from "./writer.ts";

/** One added function. */
export interface Helper {
  readonly type: HelperType;
  /** Writes its instructions, the last `end` included. */
  readonly write: (out: Writer) => void;
}

/**
 * `consume`: `[i32] → []`; `pass`: `[i32] → [i32]`; `passWithLocal`: the same, with a second local; `bulk`: `[i32 i32 i32] → []`. All locals are i32.
 */
type HelperType = "consume" | "pass" | "passWithLocal" | "bulk";

/** Places of the helpers' types among those that the meter adds, and their locals in the binary format. */
const TYPES: Readonly<Record<HelperType, { readonly type: number; readonly locals: Uint8Array }>> = {
  consume: { type: 4, locals: Uint8Array.of(0) },
  pass: { type: 2, locals: Uint8Array.of(0) },
  passWithLocal: { type: 2, locals: Uint8Array.of(1, 1, 0x7f) },
  bulk: { type: 5, locals: Uint8Array.of(0) },
};

const NO_LOCALS = Uint8Array.of(0);

/** The added functions of one module. */
export class HelperSet {
  readonly #first: number;
  readonly #firstType: number;
  readonly #indices = new Map<string, number>();
  readonly #types: number[] = [];
  readonly #locals: Uint8Array[] = [];
  readonly #writes: WritePatch[] = [];
  /** For the writes. */
  readonly #values: number[] = [];

  /**
   * @param indices - Where everything else stands.
   * @param firstType - Index of the first type that the meter adds.
   */
  constructor(indices: IndexMap, firstType: number) {
    this.#first = indices.firstHelper;
    this.#firstType = firstType;
  }

  /**
   * Returns the index of a helper, which is made when it is first needed.
   *
   * @param key - Tells helpers apart.
   */
  use(key: string, make: () => Helper): number {
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    // One helper may need another: that one comes first.
    const { type, write } = make();
    const index = this.addStub(this.#firstType + TYPES[type].type, write, 0);
    this.#locals[index - this.#first] = TYPES[type].locals;
    this.#indices.set(key, index);
    return index;
  }

  /**
   * Adds a helper without locals that nothing else needs. There are tens of thousands: they share their `write`, and differ in what it is given.
   *
   * @param type - As its index in the module.
   * @returns Its index.
   */
  addStub(type: number, write: WritePatch, value: number): number {
    this.#types.push(type);
    this.#locals.push(NO_LOCALS);
    this.#values.push(value);
    return this.#first + this.#writes.push(write) - 1;
  }

  /** The helpers' types, as their indices in the module. */
  get types(): readonly number[] {
    return this.#types;
  }

  /** Writes the helpers' bodies. */
  writeBodies(out: Writer): void {
    for (let helper = 0; helper < this.#writes.length; helper++) {
      // Not by writeSized: a function for each of tens of thousands.
      const sizeAt = out.padded();
      const start = out.length;
      const locals = this.#locals[helper] ?? NO_LOCALS;
      out.copyRange(locals, 0, locals.length);
      this.#writes[helper]?.(out, this.#values[helper] ?? 0);
      out.patchU32(sizeAt, out.length - start);
    }
  }
}
