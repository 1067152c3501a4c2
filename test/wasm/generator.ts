/**
 * Test support: makes valid core modules that end, from a seed.
 */
import { type Exceptions, FunctionGenerator } from "./generated-function.ts";
import type { Program } from "./program.ts";
import { Random, SIGNATURES } from "./values.ts";

/** Everything in front of the functions that all programs have. */
const HEAD = `  (type $unary (func (param i32) (result i32)))
  (type $multi (func (param i64 f64) (result f64 i32)))
  (import "env" "host" (func $host (type $unary)))
  (import "env" "memory" (memory 1 3)) (export "memory" (memory 0))
  (data $kept "0123456789abcdefghijklmnopqrstuvwxyz") (data $dropped "x")
  (table $table 12 30 funcref) (elem (i32.const 0) $f0 $f1 $f2 $f3) (elem $functions func $f3 $f2 $f1)
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
  const functions = SIGNATURES.map((_, index) => new FunctionGenerator(random, index, exceptions).generate());
  const head = `${HEAD}${tags}\n  (global $random (mut i32) (i32.const ${random.below(1_000_000)}))`;
  return { seed, head, functions, mayThrow: exceptions !== "none" };
}
