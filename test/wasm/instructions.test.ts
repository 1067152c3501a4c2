/**
 * Each instruction once: the metered module is valid, does what the original does, and costs what docs/fuel.md says.
 */
import { describe, expect, test } from "bun:test";
import { parse } from "@bytecodealliance/jco";
import { type Family, FAMILIES, RELAXED, SIMD } from "./families.ts";
import { runMetered } from "./metered.ts";

/** Bodies from nothing to i32, and what they cost without what the host adds. */
const BODIES: readonly { readonly body: string; readonly cost: number }[] = [
  { body: "i32.const 0 i32.const 97 i32.const 33 memory.fill i32.const 32 i32.load8_u", cost: 8 },
  { body: "i32.const 0 i32.const 97 i32.const 33 memory.fill $second i32.const 32 i32.load8_u $second", cost: 8 },
  { body: "i32.const 5 i32.const 0 i32.const 4 memory.init $text i32.const 8 i32.load8_u", cost: 6 },
  { body: "i32.const 5 i32.const 0 i32.const 4 memory.init $second $text i32.const 8 i32.load8_u $second", cost: 6 },
  { body: "i32.const 0 i32.const 200 i32.const 16 memory.copy i32.const 1 i32.load8_u", cost: 7 },
  { body: "i32.const 0 i32.const 200 i32.const 16 memory.copy $first $second i32.const 1 i32.load8_u", cost: 7 },
  { body: "i32.const 1 i32.const 7 i32.store $second offset=300 i32.const 1 i32.load $second offset=300", cost: 5 },
  {
    body: "i32.const 1 v128.const i32x4 1 2 3 4 v128.store16_lane $second offset=9 7 i32.const 10 i32.load8_u $second",
    cost: 5,
  },
  { body: "i32.const 1 memory.grow $second", cost: 2 },
  { body: "i32.const 0 i32.const 1 i32.const 2 table.copy $table $table table.size $table", cost: 7 },
  { body: "i32.const 0 i32.const 0 i32.const 2 table.init $table $functions table.size $table", cost: 7 },
  { body: "i32.const 0 ref.null func i32.const 3 table.fill $table table.size $table", cost: 8 },
  { body: "ref.null func i32.const 2 table.grow $table", cost: 3 },
  { body: "i32.const 11 return_call $identity", cost: 3 },
  { body: "i32.const 11 i32.const 0 return_call_indirect $table (type $unary)", cost: 4 },
  { body: "i32.const 11 ref.func $identity return_call_ref $unary", cost: 4 },
  { body: "i32.const 5 ref.null $unary br_on_null 0 drop", cost: 3 },
  { body: "i32.const 5 ref.func $identity br_on_null 0 drop", cost: 4 },
  { body: "block (result (ref $unary)) ref.func $identity br_on_non_null 0 unreachable end ref.is_null", cost: 3 },
  { body: "block (result (ref $unary)) ref.null $unary br_on_non_null 0 i32.const 7 return end ref.is_null", cost: 4 },
  { body: "global.get $extended", cost: 1 },
  { body: "i32.const 1 if (result i32) i32.const 5 else i32.const 6 end", cost: 3 },
  { body: "i32.const 1 i32.const 1 br_if 0", cost: 3 },
  { body: "block (result i32) i32.const 4 i32.const 1 br_table 0 0 1 end", cost: 3 },
  { body: "i32.const 4 return", cost: 2 },
  { body: "i32.const 4 loop (param i32) (result i32) end", cost: 1 },
];

