/**
 * Test support: how generated programs make, use and change things, as data. Instructions are separated by `, `.
 */

/** The value types that generated programs use. `$unary` is a function type of theirs. */
export type ValueType =
  "i32" | "i64" | "f32" | "f64" | "v128" | "funcref" | "externref" | "exnref" | "(ref null $unary)" | "(ref $unary)";

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

/** Counters of loops inside each other, which nothing else writes to. */
export const COUNTERS: readonly string[] = ["$outer", "$middle", "$inner"];

/** The program's own random number, an i32: the branches that it takes differ from round to round. */
export const NEXT_RANDOM: string =
  "global.get $random, i32.const 1103515245, i32.mul, i32.const 12345, i32.add, global.set $random, global.get $random, i32.const 16, i32.shr_u";

/** Ways to make a value. Floating-point numbers are never not-a-number: what its bits are is up to the engine. */
export const MAKERS: Readonly<Record<ValueType, readonly string[]>> = {
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
    "global.get $mixed, call $back",
    "memory.size $second",
    "table.size $spare",
    "i32.const 9, i32.load16_u $second offset=2",
    "i32.const 0, i32.const 1, memory.grow $second, i32.add",
    "ref.null func, i32.const 1, table.grow $spare",
    "local.get $v128, v128.any_true",
    "local.get $v128, i8x16.all_true",
    "local.get $v128, i16x8.bitmask",
    "local.get $funcref, ref.is_null",
    "global.get $wide, i64.eqz",
    "global.get $mixed, i32.const -7, i32.rem_s",
  ],
  i64: [
    "i64.const -3",
    "i32.const 8, i64.load",
    "i32.const 8, i64.load32_s $second offset=1",
    "local.get $i64, i64.const 7, i64.rotl",
    "local.get $v128, i64x2.extract_lane 0",
    "global.get $wide, i64.const 5, i64.xor",
    "global.get $mixed, i64.extend_i32_u",
  ],
  f32: ["f32.const 1.5", "global.get $mixed, f32.convert_i32_s", "f32.const 2, f32.const 3, f32.add"],
  f64: ["f64.const -2.5", "global.get $wide, f64.convert_i64_u", "f64.const 7, f64.sqrt"],
  v128: [
    "v128.const i32x4 1 2 3 4",
    "global.get $mixed, i32x4.splat",
    "i32.const 16, v128.load",
    "i32.const 16, v128.load8x8_s $second",
    "i32.const 5, v128.load16_splat",
    "i32.const 5, local.get $v128, v128.load32_lane offset=2 3",
    "local.get $v128, i32.const 5, i16x8.shl",
    "local.get $v128, global.get $mixed, i8x16.replace_lane 15",
    "local.get $v128, v128.const i8x16 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16, i8x16.add_sat_u",
    "local.get $v128, local.get $v128, i16x8.extmul_low_i8x16_s",
    "local.get $v128, v128.const i32x4 0 1 2 3, local.get $v128, v128.bitselect",
    "local.get $v128, v128.not, local.get $v128, i8x16.swizzle",
    "local.get $v128, local.get $v128, i32x4.dot_i16x8_s",
    "local.get $v128, v128.const i8x16 0 9 2 3 4 5 6 7 8 1 2 3 4 5 6 7, i8x16.relaxed_swizzle",
    "local.get $v128, local.get $v128, i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23",
  ],
  funcref: [
    "ref.null func",
    "ref.func $f0",
    "ref.func $f1",
    "i32.const 2, table.get $table",
    "i32.const 1, table.get $spare",
  ],
  externref: ["ref.null extern"],
  exnref: ["ref.null exn"],
  "(ref null $unary)": ["ref.null $unary", "ref.func $f0", "ref.func $f2"],
  "(ref $unary)": ["ref.func $f0", "ref.func $f2, ref.as_non_null"],
};

