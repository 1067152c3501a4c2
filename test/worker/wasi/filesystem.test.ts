import { describe, expect, test } from "bun:test";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Mount } from "../../../lib/policy/policy.ts";
import { ERROR_CODES } from "../../../lib/worker/files/error.ts";
import { OPEN_LIMIT } from "../../../lib/worker/files/tree.ts";
import { FILESYSTEM_PREOPENS, FILESYSTEM_TYPES } from "../../../lib/worker/wasi/filesystem.ts";
import { Descriptor, EntryStream } from "../../../lib/worker/wasi/filesystem/descriptor.ts";
import { InputStream, IoError, OutputStream, StreamFault } from "../../../lib/worker/wasi/streams.ts";
import { TemporaryDirectory } from "../../support/temporary.ts";
import {
  codeOf,
  CREATE,
  DIRECTORY,
  EXCLUSIVE,
  FileGuest,
  FOLLOW,
  MUTATE,
  mountOf,
  NOFOLLOW,
  READ,
  readPiece,
  take,
  TRUNCATE,
  WRITE,
} from "./file-guest.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const wit = join(
  import.meta.dir,
  "../../../node_modules/@bytecodealliance/jco/lib/wit/builtin/0.2.12/wasi-filesystem/package.wit",
);

/** A guest with one directory, and where that is. */
class Box implements Disposable {
  readonly directory: TemporaryDirectory = new TemporaryDirectory();
  readonly guest: FileGuest;
  readonly root: Descriptor;

  constructor(mount: Partial<Mount> = {}) {
    this.guest = new FileGuest(mountOf(this.directory.path, mount));
    this.root = this.guest.root;
  }

  path(...segments: string[]): string {
    return this.directory.join(...segments);
  }

  code(method: string, ...values: readonly unknown[]): string {
    return this.guest.code(this.root, method, ...values);
  }

  [Symbol.dispose](): void {
    this.guest[Symbol.dispose]();
    this.directory[Symbol.dispose]();
  }
}

describe("wasi:filesystem", () => {
  test("has every function and error of the standard", async () => {
    const text = await Bun.file(wit).text();
    const [preopens = "", types = ""] = text.split("interface types");
    const methods = [...types.matchAll(/^ {8}([a-z-]+): func/gm)].map(([, name]) => name ?? "");
    const ofEntries: string[] = methods.filter((name) => name === "read-directory-entry");
    const names = [
      ...methods.filter((name) => !ofEntries.includes(name)).map((name) => `[method]descriptor.${name}`),
      ...ofEntries.map((name) => `[method]directory-entry-stream.${name}`),
      ...[...types.matchAll(/^ {4}([a-z-]+): func/gm)].map(([, name]) => name ?? ""),
    ];
    expect([...FILESYSTEM_TYPES.functions.keys()].toSorted()).toEqual(names.toSorted());
    expect([...FILESYSTEM_PREOPENS.functions.keys()]).toEqual(
      [...preopens.matchAll(/^ {4}([a-z-]+): func/gm)].map(([, name]) => name ?? ""),
    );
    const codes = /enum error-code \{([^}]*)\}/.exec(types)?.[1] ?? "";
    expect([...ERROR_CODES] as string[]).toEqual(
      codes
        .split(",")
        .map((code) => code.trim())
        .filter(Boolean),
    );
  });

  test("has no directory without a grant, and denies nothing then", () => {
    using guest = new FileGuest();
    expect(guest.call("get-directories")).toEqual([]);
    expect(guest.context.denials).toEqual([]);
  });

  test("has a descriptor and a path for each grant", () => {
    using one = new TemporaryDirectory();
    using other = new TemporaryDirectory();
    using guest = new FileGuest(
      mountOf(one.path, { guestPath: "/data" }),
      mountOf(other.path, { guestPath: "/more", access: "read-only" }),
    );
    writeFileSync(other.join("a"), "other");
    expect(guest.call("get-directories")).toEqual([
      [expect.any(Descriptor), "/data"],
      [expect.any(Descriptor), "/more"],
    ]);
    const [data, more] = guest.roots;
    expect([data, more].map((root) => guest.on(take(Descriptor, root), "get-flags"))).toEqual([READ | MUTATE, READ]);
    expect([data, more].map((root) => guest.read(take(Descriptor, root), "a"))).toEqual(["<no-entry>", "other"]);
  });

  test("tells the user when a granted directory is gone, and the guest an error", () => {
    const gone = new TemporaryDirectory();
    gone[Symbol.dispose]();
    using guest = new FileGuest(mountOf(gone.path, { guestPath: "/data" }));
    const { root } = guest;
    expect([guest.read(root, "a"), guest.code(root, "stat"), guest.code(root, "read-directory")]).toEqual([
      "<no-entry>",
      "no-entry",
      "no-entry",
    ]);
    expect(guest.context.denials[0]).toBe("fs:read-write /data: its directory at the host cannot be opened: no-entry");
    expect(guest.on(root, "is-same-object", root)).toBe(false);
  });
});

