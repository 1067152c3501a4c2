/**
 * Nothing of one call is there for the next: memories to their last byte, tables, globals, handles. One guest writes wherever it can and ends in
 * every way that there is; the next one looks.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { MemoryPool } from "../../lib/worker/memory-pool.ts";
import type { Limits } from "../../lib/protocol/limits.ts";
import { WASI } from "../worker/wasi/component.ts";
import { buildGuest, type GuestEnd, type TestGuest } from "../worker/support/guest.ts";

const PAGES = 4;
/** Where the allocator puts the input, and where the result lies; a scan leaves out no other byte. */
const INPUT_AT = 1024;
/** The scans take eight bytes at a time. */
const INPUT = '{"a": 1}';

/** `at` is where the byte of the answer lies: behind all that is scanned at first. */
const guestOf = (memory: string, body: string): string => `
  (memory $m (export "memory") ${memory})
  (memory $second 2)
  (table $slots 8 funcref)
  (table $values 8 externref)
  (elem declare func $secret)
  (global $leftover (mut i64) (i64.const 0))
  (func $secret)
  (func $count (param $at i32) (param $end i32) (result i32)
    (local $found i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $found (i32.add (local.get $found) (i64.ne (i64.load $m (local.get $at)) (i64.const 0))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $next)))
    (local.get $found))
  (func $count_second (result i32)
    (local $at i32) (local $found i32)
    (loop $next
      (local.set $found (i32.add (local.get $found) (i64.ne (i64.load $second (local.get $at)) (i64.const 0))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (i32.mul (memory.size $second) (i32.const 65536)))))
    (local.get $found))
  (func $slots_in_use (result i32)
    (local $at i32) (local $found i32)
    (loop $next
      (local.set $found (i32.add (local.get $found) (i32.eqz (ref.is_null (table.get $slots (local.get $at))))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (table.size $slots))))
    (local.get $found))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const ${INPUT_AT}))
  (func $spin (loop (br 0)))
  (func $deeper (call $deeper) (call $deeper))
  (func (export "run") (param $text i32) (param $length i32) (result i32)
    (local $found i32)
    ${body})`;

const WRITE = `
  (drop (memory.grow $m (i32.const GROWS)))
  (memory.fill $m (i32.const 0) (i32.const 0xa5) (i32.mul (memory.size $m) (i32.const 65536)))
  (memory.fill $second (i32.const 0) (i32.const 0xa5) (i32.const 131072))
  (drop (table.grow $slots (ref.func $secret) (i32.const GROWS)))
  (table.fill $slots (i32.const 0) (ref.func $secret) (table.size $slots))
  (global.set $leftover (i64.const -1))
  END
  (i32.store8 $m (i32.const 16) (i32.const 0))
  (i32.store $m (i32.const 64) (i32.const 0x656e6f64))
  (i32.store $m (i32.const 20) (i32.const 64))
  (i32.store $m (i32.const 24) (i32.const 4))
  (i32.const 16)`;

/** Counts everything, grows, and counts what is new. The answer is "a" when there was nothing, else what it found as a letter. */
const SCAN = `
  (local.set $found (call $count (i32.const 0) (i32.const ${INPUT_AT})))
  (local.set $found (i32.add (local.get $found)
    (call $count (i32.add (i32.const ${INPUT_AT}) (local.get $length)) (i32.mul (memory.size $m) (i32.const 65536)))))
  (if (i32.ne (memory.grow $m (i32.const 3)) (i32.const -1))
    (then (local.set $found (i32.add (local.get $found)
      (call $count (i32.mul (i32.sub (memory.size $m) (i32.const 3)) (i32.const 65536)) (i32.mul (memory.size $m) (i32.const 65536)))))))
  (drop (memory.grow $second (i32.const 1)))
  (drop (table.grow $slots (ref.null func) (i32.const 8)))
  (i32.store8 $m (i32.const 64) (i32.add (i32.const 97)
    (i32.or
      (i32.or
        (i32.ne (local.get $found) (i32.const 0))
        (i32.shl (i32.ne (call $count_second) (i32.const 0)) (i32.const 1)))
      (i32.or
        (i32.shl (i32.ne (call $slots_in_use) (i32.const 0)) (i32.const 2))
        (i32.shl (i64.ne (global.get $leftover) (i64.const 0)) (i32.const 3))))))
  (i32.store $m (i32.const 20) (i32.const 64))
  (i32.store $m (i32.const 24) (i32.const 1))
  (i32.const 16)`;

