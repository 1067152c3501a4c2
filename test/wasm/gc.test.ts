/**
 * Garbage collection: every instruction, metered, does what the original does, traps where it traps, and costs what docs/fuel.md says.
 */
import { describe, expect, test } from "bun:test";
import { parse } from "@bytecodealliance/jco";
import { arrayBytes, structBytes } from "../../lib/wasm/heap.ts";
import { meterModule } from "../../lib/wasm/meter.ts";
import { runMetered } from "./metered.ts";

interface Row {
  /** From nothing to an i32. */
  readonly body: string;
  /** Fuel units; undefined for a body that traps. */
  readonly cost: number | undefined;
}

const FIELDS = `
  (type $point (sub (struct (field $x (mut i32)) (field $y (mut i64)))))
  (type $point3 (sub $point (struct (field (mut i32)) (field (mut i64)) (field $z f32))))
  (type $packed (struct (field $a (mut i8)) (field $b (mut i16))))
  (type $wide (struct (field v128) (field i8) (field v128)))
  (type $bytes (array (mut i8)))
  (type $words (array (mut i16)))
  (type $ints (array (mut i32)))
  (type $longs (array (mut i64)))
  (type $vectors (array (mut v128)))
  (type $any (array (mut anyref)))
  (type $functions (array (mut funcref)))
  (type $unary (func (param i32) (result i32)))
  (rec (type $list (sub (struct (field $head i32) (field $tail (ref null $node))))) (type $node (sub final $list (struct (field i32) (field (ref null $node)) (field (ref null $list))))))
  (type $field (struct (field v128)))
  (type $large (struct ${"(field i64)".repeat(600)}))
  (data $text "The quick brown fox jumps over the lazy dog")
  (elem $segment funcref (ref.func $next) (ref.null func) (ref.func $next))
  (func $next (type $unary) local.get 0 i32.const 1 i32.add)`;

const POINT = "i32.const 3 i64.const 4 struct.new $point";
const POINT3 = "i32.const 3 i64.const 4 f32.const 5 struct.new $point3";

