/**
 * Test support: makes valid core modules that end, from a seed.
 */
import { FunctionGenerator } from "./generated-function.ts";
import type { Exceptions } from "./generated-jumps.ts";
import type { Program } from "./program.ts";
import { Random, SIGNATURES } from "./values.ts";

/** What all programs begin with. */
const IMPORTS = `  (type $unary (func (param i32) (result i32)))
  (type $multi (func (param i64 f64) (result f64 i32)))
  (import "env" "host" (func $host (type $unary))) (import "env" "back" (func $back (type $unary)))
  (import "env" "ticks" (global $ticks (mut i64)))
  (import "env" "memory" (memory 1 3)) (export "memory" (memory 0))`;

/** Types of objects. */
const OBJECT_TYPES = `  (type $pair (struct (field (mut i32)) (field (mut i64)))) (type $bytes (array (mut i8)))
`;

/** What follows the second memory, in front of the functions. */
const HEAD = `
  (data $kept "0123456789abcdefghijklmnopqrstuvwxyz") (data $dropped "x")
  (table $table (export "table") 12 30 funcref) (table $spare (export "spare") 8 16 funcref)
  (elem (i32.const 0) $f0 $f1 $f2 $f3) (elem $functions func $f3 $f2 $f1) (elem $gone func $f0)
  (global $steps (mut i32) (i32.const 50))
  (global $mixed (export "mixed") (mut i32) (i32.const 11))
  (global $wide (export "wide") (mut i64) (i64.const 12))
  (global $single (export "single") (mut f32) (f32.const 1.5))
  (global $double (export "double") (mut f64) (f64.const 2.5))`;

/** Generates the program of a seed, a 32-bit integer. It exports `f`, from i32 to i32. */
export function generateProgram(seed: number): Program {
  const random = new Random(seed);
  const exceptions = random.pick<Exceptions>(["none", "modern", "legacy"]);
  const tags = exceptions === "none" ? "" : "\n  (tag $empty) (tag $number (param i32))";
  const features = { exceptions, hasObjects: random.once(3) };
  const functions = SIGNATURES.map((_, index) => new FunctionGenerator(random, index, features).generate());
  // Most programs import their second memory, because making one takes long.
  const second = `(memory $second (export "second") ${random.once(20) ? "" : '(import "env" "second") '}1 3)`;
  const start = random.once(4) ? "\n  (start $start)" : "";
  const seeded = `(global $random (mut i32) (i32.const ${random.below(1_000_000)}))`;
  const objects = features.hasObjects ? OBJECT_TYPES : "";
  const head = `${objects}${IMPORTS}\n  ${second}${HEAD}${tags}\n  ${seeded}${start}`;
  if (start !== "") functions.push({ head: "  (func $start", body: [["i32.const 3", "call $f2", "drop"]] });
  return { seed, head, functions, mayThrow: exceptions !== "none" };
}
