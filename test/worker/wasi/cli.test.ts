import { describe, expect, test } from "bun:test";
import { DENY_ALL } from "../../../lib/policy/policy.ts";
import { Guest } from "./core-guest.ts";
import { Recorder } from "./recorder.ts";

const STREAMS = "wasi:io/streams";
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("wasi:cli/environment", () => {
  test.each([
    ["get-environment", []],
    ["get-arguments", []],
    ["initial-cwd", undefined],
  ])("%s gives nothing", (name, expected) => {
    expect(new Recorder().call("wasi:cli/environment", name)).toEqual(expected);
  });

  test("get-environment gives what was granted, in order", () => {
    const environment = [
      ["B", "2"],
      ["A", "1=1"],
    ] as const;
    const call = new Recorder("", { ...DENY_ALL, environment });
    expect(call.call("wasi:cli/environment", "get-environment")).toEqual(environment);
  });
});

describe("wasi:cli/exit", () => {
  test.each([
    ["exit", 0, "exit: 0", "success"],
    ["exit", 1, "exit: 1", "failure"],
    ["exit", 2, "trap: it broke the component ABI: a discriminant that its type does not have", "neither"],
    ["exit-with-code", 0, "exit: 0", "lowest"],
    ["exit-with-code", 255, "exit: 255", "highest"],
    ["exit-with-code", 256, "exit: 0", "a u8 is the low 8 bits of what core code passes"],
    ["exit-with-code", -1, "exit: 255", "the same"],
  ])("%s(%p) ends in %p: %s", async (name, status, ending) => {
    const guest = await Guest.open();
    expect(await guest.endOf(["wasi:cli/exit", name], status)).toBe(ending);
    expect(guest.call.entered).toBe(1);
  });
});

describe("wasi:cli/stdin", () => {
  test("has the call's input, with one position for all handles", () => {
    const call = new Recorder("hello");
    const [first, second] = [1, 2].map(() => call.call("wasi:cli/stdin", "get-stdin"));
    expect(call.call(STREAMS, "[method]input-stream.read", first, 2n)).toEqual(encode("he"));
    expect(call.call(STREAMS, "[method]input-stream.read", second, 9n)).toEqual(encode("llo"));
  });
});

describe("wasi:cli/stdout and stderr", () => {
  test("go to the call's capture, each under its own name", async () => {
    const call = new Recorder();
    for (const stream of ["stdout", "stderr"]) {
      const opened = call.call(`wasi:cli/${stream}`, `get-${stream}`);
      await call.call(STREAMS, "[method]output-stream.blocking-write-and-flush", opened, encode("text"));
    }
    expect(call.pieces).toEqual([
      { stream: "stdout", text: "text" },
      { stream: "stderr", text: "text" },
    ]);
  });
});

describe("wasi:cli/terminal-*", () => {
  test.each(["stdin", "stdout", "stderr"])("%s is not a terminal", (name) => {
    expect(new Recorder().call(`wasi:cli/terminal-${name}`, `get-terminal-${name}`)).toBeUndefined();
  });
});
