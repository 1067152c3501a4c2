import { describe, expect, test } from "bun:test";
import { IoError } from "../../../lib/worker/wasi/io.ts";
import { Host } from "../../../lib/worker/wasi/host.ts";
import { forgeHandle, invoke, Recorder, takeClass } from "./recorder.ts";

describe("wasi:filesystem", () => {
  test("has no preopened directory, and asking for them denies nothing", () => {
    const call = new Recorder();
    expect(call.call("wasi:filesystem/preopens", "getDirectories")).toEqual([]);
    expect([call.entered, call.ending]).toEqual([1, undefined]);
  });

  test("finds no filesystem error behind a stream's error", () => {
    const call = new Recorder();
    const error = new IoError(new Host(call), "failed");
    expect(call.call("wasi:filesystem/types", "filesystemErrorCode", error)).toBeUndefined();
    expect(call.entered).toBe(1);
  });

  test.each([
    ["Descriptor", "openAt", "descriptor.open-at"],
    ["Descriptor", "readViaStream", "descriptor.read-via-stream"],
    ["DirectoryEntryStream", "readDirectoryEntry", "directory-entry-stream.read-directory-entry"],
  ])("a forged handle of %s denies %s", (resource, method, place) => {
    const call = new Recorder();
    const forged = forgeHandle(takeClass(call, "wasi:filesystem/types", resource));
    expect(call.endOf(() => invoke(forged, method))).toBe(`denied: file access (wasi:filesystem/types ${place})`);
    expect(call.entered).toBe(1);
  });

  test("a descriptor cannot be constructed", () => {
    const call = new Recorder();
    const descriptor = takeClass(call, "wasi:filesystem/types", "Descriptor");
    expect(call.endOf(() => new descriptor())).toBe("denied: file access (wasi:filesystem/types descriptor)");
  });
});

describe("wasi:io/error", () => {
  test("describes itself while the guest holds it", () => {
    const call = new Recorder();
    const error = new IoError(new Host(call), "failed");
    expect(error.toDebugString()).toBe("failed");
    error[Symbol.dispose]();
    expect(call.endOf(() => error.toDebugString())).toBe("trap: it used a handle that it does not hold");
  });
});