describe("descriptor.open-at", () => {
  test.each([
    ["what is there", "file", 0, READ, "ok"],
    ["what is not there", "none", 0, READ, "no-entry"],
    ["a new file", "new", CREATE, WRITE, "ok"],
    ["a new file that is there, made anew", "file", CREATE | EXCLUSIVE, WRITE, "exist"],
    ["a symlink, made anew", "link", CREATE | EXCLUSIVE, WRITE, "exist"],
    ["a file as a directory", "file", DIRECTORY, READ, "not-directory"],
    ["a file with a slash behind it", "file/", 0, READ, "not-directory"],
    ["a new file with a slash behind it", "new/", CREATE, WRITE, "is-directory"],
    ["a directory", "dir", 0, READ, "ok"],
    ["a directory with a slash behind it", "dir/", DIRECTORY, READ, "ok"],
    ["a directory to write to", "dir", 0, WRITE, "is-directory"],
    ["a directory with all that C libraries ask for", "dir", DIRECTORY, READ | MUTATE, "ok"],
    ["a file with all that C libraries ask for", "file", 0, WRITE | MUTATE, "ok"],
    ["a directory to be made", "new", CREATE | DIRECTORY, READ, "invalid"],
    ["a directory to be emptied", "dir", TRUNCATE | DIRECTORY, READ, "invalid"],
    ["a file to be emptied that is not to be written", "file", TRUNCATE, READ, "invalid"],
    ["a file beneath a file", "file/none", 0, READ, "not-directory"],
    ["through a symlink", "link", 0, READ, "ok"],
    ["itself", ".", 0, READ, "ok"],
    ["its parent", "..", 0, READ, "not-permitted"],
    ["nothing", "", 0, READ, "no-entry"],
    ["the host's root", "/", 0, READ, "not-permitted"],
    ["a NUL", "file\0", 0, READ, "invalid"],
    ["a file without rights", "file", 0, 0, "ok"],
  ])("opens %s", (_, path, ...[open, flags, expected]) => {
    using box = new Box();
    writeFileSync(box.path("file"), "text");
    symlinkSync("file", box.path("link"));
    mkdirSync(box.path("dir"));
    expect(box.code("open-at", FOLLOW, path, open, flags)).toBe(expected);
  });

  test("makes files that nobody else may read", () => {
    using box = new Box();
    expect(box.guest.write(box.root, "new", "text")).toBe("ok");
    expect(box.code("create-directory-at", "dir")).toBe("ok");
    expect(["new", "dir"].map((name) => statSync(box.path(name)).mode & 0o777)).toEqual([0o600, 0o700]);
  });

  test("does not follow a symlink at the end unless it is told to", () => {
    using box = new Box();
    writeFileSync(box.path("file"), "text");
    symlinkSync("file", box.path("link"));
    expect([box.guest.read(box.root, "link"), box.guest.read(box.root, "link", NOFOLLOW)]).toEqual(["text", "<loop>"]);
  });

  test("makes the file that a symlink names and that is not there", () => {
    using box = new Box();
    symlinkSync("file", box.path("link"));
    expect(box.guest.write(box.root, "link", "text")).toBe("ok");
    expect(readFileSync(box.path("file"), "utf8")).toBe("text");
  });

  test("gives no more rights than were asked for", () => {
    using box = new Box();
    writeFileSync(box.path("file"), "text");
    const { guest } = box;
    const none = guest.open(box.root, "file", { flags: 0 });
    const read = guest.open(box.root, "file");
    const write = guest.open(box.root, "file", { flags: WRITE });
    const tried = [none, read, write].map((file) => [
      guest.code(file, "read", 1n, 0n),
      guest.code(file, "read-via-stream", 0n),
      guest.code(file, "write", encode("x"), 0n),
      guest.code(file, "write-via-stream", 0n),
      guest.code(file, "append-via-stream"),
      guest.code(file, "set-size", 1n),
    ]);
    const bad = "bad-descriptor";
    expect(tried).toEqual([
      [bad, bad, bad, bad, bad, bad],
      ["ok", "ok", bad, bad, bad, bad],
      [bad, bad, "ok", "ok", "ok", "ok"],
    ]);
  });

  test("tells the flags that a descriptor has", () => {
    using box = new Box();
    writeFileSync(box.path("file"), "text");
    const all = [0, READ, WRITE, READ | WRITE, READ | WRITE | 4, WRITE | 8, READ | 16, WRITE | MUTATE];
    expect(all.map((flags) => box.guest.on(box.guest.open(box.root, "file", { flags }), "get-flags"))).toEqual([
      ...all.slice(0, -1),
      WRITE,
    ]);
  });

  test("finds in a directory what is beneath it, and nothing above", () => {
    using box = new Box();
    mkdirSync(box.path("a/b"), { recursive: true });
    writeFileSync(box.path("a/b/c"), "text");
    writeFileSync(box.path("above"), "text");
    const directory = box.guest.open(box.root, "a");
    expect([box.guest.read(directory, "b/c"), box.guest.read(directory, "../above")]).toEqual([
      "text",
      "<not-permitted>",
    ]);
    expect(box.guest.write(directory, "new", "text")).toBe("ok");
  });

  test("opens nothing from a file", () => {
    using box = new Box();
    writeFileSync(box.path("file"), "text");
    const file = box.guest.open(box.root, "file");
    expect([box.guest.read(file, "x"), box.guest.read(file, "."), box.guest.code(file, "read-directory")]).toEqual([
      "<not-directory>",
      "<not-directory>",
      "not-directory",
    ]);
  });
});

