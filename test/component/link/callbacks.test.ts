/**
 * Allocators and post-return functions that misbehave: what the linker calls on its own account.
 */
import { describe, expect, test } from "bun:test";
import { CLOCK, clockOf } from "./support/clock.ts";
import { type Component, linkText } from "./support/linking.ts";

const ABI = "it broke the component ABI:";
const OUTSIDE = `${ABI} an address or a length outside its memory`;
const NOT_ALIGNED = `${ABI} an address that is not aligned`;

describe("an allocator", () => {
  test.each([
    ["answers with a place that is too small", "(i32.const 65533)", OUTSIDE],
    ["answers with -1", "(i32.const -1)", OUTSIDE],
    ["traps", "unreachable", "RuntimeError: Unreachable code should not be executed"],
    ["calls an import", "(call $tick (i32.const 1))", "it called tick from its allocator"],
  ])("that %s ends the call", async (_, body, ending) => {
    const instance = await (await withAllocator(body)).start();
    expect(await instance.endOf("run", "text")).toStartWith(ending);
  });

  test("that answers with the end of memory gives room for exactly what was asked for", async () => {
    const instance = await (await withAllocator("(i32.const 65532)")).start();
    expect(instance.run("run", "text")).toBe(65_532_004);
  });

  test("is asked for as much as there is, in one piece, aligned as the encoding has it", async () => {
    for (const [encoding, text, size, align] of [
      ["utf8", "€uro", 6, 1],
      ["utf16", "€uro", 8, 2],
      ["latin1+utf16", "uro", 3, 2],
      ["latin1+utf16", "€uro", 8, 2],
      ["utf8", "", 0, 1],
    ] as const) {
      const check = `(if (i32.or (i32.ne (local.get $size) (i32.const ${size})) (i32.ne (local.get $align) (i32.const ${align}))) (then unreachable)) (i32.const 64)`;
      const instance = await (await withAllocator(check, encoding)).start();
      expect(Number(instance.run("run", text)) >>> 0).toBeGreaterThanOrEqual(64_000);
    }
  });

  test("that answers with an odd place for numbers ends the call", async () => {
    const instance = await (await withAllocator("(i32.const 65)")).start();
    expect(await instance.endOf("many", ["a"])).toBe(NOT_ALIGNED);
    expect(await instance.endOf("run", "a")).toBe(NOT_ALIGNED);
  });

  test("that gives one place for everything harms its own memory only", async () => {
    const instance = await (await withAllocator("(i32.const 64)")).start();
    expect(instance.run("many", ["a", "b", "c"])).toBe(3);
  });

  test("that moves the memory is given the bytes where it says", async () => {
    const grow = "(i32.mul (memory.grow (i32.const 1)) (i32.const 65536))";
    const instance = await (await withAllocator(grow)).start();
    expect(
      instance.run(
        "many",
        Array.from({ length: 20 }, () => "text"),
      ),
    ).toBe(20);
    expect(instance.run("bytes", Uint8Array.of(1, 2, 3))).toBe((22 * 65_536 * 1000 + 3) >>> 0);
  });

  test("that there is none is noticed", async () => {
    const component = await linkText(`
      (core module $m (func (export "run")))
      (core instance $m (instantiate $m))
      (func (export "run") (canon lift (core func $m "run")))`);
    expect((await component.start()).run("run")).toBeUndefined();
  });
});

describe("a post-return function", () => {
  test("gets what the function returned, when its value has been taken", async () => {
    const body =
      "(if (i32.ne (local.get 0) (i32.const 16)) (then unreachable)) (memory.fill (i32.const 0) (i32.const 0) (i32.const 128))";
    const instance = await (await withPostReturn(body)).start();
    expect(instance.run("run")).toBe("text");
    expect(instance.run("run")).toBe("");
  });

  test.each([
    ["traps", "unreachable", "RuntimeError: Unreachable code should not be executed"],
    ["calls an import", "(drop (call $tick (i32.const 1)))", "it called tick after it had returned"],
  ])("that %s ends the call", async (_, body, ending) => {
    const instance = await (await withPostReturn(body)).start();
    expect(await instance.endOf("run")).toStartWith(ending);
  });
});

/** @param body - Of the allocator: $align and $size are its third and fourth parameter. */
function withAllocator(body: string, encoding = "utf8"): Promise<Component> {
  return linkText(
    `${CLOCK}
      (core module $m
        (import "host" "tick" (func $tick (param i32) (result i32)))
        (memory (export "memory") 1)
        (global $calls (mut i32) (i32.const 0))
        (func (export "realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32) ${body})
        (func (export "run") (param i32 i32) (result i32) (i32.add (i32.mul (local.get 0) (i32.const 1000)) (local.get 1)))
        (func (export "many") (param i32 i32) (result i32) (local.get 1)))
      (core instance $m (instantiate $m (with "host" (instance (export "tick" (func $tick))))))
      (func (export "run") (param "x" string) (result u32)
        (canon lift (core func $m "run") string-encoding=${encoding} (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
      (func (export "many") (param "x" (list string)) (result u32)
        (canon lift (core func $m "many") string-encoding=${encoding} (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
      (func (export "bytes") (param "x" (list u8)) (result u32)
        (canon lift (core func $m "run") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))`,
    clockOf([]),
  );
}

function withPostReturn(body: string): Promise<Component> {
  return linkText(
    `${CLOCK}
      (core module $m
        (import "host" "tick" (func $tick (param i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 16) "\\40\\00\\00\\00\\04\\00\\00\\00")
        (data (i32.const 64) "text")
        (func (export "run") (result i32) (i32.const 16))
        (func (export "after") (param i32) ${body}))
      (core instance $m (instantiate $m (with "host" (instance (export "tick" (func $tick))))))
      (func (export "run") (result string)
        (canon lift (core func $m "run") (memory (core memory $m "memory")) (post-return (core func $m "after"))))`,
    clockOf([]),
  );
}
