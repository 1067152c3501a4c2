/**
 * Hostile components on the imports: what they were not granted, and what they get when they declare an interface with
 * types of its own.
 */
import { describe, expect, test } from "bun:test";
import { buildGuest, endOf, REALLOC, run, WASI } from "./component.ts";
import { Recorder } from "./recorder.ts";

describe("denials of real components", () => {
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
package my:host@1.0.0 { interface things { do-thing: func(); } }
`;
  const imports = `import wasi:sockets/instance-network@0.2.0; import wasi:http/types@0.2.10;
    import my:host/things@1.0.0; import lone-thing: func();`;
  const withBody = (body: string) =>
    buildGuest(
      imports,
      `(import "wasi:sockets/instance-network@0.2.0" "instance-network" (func $network (result i32)))
      (import "wasi:http/types@0.2.10" "[constructor]fields" (func $new (result i32)))
      (import "wasi:http/types@0.2.10" "[static]fields.from-list" (func $list (param i32 i32) (result i32)))
      (import "wasi:http/types@0.2.10" "[method]fields.has" (func $has (param i32 i32 i32) (result i32)))
      (import "my:host/things@1.0.0" "do-thing" (func $thing))
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
    ["(call $network)", "returned"],
    ["(call $new)", "returned"],
    [
      "(call $list (i32.const 0) (i32.const 0))",
      "trap: it imports wasi:http/types [static]fields.from-list with types that it does not have",
    ],
    [
      "(call $has (i32.const 3) (i32.const 0) (i32.const 0))",
      "trap: it broke the component ABI: a handle that it does not have",
    ],
    ["(call $thing) (i32.const 0)", "denied: an unknown host function (my:host/things@1.0.0 do-thing)"],
    ["(call $lone) (i32.const 0)", "denied: an unknown host function (lone-thing)"],
  ])("%s ends in its own way", async (body, ending) => {
    expect(await endOf(await withBody(body), new Recorder())).toBe(ending);
  });
});

describe("a component that declares WASI's functions with other types", () => {
  test("cannot read at all", async () => {
    const wit = WASI.replace("-> result<list<u8>, stream-error>", "-> result<list<u64>, stream-error>");
    const component = await buildGuest(
      "import wasi:cli/stdin@0.2.6; import wasi:io/streams@0.2.6;",
      `(import "wasi:cli/stdin@0.2.6" "get-stdin" (func $stdin (result i32)))
      (import "wasi:io/streams@0.2.6" "[method]input-stream.read" (func $read (param i32 i64 i32)))
      ${REALLOC}
      (func (export "run") (result i32)
        (call $read (call $stdin) (i64.const 4) (i32.const 16))
        (i32.or
          (i32.ne (i32.load (i32.load (i32.const 20))) (i32.const 0x64616572))
          (i32.load offset=4 (i32.load (i32.const 20)))))`,
      wit,
    );
    const call = new Recorder("read secret-of-another-call and more of it, all in one buffer");
    expect(await endOf(component, call)).toBe(
      "trap: it imports wasi:io/streams [method]input-stream.read with types that it does not have",
    );
  });

  test.each([
    ["(contents: u64)", "(param i32 i64 i32)", "(i64.const 4)", "a number in place of bytes"],
    ["()", "(param i32 i32)", "", "no bytes"],
  ])("gets a trap: %s", async (contents, type, argument) => {
    const component = await buildGuest(
      "import wasi:cli/stdout@0.2.6; import wasi:io/streams@0.2.6;",
      `(import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
      (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush" (func $write ${type}))
      ${REALLOC}
      (func (export "run") (result i32) (call $write (call $stdout) ${argument} (i32.const 16)) (i32.const 1))`,
      WASI.replaceAll("(contents: list<u8>)", contents),
    );
    expect(await endOf(component, new Recorder())).toBe(
      "trap: it imports wasi:io/streams [method]output-stream.blocking-write-and-flush with types that it does not have",
    );
  });

  test("gets a trap for a resource in place of a number", async () => {
    const component = await buildGuest(
      "import wasi:cli/stdout@0.2.6;",
      `(import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
      (func (export "run") (result i32) (call $stdout))`,
      WASI.replace("get-stdout: func() -> output-stream", "get-stdout: func() -> u32"),
    );
    expect(await endOf(component, new Recorder())).toBe(
      "trap: it imports wasi:cli/stdout get-stdout with types that it does not have",
    );
  });

  test("and an import by the name of what JavaScript has anyway is denied as any other", async () => {
    for (const name of ["trampoline0", "to-string", "value-of", "has-own-property", "proto"]) {
      const component = await buildGuest(
        `import ${name}: func(items: list<result>);`,
        `(import "$root" "${name}" (func $import (param i32 i32)))
        ${REALLOC} (func (export "run") (result i32) (call $import (i32.const 0) (i32.const 9)) (i32.const 1))`,
      );
      expect(await endOf(component, new Recorder())).toBe(`denied: an unknown host function (${name})`);
    }
  });
});