/** Structures: one unit more for each whole 16 bytes of fields. Arrays: one for each whole 16 bytes of elements. */
const ROWS: readonly Row[] = [
  { body: `${POINT} struct.get $point $x`, cost: 3 + 1 + 1 },
  { body: "struct.new_default $point struct.get $point $x", cost: 1 + 1 + 1 },
  { body: "struct.new_default $wide drop i32.const 1", cost: 1 + 3 + 2 },
  { body: "struct.new_default $large struct.get $large 599 i64.eqz", cost: 1 + 300 + 2 },
  {
    body: "i32.const 200 i32.const 40000 struct.new $packed struct.get_s $packed $a",
    cost: 4,
  },
  { body: "i32.const 200 i32.const 40000 struct.new $packed struct.get_u $packed $b", cost: 4 },
  {
    body: `(local $p (ref null $point)) ${POINT} local.tee $p i32.const 9 struct.set $point $x local.get $p struct.get $point $x`,
    cost: 4 + 1 + 4,
  },
  { body: "i32.const 7 i32.const 33 array.new $bytes i32.const 32 array.get_u $bytes", cost: 3 + 2 + 2 },
  { body: "i32.const -7 i32.const 16 array.new $words i32.const 15 array.get_s $words", cost: 3 + 2 + 2 },
  { body: "i32.const 9 i32.const 7 array.new $ints i32.const 6 array.get $ints", cost: 3 + 1 + 2 },
  { body: "i64.const 9 i32.const 7 array.new $longs i32.const 6 array.get $longs i64.eqz", cost: 3 + 3 + 3 },
  {
    body: "v128.const i32x4 1 2 3 4 i32.const 7 array.new $vectors i32.const 6 array.get $vectors i32x4.extract_lane 2",
    cost: 3 + 7 + 3,
  },
  { body: "i32.const 1000 array.new_default $any array.len", cost: 2 + 500 + 1 },
  {
    body: "i32.const 1 i32.const 2 i32.const 3 i32.const 4 i32.const 5 array.new_fixed $ints 5 array.len",
    cost: 6 + 1 + 1,
  },
  { body: "array.new_fixed $ints 0 array.len", cost: 2 },
  { body: "i32.const 4 i32.const 32 array.new_data $bytes $text i32.const 0 array.get_u $bytes", cost: 3 + 2 + 2 },
  { body: "i32.const 1 i32.const 2 array.new_elem $functions $segment array.len", cost: 3 + 1 + 1 },
  {
    body: "(local $a (ref null $ints)) i32.const 4 array.new_default $ints local.tee $a i32.const 2 i32.const 8 array.set $ints local.get $a i32.const 2 array.get $ints",
    cost: 3 + 1 + 3 + 3,
  },
  {
    body: "(local $a (ref null $ints)) i32.const 9 array.new_default $ints local.tee $a i32.const 1 i32.const 8 i32.const 8 array.fill $ints local.get $a i32.const 8 array.get $ints",
    cost: 3 + 2 + 4 + 2 + 3,
  },
  {
    body: "(local $a (ref null $bytes)) i32.const 0 i32.const 32 array.new_data $bytes $text local.tee $a i32.const 1 local.get $a i32.const 0 i32.const 31 array.copy $bytes $bytes local.get $a i32.const 31 array.get_u $bytes",
    cost: 4 + 2 + 5 + 1 + 3,
  },
  {
    body: "(local $a (ref null $bytes)) i32.const 20 array.new_default $bytes local.tee $a i32.const 1 i32.const 4 i32.const 16 array.init_data $bytes $text local.get $a i32.const 1 array.get_u $bytes",
    cost: 3 + 1 + 4 + 1 + 3,
  },
  {
    body: "(local $a (ref null $functions)) i32.const 4 array.new_default $functions local.tee $a i32.const 1 i32.const 0 i32.const 3 array.init_elem $functions $segment local.get $a i32.const 1 array.get $functions ref.is_null",
    cost: 3 + 2 + 4 + 1 + 4,
  },
  { body: `${POINT3} ref.test (ref $point3)`, cost: 4 + 1 + 1 },
  { body: `${POINT} ref.test (ref null $point3)`, cost: 3 + 1 + 1 },
  { body: `${POINT3} ref.cast (ref $point3) struct.get $point $x`, cost: 4 + 1 + 2 },
  { body: "ref.null any ref.cast (ref null $point3) ref.is_null", cost: 3 },
  {
    body: `block $l (result (ref $point3)) ${POINT3} br_on_cast $l (ref $point) (ref $point3) drop i32.const 1 return end struct.get $point3 0`,
    cost: 4 + 1 + 2,
  },
  {
    body: `block $l (result (ref $point3)) ${POINT} br_on_cast $l (ref $point) (ref $point3) drop i32.const 1 return end struct.get $point3 0`,
    cost: 3 + 1 + 1 + 3,
  },
  {
    body: `block $l (result (ref $point)) ${POINT} br_on_cast_fail $l (ref $point) (ref $point3) drop i32.const 1 return end struct.get $point $x`,
    cost: 3 + 1 + 2,
  },
  {
    body: `block $l (result (ref $point)) ${POINT3} br_on_cast_fail $l (ref $point) (ref $point3) drop i32.const 1 return end struct.get $point $x`,
    cost: 4 + 1 + 1 + 3,
  },
  { body: "i32.const 5 ref.i31 extern.convert_any any.convert_extern ref.cast (ref i31) i31.get_s", cost: 6 },
  { body: "i32.const -1 ref.i31 i31.get_u", cost: 3 },
  { body: "i32.const 5 ref.i31 i32.const 5 ref.i31 ref.eq", cost: 5 },
  {
    body: "i32.const 1 ref.null $node ref.null $list struct.new $node ref.cast (ref $list) struct.get $list $head",
    cost: 4 + 1 + 2,
  },
  // Loops are written as four blocks: labels that reach out of them, or to their head, are counted anew.
  {
    body: `(local $i i32) block $out (result (ref $point3)) loop $again local.get $i i32.const 1 i32.add local.set $i
      block $next (result (ref $point)) ${POINT3} br_on_cast $out (ref $point) (ref $point3) end drop br $again end unreachable end drop local.get $i`,
    cost: 4 + 4 + 1 + 1 + 2,
  },
  {
    body: `(local $i i32) (local $p (ref null $point)) struct.new_default $point local.set $p
      loop $again (result i32) local.get $i i32.const 1 i32.add local.tee $i i32.const 5 i32.ge_u if local.get $i return end
      block $same (result (ref null $point)) local.get $p br_on_cast_fail $same (ref null $point) (ref $point3) drop unreachable end drop br $again end`,
    cost: 3 + 4 * (7 + 2 + 2) + 7 + 2,
  },
  // Traps.
  { body: "ref.null $point struct.get $point $x", cost: undefined },
  { body: "ref.null $point i32.const 1 struct.set $point $x i32.const 1", cost: undefined },
  { body: "i32.const 3 array.new_default $ints i32.const 3 array.get $ints", cost: undefined },
  { body: "i32.const 3 array.new_default $ints i32.const -1 i32.const 0 array.set $ints i32.const 1", cost: undefined },
  { body: "ref.null $ints array.len", cost: undefined },
  { body: "ref.null $ints i32.const 0 i32.const 0 i32.const 0 array.fill $ints i32.const 1", cost: undefined },
  {
    body: "i32.const 8 array.new_default $ints i32.const 1 i32.const 0 i32.const 8 array.fill $ints i32.const 1",
    cost: undefined,
  },
  {
    body: "i32.const 8 array.new_default $ints i32.const -1 i32.const 0 i32.const -1 array.fill $ints i32.const 1",
    cost: undefined,
  },
  {
    body: "i32.const 8 array.new_default $any i32.const 0 i32.const 8 array.new_default $any i32.const 1 i32.const 8 array.copy $any $any i32.const 1",
    cost: undefined,
  },
  { body: "i32.const 12 i32.const 32 array.new_data $bytes $text drop i32.const 1", cost: undefined },
  { body: "i32.const 12 i32.const 2147483647 array.new_data $longs $text drop i32.const 1", cost: undefined },
  { body: "i32.const 3 i32.const 1 array.new_elem $functions $segment drop i32.const 1", cost: undefined },
  { body: "i32.const -1 array.new_default $vectors drop i32.const 1", cost: undefined },
  { body: `${POINT} ref.cast (ref $point3) drop i32.const 1`, cost: undefined },
  { body: "ref.null i31 i31.get_s", cost: undefined },
];

