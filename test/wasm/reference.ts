/**
 * Test support: the naive way to count fuel, which the meter's is compared with.
 *
 * Each instruction that costs something gets a tick of its own, in the text, right in front of it: nothing is merged, nothing moved.
 */
import { type Program, renderProgram } from "./program.ts";

/** What docs/fuel.md says is free. */
const FREE = new Set(["block", "loop", "end", "else", "nop", "try", "try_table", "catch", "catch_all", "delegate"]);
/** One unit more for each whole 16 bytes, or for each element. Generated programs have arrays of bytes only. */
const BULK_BYTES = new Set(
  "memory.fill memory.copy memory.init array.new array.new_default array.new_data array.fill array.copy array.init_data".split(
    " ",
  ),
);
const BULK_ELEMENTS = new Set(["table.fill", "table.copy", "table.init"]);

/** Far more than a generated program uses; one that is being made smaller may lose what ends its loops. */
const MOST_TICKS = 5_000_000;

/** `$ticks` is a global that every program imports. */
const TICKS = `  (func $tick
    (global.set $ticks (i64.add (global.get $ticks) (i64.const 1)))
    (if (i64.gt_u (global.get $ticks) (i64.const ${MOST_TICKS})) (then unreachable)))
  (func $tick_bytes (param i32) (result i32)
    (global.set $ticks (i64.add (global.get $ticks) (i64.extend_i32_u (i32.div_u (local.get 0) (i32.const 16)))))
    (local.get 0))
  (func $tick_elements (param i32) (result i32)
    (global.set $ticks (i64.add (global.get $ticks) (i64.extend_i32_u (local.get 0))))
    (local.get 0))`;

/** Writes a program that counts in its imported global `env.ticks` what it executes. */
export function renderReference(program: Program): string {
  return renderProgram(program, tick, TICKS);
}

function tick(line: string): string {
  const name = line.split(" ", 1)[0] ?? "";
  if (FREE.has(name)) return line;
  // The only structure that generated programs have takes 16 bytes.
  if (name.startsWith("struct.new")) return `call $tick call $tick ${line}`;
  if (BULK_BYTES.has(name)) return `call $tick call $tick_bytes ${line}`;
  if (BULK_ELEMENTS.has(name)) return `call $tick call $tick_elements ${line}`;
  return `call $tick ${line}`;
}
