import { describe, expect, test } from "bun:test";
import { invoke, Recorder } from "./recorder.ts";

describe("wasi:cli/environment", () => {
  test.each([
    ["getEnvironment", []],
    ["getArguments", []],
    ["initialCwd", undefined],
  ])("%s gives nothing and charges one host call", (name, expected) => {
    const call = new Recorder();
    expect(call.call("wasi:cli/environment", name)).toEqual(expected);
    expect(call.entered).toBe(1);
  });
});

describe("wasi:cli/exit", () => {
  test.each([
    ["exit", { tag: "ok", val: undefined }, "exit: 0", "success"],
    ["exit", { tag: "err", val: undefined }, "exit: 1", "failure"],
    ["exit", "ok", "exit: 1", "a component that declares another type gets a failure"],
    ["exitWithCode", 0, "exit: 0", "lowest"],
    ["exitWithCode", 255, "exit: 255", "highest"],
    ["exitWithCode", 256, "trap: it called wasi:cli/exit exit-with-code with arguments of the wrong type", "above"],
    ["exitWithCode", -1, "trap: it called wasi:cli/exit exit-with-code with arguments of the wrong type", "below"],
    ["exitWithCode", "3", "trap: it called wasi:cli/exit exit-with-code with arguments of the wrong type", "text"],
  ])("%s(%p) ends in %p: %s", (name, status, ending) => {
    const call = new Recorder();
    expect(call.endOf(() => call.call("wasi:cli/exit", name, status))).toBe(ending);
    expect(call.entered).toBe(1);
  });
});

describe("wasi:cli/stdin", () => {
  test("has the call's input, with one position for all handles", () => {
    const call = new Recorder("hello");
    const [first, second] = [call.call("wasi:cli/stdin", "getStdin"), call.call("wasi:cli/stdin", "getStdin")];
    expect(invoke(first, "read", [2n])).toEqual(new TextEncoder().encode("he"));
    expect(invoke(second, "read", [9n])).toEqual(new TextEncoder().encode("llo"));
  });
});

describe("wasi:cli/stdout and stderr", () => {
  test("go to the call's capture, each under its own name", () => {
    const call = new Recorder();
    const bytes = new TextEncoder().encode("text");
    invoke(call.call("wasi:cli/stdout", "getStdout"), "blockingWriteAndFlush", [bytes]);
    invoke(call.call("wasi:cli/stderr", "getStderr"), "blockingWriteAndFlush", [bytes]);
    expect(call.pieces).toEqual([
      { stream: "stdout", text: "text" },
      { stream: "stderr", text: "text" },
    ]);
    expect(call.entered).toBe(4);
  });
});

describe("wasi:cli/terminal-*", () => {
  test.each([
    ["wasi:cli/terminal-stdin", "getTerminalStdin"],
    ["wasi:cli/terminal-stdout", "getTerminalStdout"],
    ["wasi:cli/terminal-stderr", "getTerminalStderr"],
  ])("%s is not a terminal", (interfaceName, name) => {
    const call = new Recorder();
    expect(call.call(interfaceName, name)).toBeUndefined();
    expect(call.entered).toBe(1);
  });
});