/** Ways to use up a value. `drop` does for all types. */
export const USERS: Readonly<Partial<Record<ValueType, readonly string[]>>> = {
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

/** A length below 256 that differs from round to round. */
const LENGTH = "global.get $mixed, i32.const 255, i32.and";

/** Statements that change something else than the operand stack. */
export const EFFECTS: readonly string[] = [
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
  `i32.const 8, i32.const 7, ${LENGTH}, memory.fill $second`,
  `i32.const 0, i32.const 60, ${LENGTH}, memory.copy $second 0`,
  `i32.const 5, i32.const 6, ${LENGTH}, memory.copy 0 $second`,
  "i32.const 40, i32.const 1, i32.const 20, memory.init $second $kept",
  "i32.const 3, global.get $wide, i64.store16 $second offset=1",
  "i32.const 32, local.get $v128, v128.store $second",
  "i32.const 1, i32.const 0, i32.const 3, table.copy $spare $table",
  "i32.const 8, i32.const 0, i32.const 2, table.copy $table $spare",
  "i32.const 0, i32.const 1, i32.const 1, table.init $spare $functions",
  "elem.drop $gone, i32.const 0, i32.const 0, i32.const 0, table.init $table $gone",
  "i32.const 0, local.get $funcref, i32.const 2, table.fill $spare",
  "i32.const 0, i32.const 0, i32.const 0, memory.fill",
];

/** The same, for programs with objects of the engine's heap: `$pair` is a structure of 16 bytes, `$bytes` an array. */
export const OBJECT_EFFECTS: readonly string[] = [
  "global.get $mixed, i64.const 5, struct.new $pair, struct.get $pair 0, global.set $mixed",
  "struct.new_default $pair, i32.const 7, struct.set $pair 0",
  `i32.const 7, ${LENGTH}, array.new $bytes, array.len, global.set $mixed`,
  "i32.const 130, array.new_default $bytes, i32.const 0, i32.const 3, i32.const 129, array.fill $bytes",
  "i32.const 1, i32.const 20, array.new_data $bytes $kept, i32.const 3, array.get_u $bytes, global.set $mixed",
  "i32.const 1, i32.const 2, i32.const 3, array.new_fixed $bytes 3, array.len, drop",
  "i32.const 100, array.new_default $bytes, i32.const 2, i32.const 60, array.new_default $bytes, i32.const 1, i32.const 50, array.copy $bytes $bytes",
  "i32.const 40, array.new_default $bytes, i32.const 2, i32.const 3, i32.const 18, array.init_data $bytes $kept",
  "global.get $mixed, ref.i31, i31.get_s, global.set $mixed",
  "struct.new_default $pair, ref.test (ref $bytes), global.set $mixed",
  "block (result (ref i31)), global.get $mixed, ref.i31, ref.null i31, global.get $mixed, i32.const 1, i32.and, select (result i31ref), br_on_cast 0 i31ref (ref i31), drop, i32.const 5, ref.i31, end, i31.get_s, global.set $mixed",
  "block (result i31ref), global.get $mixed, ref.i31, ref.null i31, global.get $mixed, i32.const 1, i32.and, select (result i31ref), br_on_cast_fail 0 i31ref (ref i31), end, ref.is_null, global.set $mixed",
];

/** Ways to trap, for programs with objects. */
export const OBJECT_TRAPS: readonly string[] = [
  "ref.null $pair, struct.get $pair 0, drop",
  "i32.const 4, array.new_default $bytes, i32.const 9, array.get_u $bytes, drop",
  "i32.const 4, array.new_default $bytes, i32.const 1, i32.const 3, i32.const 99, array.fill $bytes",
  "i32.const 30, i32.const 20, array.new_data $bytes $kept, drop",
  "i32.const 4, ref.i31, ref.cast (ref $pair), drop",
];

/** Ways to trap, with nothing left on the stack if they do not. */
export const TRAPS: readonly string[] = [
  "unreachable",
  "i32.const 1, local.get $i32, i32.const 0, i32.and, i32.div_s, drop",
  "i32.const 0x80000000, i32.const -1, i32.div_s, drop",
  "i64.const 1, i64.const 0, i64.rem_u, drop",
  "f64.const 1e30, i32.trunc_f64_s, drop",
  "f32.const nan, i64.trunc_f32_u, drop",
  "i32.const -1, i32.load offset=3, drop",
  "i32.const 65533, i64.const 7, i64.store $second offset=196608",
  "i32.const 0xfffffff0, v128.load, drop",
  "i32.const 0, i32.const 1, i32.const 0x7fffff, memory.fill",
  "i32.const 0, i32.const 0xfffffff, i32.const 60, memory.copy $second 0",
  "i32.const 0, i32.const 30, i32.const 20, memory.init $kept",
  "i32.const 28, ref.null func, i32.const 9, table.fill $table",
  "i32.const 0, i32.const 2, i32.const 3, table.init $spare $functions",
  "i32.const 99, table.get $table, drop",
  "i32.const 7, i32.const 99, call_indirect $table (type $unary), drop",
  "i32.const 7, i32.const 1, call_indirect $table (type $unary), drop",
  "i32.const 7, i32.const 7, call_indirect $spare (type $unary), drop",
  "i32.const 7, ref.null $unary, call_ref $unary, drop",
  "ref.null func, ref.as_non_null, drop",
];
