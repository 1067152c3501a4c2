/**
 * Real components on the imports: what core code passes and gets.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { buildComponent, buildGuest, endOf, REALLOC, run } from "./component.ts";
import { Recorder } from "./recorder.ts";

const NO_HANDLE = "trap: it broke the component ABI: a handle that it does not have";

/** Makes 5000 pollables, and gives each to the function `drop`. */
function subscribeOften(drop: string): string {
  return `(local $in i32) (local $left i32)
    (local.set $in (call $stdin)) (local.set $left (i32.const 5000))
    (loop $again
      (${drop} (call $subscribe (local.get $in)))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i32.const 1)`;
}

describe("streams of real components", () => {
  const imports = "import wasi:cli/stdin@0.2.6; import wasi:cli/stdout@0.2.6; import wasi:io/streams@0.2.6;";
  const functions = `
    (import "wasi:cli/stdin@0.2.6" "get-stdin" (func $stdin (result i32)))
    (import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
    (import "wasi:io/streams@0.2.6" "[method]input-stream.read" (func $read (param i32 i64 i32)))
    (import "wasi:io/streams@0.2.6" "[method]input-stream.subscribe" (func $subscribe (param i32) (result i32)))
    (import "wasi:io/streams@0.2.6" "[method]output-stream.check-write" (func $check (param i32 i32)))
    (import "wasi:io/streams@0.2.6" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.6" "[method]output-stream.splice" (func $splice (param i32 i32 i64 i32)))
    (import "wasi:io/streams@0.2.6" "[resource-drop]output-stream" (func $drop (param i32)))
    (import "wasi:io/poll@0.2.6" "[resource-drop]pollable" (func $drop_pollable (param i32)))
    ${REALLOC}`;
  const withBody = (body: string) => buildGuest(imports, `${functions} (func (export "run") (result i32) ${body})`);

  test("a guest reads its input and writes it back", async () => {
    const call = new Recorder("hello");
    const component = await withBody(`(local $in i32) (local $out i32)
      (local.set $in (call $stdin)) (local.set $out (call $stdout))
      (call $check (local.get $out) (i32.const 64))
      (call $read (local.get $in) (i64.const -1) (i32.const 16))
      (call $write (local.get $out) (i32.load (i32.const 20)) (i32.load (i32.const 24)) (i32.const 32))
      (i32.wrap_i64 (i64.load (i32.const 72)))`);
    expect(await run(component, call)).toBe(65_536);
    expect(call.pieces).toEqual([{ stream: "stdout", text: "hello" }]);
    expect(call.entered).toBe(5);
  });

  test("a guest gets `closed` at the end of its input", async () => {
    const component = await withBody(`(call $read (call $stdin) (i64.const 1) (i32.const 16))
      ;; result: err is 1, closed is 1
      (i32.add (i32.mul (i32.load8_u (i32.const 16)) (i32.const 10)) (i32.load8_u (i32.const 20)))`);
    expect(await run(component, new Recorder())).toBe(11);
  });

  test("a guest splices its input to its output", async () => {
    const call = new Recorder("hello");
    const component = await withBody(`(call $splice (call $stdout) (call $stdin) (i64.const -1) (i32.const 16))
      (i32.wrap_i64 (i64.load (i32.const 24)))`);
    expect(await run(component, call)).toBe(5);
    expect(call.pieces).toEqual([{ stream: "stdout", text: "hello" }]);
  });

  test("a write without a permit traps", async () => {
    const component = await withBody(
      `(call $write (call $stdout) (i32.const 0) (i32.const 9) (i32.const 32)) (i32.const 0)`,
    );
    expect(await endOf(component, new Recorder())).toBe("trap: it wrote 9 bytes where check-write permitted 0");
  });

  test.each([0, 1, 7, 1_000_000])("a forged handle %d traps", async (handle) => {
    const component = await withBody(`(call $check (i32.const ${handle}) (i32.const 64)) (i32.const 0)`);
    expect(await endOf(component, new Recorder())).toBe(NO_HANDLE);
  });

  test("a dropped handle traps", async () => {
    const component = await withBody(`(local $out i32) (local.set $out (call $stdout)) (call $drop (local.get $out))
      (call $check (local.get $out) (i32.const 64)) (i32.const 0)`);
    expect(await endOf(component, new Recorder())).toBe(NO_HANDLE);
  });

  test("pollables that are dropped make room for others, those that are kept do not", async () => {
    expect(await run(await withBody(subscribeOften("call $drop_pollable")), new Recorder())).toBe(1);
    expect(await endOf(await withBody(subscribeOften("drop")), new Recorder())).toBe(
      "trap: it holds more than 4096 handles",
    );
  });
});

