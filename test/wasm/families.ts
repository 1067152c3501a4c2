/**
 * Test support: instructions by what they take and give.
 */
const I32 = "i32.const 11";
const I64 = "i64.const 12";
const F32 = "f32.const 1.5";
const F64 = "f64.const 2.5";
const V128 = "v128.const i32x4 1 2 3 4";

/** Instructions that take the same operands. `n` operands cost n, the instruction 1. */
export interface Family {
  /** Instructions. */
  readonly operands: readonly string[];
  /** Names with their immediates, separated by `, `; a `+` puts instructions behind each other. */
  readonly names: string;
  /** What is done with the result; it costs nothing when there is none. */
  readonly result: "i32" | "i64" | "f32" | "f64" | "v128" | "none";
}

const COMPARE = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const INTEGER = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr";
const FLOAT_COMPARE = "eq ne lt gt le ge";
const FLOAT_UNARY = "abs neg ceil floor trunc nearest sqrt";
const FLOAT_BINARY = "add sub mul div min max copysign";

/** MVP, sign extension, saturating conversion, references. */
export const FAMILIES: readonly Family[] = [
  { operands: [I32], names: "i32.eqz, i32.clz, i32.ctz, i32.popcnt, i32.extend8_s, i32.extend16_s", result: "i32" },
  { operands: [I32, I32], names: prefix("i32", `${COMPARE} ${INTEGER}`), result: "i32" },
  {
    operands: [I64],
    names: "i64.clz, i64.ctz, i64.popcnt, i64.extend8_s, i64.extend16_s, i64.extend32_s",
    result: "i64",
  },
  { operands: [I64], names: "i64.eqz, i32.wrap_i64", result: "i32" },
  { operands: [I64, I64], names: prefix("i64", COMPARE), result: "i32" },
  { operands: [I64, I64], names: prefix("i64", INTEGER), result: "i64" },
  { operands: [F32], names: prefix("f32", FLOAT_UNARY), result: "f32" },
  { operands: [F32, F32], names: prefix("f32", FLOAT_BINARY), result: "f32" },
  { operands: [F32, F32], names: prefix("f32", FLOAT_COMPARE), result: "i32" },
  { operands: [F64], names: prefix("f64", FLOAT_UNARY), result: "f64" },
  { operands: [F64, F64], names: prefix("f64", FLOAT_BINARY), result: "f64" },
  { operands: [F64, F64], names: prefix("f64", FLOAT_COMPARE), result: "i32" },
  {
    operands: [F32],
    names: "i32.trunc_f32_s, i32.trunc_f32_u, i32.reinterpret_f32, i32.trunc_sat_f32_s, i32.trunc_sat_f32_u",
    result: "i32",
  },
  {
    operands: [F64],
    names: "i32.trunc_f64_s, i32.trunc_f64_u, i32.trunc_sat_f64_s, i32.trunc_sat_f64_u",
    result: "i32",
  },
  { operands: [I32], names: "i64.extend_i32_s, i64.extend_i32_u", result: "i64" },
  {
    operands: [F32],
    names: "i64.trunc_f32_s, i64.trunc_f32_u, i64.trunc_sat_f32_s, i64.trunc_sat_f32_u",
    result: "i64",
  },
  {
    operands: [F64],
    names: "i64.trunc_f64_s, i64.trunc_f64_u, i64.reinterpret_f64, i64.trunc_sat_f64_s, i64.trunc_sat_f64_u",
    result: "i64",
  },
  { operands: [I32], names: "f32.convert_i32_s, f32.convert_i32_u, f32.reinterpret_i32", result: "f32" },
  { operands: [I64], names: "f32.convert_i64_s, f32.convert_i64_u", result: "f32" },
  { operands: [F64], names: "f32.demote_f64", result: "f32" },
  { operands: [I32], names: "f64.convert_i32_s, f64.convert_i32_u", result: "f64" },
  { operands: [I64], names: "f64.convert_i64_s, f64.convert_i64_u, f64.reinterpret_i64", result: "f64" },
  { operands: [F32], names: "f64.promote_f32", result: "f64" },
  { operands: [I32], names: prefix("i32", "load load8_s load8_u load16_s load16_u"), result: "i32" },
  {
    operands: [I32],
    names: prefix("i64", "load load8_s load8_u load16_s load16_u load32_s load32_u"),
    result: "i64",
  },
  { operands: [I32], names: "f32.load", result: "f32" },
  { operands: [I32], names: "f64.load", result: "f64" },
  { operands: [I32, I32], names: prefix("i32", "store store8 store16"), result: "none" },
  { operands: [I32, I64], names: prefix("i64", "store store8 store16 store32"), result: "none" },
  { operands: [I32, F32], names: "f32.store", result: "none" },
  { operands: [I32, F64], names: "f64.store", result: "none" },
  {
    operands: [],
    names: "memory.size, nop + memory.size $second, table.size $table, global.get $g, local.get $n",
    result: "i32",
  },
  {
    operands: [I32],
    names: "global.set $g, local.set $n, drop, data.drop $text + drop, elem.drop $functions + drop",
    result: "none",
  },
  { operands: [I32], names: "local.tee $n, call $identity", result: "i32" },
  { operands: [I32, I32, I32], names: "select", result: "i32" },
  { operands: [I64, I64, I32], names: "select (result i64)", result: "i64" },
  { operands: ["ref.null func"], names: "ref.is_null", result: "i32" },
  { operands: ["ref.func $identity"], names: "ref.is_null, ref.as_non_null + ref.is_null", result: "i32" },
  { operands: ["i32.const 1"], names: "table.get $table + ref.is_null", result: "i32" },
  { operands: ["i32.const 1", "ref.null func"], names: "table.set $table", result: "none" },
  { operands: [I32, "ref.func $identity"], names: "call_ref $unary", result: "i32" },
  { operands: [I32, "i32.const 0"], names: "call_indirect $table (type $unary)", result: "i32" },
];