/** Constant expressions, each in a global of its own or a table, and what they make, in bytes. */
const CONSTANTS: readonly { readonly fields: string; readonly body: string; readonly heapBytes: number }[] = [
  {
    fields: "(global $g (ref $point) (struct.new $point (i32.const 7) (i64.const 8)))",
    body: "global.get $g struct.get $point $x",
    heapBytes: structBytes(16),
  },
  {
    fields: "(global $g (ref $wide) (struct.new_default $wide))",
    body: "global.get $g struct.get_s $wide 1",
    heapBytes: structBytes(48),
  },
  {
    fields:
      "(global $n i32 (i32.mul (i32.const 5) (i32.sub (i32.add (i32.const 70) (i32.const 40)) (i32.const 10)))) (global $g (ref $words) (array.new $words (i32.const 3) (global.get $n)))",
    body: "global.get $g array.len",
    heapBytes: arrayBytes(1000),
  },
  {
    fields: "(global $g (ref $vectors) (array.new_default $vectors (i32.const 100)))",
    body: "global.get $g array.len",
    heapBytes: arrayBytes(1600),
  },
  {
    fields:
      "(global $g (ref $any) (array.new_fixed $any 3 (ref.i31 (i32.const 5)) (struct.new_default $point) (any.convert_extern (ref.null extern))))",
    body: "global.get $g i32.const 0 array.get $any ref.cast (ref i31) i31.get_s",
    heapBytes: arrayBytes(24) + structBytes(16),
  },
  {
    fields: "(global $a (ref i31) (ref.i31 (i32.const 5))) (global $g externref (extern.convert_any (global.get $a)))",
    body: "global.get $g any.convert_extern ref.cast (ref i31) i31.get_s",
    heapBytes: 0,
  },
  {
    fields: "(table $t 3 (ref $point) (struct.new $point (i32.const 4) (i64.const 8)))",
    body: "i32.const 2 table.get $t struct.get $point $x",
    heapBytes: structBytes(16),
  },
  {
    fields:
      "(table $t 3 (ref null $point)) (elem (table $t) (offset (i32.add (i32.const 1) (i32.const 1))) (ref null $point) (struct.new $point (i32.const 6) (i64.const 8))) (elem (ref null $point) (struct.new_default $point) (ref.null $point))",
    body: "i32.const 2 table.get $t struct.get $point $x",
    heapBytes: 2 * structBytes(16),
  },
  {
    fields:
      "(global $x i64 (i64.mul (i64.const 5) (i64.sub (i64.add (i64.const 7) (i64.const 4)) (i64.const 1)))) (global $v v128 (v128.const i64x2 1 2)) (global $f f64 (f64.const 1)) (global $h f32 (f32.const 2))",
    body: "global.get $x i32.wrap_i64",
    heapBytes: 0,
  },
  {
    fields:
      "(global $f (ref $unary) (ref.func $next)) (global $g (ref $functions) (array.new_fixed $functions 2 (ref.func $next) (global.get $f)))",
    body: "i32.const 31 global.get $g i32.const 1 array.get $functions ref.cast (ref $unary) call_ref $unary",
    heapBytes: arrayBytes(16),
  },
];

