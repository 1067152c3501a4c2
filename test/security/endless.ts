/**
 * Test support: a component whose `run` never ends, in a way that its input names. Built when it is needed: a part of it is 1 MB of code.
 */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../fixtures/recipes.ts";
import { buildFixture } from "../../fixtures/toolchain.ts";
import { TemporaryDirectory } from "../support/temporary.ts";

/** One way of never ending. */
export interface EndlessWay {
  /** Also in its input. */
  readonly name: string;
  /** Body of a function without parameters and results. */
  readonly text: string;
}

/** Instructions of three bytes and more in a row: 1 MB. */
const STRAIGHT = "(global.set $value (i64.mul (global.get $value) (i64.const 3)))".repeat(140_000);
/** 100 KB, of which a fifth is long divisions. */
const TAIL = "(global.set $value (i64.div_u (global.get $value) (i64.const 3)))".repeat(12_000);
/** The most that the memory holds is asked for in steps of 16 MiB. */
const GROW_ALL = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 256)) (i32.const -1))))";
const BYTES = "(i32.mul (memory.size) (i32.const 65536))";

/** All ways, by what the guest does. */
export const ENDLESS_WAYS: readonly EndlessWay[] = [
  { name: "a tight loop", text: "(loop $again (br $again))" },
  {
    name: "a loop without memory access",
    text: "(local $x i64) (loop $again (local.set $x (i64.rotl (i64.add (local.get $x) (i64.const 7)) (i64.const 9))) (br $again))",
  },
  {
    name: "a loop with parameters",
    text: "(i32.const 1) (i64.const 2) (loop $again (param i32 i64) (drop) (drop) (i32.const 3) (i64.const 4) (br $again))",
  },
  { name: "1 MB of straight code, again and again", text: "(loop $again (call $straight) (br $again))" },
  { name: "a recursion", text: "(loop $again (call $recurse (i32.const 400)) (br $again))" },
  {
    name: "a recursion that returns through long code",
    text: "(loop $again (call $unwind (i32.const 4000)) (br $again))",
  },
  { name: "2^40 calls of a small function", text: "(loop $again (call $tree40) (br $again))" },
  {
    name: "a branch table",
    text: "(local $turn i32) (loop $outer (loop $inner (br_table $outer $inner $outer $inner (i32.and (local.tee $turn (i32.add (local.get $turn) (i32.const 1))) (i32.const 3)))))",
  },
  { name: "tail calls", text: "(return_call $tail (i32.const 0))" },
  { name: "tail calls through a table", text: "(return_call_indirect $tails (type $none) (i32.const 0))" },
  {
    name: "memory.fill",
    text: `${GROW_ALL} (loop $again (memory.fill (i32.const 0) (i32.const 7) ${BYTES}) (br $again))`,
  },
  {
    name: "memory.copy",
    text: `${GROW_ALL} (loop $again (memory.copy (i32.const 1) (i32.const 0) (i32.sub ${BYTES} (i32.const 1))) (br $again))`,
  },
  {
    name: "memory.grow",
    text: `(loop $again (drop (memory.grow (i32.const 1))) (br $again))`,
  },
  {
    name: "table.grow and table.fill",
    text: "(loop $again (drop (table.grow $wide (ref.null func) (i32.const 1000))) (table.fill $wide (i32.const 0) (ref.null func) (table.size $wide)) (br $again))",
  },
  {
    name: "arrays of the engine's",
    text: `(local $all (ref null $bytes)) (local.set $all (array.new_default $bytes (i32.const 8000000)))
      (loop $again
        (array.fill $bytes (local.get $all) (i32.const 0) (i32.const 7) (i32.const 8000000))
        (array.copy $bytes $bytes (local.get $all) (i32.const 1) (local.get $all) (i32.const 0) (i32.const 7999999))
        (br $again))`,
  },
  { name: "a blocking pollable", text: "(call $block (call $subscribe (i64.const 3600000000000)))" },
  {
    name: "a poll",
    text: "(i32.store (i32.const 512) (call $subscribe (i64.const -1))) (call $poll (i32.const 512) (i32.const 1) (i32.const 520))",
  },
  {
    name: "reads of stdin",
    text: "(local $source i32) (local.set $source (call $stdin)) (loop $again (call $read (local.get $source) (i64.const -1) (i32.const 64)) (br $again))",
  },
  {
    name: "1 MiB of random bytes",
    text: "(loop $again (call $random (i64.const 1048576) (i32.const 8)) (global.set $heap (i32.const 16384)) (br $again))",
  },
  {
    name: "handlers that catch everything",
    text: `(loop $again (block $caught (try_table (catch_all $caught) (call $random (i64.const 8) (i32.const 8)) (global.set $heap (i32.const 16384)) (loop $forever (br $forever)))) (br $again))`,
  },
];