describe("descriptor.read and descriptor.write", () => {
  test("read and write at offsets", () => {
    using box = new Box();
    const file = box.guest.open(box.root, "new", { flags: READ | WRITE, open: CREATE });
    expect(box.guest.on(file, "write", encode("hello"), 3n)).toBe(5n);
    expect(box.guest.on(file, "read", 100n, 0n)).toEqual([encode("\0\0\0hello"), true]);
    expect(box.guest.on(file, "read", 2n, 4n)).toEqual([encode("el"), false]);
    expect(box.guest.on(file, "read", 0n, 0n)).toEqual([new Uint8Array(), false]);
    expect(box.guest.on(file, "read", 1n, 8n)).toEqual([new Uint8Array(), true]);
    expect(box.guest.on(file, "read", 1n, 2n ** 63n - 1n)).toEqual([new Uint8Array(), true]);
    expect(box.guest.code(file, "read", 1n, 2n ** 63n)).toBe("invalid");
    expect(box.guest.code(file, "write", encode("x"), 2n ** 63n)).toBe("invalid");
    expect(box.guest.code(file, "write", encode("x"), 2n ** 63n - 1n)).toBe("file-too-large");
  });

  test("move 64 KiB at most, and charge for what they moved", () => {
    using box = new Box();
    const file = box.guest.open(box.root, "new", { flags: READ | WRITE, open: CREATE });
    expect(box.guest.on(file, "write", new Uint8Array(100_000), 0n)).toBe(65_536n);
    expect(box.guest.context.charged).toBe(4096);
    expect(readPiece(box.guest.on(file, "read", 2n ** 64n - 1n, 0n))).toHaveLength(65_536);
    expect(box.guest.context.charged).toBe(8192);
  });

  test("set-size makes a file longer and shorter", () => {
    using box = new Box();
    const file = box.guest.open(box.root, "new", { flags: READ | WRITE, open: CREATE });
    box.guest.on(file, "write", encode("hello"), 0n);
    expect(box.guest.code(file, "set-size", 2n)).toBe("ok");
    expect(box.guest.code(file, "set-size", 4n)).toBe("ok");
    expect(readFileSync(box.path("new"), "utf8")).toBe("he\0\0");
    expect([box.guest.code(file, "set-size", 2n ** 63n), box.guest.code(file, "set-size", 2n ** 60n)]).toEqual([
      "invalid",
      "file-too-large",
    ]);
  });

  test("directories hold no bytes", () => {
    using box = new Box();
    expect([
      box.code("read", 1n, 0n),
      box.code("write", encode("x"), 0n),
      box.code("set-size", 0n),
      box.code("read-via-stream", 0n),
      box.code("append-via-stream"),
      box.code("advise", 0n, 0n, "normal"),
    ]).toEqual([...Array(5).fill("is-directory"), "bad-descriptor"]);
  });

  test("advise takes every advice, and no offset that files cannot have", () => {
    using box = new Box();
    writeFileSync(box.path("file"), "text");
    const file = box.guest.open(box.root, "file");
    for (const advice of ["normal", "sequential", "random", "will-need", "dont-need", "no-reuse"]) {
      expect(box.guest.code(file, "advise", 0n, 4n, advice)).toBe("ok");
    }
    expect(box.guest.code(file, "advise", 2n ** 63n, 4n, "normal")).toBe("invalid");
  });

  test("sync and sync-data wait for the disk", async () => {
    using box = new Box();
    const file = box.guest.open(box.root, "new", { flags: WRITE, open: CREATE });
    box.guest.on(file, "write", encode("hello"), 0n);
    expect(await Promise.all(["sync", "sync-data"].map((name) => box.guest.on(file, name)))).toEqual([
      undefined,
      undefined,
    ]);
    await box.guest.on(box.root, "sync");
  });

  test("synchronized writes write", () => {
    using box = new Box();
    for (const flags of [WRITE | 4, WRITE | 8, WRITE | 16]) {
      const file = box.guest.open(box.root, `new${flags}`, { flags, open: CREATE });
      expect(box.guest.on(file, "write", encode("hello"), 0n)).toBe(5n);
    }
  });
});

