import { describe, expect, test } from "bun:test";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Quota } from "../../../lib/policy/policy.ts";
import { openAmbientDirectory, findAmbientAccess } from "../../../lib/worker/files/ambient.ts";
import { usageRecordPath } from "../../../lib/policy/usage-record.ts";
import { Ledger } from "../../../lib/worker/files/ledger.ts";
import { COUNT_LIMIT, countUsage, type Usage } from "../../../lib/worker/files/usage.ts";
import type { Descriptor } from "../../../lib/worker/wasi/filesystem/descriptor.ts";
import { TemporaryDirectory } from "../../support/temporary.ts";
import { CREATE, FileGuest, FOLLOW, mountOf, READ, WRITE } from "../wasi/file-guest.ts";

/** A directory under a quota; several guests may use it. */
class Ruled implements Disposable {
  readonly top: TemporaryDirectory = new TemporaryDirectory();
  readonly path: string = this.top.join("box");
  readonly record: string = usageRecordPath(this.path);
  readonly guests: FileGuest[] = [];
  readonly quota: Quota;

  constructor(bytes: number, files: number) {
    mkdirSync(this.path);
    this.quota = { bytes, files };
  }

  guest(): FileGuest {
    const guest = new FileGuest(mountOf(this.path, { quota: this.quota }));
    this.guests.push(guest);
    return guest;
  }

  /** What is written down, and whether it is in the middle of a change. */
  get written(): Usage & { readonly isChanging: boolean } {
    const [, state, bytes, files] = new BigUint64Array(new Uint8Array(readFileSync(this.record)).buffer);
    return { bytes: Number(bytes), files: Number(files), isChanging: state !== 0n };
  }

  /** What there is. */
  get counted(): Usage {
    const fd = openAmbientDirectory(this.path);
    return countUsage(findAmbientAccess(fd).system, fd);
  }

  /** Changes words of the record. */
  rewrite(change: (words: BigUint64Array) => void): void {
    const words = new BigUint64Array(new Uint8Array(readFileSync(this.record)).buffer);
    change(words);
    writeFileSync(this.record, new Uint8Array(words.buffer));
  }

  [Symbol.dispose](): void {
    for (const guest of this.guests) guest[Symbol.dispose]();
    this.top[Symbol.dispose]();
  }
}

const text = (length: number): string => "x".repeat(length);
const bytes = (length: number): Uint8Array => new Uint8Array(length);

