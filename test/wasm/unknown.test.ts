/**
 * Instructions that are not metered: each is refused by the name that the standard gives it.
 */
import { describe, expect, test } from "bun:test";
import { parse } from "@bytecodealliance/jco";
import { meterModule } from "../../lib/wasm/meter.ts";
import { describeOpcode } from "../../lib/wasm/opcodes.ts";

const GARBAGE_COLLECTION =
  "struct.new $s, struct.new_default $s, struct.get $s 0, struct.get_s $s 0, struct.get_u $s 0, struct.set $s 0, array.new $a, " +
  "array.new_default $a, array.new_fixed $a 2, array.new_data $a $d, array.new_elem $a $e, array.get $a, array.get_s $a, array.get_u $a, " +
  "array.set $a, array.len, array.fill $a, array.copy $a $a, array.init_data $a $d, array.init_elem $a $e, ref.test (ref $s), " +
  "ref.test (ref null $s), ref.cast (ref $s), ref.cast (ref null $s), br_on_cast 0 anyref (ref $s), br_on_cast_fail 0 anyref (ref $s), " +
  "any.convert_extern, extern.convert_any, ref.i31, i31.get_s, i31.get_u";

const READ_MODIFY_WRITE = "add sub and or xor xchg cmpxchg".split(" ");
const THREADS = [
  "memory.atomic.notify memory.atomic.wait32 memory.atomic.wait64 atomic.fence",
  "i32.atomic.load i64.atomic.load i32.atomic.load8_u i32.atomic.load16_u i64.atomic.load8_u i64.atomic.load16_u i64.atomic.load32_u",
  "i32.atomic.store i64.atomic.store i32.atomic.store8 i32.atomic.store16 i64.atomic.store8 i64.atomic.store16 i64.atomic.store32",
  ...READ_MODIFY_WRITE.map(
    (name) =>
      `i32.atomic.rmw.${name} i64.atomic.rmw.${name} i32.atomic.rmw8.${name}_u i32.atomic.rmw16.${name}_u ` +
      `i64.atomic.rmw8.${name}_u i64.atomic.rmw16.${name}_u i64.atomic.rmw32.${name}_u`,
  ),
].flatMap((names) => names.split(" "));

/** The parser knows the standard's opcodes: what it wrote must be called by the same name. */
describe("meterModule() refuses by name", () => {
  for (const instruction of GARBAGE_COLLECTION.split(", ")) {
    test(instruction, () => {
      const isNullable = instruction.includes("null $s");
      const name = `${instruction.split(" ", 1)[0] ?? ""}${isNullable ? "_null" : ""}`;
      return expectRefused(
        `(module (type $s (struct (field i8))) (type $a (array i8)) (data $d "x") (elem $e func) (func ${instruction}))`,
        `(${name}, garbage collection)`,
      );
    });
  }
  for (const name of THREADS) {
    test(name, () => expectRefused(`(module (memory 1) (func ${name}))`, `(${name}, threads)`));
  }
  test("nothing that the standard does not have", () => {
    const described = [
      describeOpcode(0xfb, 31),
      describeOpcode(0xfe, 4),
      describeOpcode(0xfe, 0x4f),
      describeOpcode(0xff),
    ];
    expect(described).toEqual([
      "0xfb 0x1f (unassigned, garbage collection)",
      "0xfe 0x4 (unassigned, threads)",
      "0xfe 0x4f (unassigned, threads)",
      "0xff",
    ]);
  });
});

async function expectRefused(wat: string, name: string): Promise<void> {
  const bytes = await parse(wat);
  expect(() => meterModule(bytes, "test")).toThrow(name);
}
