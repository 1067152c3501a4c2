/**
 * Real components on the imports: what jco's glue passes and expects, and what a hostile component can make it pass.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { buildComponent, startComponent } from "./component.ts";
import { invoke, Recorder } from "./recorder.ts";

/** The parts of WASI that these guests use; nested packages, so that one text is enough. */
const WASI = `
package wasi:io@0.2.6 {
  interface error { resource error { to-debug-string: func() -> string; } }
  interface poll {
    resource pollable { ready: func() -> bool; block: func(); }
    poll: func(in: list<borrow<pollable>>) -> list<u32>;
  }
  interface streams {
    use error.{error};
    use poll.{pollable};
    variant stream-error { last-operation-failed(error), closed }
    resource input-stream {
      read: func(len: u64) -> result<list<u8>, stream-error>;
      subscribe: func() -> pollable;
    }
    resource output-stream {
      check-write: func() -> result<u64, stream-error>;
      write: func(contents: list<u8>) -> result<_, stream-error>;
      blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
      splice: func(src: borrow<input-stream>, len: u64) -> result<u64, stream-error>;
    }
  }
}
package wasi:cli@0.2.6 {
  interface stdin { use wasi:io/streams@0.2.6.{input-stream}; get-stdin: func() -> input-stream; }
  interface stdout { use wasi:io/streams@0.2.6.{output-stream}; get-stdout: func() -> output-stream; }
}
package wasi:clocks@0.2.6 {
  interface monotonic-clock {
    use wasi:io/poll@0.2.6.{pollable};
    now: func() -> u64;
    subscribe-duration: func(when: u64) -> pollable;
  }
}
`;

/** A bump allocator for what the imports return. */
const REALLOC = `
  (memory (export "memory") 4)
  (global $heap (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $start i32)
    (local.set $start (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (global.set $heap (i32.add (local.get $start) (local.get 3)))
    (local.get $start))
`;

async function build(imports: string, text: string, wit = WASI): Promise<Uint8Array> {
  const world = `package test:guest;\nworld guest { ${imports} export run: func() -> u32; }\n`;
  return buildComponent({ text: `(module ${text})`, wit: `${world}${wit}` });
}

async function run(component: Uint8Array, call: Recorder): Promise<unknown> {
  return invoke(await startComponent(component, call), "run");
}

async function endOf(component: Uint8Array, call: Recorder): Promise<string> {
  const exports = await startComponent(component, call);
  return call.endOf(() => invoke(exports, "run"));
}

describe("streams through the glue", () => {
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
  const withBody = (body: string) => build(imports, `${functions} (func (export "run") (result i32) ${body})`);

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
    expect(await endOf(component, new Recorder())).toBe("trap: it used a handle that it does not hold");
  });

  test("a dropped handle traps", async () => {
    const component = await withBody(`(local $out i32) (local.set $out (call $stdout)) (call $drop (local.get $out))
      (call $check (local.get $out) (i32.const 64)) (i32.const 0)`);
    expect(await endOf(component, new Recorder())).toBe("trap: it used a handle that it does not hold");
  });

  test("pollables that are dropped make room for others, those that are kept do not", async () => {
    const loop = (drop: string) => `(local $in i32) (local $left i32)
      (local.set $in (call $stdin)) (local.set $left (i32.const 5000))
      (loop $again
        (${drop} (call $subscribe (local.get $in)))
        (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (i32.const 1)`;
    expect(await run(await withBody(loop("call $drop_pollable")), new Recorder())).toBe(1);
    expect(await endOf(await withBody(loop("drop")), new Recorder())).toBe("trap: it holds more than 4096 handles");
  });
});

describe("poll through the glue", () => {
  const imports = "import wasi:clocks/monotonic-clock@0.2.6; import wasi:io/poll@0.2.6;";
  const functions = `
    (import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration" (func $timer (param i64) (result i32)))
    (import "wasi:io/poll@0.2.6" "poll" (func $poll (param i32 i32 i32)))
    (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func $block (param i32)))
    ${REALLOC}`;
  const withBody = (body: string) => build(imports, `${functions} (func (export "run") (result i32) ${body})`);

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
    call.interruptAt = 2;
    const component = await withBody(`(call $block (call $timer (i64.const -1))) (i32.const 0)`);
    expect(await endOf(component, call)).toBe("interrupted");
    expect(call.entered).toBe(2);
  });
});

