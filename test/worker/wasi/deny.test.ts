import { describe, expect, test } from "bun:test";
import { forgeHandle, invoke, Recorder, takeClass, type ResourceClass } from "./recorder.ts";

describe("a denied function", () => {
  test.each([
    ["wasi:sockets/tcp-create-socket", "createTcpSocket", "network access", "create-tcp-socket"],
    ["wasi:sockets/instance-network", "instanceNetwork", "network access", "instance-network"],
    ["wasi:http/outgoing-handler", "handle", "network access", "handle"],
    ["wasi:filesystem/types", "openEverything", "file access", "open-everything"],
    ["wasi:cli/terminal-stdin", "getAnother", "terminal access", "get-another"],
    ["wasi:cli/environment", "setEnvironment", "an unknown host function", "set-environment"],
    ["wasi:clocks/timezone", "utcOffset", "an unknown host function", "utc-offset"],
    ["wasi:keyvalue/store", "open", "an unknown host function", "open"],
    ["kami:tool/host", "runCommand", "an unknown host function", "run-command"],
    ["wasi:cli/exit", "constructor", "an unknown host function", "constructor"],
    ["wasi:io/poll", "toString", "an unknown host function", "to-string"],
    ["wasi:random/random", "hasOwnProperty", "an unknown host function", "has-own-property"],
  ])("%s %s names what was asked for", (interfaceName, name, ...[capability, kebab]) => {
    const call = new Recorder();
    expect(call.endOf(() => call.call(interfaceName, name))).toBe(`denied: ${capability} (${interfaceName} ${kebab})`);
    expect(call.entered).toBe(1);
  });

  test("that the world imports without an interface is named alone", () => {
    const call = new Recorder();
    expect(call.endOf(() => call.call("do-thing", "default"))).toBe("denied: an unknown host function (do-thing)");
  });

  test("has a name of bounded length, on one line", () => {
    const call = new Recorder();
    const ending = call.endOf(() => call.call(`my:pkg/${"i".repeat(500)}\n`, `f\u0007${"n".repeat(500)}`));
    expect(ending).toBe(`denied: an unknown host function (my:pkg/${"i".repeat(93)}… f ${"n".repeat(98)}…)`);
  });

  test("charges before it denies: nothing happens when the call may not go on", () => {
    const call = new Recorder();
    call.enter = () => {
      throw new RangeError("out of fuel");
    };
    expect(() => call.call("wasi:http/outgoing-handler", "handle")).toThrow("out of fuel");
    expect(call.ending).toBeUndefined();
  });
});

describe("a denied resource class", () => {
  test("has no instances", () => {
    const call = new Recorder();
    const fields = takeClass(call, "wasi:http/types", "Fields");
    expect({} instanceof fields).toBe(false);
    expect(forgeHandle(fields) instanceof fields).toBe(true);
  });

  test("keeps one prototype, and answers no symbol that the glue asks for", () => {
    const fields = takeClass(new Recorder(), "wasi:http/types", "Fields");
    expect(fields.prototype).toBe(fields.prototype);
    expect(Reflect.get(fields.prototype, Symbol.dispose)).toBeUndefined();
    expect(Reflect.get(fields, Symbol.for("cabiDispose"))).toBeUndefined();
    expect(Reflect.get(fields, Symbol.for("cabiRep"))).toBeUndefined();
  });

  test.each([
    ["a constructor", "fields", (fields: ResourceClass) => new fields()],
    ["a static function", "fields.from-list", (fields: ResourceClass) => invoke(fields, "fromList")],
    ["a method of a forged handle", "fields.append", (fields: ResourceClass) => invoke(forgeHandle(fields), "append")],
  ])("denies %s", (_, place, use) => {
    const call = new Recorder();
    const fields = takeClass(call, "wasi:http/types", "Fields");
    expect(call.endOf(() => use(fields))).toBe(`denied: network access (wasi:http/types ${place})`);
    expect(call.entered).toBe(1);
  });
});

describe("a granted resource class", () => {
  test.each([
    ["wasi:io/streams", "InputStream", "input-stream"],
    ["wasi:io/streams", "OutputStream", "output-stream"],
    ["wasi:io/poll", "Pollable", "pollable"],
    ["wasi:io/error", "Error", "error"],
  ])("%s %s cannot be constructed, and has no static function", (interfaceName, name, kebab) => {
    const call = new Recorder();
    const resource = takeClass(call, interfaceName, name);
    expect(call.endOf(() => new resource())).toBe(`denied: an unknown host function (${interfaceName} ${kebab})`);
    call.ending = undefined;
    expect(call.endOf(() => invoke(resource, "constructor", ["return 1"]))).toBe(
      `denied: an unknown host function (${interfaceName} ${kebab}.constructor)`,
    );
  });

  test("has WASI's methods and no others, not even Object's", () => {
    const call = new Recorder();
    const prototype = takeClass(call, "wasi:io/poll", "Pollable").prototype;
    const inherited = ["toString", "valueOf", "hasOwnProperty", "isPrototypeOf", "then", "host", "enter", "readyAt"];
    expect(inherited.filter((name) => name in prototype)).toEqual([]);
    expect(["ready", "block"].filter((name) => name in prototype)).toEqual(["ready", "block"]);
  });

  test("recognizes its own instances, and only those of its call", () => {
    const [first, second] = [new Recorder(), new Recorder()];
    const stdout = first.call("wasi:cli/stdout", "getStdout");
    expect(stdout instanceof takeClass(first, "wasi:io/streams", "OutputStream")).toBe(true);
    expect(stdout instanceof takeClass(first, "wasi:io/streams", "InputStream")).toBe(false);
    expect(stdout instanceof takeClass(second, "wasi:io/streams", "OutputStream")).toBe(false);
  });
});
