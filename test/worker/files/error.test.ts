import { describe, expect, test } from "bun:test";
import { closeSync, constants, mkdirSync, openSync, readSync } from "node:fs";
import { constants as system } from "node:os";
import { makeAmbientSystem } from "../../../lib/worker/files/ambient.ts";
import { attempt, ERROR_CODES, FileError, fileErrorOf, translate } from "../../../lib/worker/files/error.ts";
import { TemporaryDirectory } from "../../support/temporary.ts";

describe("fileErrorOf()", () => {
  test.each([
    ["EACCES", "access"],
    ["EWOULDBLOCK", "would-block"],
    ["EALREADY", "already"],
    ["EBADF", "bad-descriptor"],
    ["EBUSY", "busy"],
    ["EDEADLK", "deadlock"],
    ["EDQUOT", "quota"],
    ["EEXIST", "exist"],
    ["EFBIG", "file-too-large"],
    ["EILSEQ", "illegal-byte-sequence"],
    ["EINPROGRESS", "in-progress"],
    ["EINTR", "interrupted"],
    ["EINVAL", "invalid"],
    ["EIO", "io"],
    ["EISDIR", "is-directory"],
    ["ELOOP", "loop"],
    ["EMLINK", "too-many-links"],
    ["EMSGSIZE", "message-size"],
    ["ENAMETOOLONG", "name-too-long"],
    ["ENODEV", "no-device"],
    ["ENOENT", "no-entry"],
    ["ENOLCK", "no-lock"],
    ["ENOMEM", "insufficient-memory"],
    ["ENOSPC", "insufficient-space"],
    ["ENOTDIR", "not-directory"],
    ["ENOTEMPTY", "not-empty"],
    ["ENOTRECOVERABLE", "not-recoverable"],
    ["ENOTSUP", "unsupported"],
    ["ENOTTY", "no-tty"],
    ["ENXIO", "no-such-device"],
    ["EOVERFLOW", "overflow"],
    ["EPERM", "not-permitted"],
    ["EPIPE", "pipe"],
    ["EROFS", "read-only"],
    ["ESPIPE", "invalid-seek"],
    ["ETXTBSY", "text-file-busy"],
    ["EXDEV", "cross-device"],
    ["EMFILE", "insufficient-memory"],
    ["ECONNREFUSED", "io"],
  ])("says of %s that it is %s", (name, expected) => {
    const errno = new Map<string, number>([...Object.entries(system.errno), ["ENOTRECOVERABLE", 131]]).get(name);
    expect(fileErrorOf(errno ?? 0).code).toBe(ERROR_CODES.find((code) => code === expected) ?? "io");
  });

  test("says of none that it is none of the standard's", () => {
    expect(fileErrorOf(0).code).toBe("io");
    expect(fileErrorOf(9999).code).toBe("io");
  });
});

describe("attempt()", () => {
  test("tells errors of node:fs in the guest's terms, without the host's path", () => {
    let thrown: unknown;
    try {
      attempt(() => openSync("/no/such/path", "r"));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toEqual(new FileError("no-entry"));
    expect(String(thrown)).not.toContain("/no/such/path");
    expect(translate(Object.assign(new Error("x"), { syscall: "read", code: "EUNKNOWN" }))).toEqual(
      new FileError("io"),
    );
  });

  test("leaves others what they are", () => {
    const bug = new TypeError("bug");
    expect(() =>
      attempt(() => {
        throw bug;
      }),
    ).toThrow(bug);
  });
});

describe("errors of the system's calls", () => {
  test("are the right ones 200,000 times, whatever else the engine does meanwhile", () => {
    using directory = new TemporaryDirectory();
    mkdirSync(directory.join("a"));
    const fd = openSync(directory.path, constants.O_RDONLY | constants.O_DIRECTORY);
    const file = openSync(directory.join("file"), "w+");
    const calls = makeAmbientSystem();
    const flags = constants.O_RDONLY;
    const cases: [expected: string, act: () => unknown][] = [
      ["no-entry", () => calls.open({ directory: fd, name: "none" }, { flags })],
      ["exist", () => calls.makeDirectory({ directory: fd, name: "a" })],
      ["not-directory", () => calls.stat({ directory: file, name: "x" })],
      ["invalid", () => calls.readLink({ directory: fd, name: "a" })],
      ["is-directory", () => calls.open({ directory: fd, name: "a" }, { flags: constants.O_WRONLY })],
      ["bad-descriptor", () => calls.stat({ directory: 100_000, name: "x" })],
      ["name-too-long", () => calls.stat({ directory: fd, name: "x".repeat(300) })],
    ];
    const wrong: unknown[] = [];
    let garbage: unknown[] = [];
    for (let n = 0; n < 200_000; n += 1) {
      const [expected, act] = cases[n % cases.length] ?? ["", () => undefined];
      const code = codeOf(act);
      if (code !== expected) wrong.push([expected, code]);
      garbage.push(Array.from({ length: 16 }, () => n));
      if (garbage.length > 2000) garbage = [];
      if (n % 1000 === 0) readSync(file, new Uint8Array(1));
    }
    closeSync(file);
    closeSync(fd);
    expect(wrong).toEqual([]);
  }, 60_000);
});

function codeOf(act: () => unknown): string {
  try {
    act();
    return "ok";
  } catch (error) {
    if (error instanceof FileError) return error.code;
    throw error;
  }
}
