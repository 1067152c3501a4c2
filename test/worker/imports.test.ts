import { describe, expect, test } from "bun:test";
import { describeUnserved } from "../../lib/worker/failure.ts";
import { INTERFACES } from "../../lib/worker/imports.ts";
import { buildGuest, endOf, REALLOC, run, startComponent } from "./wasi/component.ts";
import { Recorder } from "./wasi/recorder.ts";

/** A guest that asks for the arguments of a version of WASI, and returns how many there are. */
function askArguments(version: string): Promise<Uint8Array> {
  return buildGuest(
    `import wasi:cli/environment@${version};`,
    `(import "wasi:cli/environment@${version}" "get-arguments" (func $arguments (param i32)))
    ${REALLOC}
    (func (export "run") (result i32) (call $arguments (i32.const 16)) (i32.load (i32.const 20)))`,
    `package wasi:cli@${version} { interface environment { get-arguments: func() -> list<string>; } }`,
  );
}

describe("INTERFACES", () => {
  test.each(["0.2.0", "0.2.1", "0.2.3", "0.2.6", "0.2.9", "0.2.10", "0.2.12", "0.2.999"])(
    "serves WASI %s with the one implementation",
    async (version) => {
      const call = new Recorder();
      expect(await run(await askArguments(version), call)).toBe(0);
      expect([call.entered, call.ending]).toEqual([1, undefined]);
    },
  );

  test("serves kami:tool 0.1", async () => {
    const call = new Recorder();
    const component = await buildGuest(
      "import kami:tool/host@0.1.0;",
      `(import "kami:tool/host@0.1.0" "log" (func $log (param i32 i32 i32)))
      ${REALLOC} (data (i32.const 0) "text")
      (func (export "run") (result i32) (call $log (i32.const 2) (i32.const 0) (i32.const 4)) (i32.const 1))`,
      `package kami:tool@0.1.0 { interface host {
        enum level { trace, debug, info, warn, error } log: func(level: level, message: string); } }`,
    );
    expect(await run(component, call)).toBe(1);
    expect(call.pieces).toEqual([{ stream: "log", level: "info", text: "text" }]);
  });

  test.each(["0.1.0", "0.3.0", "0.2.0-rc-2023-11-10", "0.20.0", "1.2.0", "10.2.0"])(
    "denies WASI %s, and says so",
    async (version) => {
      expect(await endOf(await askArguments(version), new Recorder())).toBe(
        `denied: an unknown host function (wasi:cli/environment@${version} get-arguments)`,
      );
    },
  );

  test.each(["__proto__", "constructor", "toString", "hasOwnProperty", "wasi:cli/environment@0.2.0"])(
    "has no interface, and no function, called %s",
    (name) => {
      expect(INTERFACES.get(name)).toBeUndefined();
      for (const { functions } of INTERFACES.values()) expect(functions.get(name)).toBeUndefined();
    },
  );

  test("calls at the same time do not meet: each has its own input, output and handles", async () => {
    const component = await buildGuest(
      "import wasi:cli/stdin@0.2.6; import wasi:cli/stdout@0.2.6; import wasi:io/streams@0.2.6;",
      `(import "wasi:cli/stdin@0.2.6" "get-stdin" (func $stdin (result i32)))
      (import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
      (import "wasi:io/streams@0.2.6" "[method]output-stream.splice" (func $splice (param i32 i32 i64 i32)))
      ${REALLOC}
      (func (export "run") (result i32)
        (local $in i32)
        (local.set $in (call $stdin))
        (call $splice (call $stdout) (local.get $in) (i64.const 9) (i32.const 16))
        (local.get $in))`,
    );
    const calls = [new Recorder("one"), new Recorder("two")];
    const started = await Promise.all(calls.map((call) => startComponent(component, call)));
    expect(await Promise.all(started.map((guest) => guest.call("run")))).toEqual([1, 1]);
    expect(calls.map(({ pieces }) => pieces)).toEqual(["one", "two"].map((text) => [{ stream: "stdout", text }]));
    expect(calls.map(({ host }) => host.handles)).toEqual([2, 2]);
  });
});

describe("describeUnserved()", () => {
  test.each([
    ["wasi:sockets/tcp-create-socket", "create-tcp-socket", "network access"],
    ["wasi:http/outgoing-handler", "handle", "network access"],
    ["wasi:filesystem/types", "open-everything", "file access"],
    ["wasi:cli/terminal-stdin", "get-another", "terminal access"],
    ["wasi:cli/environment", "set-environment", "an unknown host function"],
    ["wasi:clocks/timezone", "utc-offset", "an unknown host function"],
    ["wasi:keyvalue/store", "open", "an unknown host function"],
    ["kami:tool/host", "run-command", "an unknown host function"],
    ["wasi:cli/exit", "constructor", "an unknown host function"],
  ])("%s %s names what was asked for", (interfaceName, name, capability) => {
    expect(describeUnserved(interfaceName, name)).toBe(`${capability} (${interfaceName} ${name})`);
  });

  test.each([
    ["[constructor]fields", "fields"],
    ["[static]fields.from-list", "fields.from-list"],
    ["[method]fields.append", "fields.append"],
  ])("names %s as %s", (name, shown) => {
    expect(describeUnserved("wasi:http/types", name)).toBe(`network access (wasi:http/types ${shown})`);
  });

  test("names a function that the world imports without an interface alone", () => {
    expect(describeUnserved("do-thing", "")).toBe("an unknown host function (do-thing)");
  });

  test("has a bounded length", () => {
    const shown = describeUnserved(`my:pkg/${"i".repeat(500)}`, "n".repeat(500));
    expect(shown).toBe(`an unknown host function (my:pkg/${"i".repeat(193)})`);
  });
});
