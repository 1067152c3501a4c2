import { describe, expect, test } from "bun:test";
import { createImports } from "../../lib/worker/imports.ts";
import { invoke, Recorder } from "./wasi/recorder.ts";

const WITHOUT_VERSION = "wasi:cli/environment";

function readStdin(call: Recorder): unknown {
  return invoke(call.call("wasi:cli/stdin", "getStdin"), "read", [9n]);
}

describe("createImports()", () => {
  test.each(["0.2.0", "0.2.1", "0.2.3", "0.2.6", "0.2.9", "0.2.10", "0.2.12", "0.2.999"])(
    "serves WASI %s with the one implementation",
    (version) => {
      const imports = createImports(new Recorder());
      expect(Reflect.get(imports, `${WITHOUT_VERSION}@${version}`)).toBe(Reflect.get(imports, WITHOUT_VERSION));
    },
  );

  test("serves kami:tool 0.1", () => {
    const call = new Recorder();
    call.call("kami:tool/host@0.1.0", "log", "info", "text");
    expect(call.pieces).toEqual([{ stream: "log", level: "info", text: "text" }]);
  });

  test.each(["0.1.0", "0.3.0", "0.2", "0.2.0-rc-2023-11-10", "0.20.0", "1.2.0", "x0.2.0"])(
    "denies WASI %s, and says so",
    (version) => {
      const call = new Recorder();
      expect(call.endOf(() => call.call(`${WITHOUT_VERSION}@${version}`, "getEnvironment"))).toBe(
        `denied: an unknown host function (wasi:cli/environment@${version} get-environment)`,
      );
    },
  );

  test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("denies an interface called %s", (name) => {
    const call = new Recorder();
    expect(call.endOf(() => call.call(name, "f"))).toBe(`denied: an unknown host function (${name} f)`);
  });

  test("makes an interface once for a call, and not the same for two calls", () => {
    const [first, second] = [createImports(new Recorder()), createImports(new Recorder())];
    expect(Reflect.get(first, WITHOUT_VERSION)).toBe(Reflect.get(first, WITHOUT_VERSION));
    expect(Reflect.get(first, WITHOUT_VERSION)).not.toBe(Reflect.get(second, WITHOUT_VERSION));
  });

  test("calls at the same time do not meet: each has its own input, output and handles", () => {
    const [first, second] = [new Recorder("one"), new Recorder("two")];
    expect([readStdin(first), readStdin(second)]).toEqual(["one", "two"].map((text) => new TextEncoder().encode(text)));
    expect([first.entered, second.entered]).toEqual([2, 2]);
  });
});
