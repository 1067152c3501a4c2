/**
 * Objects of the engine's heap count against the memory of a call: before they are made, exactly, in all instances together.
 */
import { describe, expect, test } from "bun:test";
import { parse } from "@bytecodealliance/jco";
import { METER_EXPORTS, METER_IMPORT, SIGNAL_MEMORY } from "../../lib/component/instantiate.ts";
import { ControlBlock } from "../../lib/protocol/control.ts";
import { Budget } from "../../lib/worker/budget.ts";
import { compileMetered, exportedFunction } from "../wasm/meter-host.ts";
import { buildFromText, buildGuest, type GuestEnd } from "./support/guest.ts";

const PAGE = 65_536;
const MIB = 1_048_576;

const TYPES = `
  (type $point (struct (field i32) (field i32)))
  (type $wide (struct (field v128) (field i8)))
  (type $bytes (array (mut i8)))
  (type $longs (array (mut i64)))
  (type $vectors (array (mut v128)))`;

/** A module whose `run` does `work`, and returns no text. */
const moduleOf = (work: string, fields = ""): string => `
  ${TYPES} (memory $m (export "memory") 1) ${fields}
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "run") (param i32 i32) (result i32) (local $i i32) ${work}
    (i32.store (i32.const 20) (i32.const 64)) (i32.const 16))`;

const times = (count: number, work: string): string => `(local.set $i (i32.const ${count}))
  (loop $again ${work} (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))`;

const EXHAUSTED = (limitBytes: number): object => ({ ok: false, code: "MEMORY_EXHAUSTED", detail: { limitBytes } });

const summaryOf = ({ outcome, usage }: GuestEnd): readonly unknown[] => [
  outcome.ok ? outcome.output : { ...outcome, detail: { ...outcome.detail, frames: undefined } },
  usage.peakMemoryBytes,
];

/** What an object counts: 8 or 16 bytes of header, rounded up to 16; five eighths as much again, at most 8 KiB. */
const OBJECTS: readonly { readonly make: string; readonly bytes: number; readonly why: string }[] = [
  { make: "(drop (struct.new_default $point))", bytes: 26, why: "8 of header and 8 of fields" },
  { make: "(drop (struct.new $point (i32.const 1) (i32.const 2)))", bytes: 26, why: "the same" },
  { make: "(drop (struct.new_default $wide))", bytes: 52, why: "8, 16 and 1, rounded up to 32" },
  { make: "(drop (array.new_default $bytes (i32.const 0)))", bytes: 26, why: "an empty array has a header" },
  { make: "(drop (array.new_default $bytes (i32.const 1)))", bytes: 52, why: "one byte more" },
  {
    make: "(drop (array.new $longs (i64.const 1) (i32.const 1000)))",
    bytes: 8016 + 5010,
    why: "five eighths as much again",
  },
  { make: "(drop (array.new_default $vectors (i32.const 818)))", bytes: 13_104 + 8190, why: "just not at most" },
  { make: "(drop (array.new_default $vectors (i32.const 819)))", bytes: 13_120 + 8192, why: "at most 8 KiB more" },
  { make: "(drop (array.new_default $vectors (i32.const 8000)))", bytes: 128_016 + 8192, why: "at most 8 KiB more" },
  { make: "(drop (array.new_fixed $longs 2 (i64.const 1) (i64.const 2)))", bytes: 52, why: "16 and 16" },
  { make: "(drop (array.new_data $bytes $d (i32.const 1) (i32.const 2)))", bytes: 52, why: "16 and 2" },
];