/** Bodies from nothing to i32 that throw; engines refuse a module that has both encodings. */
const MODERN: typeof BODIES = [
  { body: "block (result i32) try_table (catch $t 0) i32.const 5 throw $t end i32.const 6 end", cost: 2 },
  { body: "block try_table (catch_all 0) i32.const 5 throw $t end end i32.const 9", cost: 3 },
  {
    body: "block (result i32 exnref) try_table (catch_ref $t 0) i32.const 5 throw $t end unreachable end drop",
    cost: 3,
  },
  {
    body: "block (result i32) try_table (catch $t 0) block (result exnref) try_table (catch_all_ref 0) i32.const 5 throw $t end unreachable end throw_ref end unreachable end",
    cost: 3,
  },
  { body: "try_table (result i32) i32.const 5 end", cost: 1 },
];
const LEGACY: typeof BODIES = [
  { body: "try (result i32) i32.const 5 throw $t catch $t end", cost: 2 },
  { body: "try i32.const 5 throw $t catch_all end i32.const 9", cost: 3 },
  { body: "try (result i32) try i32.const 5 throw $t delegate 0 i32.const 6 catch $t end", cost: 2 },
  { body: "try (result i32) try i32.const 5 throw $t catch_all rethrow 0 end i32.const 6 catch $t end", cost: 3 },
  { body: "try (result i32) i32.const 5 catch_all i32.const 6 end", cost: 1 },
];

/** What `$identity` executes. */
const CALLEE_COST = 1;

const TAG = "(tag $t (param i32))";

/** How a result leaves the function, and what that costs. */
const RESULTS: Readonly<Record<Family["result"], readonly [types: string, use: string, cost: number]>> = {
  i32: ["i32", "", 0],
  i64: ["i64", "", 0],
  f32: ["f32", "", 0],
  f64: ["f64", "", 0],
  v128: ["i64 i64", "local.tee $v i64x2.extract_lane 0 local.get $v i64x2.extract_lane 1", 4],
  none: ["", "", 0],
};

function moduleWith(body: string, results: string, fields = ""): string {
  return `(module
    (type $unary (func (param i32) (result i32)))
    (memory $first (export "first") 1 3) (memory $second (export "second") 1 3)
    (data $text "abcdefgh") (data (memory $first) (i32.const 0) "The quick brown fox jumps over the lazy dog")
    (data (memory $second) (i32.const 200) "The lazy dog sleeps")
    (table $table 8 16 funcref) (elem (table $table) (i32.const 0) func $identity) (elem $functions func $identity $identity)
    (global $g (export "g") (mut i32) (i32.const 3)) (global $extended i32 (i32.mul (i32.add (i32.const 2) (i32.const 3)) (i32.const 4)))
    ${fields}
    (func $identity (param i32) (result i32) local.get 0)
    (func (export "f") (result ${results}) (local $n i32) (local $v v128) ${body}))`;
}

/** Runs a module as it is and metered: the same comes out, at this cost. */
async function expectCost(wat: string, cost: number): Promise<void> {
  const original = await WebAssembly.instantiate(new Uint8Array(await parse(wat)));
  const metered = await runMetered(wat);
  const callee = original.instance.exports["f"];
  if (typeof callee !== "function") throw new Error("no export f");
  expect(metered.call("f")).toEqual(callee());
  expect(describeState(metered.instance)).toEqual(describeState(original.instance));
  expect(metered.used).toBe(cost);
}

function describeMemory(memory: unknown): unknown {
  return memory instanceof WebAssembly.Memory && [memory.buffer.byteLength, Bun.hash(new Uint8Array(memory.buffer))];
}

function describeState({ exports }: WebAssembly.Instance): unknown {
  const global = exports["g"];
  return [
    describeMemory(exports["first"]),
    describeMemory(exports["second"]),
    global instanceof WebAssembly.Global && global.value,
  ];
}

describe("meterModule() keeps and charges", () => {
  for (const { operands, names, result } of [...FAMILIES, ...SIMD, ...RELAXED]) {
    const [types, use, useCost] = RESULTS[result];
    for (const name of names.split(", ")) {
      const sequence = name.split(" + ");
      const costed = sequence.filter((instruction) => instruction !== "nop");
      test(name, () =>
        expectCost(
          moduleWith([...operands, ...sequence, use].join(" "), types),
          operands.length + costed.length + (name.startsWith("call") ? CALLEE_COST : 0) + useCost,
        ),
      );
    }
  }
  for (const { body, cost } of BODIES) test(body, () => expectCost(moduleWith(body, "i32"), cost));
  for (const { body, cost } of MODERN) test(body, () => expectCost(moduleWith(body, "i32", TAG), cost));
  for (const { body, cost } of LEGACY) test(body, () => expectCost(moduleWith(body, "i32", TAG), cost));
});
