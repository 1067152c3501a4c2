/**
 * Test support: instructions that make and use values of each type, for generated programs.
 */

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

/** The value types that generated programs use. `$unary` is a function type of theirs. */
export type ValueType =
  "i32" | "i64" | "f32" | "f64" | "v128" | "funcref" | "externref" | "exnref" | "(ref null $unary)" | "(ref $unary)";

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

/** The local of each type that every function has. A reference that is never null has no default, so it has no local. */
export const LOCALS: ReadonlyMap<ValueType, string> = new Map([
  ["i32", "$i32"],
  ["i64", "$i64"],
  ["f32", "$f32"],
  ["f64", "$f64"],
  ["v128", "$v128"],
  ["funcref", "$funcref"],
  ["externref", "$externref"],
  ["(ref null $unary)", "$unaryref"],
]);

/** The program's own random number, an i32: the branches that it takes differ from round to round. */
const NEXT_RANDOM =
  "global.get $random, i32.const 1103515245, i32.mul, i32.const 12345, i32.add, global.set $random, global.get $random, i32.const 16, i32.shr_u";

/** Ways to make a value. Floating-point numbers are never not-a-number: what its bits are is up to the engine. */
const MAKERS: Readonly<Record<ValueType, readonly string[]>> = {
  i32: [
    "i32.const 0",
    "i32.const 7",
    "global.get $mixed",
    NEXT_RANDOM,
    "i32.const 64, i32.load offset=4",
    "i32.const 3, i32.load8_s",
    "i64.const 0x1234567890, i32.wrap_i64",
    "i32.const 1, i32.const 2, global.get $mixed, select",
    "f64.const 3e20, i32.trunc_sat_f64_u",
    "ref.null func, ref.is_null",
    "global.get $mixed, call $host",
    "memory.size",
    "table.size $table",
    "global.get $mixed, i32.extend8_s",
    "local.get $i32, i32.const 3, i32.mul, local.tee $i32",
    "local.get $v128, i32x4.extract_lane 2",
  ],
  i64: [
    "i64.const -3",
    "i32.const 8, i64.load",
    "global.get $wide, i64.const 5, i64.xor",
    "global.get $mixed, i64.extend_i32_u",
  ],
  f32: ["f32.const 1.5", "global.get $mixed, f32.convert_i32_s", "f32.const 2, f32.const 3, f32.add"],
  f64: ["f64.const -2.5", "global.get $wide, f64.convert_i64_u", "f64.const 7, f64.sqrt"],
  v128: [
    "v128.const i32x4 1 2 3 4",
    "global.get $mixed, i32x4.splat",
    "i32.const 16, v128.load",
    "local.get $v128, local.get $v128, i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23",
  ],
  funcref: ["ref.null func", "ref.func $f0", "ref.func $f1", "i32.const 2, table.get $table"],
  externref: ["ref.null extern"],
  exnref: ["ref.null exn"],
  "(ref null $unary)": ["ref.null $unary", "ref.func $f0", "ref.func $f2"],
  "(ref $unary)": ["ref.func $f0", "ref.func $f2, ref.as_non_null"],
};

/** Ways to use up a value. `drop` does for all types. */
const USERS: Readonly<Partial<Record<ValueType, readonly string[]>>> = {
  i32: [
    "local.set $i32",
    "global.get $mixed, i32.add, i32.const 1, i32.rotl, global.set $mixed",
    "local.set $i32, i32.const 16, local.get $i32, i32.store offset=1",
  ],
  i64: ["local.set $i64", "global.get $wide, i64.add, global.set $wide"],
  f32: ["local.set $f32", "i32.trunc_sat_f32_s, global.set $mixed", "global.set $single"],
  f64: ["local.set $f64", "global.set $double"],
  v128: ["local.set $v128", "i64x2.extract_lane 1, global.set $wide"],
  funcref: ["local.set $funcref", "ref.is_null, global.set $mixed"],
  externref: ["local.set $externref", "ref.is_null, global.set $mixed"],
  "(ref null $unary)": ["local.set $unaryref", "ref.is_null, global.set $mixed"],
  "(ref $unary)": ["local.set $unaryref"],
};

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

/** A length below 256 that differs from round to round. */
const LENGTH = "global.get $mixed, i32.const 255, i32.and";

/** Statements that change something else than the operand stack. */
const EFFECTS: readonly string[] = [
  "nop",
  `i32.const 8, i32.const 7, ${LENGTH}, memory.fill`,
  `i32.const 100, i32.const 60, ${LENGTH}, memory.copy`,
  "i32.const 40, i32.const 1, i32.const 20, memory.init $kept",
  "i32.const 40, i32.const 0, i32.const 0, memory.init $dropped, data.drop $dropped",
  "i32.const 8, ref.func $f1, global.get $mixed, i32.const 7, i32.and, table.fill $table",
  "i32.const 9, i32.const 1, i32.const 3, table.copy $table $table",
  "i32.const 8, i32.const 0, i32.const 2, table.init $table $functions",
  "i32.const 10, local.get $funcref, table.set $table",
  "local.get $funcref, i32.const 1, table.grow $table, drop",
  "i32.const 1, memory.grow, global.set $mixed",
  "i32.const 24, local.get $v128, v128.store8_lane 3",
];

/** Writes the instructions for values in one program. */
export class Values {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
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

  /** Changes something. */
  effect(): string[] {
    return split(this.#random.pick(EFFECTS));
  }
}

function split(lines: string): string[] {
  return lines.split(", ");
}

/** Writes a block type. */
export function blockType(params: readonly ValueType[], results: readonly ValueType[]): string {
  const write = (keyword: string, types: readonly ValueType[]): string =>
    types.length === 0 ? "" : ` (${keyword} ${types.join(" ")})`;
  return write("param", params) + write("result", results);
}

/** Returns the clauses of `try_table` that may name a label that takes these types. */
export function catchClauses(types: readonly ValueType[], hasTags: boolean): readonly string[] {
  const shape = types.join(" ");
  return [...(hasTags ? (TAGGED_CLAUSES.get(shape) ?? []) : []), ...(CLAUSES.get(shape) ?? [])];
}