describe("streams of files", () => {
  test("read to the end, from where they begin", () => {
    using box = new Box();
    writeFileSync(box.path("file"), "hello");
    const file = box.guest.open(box.root, "file");
    const stream = take(InputStream, box.guest.on(file, "read-via-stream", 1n));
    file[Symbol.dispose]();
    const read = (): unknown => box.guest.call("[method]input-stream.read", stream, 3n);
    expect([read(), read()]).toEqual([encode("ell"), encode("o")]);
    expect(codeOf(read)).toBe('{"tag":"closed"}');
  });

  test("write where they begin, and go on behind it", () => {
    using box = new Box();
    writeFileSync(box.path("file"), "hello world");
    const file = box.guest.open(box.root, "file", { flags: WRITE });
    const stream = take(OutputStream, box.guest.on(file, "write-via-stream", 6n));
    for (const text of ["WO", "RLDS"]) {
      box.guest.call("[method]output-stream.check-write", stream);
      box.guest.call("[method]output-stream.write", stream, encode(text));
    }
    expect(readFileSync(box.path("file"), "utf8")).toBe("hello WORLDS");
  });

  test("append to the end, wherever it is by then", () => {
    using box = new Box();
    writeFileSync(box.path("file"), "one ");
    const file = box.guest.open(box.root, "file", { flags: WRITE });
    const stream = take(OutputStream, box.guest.on(file, "append-via-stream"));
    const append = (text: string): unknown =>
      box.guest.call("[method]output-stream.blocking-write-and-flush", stream, encode(text));
    append("two ");
    writeFileSync(box.path("file"), "0123456789 ");
    append("three");
    expect(readFileSync(box.path("file"), "utf8")).toBe("0123456789 three");
  });

  test("fail with an error that tells which", () => {
    using box = new Box({ quota: { bytes: 3, files: 9 } });
    const file = box.guest.open(box.root, "new", { flags: WRITE, open: CREATE });
    const stream = take(OutputStream, box.guest.on(file, "write-via-stream", 0n));
    let fault: unknown;
    try {
      box.guest.call("[method]output-stream.blocking-write-and-flush", stream, encode("four"));
    } catch (error) {
      fault = Object(Object(error).payload).value;
    }
    const error = take(IoError, fault);
    expect(box.guest.call("filesystem-error-code", error)).toBe("quota");
    expect(box.guest.call("[method]error.to-debug-string", error)).toBe("cannot write the file: quota");
    expect(readFileSync(box.path("new"), "utf8")).toBe("");
  });

  test("errors of others are no errors of files", () => {
    using guest = new FileGuest();
    expect(guest.call("filesystem-error-code", new IoError(guest.host, new StreamFault("other")))).toBeUndefined();
  });
});

