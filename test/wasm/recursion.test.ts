/**
 * Recursion: metered code gives what unmetered code gives as deep as a program has any business to go, and ends where that ends.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { parse } from "@bytecodealliance/jco";
import { SLICE } from "../../lib/protocol/control.ts";
import { compileMetered, exportedFunction, MeterHost } from "./meter-host.ts";

/** Each function goes `n` deep and counts on its way back, but for the tail calls. */
const WAT = `(module
  (type $deep (func (param i32) (result i32)))
  (import "env" "through" (func $through (type $deep)))
  (tag $bottom (param i32))
  (table funcref (elem $indirect))
  (elem declare func $referenced $tail_reference)
  (func $plain (export "plain") (type $deep)
    (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $plain (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
  (func $even (export "mutual") (type $deep)
    (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $odd (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
  (func $odd (type $deep)
    (local i64 i64 i64 f64 f64 v128 v128)
    (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $even (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
  (func $indirect (export "indirect") (type $deep)
    (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call_indirect (type $deep) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))) (else (i32.const 0))))
  (func $referenced (export "referenced") (type $deep)
    (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call_ref $deep (i32.sub (local.get 0) (i32.const 1)) (ref.func $referenced)))) (else (i32.const 0))))
  (func $looping (export "looping") (type $deep) (local $sum i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
    (loop $once (local.set $sum (i32.add (i32.const 1) (call $looping (i32.sub (local.get 0) (i32.const 1))))) (br_if $once (i32.eqz (local.get $sum))))
    (local.get $sum))
  (func $throws (export "throws") (type $deep)
    (block $caught (result i32)
      (try_table (catch $bottom $caught) (if (local.get 0) (then (return (i32.add (i32.const 1) (call $throws (i32.sub (local.get 0) (i32.const 1))))))) (throw $bottom (i32.const 0)))
      unreachable))
  (func $host (export "host") (type $deep)
    (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $through (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
  (func $tail (export "tail") (type $deep)
    (if (result i32) (local.get 0) (then (return_call $tail (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0))))
  (func $tail_reference (export "tail_reference") (type $deep)
    (if (result i32) (local.get 0) (then (return_call_ref $deep (i32.sub (local.get 0) (i32.const 1)) (ref.func $tail_reference))) (else (i32.const 0))))
  (func (export "catches") (type $deep)
    (block $caught (try_table (catch_all $caught) (return (call $plain (local.get 0))))) (i32.const -1)))`;

const DEEP = ["plain", "mutual", "indirect", "referenced", "looping", "throws", "host"];
const MUCH = 1_000_000_000;

describe("recursion", () => {
  let bytes: Uint8Array;
  beforeAll(async () => {
    bytes = await parse(WAT);
  });

  for (const name of DEEP) {
    test.each([0, 1, 2, 100, 1000])(`by "${name}" goes %i deep`, (depth) => {
      expect([runPlain(bytes, name, depth), runMetered(bytes, name, depth)]).toEqual([depth, depth]);
    });

    test(`by "${name}" ends when it has no end`, () => {
      expect(() => runPlain(bytes, name, MUCH)).toThrow(RangeError);
      expect(() => runMetered(bytes, name, MUCH)).toThrow();
    });
  }

  test.each(["tail", "tail_reference"])('by "%s" needs no stack', (name) => {
    expect([runPlain(bytes, name, 1_000_000), runMetered(bytes, name, 1_000_000)]).toEqual([0, 0]);
  });

  test("by tail calls uses the same fuel for each of them", () => {
    const used = [0, 1, 500_000].map((depth) => usedBy(bytes, "tail", depth));
    expect((used[2] ?? 0) - (used[0] ?? 0)).toBe(500_000 * ((used[1] ?? 0) - (used[0] ?? 0)));
  });

  test.each(DEEP)('by "%s" uses the same fuel for each call', (name) => {
    const used = [0, 2, 1000].map((depth) => usedBy(bytes, name, depth));
    expect((used[2] ?? 0) - (used[0] ?? 0)).toBe(500 * ((used[1] ?? 0) - (used[0] ?? 0)));
  });

  test("cannot go on behind a handler that catches everything", () => {
    expect(() => runMetered(bytes, "catches", MUCH)).toThrow();
  });
});

/** The host calls back: each of its frames is one more. */
function makeImports(find: () => WebAssembly.Instance | undefined): WebAssembly.Imports {
  const through = (depth: number): unknown => {
    const instance = find();
    if (instance === undefined) throw new Error("called at the start");
    return exportedFunction(instance, "host")(depth);
  };
  return { env: { through } };
}

function runPlain(bytes: Uint8Array, name: string, depth: number): unknown {
  let instance: WebAssembly.Instance | undefined;
  const module = new WebAssembly.Module(new Uint8Array(bytes));
  instance = new WebAssembly.Instance(
    module,
    makeImports(() => instance),
  );
  return exportedFunction(instance, name)(depth);
}

function runMetered(bytes: Uint8Array, name: string, depth: number): unknown {
  using meter = new MeterHost({ fuel: MUCH * 4, slice: SLICE });
  return callMetered(meter, bytes, { name, depth });
}

function usedBy(bytes: Uint8Array, name: string, depth: number): number {
  using meter = new MeterHost({ fuel: MUCH, slice: SLICE });
  callMetered(meter, bytes, { name, depth });
  return meter.used;
}

function callMetered(
  meter: MeterHost,
  bytes: Uint8Array,
  { name, depth }: { readonly name: string; readonly depth: number },
): unknown {
  let instance: WebAssembly.Instance | undefined;
  instance = meter.instantiate(
    compileMetered(bytes, "recursion"),
    makeImports(() => instance),
  );
  return exportedFunction(instance, name)(depth);
}