describe("the memory of a call, counted for objects,", () => {
  for (const { make, bytes, why } of OBJECTS) {
    test(`is ${bytes} bytes for ${make}: ${why}`, async () => {
      const guest = await buildGuest(moduleOf(times(100, make), '(data $d "abc")'));
      const cap = PAGE + 100 * bytes;
      expect(summaryOf(guest.run({ memoryBytes: cap + 1 }))).toEqual(["", cap]);
      expect(summaryOf(guest.run({ memoryBytes: cap }))).toEqual(["", cap]);
      expect(summaryOf(guest.run({ memoryBytes: cap - 1 }))).toEqual([EXHAUSTED(cap - 1), cap - 1]);
    });
  }

  test("is exact over many grants, and nothing of it comes back when objects are dropped", async () => {
    const count = 200_000;
    const guest = await buildGuest(moduleOf(times(count, "(drop (struct.new_default $point))")));
    const cap = PAGE + count * 26;
    expect(summaryOf(guest.run({ memoryBytes: cap }))).toEqual(["", cap]);
    expect(summaryOf(guest.run({ memoryBytes: cap - 1 }))).toEqual([EXHAUSTED(cap - 1), cap - 1]);
  });

  test("leaves what is granted and not used to memories and tables", async () => {
    const work = `(drop (struct.new_default $point)) (global.set $old (memory.grow (i32.const 9)))
      (drop (struct.new_default $point)) (if (i32.ne (global.get $old) (i32.const 1)) (then unreachable))
      (if (i32.ne (table.grow $t (ref.null func) (i32.const 2)) (i32.const 0)) (then unreachable))`;
    const guest = await buildGuest(moduleOf(work, "(global $old (mut i32) (i32.const 0)) (table $t 0 funcref)"));
    const cap = 10 * PAGE + 2 * 26 + 2 * 48;
    expect(summaryOf(guest.run({ memoryBytes: cap }))).toEqual(["", cap]);
    expect(summaryOf(guest.run({ memoryBytes: cap - 1 }))[0]).toMatchObject({ code: "MEMORY_EXHAUSTED" });
  });

  test("holds exceptions as well, by the parameters of their tags", async () => {
    const wat = `(module (tag $t (param i64 v128)) (tag $u)
      (func (export "t") (block (result i64 v128) (try_table (catch $t 0) (throw $t (i64.const 1) (v128.const i64x2 1 2))) unreachable) (drop) (drop))
      (func (export "u") (block (try_table (catch_all 0) (throw $u)))))`;
    const { call, budget } = await start(wat, MIB);
    call("u");
    expect(budget.memory.peakBytes).toBe(130);
    call("t");
    expect(budget.memory.peakBytes).toBe(130 + 112 + 70);
  });

  test("is counted for the objects of constant expressions when the instance is made, and charged", async () => {
    const fields =
      "(global (ref $vectors) (array.new_default $vectors (i32.const 1024))) (global (ref $point) (struct.new_default $point))";
    const guest = await buildGuest(moduleOf("", fields));
    const bare = await buildGuest(moduleOf(""));
    const heap = 16_400 + 8192 + 26;
    const cap = PAGE + heap;
    expect(summaryOf(guest.run({ memoryBytes: cap }))).toEqual(["", cap]);
    expect(summaryOf(guest.run({ memoryBytes: cap - 1 }))).toEqual([EXHAUSTED(cap - 1), 0]);
    expect(guest.run().usage.fuel - bare.run().usage.fuel).toBe(Math.floor(heap / 16));
  });

  test("is one for all instances of a call", async () => {
    const side = `(core module $side ${TYPES} (func (export "make") (param $i i32)
      (loop $again (drop (struct.new_default $point)) (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))))`;
    const component = `(component ${side}
      (core module $main (import "side" "make" (func $make (param i32))) ${moduleOf(`(call $make (i32.const 500)) ${times(500, "(drop (struct.new_default $point))")} (call $make (i32.const 500))`).trim()})
      (core instance $s (instantiate $side))
      (core instance $i (instantiate $main (with "side" (instance $s))))
      (func (export "run") (param "input" string) (result (result string (error string)))
        (canon lift (core func $i "run") (memory (core memory $i "memory")) (realloc (core func $i "cabi_realloc")))))`;
    const guest = await buildFromText(component);
    const cap = PAGE + 1500 * 26;
    expect(summaryOf(guest.run({ memoryBytes: cap }))).toEqual(["", cap]);
    expect(summaryOf(guest.run({ memoryBytes: cap - 1 }))).toEqual([EXHAUSTED(cap - 1), cap - 1]);
  });
});