describe("what files are", () => {
  test("stat tells type, links, size and times, rounded down to the clock's tick", () => {
    using box = new Box();
    writeFileSync(box.path("file"), "hello");
    linkSync(box.path("file"), box.path("other"));
    utimesSync(box.path("file"), 1_000_000.123_456, 2_000_000.987_654);
    const stat = box.guest.on(box.guest.open(box.root, "file"), "stat");
    expect(stat).toEqual([
      "regular-file",
      2n,
      5n,
      [1_000_000n, 123_000_000],
      [2_000_000n, 987_000_000],
      [expect.any(BigInt), expect.any(Number)],
    ]);
    const changed = Array.isArray(stat) ? Number(stat[5][1]) : Number.NaN;
    expect(changed % 1_000_000).toBe(0);
    expect(box.guest.on(box.root, "stat-at", FOLLOW, "other")).toEqual(stat);
  });

  test("times before 1970 are told as 1970", () => {
    using box = new Box();
    Bun.spawnSync(["touch", "-d", "1960-01-01", box.path("file")]);
    const stat = box.guest.on(box.root, "stat-at", FOLLOW, "file");
    expect(Array.isArray(stat) ? stat.slice(3, 5) : stat).toEqual([
      [0n, 0],
      [0n, 0],
    ]);
  });

  test("stat-at follows a symlink only when it is told to", () => {
    using box = new Box();
    mkdirSync(box.path("dir"));
    symlinkSync("dir", box.path("link"));
    const typeOf = (follow: number, path: string): unknown =>
      Object(box.guest.on(box.root, "stat-at", follow, path))[0];
    expect([typeOf(FOLLOW, "link"), typeOf(NOFOLLOW, "link"), typeOf(NOFOLLOW, "link/")]).toEqual([
      "directory",
      "symbolic-link",
      "directory",
    ]);
  });

  test("get-type tells files from directories", () => {
    using box = new Box();
    writeFileSync(box.path("file"), "");
    expect(box.guest.on(box.root, "get-type")).toBe("directory");
    expect(box.guest.on(box.guest.open(box.root, "file"), "get-type")).toBe("regular-file");
  });

  test("set-times sets what it is told to", () => {
    using box = new Box();
    writeFileSync(box.path("file"), "");
    symlinkSync("file", box.path("link"));
    const keep = { tag: "no-change" };
    expect(box.code("set-times-at", FOLLOW, "link", at(1000n), at(2000n))).toBe("ok");
    expect(box.guest.code(box.guest.open(box.root, "file"), "set-times", keep, at(3000n))).toBe("ok");
    expect([statSync(box.path("file")).atimeMs, statSync(box.path("file")).mtimeMs]).toEqual([1_000_005, 3_000_005]);
    expect(box.code("set-times-at", NOFOLLOW, "link", at(4000n), keep)).toBe("ok");
    expect(statSync(box.path("file")).atimeMs).toBe(1_000_005);
    expect(box.code("set-times-at", FOLLOW, "file", { tag: "now" }, keep)).toBe("ok");
    expect(statSync(box.path("file")).atimeMs).toBeGreaterThan(1_700_000_000_000);
    expect(box.code("set-times-at", FOLLOW, "none", keep, keep)).toBe("no-entry");
    expect(box.code("set-times-at", FOLLOW, "file/", keep, keep)).toBe("not-directory");
    expect(box.code("set-times-at", FOLLOW, "file", at(2n ** 63n), keep)).toBe("overflow");
    expect(box.code("set-times-at", FOLLOW, "file", { tag: "timestamp", value: [1n, 1_000_000_000] }, keep)).toBe(
      "invalid",
    );
  });

  test("is-same-object sees through names", () => {
    using box = new Box();
    writeFileSync(box.path("a"), "");
    writeFileSync(box.path("b"), "");
    linkSync(box.path("a"), box.path("c"));
    const [a, b, c] = ["a", "b", "c"].map((name) => box.guest.open(box.root, name));
    expect([b, c].map((other) => box.guest.on(take(Descriptor, a), "is-same-object", other))).toEqual([false, true]);
  });

  test("metadata-hash is the same for the same file during a call, and tells nothing of the host's numbers", () => {
    using box = new Box();
    using other = new FileGuest(mountOf(box.directory.path));
    writeFileSync(box.path("a"), "");
    linkSync(box.path("a"), box.path("b"));
    writeFileSync(box.path("c"), "");
    const hash = hashOf(box.guest, "a");
    expect(hash).toEqual([expect.any(BigInt), expect.any(BigInt)]);
    expect(hashOf(box.guest, "b")).toEqual(hash);
    expect(box.guest.on(box.guest.open(box.root, "a"), "metadata-hash")).toEqual(hash);
    expect(hashOf(box.guest, "c")).not.toEqual(hash);
    expect(hashOf(other, "a")).not.toEqual(hash);
    expect(box.code("metadata-hash-at", NOFOLLOW, "none")).toBe("no-entry");
  });
});