describe("poll of real components", () => {
  const imports = "import wasi:clocks/monotonic-clock@0.2.6; import wasi:io/poll@0.2.6;";
  const functions = `
    (import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration" (func $timer (param i64) (result i32)))
    (import "wasi:io/poll@0.2.6" "poll" (func $poll (param i32 i32 i32)))
    (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func $block (param i32)))
    ${REALLOC}`;
  const withBody = (body: string) => buildGuest(imports, `${functions} (func (export "run") (result i32) ${body})`);

  test("a guest learns of every timer that is ready", async () => {
    const component = await withBody(`
      (i32.store (i32.const 0) (call $timer (i64.const 0)))
      (i32.store (i32.const 4) (call $timer (i64.const -1)))
      (i32.store (i32.const 8) (call $timer (i64.const 0)))
      (call $poll (i32.const 0) (i32.const 3) (i32.const 16))
      ;; length, first and last index as one number: 2, 0, 2
      (i32.add (i32.mul (i32.load (i32.const 20)) (i32.const 100))
        (i32.add (i32.mul (i32.load (i32.load (i32.const 16))) (i32.const 10))
          (i32.load (i32.add (i32.load (i32.const 16)) (i32.const 4)))))`);
    expect(await run(component, new Recorder())).toBe(202);
  });

  test("an empty list traps", async () => {
    const component = await withBody(`(call $poll (i32.const 0) (i32.const 0) (i32.const 16)) (i32.const 0)`);
    expect(await endOf(component, new Recorder())).toBe("trap: it polled an empty list");
  });

  test("a guest that waits for ever is interrupted", async () => {
    const call = new Recorder();
    call.interruptAt = 1;
    const component = await withBody(`(call $block (call $timer (i64.const -1))) (i32.const 0)`);
    expect(await endOf(component, call)).toBe("interrupted");
    expect(call.entered).toBe(2);
  });
});

describe("a program of WASI preview 1, through jco's adapter", () => {
  let component: Uint8Array;
  beforeAll(async () => {
    component = await buildComponent({
      preview1: true,
      wit: "package test:guest;\nworld guest { export run: func() -> u32; }\n",
      text: `(module
        (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 2)
        (data (i32.const 1024) "to stdout\\n")
        (func $must (param i32) (if (local.get 0) (then unreachable)))
        (func (export "run") (result i32)
          (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 10))
          (call $must (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
          (call $must (call $environ (i32.const 16) (i32.const 20)))
          (call $must (call $args (i32.const 24) (i32.const 28)))
          (call $must (call $clock (i32.const 0) (i64.const 0) (i32.const 32)))
          (call $must (call $clock (i32.const 1) (i64.const 0) (i32.const 40)))
          (call $must (call $random (i32.const 2048) (i32.const 64)))
          ;; a relative timer of 2 ms on the monotonic clock
          (i32.store8 (i32.const 136) (i32.const 0)) (i32.store (i32.const 144) (i32.const 1))
          (i64.store (i32.const 152) (i64.const 2000000))
          (call $must (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 300)))
          ;; stdin is at its end
          (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 10))
          (call $must (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
          ;; EBADF is 8: no preopened directory. Variables, arguments and bytes read count to nothing.
          (i32.add (call $prestat (i32.const 3) (i32.const 400))
            (i32.mul (i32.const 100)
              (i32.add (i32.load (i32.const 8)) (i32.add (i32.load (i32.const 16)) (i32.load (i32.const 24))))))))`,
    });
  });

  test("starts, writes, sleeps, and finds neither environment nor files", async () => {
    const call = new Recorder();
    expect(await run(component, call)).toBe(8);
    expect(call.pieces).toEqual([{ stream: "stdout", text: "to stdout\n" }]);
    expect(call.ending).toBeUndefined();
    expect(call.suspended).toBeGreaterThanOrEqual(1);
  });
});