const writing = (grows: number, end: string): string => WRITE.replaceAll("GROWS", String(grows)).replace("END", end);
const endOf = ({ outcome }: GuestEnd): string => (outcome.ok ? outcome.output : outcome.code);

/** The ways to end, each with how little it needs. */
const ENDS: readonly {
  readonly end: string;
  readonly code: string;
  readonly grows: number;
  readonly limits?: Partial<Limits>;
}[] = [
  { end: "", code: "done", grows: 0 },
  { end: "", code: "done", grows: 2 },
  { end: "unreachable", code: "GUEST_UNREACHABLE", grows: 0 },
  { end: "unreachable", code: "GUEST_UNREACHABLE", grows: 2 },
  { end: "(drop (i32.load $m (i32.const -4)))", code: "GUEST_OUT_OF_BOUNDS", grows: 0 },
  { end: "(call $spin)", code: "FUEL_EXHAUSTED", grows: 0, limits: { fuel: 2_000_000 } },
  { end: "(call $deeper)", code: "STACK_OVERFLOW", grows: 0, limits: { fuel: 1e12 } },
];

const pool = new MemoryPool();
/** The same sizes, a larger memory, one with a maximum, a smaller one: what the pool holds fits the first, and must fit no other. */
const SCANNED = [`${PAGES}`, `${PAGES + 1}`, `${PAGES} ${PAGES + 8}`, `${PAGES - 1}`];
let scanners: readonly TestGuest[];

beforeAll(async () => {
  scanners = await Promise.all(SCANNED.map((memory) => buildGuest(guestOf(memory, SCAN), pool)));
});

describe("what a call wrote", () => {
  for (const { end, code, grows, limits } of ENDS) {
    test(`is gone when it ended in ${code}, grown by ${grows}`, async () => {
      const writer = await buildGuest(guestOf(`${PAGES}`, writing(grows, end)), pool);
      expect(endOf(writer.run(limits, INPUT))).toBe(code);
      for (const scanner of scanners)
        expect([scanner.run({}, INPUT), scanner.run({}, INPUT)].map(endOf)).toEqual(["a", "a"]);
    });
  }

  test("is seen by these scans, when it is there", async () => {
    const kept = new MemoryPool();
    const scanner = await buildGuest(guestOf(`${PAGES}`, SCAN), kept);
    const size = { initialPages: PAGES, maximumPages: undefined };
    for (const at of [0, INPUT_AT - 1, INPUT_AT + INPUT.length, PAGES * 65_536 - 1]) {
      const memory = kept.take(size);
      kept.give(size, memory);
      new Uint8Array(memory.buffer)[at] = 1;
      expect([at, endOf(scanner.run({}, INPUT))]).toEqual([at, "b"]);
    }
  });
});

describe("what a call held", () => {
  const HANDLES = `
    (import "wasi:cli/stdout@0.2.6" "get-stdout" (func $get_stdout (result i32)))
    (import "wasi:io/streams@0.2.6" "[method]output-stream.check-write" (func $check_write (param i32 i32)))
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const ${INPUT_AT}))
    (func (export "run") (param $text i32) (param $length i32) (result i32)
      (local $handle i32)
      (local.set $handle (i32.const 1))
      (if (i32.eq (i32.load8_u (local.get $text)) (i32.const 119))
        (then (local.set $handle (call $get_stdout))))
      (call $check_write (local.get $handle) (i32.const 128))
      (i32.store8 (i32.const 64) (i32.add (i32.const 48) (local.get $handle)))
      (i32.store (i32.const 20) (i32.const 64))
      (i32.store (i32.const 24) (i32.const 1))
      (i32.const 16))`;

  test("is not the next one's: its handles are made anew", async () => {
    const imports = "import wasi:cli/stdout@0.2.6; import wasi:io/streams@0.2.6;";
    const guest = await buildGuest(HANDLES, undefined, { imports, packages: WASI });
    for (let round = 0; round < 3; round++) {
      const first = guest.run({}, "w");
      expect(first.outcome).toEqual({ ok: true, output: expect.stringMatching(/^\d$/) });
      expect(guest.run({}, "r").outcome).toMatchObject({ ok: false, code: "GUEST_TRAP" });
    }
  });
});