describe("what directories hold", () => {
  test("read-directory lists it, without itself and its parent", () => {
    using box = new Box();
    writeFileSync(box.path("file"), "");
    mkdirSync(box.path("dir"));
    symlinkSync("file", box.path("link"));
    expect(box.guest.list(box.root)).toEqual([
      ["directory", "dir"],
      ["regular-file", "file"],
      ["symbolic-link", "link"],
    ]);
    expect(box.guest.list(box.guest.open(box.root, "dir"))).toEqual([]);
  });

  test("read-directory lists large directories piece by piece, and each listing begins anew", () => {
    using box = new Box();
    const names = Array.from({ length: 3000 }, (_, n) => `a-rather-long-name-of-a-file-${n}`).toSorted();
    for (const name of names) writeFileSync(box.path(name), "");
    expect(box.guest.list(box.root).map(([, name]) => String(name))).toEqual(names);
    expect(box.guest.list(box.root)).toHaveLength(3000);
  });

  test("a name that is not UTF-8 is an error, and the listing goes on behind it", () => {
    using box = new Box();
    writeFileSync(Buffer.concat([Buffer.from(box.path("a")), Buffer.from([0xff])]), "");
    writeFileSync(box.path("b"), "");
    const stream = take(EntryStream, box.guest.on(box.root, "read-directory"));
    const seen = Array.from({ length: 3 }, () => {
      let entry: unknown;
      const code = codeOf(() => {
        entry = box.guest.next(stream);
      });
      return code === "ok" ? entry : code;
    });
    expect(seen.map(String).toSorted()).toEqual(["illegal-byte-sequence", "regular-file,b", "undefined"]);
  });

  test("a listing outlives its descriptor", () => {
    using box = new Box();
    mkdirSync(box.path("dir"));
    writeFileSync(box.path("dir/a"), "");
    const directory = box.guest.open(box.root, "dir");
    const stream = take(EntryStream, box.guest.on(directory, "read-directory"));
    directory[Symbol.dispose]();
    expect(box.guest.next(stream)).toEqual(["regular-file", "a"]);
  });

  test.each([
    ["create-directory-at", ["new"], "ok"],
    ["create-directory-at", ["new/"], "ok"],
    ["create-directory-at", ["full/new"], "ok"],
    ["create-directory-at", ["file"], "exist"],
    ["create-directory-at", ["empty"], "exist"],
    ["create-directory-at", ["link/"], "exist"],
    ["create-directory-at", ["."], "exist"],
    ["create-directory-at", ["none/new"], "no-entry"],
    ["create-directory-at", ["file/new"], "not-directory"],
    ["create-directory-at", [""], "no-entry"],
    ["remove-directory-at", ["empty"], "ok"],
    ["remove-directory-at", ["empty/"], "ok"],
    ["remove-directory-at", ["full"], "not-empty"],
    ["remove-directory-at", ["file"], "not-directory"],
    ["remove-directory-at", ["link"], "not-directory"],
    ["remove-directory-at", ["link/"], "not-directory"],
    ["remove-directory-at", ["none"], "no-entry"],
    ["remove-directory-at", ["."], "invalid"],
    ["remove-directory-at", ["full/.."], "not-empty"],
    ["unlink-file-at", ["file"], "ok"],
    ["unlink-file-at", ["link"], "ok"],
    ["unlink-file-at", ["file/"], "not-directory"],
    ["unlink-file-at", ["link/"], "not-directory"],
    ["unlink-file-at", ["empty"], "is-directory"],
    ["unlink-file-at", ["empty/"], "is-directory"],
    ["unlink-file-at", ["."], "is-directory"],
    ["unlink-file-at", ["none"], "no-entry"],
    ["symlink-at", ["file", "new"], "ok"],
    ["symlink-at", ["none/at/all", "new"], "ok"],
    ["symlink-at", ["file", "link"], "exist"],
    ["symlink-at", ["file", "new/"], "no-entry"],
    ["symlink-at", ["file", "empty/"], "exist"],
    ["symlink-at", ["../file", "full/new"], "ok"],
    ["symlink-at", ["../file", "new"], "not-permitted"],
    ["symlink-at", ["../../file", "full/new"], "not-permitted"],
    ["symlink-at", ["empty/../../file", "full/new"], "not-permitted"],
    ["symlink-at", ["/etc", "new"], "not-permitted"],
    ["symlink-at", ["", "new"], "no-entry"],
    ["readlink-at", ["link"], "ok"],
    ["readlink-at", ["file"], "invalid"],
    ["readlink-at", ["link/"], "invalid"],
    ["readlink-at", ["file/"], "not-directory"],
    ["readlink-at", ["."], "invalid"],
    ["readlink-at", ["none"], "no-entry"],
    ["readlink-at", ["absolute"], "not-permitted"],
  ])("%s %j: %s", (method, values, expected) => {
    using box = filledBox();
    expect(box.code(method, ...values)).toBe(expected);
  });

  test.each([
    ["file", "new", "ok"],
    ["file", "other", "ok"],
    ["file", "file", "ok"],
    ["full", "new", "ok"],
    ["full/", "new/", "ok"],
    ["full", "empty", "ok"],
    ["link", "new", "ok"],
    ["empty", "full", "not-empty"],
    ["file", "empty", "is-directory"],
    ["full", "file", "not-directory"],
    ["file/", "new", "not-directory"],
    ["file", "new/", "not-directory"],
    ["link/", "new", "not-directory"],
    ["full", "full/inside", "invalid"],
    ["none", "new", "no-entry"],
    ["file", "none/new", "no-entry"],
    [".", "new", "busy"],
    ["file", "full/..", "busy"],
    ["file", "..", "not-permitted"],
    ["../x", "new", "not-permitted"],
    ["full/up", "up", "not-permitted"],
  ])("rename-at %j to %j: %s", (from, to, expected) => {
    using box = filledBox();
    expect(box.code("rename-at", from, box.root, to)).toBe(expected);
  });

  test.each([
    ["file", "new", NOFOLLOW, "ok"],
    ["link", "new", NOFOLLOW, "ok"],
    ["link", "new", FOLLOW, "invalid"],
    ["file", "other", NOFOLLOW, "exist"],
    ["file", "new/", NOFOLLOW, "no-entry"],
    ["file", "empty/", NOFOLLOW, "exist"],
    ["file/", "new", NOFOLLOW, "not-directory"],
    ["full", "new", NOFOLLOW, "not-permitted"],
    ["none", "new", NOFOLLOW, "no-entry"],
    ["full/up", "up", NOFOLLOW, "not-permitted"],
  ])("link-at %j to %j with flags %i: %s", (from, to, ...[flags, expected]) => {
    using box = filledBox();
    expect(box.code("link-at", flags, from, box.root, to)).toBe(expected);
  });

  test("what was changed is changed at the host", () => {
    using box = filledBox();
    box.guest.on(box.root, "rename-at", "file", box.guest.open(box.root, "empty"), "moved");
    box.guest.on(box.root, "link-at", NOFOLLOW, "other", box.root, "again");
    box.guest.on(box.root, "symlink-at", "other", "new");
    box.guest.on(box.root, "unlink-file-at", "link");
    expect(readFileSync(box.path("empty/moved"), "utf8")).toBe("file");
    expect(statSync(box.path("again")).ino).toBe(statSync(box.path("other")).ino);
    expect([readlinkSync(box.path("new")), box.guest.on(box.root, "readlink-at", "new")]).toEqual(["other", "other"]);
    expect(readdirSync(box.directory.path).toSorted()).toEqual(["absolute", "again", "empty", "full", "new", "other"]);
  });
});