describe("a quota of bytes", () => {
  test.each([
    [99, "ok"],
    [100, "ok"],
    [101, "quota"],
  ])("is exact: %i of 100 bytes by write: %s", (length, expected) => {
    using ruled = new Ruled(100, 10);
    const guest = ruled.guest();
    expect(guest.write(guest.root, "file", text(length))).toBe(expected);
    expect(statSync(join(ruled.path, "file")).size).toBe(expected === "ok" ? length : 0);
  });

  test.each([
    ["set-size", (guest: FileGuest, file: Descriptor, size: number) => guest.code(file, "set-size", BigInt(size))],
    [
      "write at an offset",
      (guest: FileGuest, file: Descriptor, size: number) => guest.code(file, "write", bytes(1), BigInt(size - 1)),
    ],
    [
      "append",
      (guest: FileGuest, file: Descriptor, size: number) => {
        const stream = guest.on(file, "append-via-stream");
        return guest.code(file, "get-type") && appendCode(guest, stream, size);
      },
    ],
  ])("is exact: %s", (_, grow) => {
    for (const [size, expected] of [
      [79, "ok"],
      [80, "ok"],
      [81, "quota"],
    ] as const) {
      using ruled = new Ruled(100, 10);
      const guest = ruled.guest();
      guest.write(guest.root, "other", text(20));
      const file = guest.open(guest.root, "file", { flags: WRITE, open: CREATE });
      expect([size, grow(guest, file, size)]).toEqual([size, expected]);
      expect(ruled.written).toEqual({ ...ruled.counted, isChanging: false });
    }
  });

  test.each([
    [19, "ok"],
    [20, "ok"],
    [21, "quota"],
  ])("counts what symlinks hold: %i of 20 bytes: %s", (length, expected) => {
    using ruled = new Ruled(20, 10);
    const guest = ruled.guest();
    expect(guest.code(guest.root, "symlink-at", text(length), "link")).toBe(expected);
  });

  test("is not used up by writing over what is there", () => {
    using ruled = new Ruled(100, 10);
    const guest = ruled.guest();
    for (let n = 0; n < 5; n += 1) expect(guest.write(guest.root, "file", text(100))).toBe("ok");
    const file = guest.open(guest.root, "file", { flags: WRITE });
    expect([guest.code(file, "write", bytes(100), 0n), guest.code(file, "write", bytes(100), 1n)]).toEqual([
      "ok",
      "quota",
    ]);
  });

  test("is given back: by unlink, truncation, set-size, and by a rename over a file", () => {
    using ruled = new Ruled(100, 10);
    const guest = ruled.guest();
    const { root } = guest;
    guest.write(root, "a", text(60));
    guest.write(root, "b", text(40));
    expect(guest.write(root, "c", "x")).toBe("quota");
    guest.on(root, "unlink-file-at", "c");
    expect(guest.code(root, "rename-at", "b", root, "a")).toBe("ok");
    expect(ruled.written).toEqual({ bytes: 40, files: 1, isChanging: false });
    expect(guest.write(root, "b", text(60))).toBe("ok");
    expect(guest.code(guest.open(root, "b", { flags: WRITE }), "set-size", 10n)).toBe("ok");
    expect(ruled.written.bytes).toBe(50);
    expect(guest.write(root, "a", text(90))).toBe("ok");
    expect(guest.code(root, "unlink-file-at", "a")).toBe("ok");
    expect(ruled.written).toEqual({ ...ruled.counted, isChanging: false });
  });

  test("counts a file with several names once, until the last is gone", () => {
    using ruled = new Ruled(100, 10);
    const guest = ruled.guest();
    const { root } = guest;
    guest.write(root, "a", text(60));
    expect(guest.code(root, "link-at", 0, "a", root, "b")).toBe("ok");
    expect(ruled.written).toMatchObject({ bytes: 60, files: 2 });
    guest.on(root, "unlink-file-at", "a");
    expect(ruled.written).toMatchObject({ bytes: 60, files: 1 });
    guest.on(root, "unlink-file-at", "b");
    expect(ruled.written).toMatchObject({ bytes: 0, files: 0 });
  });

  test("counts a deleted file for the call that has it open", () => {
    using ruled = new Ruled(100, 10);
    const guest = ruled.guest();
    const { root } = guest;
    guest.write(root, "a", text(60));
    const file = guest.open(root, "a", { flags: READ | WRITE });
    guest.on(root, "unlink-file-at", "a");
    expect(ruled.written).toMatchObject({ bytes: 0, files: 0 });
    expect([guest.write(root, "b", text(41)), guest.write(root, "b", text(40))]).toEqual(["quota", "ok"]);
    expect(guest.code(file, "write", bytes(1), 60n)).toBe("quota");
    expect(guest.code(file, "set-size", 50n)).toBe("ok");
    expect(guest.code(file, "write", bytes(10), 50n)).toBe("ok");
    expect(guest.code(file, "write", bytes(1), 60n)).toBe("quota");
    file[Symbol.dispose]();
    expect(guest.write(root, "b", text(100))).toBe("ok");
    expect(ruled.written).toEqual({ ...ruled.counted, isChanging: false });
  });
});

describe("a quota of files", () => {
  test.each([
    ["open-at", [FOLLOW, "new", CREATE, WRITE]],
    ["create-directory-at", ["new"]],
    ["symlink-at", ["a", "new"]],
    ["link-at", [0, "a", "root", "new"]],
  ])("is exact: %s", (method, values) => {
    for (const [there, expected] of [
      [1, "ok"],
      [2, "ok"],
      [3, "quota"],
    ] as const) {
      using ruled = new Ruled(1000, 3);
      const guest = ruled.guest();
      const { root } = guest;
      for (const name of ["a", "b", "c"].slice(0, there)) guest.write(root, name, "");
      const given = values.map((value) => (value === "root" ? root : value));
      expect([there, guest.code(root, method, ...given)]).toEqual([there, expected]);
      expect(readdirSync(ruled.path)).toHaveLength(Math.min(there + 1, 3));
      expect(ruled.written).toEqual({ ...ruled.counted, isChanging: false });
    }
  });

  test("is not used up by what fails", () => {
    using ruled = new Ruled(1000, 2);
    const guest = ruled.guest();
    const { root } = guest;
    guest.write(root, "a", "");
    for (let n = 0; n < 5; n += 1) {
      expect(guest.code(root, "create-directory-at", "a")).toBe("exist");
      expect(guest.code(root, "create-directory-at", "none/b")).toBe("no-entry");
      expect(guest.code(root, "symlink-at", "a", "a")).toBe("exist");
      expect(guest.code(root, "open-at", FOLLOW, "a", CREATE | 4, WRITE)).toBe("exist");
    }
    expect(ruled.written).toEqual({ bytes: 0, files: 1, isChanging: false });
    expect(guest.code(root, "create-directory-at", "b")).toBe("ok");
    expect(guest.code(root, "remove-directory-at", "b")).toBe("ok");
    expect(guest.code(root, "create-directory-at", "c")).toBe("ok");
  });
});

