/**
 * Every import that is served brings a core function, and gives what the glue's own lowering would.
 */
import { describe, expect, test } from "bun:test";
import { $init, generate } from "@bytecodealliance/jco-transpile/component";
import { KAMI_INTERFACES } from "../../../lib/worker/kami.ts";
import { LOWER } from "../../../lib/worker/wasi/boundary.ts";
import { CLI_INTERFACES } from "../../../lib/worker/wasi/cli.ts";
import { CLOCK_INTERFACES } from "../../../lib/worker/wasi/clocks.ts";
import { FILESYSTEM_INTERFACES } from "../../../lib/worker/wasi/filesystem.ts";
import { Host } from "../../../lib/worker/wasi/host.ts";
import { IO_INTERFACES, IoError } from "../../../lib/worker/wasi/io.ts";
import { Pollable } from "../../../lib/worker/wasi/poll.ts";
import { RANDOM_INTERFACES } from "../../../lib/worker/wasi/random.ts";
import { InputStream, OutputStream } from "../../../lib/worker/wasi/streams.ts";
import { buildGuest, REALLOC, run, startGlue, WASI } from "./component.ts";
import { invoke, Recorder } from "./recorder.ts";

describe("every import that is served", () => {
  const interfaces = [
    ...KAMI_INTERFACES,
    ...CLI_INTERFACES,
    ...CLOCK_INTERFACES,
    ...FILESYSTEM_INTERFACES,
    ...IO_INTERFACES,
    ...RANDOM_INTERFACES,
  ];

  test.each(interfaces.map(([name, create]) => [name, Object.keys(create(new Host(new Recorder())))] as const))(
    "%s brings a core function for each function",
    (name, keys) => {
      const made = Object(Reflect.get(new Recorder().imports, name));
      expect(keys.filter((key) => typeof Object(Reflect.get(made, key))[LOWER] !== "function")).toEqual([]);
    },
  );

  test.each([InputStream, OutputStream, Pollable, IoError])("%p brings a core function for each method", (resource) => {
    const methods = Object.getOwnPropertyNames(resource.prototype).filter((name) => name !== "constructor");
    expect(methods.toSorted()).toEqual(Object.keys(resource.type.methods).toSorted());
  });

  test("puts the same bytes into the guest's memory as the glue's own lowering", async () => {
    const component = await buildGuest(
      `import wasi:cli/stdin@0.2.6; import wasi:cli/stdout@0.2.6; import wasi:cli/environment@0.2.6; import wasi:io/poll@0.2.6;
      import wasi:io/streams@0.2.6; import wasi:clocks/wall-clock@0.2.6; import wasi:filesystem/preopens@0.2.6;`,
      `(import "wasi:cli/stdin@0.2.6" "get-stdin" (func $stdin (result i32)))
      (import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
      (import "wasi:cli/environment@0.2.6" "initial-cwd" (func $cwd (param i32)))
      (import "wasi:cli/environment@0.2.6" "get-arguments" (func $arguments (param i32)))
      (import "wasi:filesystem/preopens@0.2.6" "get-directories" (func $directories (param i32)))
      (import "wasi:clocks/wall-clock@0.2.6" "resolution" (func $resolution (param i32)))
      (import "wasi:io/streams@0.2.6" "[method]input-stream.read" (func $read (param i32 i64 i32)))
      (import "wasi:io/streams@0.2.6" "[method]input-stream.subscribe" (func $subscribe (param i32) (result i32)))
      (import "wasi:io/streams@0.2.6" "[method]output-stream.check-write" (func $check (param i32 i32)))
      (import "wasi:io/streams@0.2.6" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))
      (import "wasi:io/streams@0.2.6" "[method]output-stream.splice" (func $splice (param i32 i32 i64 i32)))
      (import "wasi:io/poll@0.2.6" "[method]pollable.ready" (func $ready (param i32) (result i32)))
      (import "wasi:io/poll@0.2.6" "[resource-drop]pollable" (func $drop (param i32)))
      (import "wasi:io/poll@0.2.6" "poll" (func $poll (param i32 i32 i32)))
      ${REALLOC}
      (func (export "run") (result i32)
        (local $in i32) (local $out i32) (local $first i32) (local $at i32) (local $hash i32)
        (memory.fill (i32.const 1024) (i32.const 0x55) (i32.const 1024))
        (local.set $in (call $stdin))
        (local.set $out (call $stdout))
        (call $cwd (i32.const 1024))
        (call $arguments (i32.const 1040))
        (call $directories (i32.const 1056))
        (call $resolution (i32.const 1072))
        (call $read (local.get $in) (i64.const 3) (i32.const 1088))
        (call $check (local.get $out) (i32.const 1104))
        (call $write (local.get $out) (i32.load (i32.const 1092)) (i32.const 3) (i32.const 1120))
        (call $splice (local.get $out) (local.get $in) (i64.const 4) (i32.const 1136))
        (call $splice (local.get $out) (local.get $in) (i64.const 99) (i32.const 1152))
        (call $splice (local.get $out) (local.get $in) (i64.const 1) (i32.const 1168))
        (call $read (local.get $in) (i64.const 1) (i32.const 1184))
        (local.set $first (call $subscribe (local.get $in)))
        (call $drop (call $subscribe (local.get $in)))
        (i32.store (i32.const 1200) (local.get $first))
        (i32.store (i32.const 1204) (call $subscribe (local.get $in)))
        (call $poll (i32.const 1200) (i32.const 2) (i32.const 1216))
        (i32.store (i32.const 1232) (call $ready (local.get $first)))
        (local.set $at (i32.const 1024))
        (loop $next
          (local.set $hash
            (i32.mul (i32.xor (local.get $hash) (i32.load8_u (local.get $at))) (i32.const 16777619)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $at) (i32.const 70000))))
        (local.get $hash))`,
      `${WASI}
package wasi:filesystem@0.2.6 { interface types { resource descriptor; }
  interface preopens { use types.{descriptor}; get-directories: func() -> list<tuple<descriptor, string>>; } }
`
        .replace(
          "interface stdin",
          "interface environment { get-arguments: func() -> list<string>; initial-cwd: func() -> option<string>; }\n  interface stdin",
        )
        .replace(
          "interface monotonic-clock",
          "interface wall-clock { record datetime { seconds: u64, nanoseconds: u32 } resolution: func() -> datetime; }\n  interface monotonic-clock",
        ),
    );
    const [own, glue] = [new Recorder("the input of a call"), new Recorder("the input of a call")];
    const hash = await run(component, own);
    expect(hash).toBe(invoke(await startLifting(component, glue), "run"));
    expect([own.ending, own.pieces, own.entered]).toEqual([undefined, glue.pieces, glue.entered]);
    expect(own.pieces.map(({ text }) => text).join("")).toBe("the input of a call");
  });
});

/** Instantiates a component whose glue lifts and lowers by itself: what the imports' own core functions are compared with. */
async function startLifting(component: Uint8Array, call: Recorder): Promise<object> {
  await $init;
  const { files } = generate(component, {
    name: "tool",
    noTypescript: true,
    instantiation: { tag: "sync" },
    importBindings: { tag: "js" },
    noNodejsCompat: true,
    base64Cutoff: 0,
  });
  const glue = new TextDecoder().decode(files.find(([name]) => name === "tool.js")?.[1]);
  return startGlue({ glue, modules: files }, call);
}
