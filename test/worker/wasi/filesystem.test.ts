import { describe, expect, test } from "bun:test";
import { IoError, StreamFault } from "../../../lib/worker/wasi/streams.ts";
import { Recorder } from "./recorder.ts";

describe("wasi:filesystem", () => {
  test("has no preopened directory, and asking for them denies nothing", () => {
    const call = new Recorder();
    expect(call.call("wasi:filesystem/preopens", "get-directories")).toEqual([]);
    expect([call.denials, call.ending]).toEqual([[], undefined]);
  });
});

describe("wasi:io/error", () => {
  test("describes itself", () => {
    const call = new Recorder();
    const error = new IoError(call.host, new StreamFault("failed"));
    expect(call.call("wasi:io/error", "[method]error.to-debug-string", error)).toBe("failed");
  });
});