describe("the record of a directory", () => {
  test("lies where the guest does not see it", () => {
    using ruled = new Ruled(100, 10);
    const guest = ruled.guest();
    guest.write(guest.root, "a", "");
    expect(guest.list(guest.root)).toEqual([["regular-file", "a"]]);
    expect([readdirSync(ruled.path), statSync(ruled.record).mode & 0o777]).toEqual([["a"], 0o600]);
  });

  test("lies there also when the directory's path ends with slashes", () => {
    using ruled = new Ruled(100, 10);
    using guest = new FileGuest(mountOf(`${ruled.path}//`, { quota: ruled.quota }));
    guest.write(guest.root, "a", "");
    expect([readdirSync(ruled.path), existsSync(ruled.record)]).toEqual([["a"], true]);
  });

  test.each([
    ["of a process that died in the middle of a change", (words: BigUint64Array) => words.fill(1n, 1, 2)],
    ["of another version", (words: BigUint64Array) => words.fill(7n, 0, 1)],
    ["that is older than a minute", (words: BigUint64Array) => words.fill(BigInt(Date.now() - 61_000), 4)],
    ["from the future", (words: BigUint64Array) => words.fill(BigInt(Date.now() + 61_000), 4)],
  ])("%s is not believed: all is counted anew", (_, change) => {
    using ruled = new Ruled(100, 10);
    const guest = ruled.guest();
    guest.write(guest.root, "a", text(50));
    ruled.rewrite((words) => {
      words.fill(5n, 2, 4);
      change(words);
    });
    const next = ruled.guest();
    expect(next.write(next.root, "b", text(51))).toBe("quota");
    expect(next.write(next.root, "b", text(50))).toBe("ok");
    expect(ruled.written).toEqual({ bytes: 100, files: 2, isChanging: false });
  });

  test("that is cut short, or gone, is made anew", () => {
    using ruled = new Ruled(100, 10);
    for (const spoil of [() => writeFileSync(ruled.record, "x"), () => rmSync(ruled.record)]) {
      const guest = ruled.guest();
      guest.write(guest.root, "a", text(50));
      spoil();
      const next = ruled.guest();
      expect(next.write(next.root, "b", text(51))).toBe("quota");
      expect(ruled.written).toEqual({ ...ruled.counted, isChanging: false });
    }
  });

  test("is made anew before anything is refused, when it is older than a second", () => {
    using ruled = new Ruled(100, 10);
    const guest = ruled.guest();
    guest.write(guest.root, "a", text(100));
    // The user makes room by hand.
    rmSync(join(ruled.path, "a"));
    ruled.rewrite((words) => words.fill(BigInt(Date.now() - 2000), 4));
    expect(guest.write(guest.root, "b", text(100))).toBe("ok");
  });

  test("says that a change is under way until it is made", () => {
    using ruled = new Ruled(100, 10);
    const fd = openAmbientDirectory(ruled.path);
    using ledger = new Ledger(findAmbientAccess(fd).system, {
      hostPath: ruled.path,
      quota: ruled.quota,
      root: () => fd,
      heldBytes: () => 0,
    });
    const during = ledger.change((balance) => {
      balance.take({ bytes: 7, files: 1 });
      return ruled.written;
    });
    expect([during, ruled.written]).toEqual([
      { bytes: 0, files: 0, isChanging: true },
      { bytes: 7, files: 1, isChanging: false },
    ]);
  });

  test("is right again after processes were killed in the middle of changes", async () => {
    using ruled = new Ruled(3000, 7);
    for (let n = 0; n < 10; n += 1) {
      const child = Bun.spawn(
        [process.execPath, fileURLToPath(import.meta.resolve("./ledger-child.ts")), ruled.path, "3000", "7", String(n)],
        { stdin: "pipe", stdout: "pipe", env: {} },
      );
      await child.stdout.getReader().read();
      void child.stdin.write("go\n");
      await child.stdin.flush();
      const written = existsSync(ruled.record) ? statSync(ruled.record).mtimeMs : 0;
      while (!existsSync(ruled.record) || statSync(ruled.record).mtimeMs === written) await Bun.sleep(0);
      child.kill("SIGKILL");
      await child.exited;
      const guest = ruled.guest();
      guest.code(guest.root, "unlink-file-at", "none");
      expect(ruled.written).toEqual({ ...ruled.counted, isChanging: false });
    }
  }, 60_000);

  test("is not waited for for long", () => {
    using ruled = new Ruled(100, 10);
    const [one, other] = [ruled.guest(), ruled.guest()];
    one.write(one.root, "a", "");
    const fd = openAmbientDirectory(ruled.path);
    const { system } = findAmbientAccess(fd);
    const holder = system.open({ directory: fd, name: usageRecordPath("../box") }, { flags: 2 });
    expect(system.lock(holder)).toBe(true);
    const startedMs = performance.now();
    expect(other.write(other.root, "b", "")).toBe("busy");
    expect(performance.now() - startedMs).toBeGreaterThan(100);
    system.unlock(holder);
    expect(other.write(other.root, "b", "")).toBe("ok");
  });

  test("is right after four processes changed the directory at once, and no quota was exceeded", async () => {
    using ruled = new Ruled(3000, 7);
    const children = [0, 1, 2, 3].map((number) =>
      Bun.spawn(
        [
          process.execPath,
          fileURLToPath(import.meta.resolve("./ledger-child.ts")),
          ruled.path,
          "3000",
          "7",
          String(number),
        ],
        {
          stdin: "pipe",
          stdout: "pipe",
          env: {},
        },
      ),
    );
    const outputs = children.map(({ stdout }) => stdout.getReader());
    await Promise.all(outputs.map((output) => output.read()));
    for (const { stdin } of children) {
      void stdin.write("go\n");
      await stdin.flush();
    }
    const most = { bytes: 0, files: 0 };
    while (children.some(({ exitCode }) => exitCode === null)) {
      const sizes = readdirSync(ruled.path).map((name) => sizeOf(join(ruled.path, name)));
      most.files = Math.max(most.files, sizes.length);
      await Bun.sleep(1);
    }
    const results = await Promise.all(
      outputs.map(async (output) => new TextDecoder().decode((await output.read()).value)),
    );
    const codes = results.map((result): Record<string, number> => JSON.parse(result));
    expect(ruled.written).toEqual({ ...ruled.counted, isChanging: false });
    expect(ruled.counted.bytes).toBeLessThanOrEqual(3000);
    expect(most.files).toBeLessThanOrEqual(7);
    for (const code of codes) {
      expect(code["ok"]).toBeGreaterThan(100);
      expect(code["quota"]).toBeGreaterThan(10);
    }
  }, 60_000);
});