/** A module whose imported function stands in front of its own: function indices move. */
function moduleWith(body: string, fields = ""): string {
  return `(module (import "a" "b" (func)) ${FIELDS} ${fields} (func (export "f") (result i32) ${body}))`;
}

const IMPORTS = { a: { b: () => undefined } };

async function runPlain(wat: string): Promise<unknown> {
  const { instance } = await WebAssembly.instantiate(new Uint8Array(await parse(wat)), IMPORTS);
  const callee = instance.exports["f"];
  if (typeof callee !== "function") throw new Error("no export f");
  return outcomeOf(() => callee() as unknown);
}

/** `(module (type $a (array i8)) (type $s (struct (field i32))) (global anyref …))` */
function globalOf(expression: string): Uint8Array {
  return Uint8Array.fromHex(
    `0061736d01000000010802 5e7800 5f017f00 06${hex(4 + expression.length / 2)}01 6e00 ${expression}0b`.replaceAll(
      " ",
      "",
    ),
  );
}

/** One byte. */
function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** What a call returned, or the engine's words for its trap. */
function outcomeOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    return error.message.replace(/ \(evaluating .*$/s, "");
  }
}

describe("meterModule() keeps and charges the garbage collection of", () => {
  for (const { body, cost } of ROWS) {
    test(body.replaceAll(/\s+/g, " "), async () => {
      const wat = moduleWith(body);
      const metered = await runMetered(wat, 2_000_000_000, IMPORTS);
      const outcome = outcomeOf(() => metered.call("f"));
      expect(outcome).toBe(await runPlain(wat));
      expect(typeof outcome).toBe(cost === undefined ? "string" : "number");
      if (cost !== undefined) expect(metered.used).toBe(cost);
    });
  }

  test.each([2 ** 30 - 1, 2 ** 30, 2 ** 31, 2 ** 32 - 2])(
    "%d elements, which no array has: at most 2^30 - 1 units, and none are given back",
    async (length) => {
      const array = "i32.const 1 array.new_default $vectors";
      const operation = `i32.const 0 v128.const i32x4 1 2 3 4 i32.const ${length} array.fill $vectors i32.const 1`;
      const metered = await runMetered(moduleWith(`${array} ${operation}`), 2_000_000_000, IMPORTS);
      expect(() => metered.call("f")).toThrow("Out of bounds array.fill");
      expect(metered.used).toBe(3 + 5 + 2 ** 30 - 1);
    },
  );

  test("each instruction that there is, in the rows above", async () => {
    const names =
      "struct.new struct.new_default struct.get struct.get_s struct.get_u struct.set array.new array.new_default array.new_fixed " +
      "array.new_data array.new_elem array.get array.get_s array.get_u array.set array.len array.fill array.copy array.init_data " +
      "array.init_elem ref.test ref.cast br_on_cast br_on_cast_fail any.convert_extern extern.convert_any ref.i31 i31.get_s i31.get_u";
    const executed = new Set(ROWS.filter(({ cost }) => cost !== undefined).flatMap(({ body }) => body.split(/\s+/)));
    expect(names.split(" ").filter((name) => !executed.has(name))).toEqual([]);
  });
});