describe("a directory that was granted read-only", () => {
  test.each([
    ["create-directory-at", ["new"], "/data/new"],
    ["remove-directory-at", ["empty"], "/data/empty"],
    ["unlink-file-at", ["file"], "/data/file"],
    ["symlink-at", ["file", "new"], "/data/new"],
    ["open-at", [FOLLOW, "file", 0, WRITE], "/data/file"],
    ["open-at", [FOLLOW, "new", CREATE, READ], "/data/new"],
    ["open-at", [FOLLOW, "empty", DIRECTORY, READ | MUTATE], "/data/empty"],
    ["set-times-at", [FOLLOW, "file", { tag: "now" }, { tag: "now" }], "/data/file"],
    ["set-times", [{ tag: "now" }, { tag: "now" }], "/data"],
  ])("refuses %s %j, and the user is told", (method, values, told) => {
    using box = filledBox({ access: "read-only", guestPath: "/data" });
    const before = readdirSync(box.directory.path);
    expect(box.code(method, ...values)).toBe("read-only");
    expect(box.guest.context.denials).toEqual([`fs:read-write ${told}`]);
    expect(readdirSync(box.directory.path)).toEqual(before);
  });

  test("refuses rename-at and link-at in both directions", () => {
    using box = filledBox({ access: "read-only" });
    using other = new TemporaryDirectory();
    using guest = new FileGuest(
      mountOf(box.directory.path, { access: "read-only", guestPath: "/a" }),
      mountOf(other.path),
    );
    writeFileSync(other.join("mine"), "");
    const [readOnly, writable] = guest.roots.map((root) => take(Descriptor, root));
    const one = take(Descriptor, readOnly);
    const two = take(Descriptor, writable);
    expect([
      guest.code(one, "rename-at", "file", two, "file"),
      guest.code(two, "rename-at", "mine", one, "mine"),
      guest.code(one, "link-at", NOFOLLOW, "file", two, "file"),
      guest.code(two, "link-at", NOFOLLOW, "mine", one, "mine"),
    ]).toEqual(["read-only", "read-only", "read-only", "read-only"]);
    expect(guest.context.denials).toEqual([
      "fs:read-write /a/file",
      "fs:read-write /a/mine",
      "fs:read-write /a/file",
      "fs:read-write /a/mine",
    ]);
  });

  test("refuses through descriptors that were opened in it", () => {
    using box = filledBox({ access: "read-only", guestPath: "/data" });
    const directory = box.guest.open(box.root, "full", { open: DIRECTORY });
    expect(box.guest.on(directory, "get-flags")).toBe(READ);
    expect(box.guest.write(directory, "inside", "x")).toBe("read-only");
    expect(box.guest.code(directory, "set-times", { tag: "now" }, { tag: "now" })).toBe("read-only");
    expect(box.guest.context.denials).toEqual(["fs:read-write /data/full/inside", "fs:read-write /data/full"]);
  });

  test("can be read", () => {
    using box = filledBox({ access: "read-only" });
    expect([box.guest.read(box.root, "file"), box.guest.list(box.root).length]).toEqual(["file", 6]);
    expect(box.guest.context.denials).toEqual([]);
  });
});

