/**
 * Test support: instructions that make and use values of each type, for generated programs.
 */

import {
  EFFECTS,
  LOCALS,
  MAKERS,
  NEXT_RANDOM,
  OBJECT_EFFECTS,
  OBJECT_TRAPS,
  TRAPS,
  USERS,
  type ValueType,
} from "./value-tables.ts";

/** A seeded source of numbers: the same seed gives the same program on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b;
  }

  /** Returns an integer from 0 to `count` - 1. Source: mulberry32. */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  }

  /** Says yes once in `rounds` times. */
  once(rounds: number): boolean {
    return this.below(rounds) === 0;
  }

  /** Picks one item. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }
}

/** A function type of generated programs. */
export interface Signature {
  /** As it is called in the text. */
  readonly name: string;
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** From i32 to i32. */
export const UNARY: Signature = { name: "$unary", params: ["i32"], results: ["i32"] };
const MULTI: Signature = { name: "$multi", params: ["i64", "f64"], results: ["f64", "i32"] };
/** The types of `$f0`, `$f1`, …. */
export const SIGNATURES: readonly Signature[] = [UNARY, MULTI, UNARY, MULTI];

/** What blocks take and give; some more often than others. */
const BLOCK_TYPES: readonly ValueType[] = [
  "i32",
  "i32",
  "i64",
  "f32",
  "f64",
  "v128",
  "funcref",
  "externref",
  "(ref null $unary)",
  "(ref $unary)",
  "(ref $unary)",
];

/** Clauses of `try_table`, by what their label takes. */
const CLAUSES = new Map([
  ["", ["catch_all"]],
  ["exnref", ["catch_all_ref"]],
]);
/** The same, for those that need a tag. */
const TAGGED_CLAUSES = new Map([
  ["", ["catch $empty"]],
  ["i32", ["catch $number"]],
  ["exnref", ["catch_ref $empty"]],
  ["i32 exnref", ["catch_ref $number"]],
]);

/** Writes the instructions for values in one program. */
export class Values {
  readonly #random: Random;

  readonly #effects: readonly string[];
  readonly #traps: readonly string[];

  /** @param hasObjects - Whether the program makes objects of the engine's heap. */
  constructor(random: Random, hasObjects: boolean) {
    this.#random = random;
    this.#effects = hasObjects ? [...EFFECTS, ...OBJECT_EFFECTS] : EFFECTS;
    this.#traps = hasObjects ? [...TRAPS, ...OBJECT_TRAPS] : TRAPS;
  }

  /** Picks up to `most` types, often none. */
  types(most: number): readonly ValueType[] {
    if (this.#random.once(2)) return [];
    return Array.from({ length: this.#random.below(most + 1) }, () => this.#random.pick(BLOCK_TYPES));
  }

  /** Pushes values of these types. */
  push(types: readonly ValueType[]): string[] {
    return types.flatMap((type) => {
      const local = LOCALS.get(type);
      if (local !== undefined && this.#random.once(4)) return [`local.get ${local}`];
      return split(this.#random.pick(MAKERS[type]));
    });
  }

  /** Pops values of these types, the last one first. */
  pop(types: readonly ValueType[]): string[] {
    return types.toReversed().flatMap((type) => split(this.#random.pick(["drop", ...(USERS[type] ?? [])])));
  }

  /** Pushes an i32 that is 0 or 1. */
  condition(): string[] {
    return this.#random.once(5) ? [`i32.const ${this.#random.below(2)}`] : this.index(2);
  }

  /** Pushes an i32 from 0 to `count` - 1. */
  index(count: number): string[] {
    const source = this.#random.pick(["local.get $i32", "global.get $mixed", NEXT_RANDOM]);
    return [...split(source), `i32.const ${count}`, "i32.rem_u"];
  }

  /** Pushes 1, at most as often as the program has steps; then 0. */
  step(): string[] {
    return split(
      "global.get $steps, i32.const 1, i32.sub, global.set $steps, global.get $steps, i32.const 0, i32.gt_s",
    );
  }

  /** Traps when it gets there. */
  trap(): string[] {
    return split(this.#random.pick(this.#traps));
  }

  /** Changes something. */
  effect(): string[] {
    return split(this.#random.pick(this.#effects));
  }
}

function split(lines: string): string[] {
  return lines.split(", ");
}

/** Writes a block type. */
export function blockType(params: readonly ValueType[], results: readonly ValueType[]): string {
  return writeTypes("param", params) + writeTypes("result", results);
}

function writeTypes(keyword: string, types: readonly ValueType[]): string {
  return types.length === 0 ? "" : ` (${keyword} ${types.join(" ")})`;
}

/** Returns the clauses of `try_table` that may name a label that takes these types. */
export function catchClauses(types: readonly ValueType[], hasTags: boolean): readonly string[] {
  const shape = types.join(" ");
  return [...(hasTags ? (TAGGED_CLAUSES.get(shape) ?? []) : []), ...(CLAUSES.get(shape) ?? [])];
}