/** The input that chooses a way: its place, as a letter. */
export function endlessInput(name: string): string {
  const place = ENDLESS_WAYS.findIndex((way) => way.name === name);
  if (place < 0) throw new Error(`there is no way "${name}"`);
  return JSON.stringify({ way: String.fromCharCode("A".charCodeAt(0) + place) });
}

/** Builds the component. @returns Its bytes. */
export async function buildEndless(): Promise<Uint8Array> {
  using directory = new TemporaryDirectory();
  const source = directory.join("endless.wat");
  await Bun.write(source, endlessText());
  await copyFile(join(ROOT, "hostile/world.wit"), directory.join("world.wit"));
  return await buildFixture({
    name: "endless",
    recipe: { kind: "text-core", world: "kami:fixture/hostile" },
    directory: directory.path,
    source,
    wasm: directory.join("endless.wasm"),
  });
}

function endlessText(): string {
  const ways = ENDLESS_WAYS.map(({ text }, place) => `(func $way${place} (type $none) ${text})`);
  const tree = Array.from({ length: 40 }, (_, n) => `(func $tree${n + 1} (call $tree${n}) (call $tree${n}))`);
  return `(module
    (type $none (func))
    (type $bytes (array (mut i8)))
    (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration" (func $subscribe (param i64) (result i32)))
    (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/poll@0.2.12" "poll" (func $poll (param i32 i32 i32)))
    (import "wasi:cli/stdin@0.2.12" "get-stdin" (func $stdin (result i32)))
    (import "wasi:io/streams@0.2.12" "[method]input-stream.read" (func $read (param i32 i64 i32)))
    (import "wasi:random/random@0.2.12" "get-random-bytes" (func $random (param i64 i32)))
    (memory (export "memory") 32)
    (global $value (mut i64) (i64.const 1))
    (table $ways funcref (elem ${ENDLESS_WAYS.map((_way, place) => `$way${place}`).join(" ")}))
    (table $tails funcref (elem $indirect $indirect))
    (table $wide 1 262144 funcref)
    ;; #include "${join(ROOT, "guests/abi.wat")}"
    (func (export "run") (param $text i32) (param $length i32) (result i32)
      ;; {"way":"A"}
      (call_indirect $ways (type $none) (i32.sub (i32.load8_u offset=8 (local.get $text)) (i32.const 65)))
      (call $ok (local.get $text) (local.get $length)))
    (func $straight ${STRAIGHT})
    (func $recurse (param $depth i32)
      (if (i32.eqz (local.get $depth)) (then (return)))
      (call $recurse (i32.sub (local.get $depth) (i32.const 1)))
      (call $recurse (i32.sub (local.get $depth) (i32.const 1))))
    (func $unwind (param $depth i32)
      (if (local.get $depth) (then (call $unwind (i32.sub (local.get $depth) (i32.const 1)))))
      (br_if 0 (i32.const 0))
      ${TAIL})
    (func $tree0)
    ${tree.join("\n")}
    (func $tail (param i32) (return_call $tail (local.get 0)))
    (func $indirect (type $none) (return_call_indirect $tails (type $none) (i32.const 1)))
    ${ways.join("\n")})`;
}