describe("denials through the glue", () => {
  const denied = `
package wasi:sockets@0.2.0 {
  interface network { resource network; enum error-code { unknown, access-denied } }
  interface instance-network { use network.{network}; instance-network: func() -> network; }
}
package wasi:http@0.2.10 {
  interface types {
    resource fields { constructor(); from-list: static func(entries: list<u8>) -> fields; has: func(name: string) -> bool; }
  }
}
package my:own@1.0.0 { interface things { do-thing: func(); } }
`;
  const imports = `import wasi:sockets/instance-network@0.2.0; import wasi:http/types@0.2.10;
    import my:own/things@1.0.0; import lone-thing: func();`;
  const withBody = (body: string) =>
    build(
      imports,
      `(import "wasi:sockets/instance-network@0.2.0" "instance-network" (func $network (result i32)))
      (import "wasi:http/types@0.2.10" "[constructor]fields" (func $new (result i32)))
      (import "wasi:http/types@0.2.10" "[static]fields.from-list" (func $list (param i32 i32) (result i32)))
      (import "wasi:http/types@0.2.10" "[method]fields.has" (func $has (param i32 i32 i32) (result i32)))
      (import "my:own/things@1.0.0" "do-thing" (func $thing))
      (import "$root" "lone-thing" (func $lone))
      ${REALLOC} (func (export "run") (result i32) ${body})`,
      denied,
    );

  test("a guest that imports much and uses none of it runs", async () => {
    const call = new Recorder();
    expect(await run(await withBody("(i32.const 5)"), call)).toBe(5);
    expect([call.entered, call.ending]).toEqual([0, undefined]);
  });

  test.each([
    ["(call $network)", "network access (wasi:sockets/instance-network instance-network)"],
    ["(call $new)", "network access (wasi:http/types fields)"],
    ["(call $list (i32.const 0) (i32.const 0))", "network access (wasi:http/types fields.from-list)"],
    ["(call $has (i32.const 3) (i32.const 0) (i32.const 0))", "network access (wasi:http/types fields.has)"],
    ["(call $thing) (i32.const 0)", "an unknown host function (my:own/things do-thing)"],
    ["(call $lone) (i32.const 0)", "an unknown host function (lone-thing)"],
  ])("%s is denied by name", async (body, capability) => {
    expect(await endOf(await withBody(body), new Recorder())).toBe(`denied: ${capability}`);
  });
});

describe("a component that declares WASI's functions with other types", () => {
  test("cannot read beyond its input: what is read owns its buffer", async () => {
    const wit = WASI.replace("-> result<list<u8>, stream-error>", "-> result<list<u64>, stream-error>");
    const component = await build(
      "import wasi:cli/stdin@0.2.6; import wasi:io/streams@0.2.6;",
      `(import "wasi:cli/stdin@0.2.6" "get-stdin" (func $stdin (result i32)))
      (import "wasi:io/streams@0.2.6" "[method]input-stream.read" (func $read (param i32 i64 i32)))
      ${REALLOC}
      (func (export "run") (result i32) (call $read (call $stdin) (i64.const 4) (i32.const 16)) (i32.const 1))`,
      wit,
    );
    const call = new Recorder("read secret-of-another-call and more of it, all in one buffer");
    const exports = await startComponent(component, call);
    expect(() => invoke(exports, "run")).toThrow(RangeError);
    expect(call.ending).toBeUndefined();
  });

  test("gets a trap for text in place of bytes", async () => {
    const wit = WASI.replaceAll("(contents: list<u8>)", "(contents: string)");
    const component = await build(
      "import wasi:cli/stdout@0.2.6; import wasi:io/streams@0.2.6;",
      `(import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
      (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))
      ${REALLOC}
      (func (export "run") (result i32)
        (call $write (call $stdout) (i32.const 0) (i32.const 4) (i32.const 16)) (i32.const 1))`,
      wit,
    );
    expect(await endOf(component, new Recorder())).toBe(
      "trap: it called wasi:io/streams output-stream.blocking-write-and-flush with arguments of the wrong type",
    );
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
    expect(call.checked).toBeGreaterThanOrEqual(1);
  });
});