describe("an array", () => {
  test.each([
    { type: "$bytes", most: 8 * MIB },
    { type: "$longs", most: MIB },
    { type: "$vectors", most: MIB / 2 },
  ])("of type $type has at most $most elements", async ({ type, most }) => {
    const guest = async (length: number): Promise<GuestEnd> =>
      (await buildGuest(moduleOf(`(drop (array.new_default ${type} (i32.const ${length})))`))).run({
        memoryBytes: 64 * MIB,
        fuel: 2 ** 40,
      });
    expect((await guest(most)).outcome.ok).toBe(true);
    const refused = { ok: false, code: "GUEST_TRAP", detail: { reason: "it makes an array of more than 8 MiB" } };
    for (const length of [most + 1, 0x7fff_ffff, 0xffff_ffff])
      expect(summaryOf(await guest(length))[0]).toEqual(refused);
  });

  test("that does not fit is not made: an exception handler does not see it", async () => {
    const wat = `(module ${TYPES} (tag $t) (global $after (export "after") (mut i32) (i32.const 0))
      (func (export "f") (block (try_table (catch_all 0) (drop (array.new_default $bytes (i32.const 1000000))))) (global.set $after (i32.const 1))))`;
    const { call, budget, instance } = await start(wat, 1000);
    expect(() => call("f")).toThrow(WebAssembly.RuntimeError);
    expect(budget.stopped).toEqual({ code: "MEMORY_EXHAUSTED", detail: { limitBytes: 1000 } });
    expect(instance.exports["after"]).toMatchObject({ value: 0 });
  });
});

test("a guest that makes objects in straight-line code is interrupted between two grants", async () => {
  const wat = `(module (type $large (struct ${"(field i64)".repeat(100)})) (import "a" "interrupt" (func $interrupt))
    (func (export "f") (drop (struct.new_default $large)) (call $interrupt) ${"(drop (struct.new_default $large))".repeat(2000)}))`;
  const { call, budget } = await start(wat, 64 * MIB);
  expect(() => call("f")).toThrow(WebAssembly.RuntimeError);
  expect(budget.stopped).toEqual({ code: "CANCELLED", detail: {} });
  // The first grant of 1 MiB, and the object that it had no room for.
  const bytes = 816 + 510;
  expect(budget.memory.peakBytes).toBe(Math.ceil((MIB + bytes + 1) / bytes) * bytes);
});

test("tables grow to 262,144 elements in all", async () => {
  const wat = `(module (table $a 1 externref) (table $b 0 funcref)
    (func (export "a") (param i32) (result i32) (table.grow $a (ref.null extern) (local.get 0)))
    (func (export "b") (param i32) (result i32) (table.grow $b (ref.null func) (local.get 0))))`;
  const { call, budget } = await start(wat, 64 * MIB, 1);
  expect([call("a", 262_143 - 10), call("b", 11), call("b", 10), call("a", 1), call("a", 0)]).toEqual([
    1, -1, 0, -1, 262_134,
  ]);
  expect([budget.memory.peakBytes, budget.memoryRefused]).toEqual([262_144 * 48, false]);
});

interface Started {
  readonly call: (name: string, ...values: number[]) => unknown;
  readonly budget: Budget;
  readonly instance: WebAssembly.Instance;
}

/** Instantiates a core module over a budget. */
async function start(wat: string, memoryBytes: number, tableElements = 0): Promise<Started> {
  const control = new ControlBlock();
  const budget = new Budget({ fuel: 1e9, memoryBytes, timeoutMs: 600_000 }, control, performance.now());
  budget.reserve({ memories: 0, pages: 0, tableElements, heapBytes: 0 });
  const heap = budget.addHeap();
  const meter: WebAssembly.ModuleImports = {
    [SIGNAL_MEMORY]: control.memory,
    allocate: heap.refill,
    refuseArray: () => budget.refuseArray(),
    grow: () => -1,
    growTable: (delta: number) => budget.growTable(delta),
    grewTable: (before: number) => budget.grewTable(before),
  };
  const { module } = compileMetered(await parse(wat), "test");
  const imports = { [METER_IMPORT]: meter, a: { interrupt: () => control.interrupt("cancelled") } };
  const instance = new WebAssembly.Instance(module, imports);
  const exported = (name: string): ((value?: number) => number) => {
    const callee = exportedFunction(instance, name);
    return (value) => Number(callee(value));
  };
  const { read, write, stack, readHeap, writeHeap } = METER_EXPORTS;
  budget.addFuel({ read: exported(read), write: exported(write), stack: exported(stack) });
  if (readHeap in instance.exports) heap.attach({ read: exported(readHeap), write: exported(writeHeap) });
  return {
    budget,
    instance,
    call: (name, ...values) => exportedFunction(instance, name)(...values),
  };
}
