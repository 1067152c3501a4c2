/**
 * A guest's allocator, which the host calls for its results, may not call the host again.
 */
import { expect, test } from "bun:test";
import { parse } from "@bytecodealliance/jco";
import { AMPLE, summarize, TestRuntime } from "../support/runtime.ts";

/** Asks for 1 MiB of random bytes, and again whenever it is asked for room for them. */
const REENTER = `(component
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
  (core module $shim
    (type $get (func (param i64 i32)))
    (table (export "table") 1 funcref)
    (func (export "get") (type $get) (call_indirect (type $get) (local.get 0) (local.get 1) (i32.const 0))))
  (core instance $shim (instantiate $shim))
  (core module $tool
    (import "shim" "get" (func $get (param i64 i32)))
    (memory (export "memory") 17)
    (global $asks (mut i32) (i32.const 0))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (if (global.get $asks) (then (call $get (i64.const 1048576) (i32.const 8))))
      (i32.const 16))
    (func (export "run") (param i32 i32) (result i32)
      (global.set $asks (i32.const 1))
      (call $get (i64.const 1048576) (i32.const 8))
      (i32.const 16)))
  (core instance $tool (instantiate $tool (with "shim" (instance $shim))))
  (core func $get (canon lower (func $random "get-random-bytes")
    (memory (core memory $tool "memory")) (realloc (core func $tool "cabi_realloc"))))
  (core module $fill
    (import "shim" "table" (table 1 funcref))
    (import "host" "get" (func $get (param i64 i32)))
    (elem (i32.const 0) func $get))
  (core instance (instantiate $fill
    (with "shim" (instance $shim)) (with "host" (instance (export "get" (func $get))))))
  (func (export "run") (param "input" string) (result (result string (error string)))
    (canon lift (core func $tool "run") (memory (core memory $tool "memory")) (realloc (core func $tool "cabi_realloc")))))`;

test("an allocator that calls an import traps at once, before anything piles up", async () => {
  await using kami = new TestRuntime();
  const file = kami.home.join("reenter.wasm");
  await Bun.write(file, Uint8Array.from(await parse(REENTER)));
  const result = await kami.runtime.runFile(file, "{}", { limits: AMPLE });
  expect(summarize(result)).toEqual({
    code: "GUEST_TRAP",
    message: "The tool crashed: it called wasi:random/random get-random-bytes from its allocator",
  });
  expect(result.usage.hostCalls).toBeLessThan(3);
});
