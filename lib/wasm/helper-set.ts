/**
 * Functions that the meter adds to a module only where its code needs them. They stand behind all others, in the order in which they
 * were first needed.
 */
import type { IndexMap } from "./indices.ts";
import type { Writer } from "./writer.ts";

/** One added function. */
export interface Helper {
  readonly type: HelperType | GuestType;
  /** Writes its instructions, the last `end` included. */
  readonly write: (out: Writer) => void;
}

/** A type of the module's own, as its index. Its helpers have no locals. */
type GuestType = number;

/**
 * `consume`: `[i32] → []`; `pass`: `[i32] → [i32]`; `passWithLocal`: the same, with a second local; `bulk`: `[i32 i32 i32] → []`. All locals are i32.
 */
type HelperType = "consume" | "pass" | "passWithLocal" | "bulk";

/** Places of the helpers' types among those that the meter adds, and their locals in the binary format. */
const TYPES: Readonly<Record<HelperType, { readonly type: number; readonly locals: readonly number[] }>> = {
  consume: { type: 4, locals: [0] },
  pass: { type: 2, locals: [0] },
  passWithLocal: { type: 2, locals: [1, 1, 0x7f] },
  bulk: { type: 5, locals: [0] },
};

const NO_LOCALS: readonly number[] = [0];

/** The added functions of one module. */
export class HelperSet {
  readonly #first: number;
  readonly #firstType: number;
  readonly #indices = new Map<string, number>();
  readonly #helpers: Helper[] = [];

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
    const index = this.add(make());
    this.#indices.set(key, index);
    return index;
  }

  /** Adds a helper that nothing else needs. @returns Its index. */
  add(helper: Helper): number {
    return this.#first + this.#helpers.push(helper) - 1;
  }

  /** The helpers' types, as places among those that the meter adds. */
  get types(): readonly number[] {
    return this.#helpers.map(({ type }) => (typeof type === "number" ? type : this.#firstType + TYPES[type].type));
  }

  /** Writes the helpers' bodies. */
  writeBodies(out: Writer): void {
    for (const { type, write } of this.#helpers) {
      // Not by writeSized: a function for each of tens of thousands.
      const sizeAt = out.padded();
      const start = out.length;
      for (const byte of typeof type === "number" ? NO_LOCALS : TYPES[type].locals) out.u8(byte);
      write(out);
      out.patchU32(sizeAt, out.length - start);
    }
  }
}