describe("meterModule() keeps and counts constant expressions:", () => {
  for (const { fields, body, heapBytes } of CONSTANTS) {
    test(fields.replaceAll(/\s+/g, " "), async () => {
      const wat = moduleWith(`${body} drop ${body}`, fields);
      expect((await runMetered(wat, 1000, IMPORTS)).call("f")).toBe(await runPlain(wat));
      expect(meterModule(await parse(wat), "test").initialHeapBytes).toBe(heapBytes);
    });
  }

  test("an import does not say how many elements an array has, but may say everything else", async () => {
    const wat = moduleWith(
      "global.get $p struct.get $point $x",
      '(import "a" "n" (global $n i32)) (global $p (ref $point) (struct.new $point (i32.add (global.get $n) (i32.const 1)) (i64.const 0)))',
    ).replace(/\(module(.*?)(\(import "a" "n" \(global \$n i32\)\))/s, "(module $2$1");
    const metered = await runMetered(wat, 1000, { a: { ...IMPORTS.a, n: 41 } });
    expect(metered.call("f")).toBe(42);
  });
});

describe("meterModule() refuses in constant expressions", () => {
  test.each([
    {
      expression: "2000",
      message: 'Cannot meter "test": unknown instruction 0x20 in a constant expression at byte 23',
    },
    {
      expression: "fb0b00",
      message: 'Cannot meter "test": unknown instruction 0xfb 0xb in a constant expression at byte 23',
    },
    {
      expression: "4100fe1002 00",
      message:
        'Cannot meter "test": unknown instruction 0xfe 0x10 (i32.atomic.load, threads) in a constant expression at byte 25',
    },
    {
      expression: "fb0001",
      message: "Cannot compile the component: malformed core module: too few operands at byte 26",
    },
    {
      expression: "fb0700",
      message: "Cannot compile the component: malformed core module: too few operands at byte 26",
    },
    { expression: "6a", message: "Cannot compile the component: malformed core module: too few operands at byte 24" },
    { expression: "fb0100", message: "Cannot compile the component: malformed core module: no struct type at byte 26" },
    {
      expression: "4101fb0701",
      message: "Cannot compile the component: malformed core module: no array type at byte 28",
    },
    { expression: "fb0109", message: "Cannot compile the component: malformed core module: no struct type at byte 26" },
    {
      expression: "2300",
      message: "Cannot compile the component: malformed core module: global 0 is not there yet at byte 25",
    },
    {
      expression: "4180808080808000",
      message: "Cannot compile the component: malformed core module: an integer is too long at byte 29",
    },
  ])("$expression", ({ expression, message }) => {
    expect(() => meterModule(globalOf(expression.replaceAll(" ", "")), "test")).toThrow(new Error(message));
  });
});

describe("meterModule() stops", () => {
  test.each([
    { body: "loop $l i32.const 100 array.new_default $ints drop br $l end unreachable", why: "making arrays" },
    {
      body: "(local $a (ref null $bytes)) i32.const 4096 array.new_default $bytes local.set $a loop $l local.get $a i32.const 0 i32.const 1 i32.const 4096 array.fill $bytes br $l end unreachable",
      why: "filling one",
    },
    {
      body: "block $out (result (ref null $point)) loop $l (result (ref null $point)) ref.null $point br_on_cast $l (ref null $point) (ref null $point) br $out end end drop unreachable".replace(
        "loop $l (result (ref null $point)) ref.null $point br_on_cast $l (ref null $point) (ref null $point)",
        "ref.null $point loop $l (param (ref null $point)) (result (ref null $point)) br_on_cast $l (ref null $point) (ref null $point)",
      ),
      why: "a cast that goes back to the head of its loop",
    },
  ])("a loop of $why", async ({ body }) => {
    const metered = await runMetered(moduleWith(body), 10_000, IMPORTS);
    expect(() => metered.call("f")).toThrow("Unreachable code should not be executed");
    expect(metered.used).toBeGreaterThan(10_000);
    expect(metered.used).toBeLessThan(12_000);
  });

  test("one operation that costs more than there is, before it is executed", async () => {
    const wat = `(module (type $ints (array (mut i32))) (global $g (mut (ref null $ints)) (ref.null $ints))
      (func (export "make") i32.const 100 array.new_default $ints global.set $g)
      (func (export "fill") global.get $g i32.const 0 i32.const 1 i32.const 100 array.fill $ints)
      (func (export "first") (result i32) global.get $g i32.const 0 array.get $ints))`;
    const metered = await runMetered(wat, 40);
    metered.call("make");
    expect(metered.used).toBe(3 + 25);
    expect(() => metered.call("fill")).toThrow("Unreachable code should not be executed");
    expect(metered.call("first")).toBe(0);
  });
});