/** Each shape of immediates, and one of each shape of operands. */
export const SIMD: readonly Family[] = [
  {
    operands: [I32],
    names:
      "v128.load, v128.load8x8_s, v128.load8x8_u, v128.load16x4_s, v128.load16x4_u, v128.load32x2_s, v128.load32x2_u, " +
      "v128.load8_splat, v128.load16_splat, v128.load32_splat, v128.load64_splat, v128.load32_zero, v128.load64_zero, " +
      "i8x16.splat, i16x8.splat, i32x4.splat, v128.load offset=3 align=1",
    result: "v128",
  },
  {
    operands: [I32, V128],
    names: "v128.store, v128.store8_lane 15, v128.store64_lane 1, v128.store16_lane offset=9 7",
    result: "none",
  },
  {
    operands: [I32, V128],
    names: "v128.load8_lane 15, v128.load16_lane 7, v128.load32_lane 3, v128.load64_lane offset=8 1",
    result: "v128",
  },
  { operands: [], names: V128, result: "v128" },
  {
    operands: [V128, V128],
    names: "i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31, i8x16.swizzle, i8x16.eq, f64x2.add, v128.and",
    result: "v128",
  },
  {
    operands: [V128],
    names:
      "i8x16.extract_lane_s 15, i8x16.extract_lane_u 0, i16x8.extract_lane_s 7, i32x4.extract_lane 3, v128.any_true, i64x2.all_true",
    result: "i32",
  },
  { operands: [V128], names: "i64x2.extract_lane 1", result: "i64" },
  { operands: [V128], names: "f64x2.extract_lane 1", result: "f64" },
  { operands: [V128, I32], names: "i8x16.replace_lane 15, i32x4.shl, i64x2.shr_u", result: "v128" },
  {
    operands: [V128],
    names: "v128.not, i8x16.abs, f64x2.promote_low_f32x4, f64x2.convert_low_i32x4_u, i32x4.trunc_sat_f64x2_u_zero",
    result: "v128",
  },
  { operands: [V128, V128, V128], names: "v128.bitselect", result: "v128" },
];

/** Sub-opcodes 0x100 to 0x113: what they give for the same operands is the same on one machine. */
export const RELAXED: readonly Family[] = [
  {
    operands: [V128, V128],
    names:
      "i8x16.relaxed_swizzle, f32x4.relaxed_min, f32x4.relaxed_max, f64x2.relaxed_min, f64x2.relaxed_max, i16x8.relaxed_q15mulr_s, i16x8.relaxed_dot_i8x16_i7x16_s",
    result: "v128",
  },
  {
    operands: [V128],
    names:
      "i32x4.relaxed_trunc_f32x4_s, i32x4.relaxed_trunc_f32x4_u, i32x4.relaxed_trunc_f64x2_s_zero, i32x4.relaxed_trunc_f64x2_u_zero",
    result: "v128",
  },
  {
    operands: [V128, V128, V128],
    names:
      "f32x4.relaxed_madd, f32x4.relaxed_nmadd, f64x2.relaxed_madd, f64x2.relaxed_nmadd, i8x16.relaxed_laneselect, i16x8.relaxed_laneselect, " +
      "i32x4.relaxed_laneselect, i64x2.relaxed_laneselect, i32x4.relaxed_dot_i8x16_i7x16_add_s",
    result: "v128",
  },
];

function prefix(type: string, names: string): string {
  return names
    .split(" ")
    .map((name) => `${type}.${name}`)
    .join(", ");
}