describe("the end of a call", () => {
  test("closes for a process that is started meanwhile, too: no descriptor is handed on", () => {
    using directory = new TemporaryDirectory();
    mkdirSync(directory.join("box"));
    using guest = new FileGuest(mountOf(directory.join("box"), { quota: { bytes: 1000, files: 10 } }));
    const { root } = guest;
    guest.write(root, "file", "text");
    guest.open(root, "file");
    guest.open(root, ".");
    guest.on(root, "read-directory");
    const own = readdirSync("/proc/self/fd").filter((fd) => linkOf(fd).startsWith(directory.path));
    expect(own).toHaveLength(5);
    expect(own.filter((fd) => !isClosedOnExec(fd))).toEqual([]);
  });

  test("closes what the guest left open, and what it could not hold", async () => {
    using directory = new TemporaryDirectory();
    writeFileSync(directory.join("file"), "text");
    const before = openDescriptors();
    const guest = new FileGuest(mountOf(directory.path, { quota: { bytes: 1000, files: 10 } }));
    const { root } = guest;
    for (let n = 0; n < 20; n += 1) {
      const file = guest.open(root, "file", { flags: READ | WRITE });
      guest.on(file, "read-via-stream", 0n);
      guest.on(file, "append-via-stream");
      guest.on(root, "read-directory");
    }
    guest.write(root, "new", "text");
    const flushed = guest.on(guest.open(root, "file"), "sync");
    expect(openDescriptors()).toBeGreaterThan(before + 40);
    guest[Symbol.dispose]();
    expect(openDescriptors()).toBe(before);
    await Promise.allSettled([flushed]);
    expect(openDescriptors()).toBe(before);
  });

  test("a call has at most 256 files open, and may open others when it closed some", () => {
    using box = new Box();
    writeFileSync(box.path("file"), "text");
    const files = Array.from({ length: OPEN_LIMIT }, () => box.guest.open(box.root, "file"));
    const before = openDescriptors();
    expect([box.code("open-at", FOLLOW, "file", 0, READ), box.code("read-directory")]).toEqual([
      "insufficient-memory",
      "insufficient-memory",
    ]);
    expect(openDescriptors()).toBe(before);
    expect(box.guest.on(box.root, "stat-at", FOLLOW, "file")).toBeArray();
    files[0]?.[Symbol.dispose]();
    expect(box.code("open-at", FOLLOW, "file", 0, READ)).toBe("ok");
    expect(box.code("open-at", FOLLOW, "file", 0, READ)).toBe("insufficient-memory");
  });
});

/** A box with one of each. `up` is a symlink to what lies above its directory; `absolute` is of the user's making. */
function filledBox(mount: Partial<Mount> = {}): Box {
  const box = new Box(mount);
  writeFileSync(box.path("file"), "file");
  writeFileSync(box.path("other"), "other");
  mkdirSync(box.path("empty"));
  mkdirSync(box.path("full"));
  symlinkSync("../other", box.path("full/up"));
  symlinkSync("full", box.path("link"));
  symlinkSync("/etc/passwd", box.path("absolute"));
  return box;
}

/** A `new-timestamp`. */
function at(seconds: bigint): object {
  return { tag: "timestamp", value: [seconds, 5_000_000] };
}

function hashOf(guest: FileGuest, name: string): unknown {
  return guest.on(guest.root, "metadata-hash-at", NOFOLLOW, name);
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}

/** Source: proc_pid_fdinfo(5): the flags are octal. */
function isClosedOnExec(fd: string): boolean {
  const [, flags = ""] = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")) ?? [];
  return (Number.parseInt(flags, 8) & 0o2_000_000) !== 0;
}

function openDescriptors(): number {
  return existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0;
}