describe("countUsage()", () => {
  test("counts names, sizes of files and of what symlinks hold, and several names of a file once", () => {
    using ruled = new Ruled(1, 1);
    mkdirSync(join(ruled.path, "a/b/c"), { recursive: true });
    writeFileSync(join(ruled.path, "a/b/file"), text(10));
    linkSync(join(ruled.path, "a/b/file"), join(ruled.path, "again"));
    symlinkSync("12345", join(ruled.path, "a/link"));
    expect(ruled.counted).toEqual({ bytes: 15, files: 6 });
  });

  test("does not follow symlinks", () => {
    using ruled = new Ruled(1, 1);
    mkdirSync(ruled.top.join("outside"));
    writeFileSync(ruled.top.join("outside/file"), text(1000));
    symlinkSync("../outside", join(ruled.path, "out"));
    symlinkSync(".", join(ruled.path, "self"));
    expect(ruled.counted).toEqual({ bytes: 11, files: 2 });
  });

  test("counts as deep as directories go, with a few descriptors", () => {
    using ruled = new Ruled(1_000_000, 5000);
    const guest = ruled.guest();
    let here = guest.root;
    for (let depth = 0; depth < 1000; depth += 1) {
      guest.on(here, "create-directory-at", "deep");
      const next = guest.open(here, "deep");
      here[Symbol.dispose]();
      here = next;
    }
    guest.write(here, "file", text(10));
    expect(ruled.counted).toEqual({ bytes: 10, files: 1001 });
    const deep = guest.open(guest.root, "deep");
    expect(guest.code(guest.root, "rename-at", "deep", guest.root, "moved")).toBe("ok");
    deep[Symbol.dispose]();
    here[Symbol.dispose]();
    Bun.spawnSync(["rm", "-rf", ruled.path]);
  }, 60_000);

  test("stops at 20,000 names: such a directory takes nothing new", () => {
    using ruled = new Ruled(1_000_000, 60_000);
    for (let n = 0; n <= COUNT_LIMIT; n += 1) symlinkSync("x", join(ruled.path, String(n)));
    const guest = ruled.guest();
    expect([guest.write(guest.root, "new", ""), guest.code(guest.root, "unlink-file-at", "7")]).toEqual([
      "quota",
      "ok",
    ]);
  }, 60_000);
});

function appendCode(guest: FileGuest, stream: unknown, size: number): string {
  try {
    guest.call("[method]output-stream.blocking-write-and-flush", stream, bytes(size));
    return "ok";
  } catch (error) {
    return String(Object(Object(error).payload).value?.fault.codes.filesystem);
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
