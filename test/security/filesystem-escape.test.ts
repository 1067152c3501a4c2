/**
 * Attempts of a guest to get at files outside of the directory that it was granted. Each is checked from outside: nothing there was read or changed.
 * All are made twice: with the kernel's own resolution, and with the walk that other systems need.
 */
import { afterAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Mount } from "../../lib/policy/policy.ts";
import type { Descriptor } from "../../lib/worker/wasi/filesystem/descriptor.ts";
import { TemporaryDirectory } from "../support/temporary.ts";
import {
  codeOf,
  CREATE,
  DIRECTORY,
  EXCLUSIVE,
  FileGuest,
  FOLLOW,
  mountOf,
  NOFOLLOW,
  openByWalking,
  READ,
  TRUNCATE,
  WRITE,
} from "../worker/wasi/file-guest.ts";

const SECRET = "the secret";
const NOW = { tag: "now" };
const RESOLVERS = ["openat2", "the walk"] as const;
const isRoot = process.getuid?.() === 0;

/** A granted directory with files of its own and traps, beside one that was not granted. */
class Scene implements Disposable {
  readonly top: TemporaryDirectory = new TemporaryDirectory();
  readonly guest: FileGuest;
  readonly root: Descriptor;

  constructor(resolver: (typeof RESOLVERS)[number], mount: Partial<Mount> = {}) {
    mkdirSync(this.path("outside/empty"), { recursive: true });
    writeFileSync(this.path("outside/secret"), SECRET);
    mkdirSync(this.path("box/a/b"), { recursive: true });
    writeFileSync(this.path("box/a/mine"), "mine");
    for (const [name, target] of this.#links()) symlinkSync(target, this.path("box", name));
    const granted = mountOf(this.path("box"), mount);
    this.guest = new FileGuest(granted);
    this.root = resolver === "openat2" ? this.guest.root : openByWalking(this.guest, granted);
  }

  path(...segments: string[]): string {
    return this.top.join(...segments);
  }

  /** All that can be told of what lies outside. */
  get outside(): unknown {
    return tell(this.path("outside"));
  }

  /** All that can be told of what was granted. */
  get inside(): unknown {
    return tell(this.path("box"));
  }

  #links(): [name: string, target: string][] {
    const outside = this.path("outside");
    return [
      ["out", "../outside"],
      ["out-absolute", outside],
      ["out-down-and-up", "a/../../outside"],
      ["a/out-from-below", "../../outside"],
      ["chain", "chain-2"],
      ["chain-2", "chain-3"],
      ["chain-3", "a/out-from-below"],
      ["dots", ".."],
      ["a/up", ".."],
      ["a/up-up", "up/.."],
      ["file-out", "../outside/secret"],
      ["file-absolute", join(outside, "secret")],
      ["file-new", "../outside/new"],
      ["loop", "loop"],
      ["ping", "pong"],
      ["pong", "ping"],
      ["root", "/"],
      ["proc-root", "/proc/self/root"],
      ["proc-cwd", "/proc/self/cwd"],
      ["proc-fd", "/proc/self/fd"],
      ["host", "/etc/passwd"],
    ];
  }

  [Symbol.dispose](): void {
    this.guest[Symbol.dispose]();
    this.top[Symbol.dispose]();
  }
}

/** Paths that lead out. `$` stands for the host's path of what is outside. */
const PATHS: readonly string[] = [
  "..",
  "../",
  "../.",
  "../outside/secret",
  "./../outside/secret",
  "a/../../outside/secret",
  "a/b/../../../outside/secret",
  "a/./.././../outside/secret",
  "a//..//..//outside//secret",
  ".//..//outside/secret",
  "../box/../outside/secret",
  "../box/a/mine",
  "none/../../outside/secret",
  "a/mine/../../../outside/secret",
  "/",
  "//",
  "$/secret",
  "/$/secret",
  "/proc/self/root/etc/passwd",
  "/proc/self/cwd/package.json",
  "/dev/null",
  "out/secret",
  "out/",
  "out/.",
  "out/..",
  "out/empty",
  "out/new",
  "out-absolute/secret",
  "out-absolute/",
  "out-down-and-up/secret",
  "a/out-from-below/secret",
  "chain/secret",
  "chain/",
  "dots/outside/secret",
  "dots/box/a/mine",
  "a/up-up/outside/secret",
  "file-out",
  "file-out/",
  "file-absolute",
  "file-new",
  "loop",
  "loop/x",
  "ping",
  "ping/x",
  "root/etc/passwd",
  "proc-root/etc/passwd",
  "proc-cwd/package.json",
  "proc-fd/0",
  "proc-fd/1",
  "host",
  "out\0/secret",
  "a/mine\0/../../outside/secret",
  "",
];

type Attempt = (scene: Scene, path: string) => unknown;

const open =
  (flags: number, openFlags: number): Attempt =>
  ({ guest, root }, path) =>
    guest.on(root, "open-at", FOLLOW, path, openFlags, flags);

/** What a guest does with a path, where that follows a symlink at its end. */
const FOLLOWING: readonly (readonly [string, Attempt])[] = [
  ["open-at to read", open(READ, 0)],
  ["open-at to write", open(WRITE, 0)],
  ["open-at to empty", open(WRITE, TRUNCATE)],
  ["open-at to make", open(READ | WRITE, CREATE)],
  ["open-at of a directory", open(READ, DIRECTORY)],
  ["stat-at", ({ guest, root }, path) => guest.on(root, "stat-at", FOLLOW, path)],
  ["set-times-at", ({ guest, root }, path) => guest.on(root, "set-times-at", FOLLOW, path, NOW, NOW)],
  ["metadata-hash-at", ({ guest, root }, path) => guest.on(root, "metadata-hash-at", FOLLOW, path)],
];

/** The same, where it is about the symlink itself: one in the directory is the guest's own. */
const NOT_FOLLOWING: readonly (readonly [string, Attempt])[] = [
  ["open-at to make anew", open(WRITE, CREATE | EXCLUSIVE)],
  ["stat-at of the link", ({ guest, root }, path) => guest.on(root, "stat-at", NOFOLLOW, path)],
  ["set-times-at of the link", ({ guest, root }, path) => guest.on(root, "set-times-at", NOFOLLOW, path, NOW, NOW)],
  ["create-directory-at", ({ guest, root }, path) => guest.on(root, "create-directory-at", path)],
  ["remove-directory-at", ({ guest, root }, path) => guest.on(root, "remove-directory-at", path)],
  ["unlink-file-at", ({ guest, root }, path) => guest.on(root, "unlink-file-at", path)],
  ["readlink-at", ({ guest, root }, path) => guest.on(root, "readlink-at", path)],
  ["rename-at from", ({ guest, root }, path) => guest.on(root, "rename-at", path, root, "a/stolen")],
  ["rename-at to", ({ guest, root }, path) => guest.on(root, "rename-at", "a/mine", root, path)],
  ["link-at from", ({ guest, root }, path) => guest.on(root, "link-at", NOFOLLOW, path, root, "a/stolen")],
  ["link-at to", ({ guest, root }, path) => guest.on(root, "link-at", NOFOLLOW, "a/mine", root, path)],
  ["symlink-at", ({ guest, root }, path) => guest.on(root, "symlink-at", "a/mine", path)],
];

describe.each(RESOLVERS)("by %s, a path that leads out", (resolver) => {
  test.each(FOLLOWING)("gets nowhere: %s", (_, attempt) => {
    using scene = new Scene(resolver);
    const before = [scene.outside, scene.inside];
    for (const path of PATHS) {
      const given = path.replace("$", scene.path("outside"));
      expect({ path, code: codeOf(() => attempt(scene, given)) }).not.toEqual({ path, code: "ok" });
      expect([scene.outside, scene.inside]).toEqual(before);
    }
  });

  test.each(NOT_FOLLOWING)("gets nowhere: %s", (_, attempt) => {
    for (const paths of [PATHS.filter((path) => !isOwnName(path)), ...PATHS.filter(isOwnName).map((path) => [path])]) {
      using scene = new Scene(resolver);
      const before = scene.outside;
      for (const path of paths) {
        const code = codeOf(() => attempt(scene, path.replace("$", scene.path("outside"))));
        if (!isOwnName(path)) expect({ path, code }).not.toEqual({ path, code: "ok" });
        expect(scene.outside).toEqual(before);
      }
    }
  });

  test("does not name what is outside as the other end of a link", () => {
    using scene = new Scene(resolver);
    const { guest, root } = scene;
    const targets = ["/etc/passwd", "..", "../outside", "a/../../outside", "a/../mine", scene.path("outside")];
    expect(targets.map((target) => guest.code(root, "symlink-at", target, "new"))).toEqual(
      targets.map(() => "not-permitted"),
    );
    expect(guest.code(root, "symlink-at", "../../outside", "a/new")).toBe("not-permitted");
    expect(guest.code(root, "symlink-at", "../mine", "a/b/fine")).toBe("ok");
    expect([
      guest.code(root, "rename-at", "a/b/fine", root, "moved"),
      guest.code(root, "link-at", NOFOLLOW, "a/b/fine", root, "linked"),
      guest.code(root, "rename-at", "out", root, "a/moved"),
    ]).toEqual(["not-permitted", "not-permitted", "ok"]);
    expect(guest.code(root, "rename-at", "a/moved", root, "out")).toBe("not-permitted");
  });

  test("does not lead out of a directory that was opened beneath, either", () => {
    using scene = new Scene(resolver);
    const { guest, root } = scene;
    const below = guest.open(root, "a");
    writeFileSync(scene.path("box/above"), "above");
    const paths = ["../above", "..", "up/above", "up", "b/../../above", "out-from-below/secret", "/above"];
    expect(paths.map((path) => guest.read(below, path))).toEqual(paths.map(() => "<not-permitted>"));
    expect(guest.read(below, "b/../mine")).toBe("mine");
  });
});

describe.each(RESOLVERS)("by %s, a name", (resolver) => {
  test("has at most 255 bytes", () => {
    using scene = new Scene(resolver);
    const { guest, root } = scene;
    const names = ["x".repeat(254), "x".repeat(255), "x".repeat(256), "é".repeat(127), "é".repeat(128)];
    expect(names.map((name) => guest.write(root, name, "text"))).toEqual([
      "ok",
      "ok",
      "name-too-long",
      "ok",
      "name-too-long",
    ]);
  });

  test("is part of a path of at most 4095 bytes", () => {
    using scene = new Scene(resolver);
    const { guest, root } = scene;
    const paths = [4094, 4095, 4096, 5000, 100_000].map((length) => `${"./".repeat(length)}a/mine`.slice(-length));
    const clean = paths.map((path) => (path.startsWith("/") ? `.${path.slice(1)}` : path));
    expect(clean.map((path) => guest.read(root, path.replace(/^\.\.\//, ".//")))).toEqual([
      "mine",
      "mine",
      "<name-too-long>",
      "<name-too-long>",
      "<name-too-long>",
    ]);
  });

  test("is no other name: nothing is normalized, trimmed or folded", () => {
    using scene = new Scene(resolver);
    const { guest, root } = scene;
    mkdirSync(scene.path("box/..."));
    writeFileSync(scene.path("box/...", "x"), "dots");
    expect(guest.read(root, ".../x")).toBe("dots");
    for (const name of [
      "A/mine",
      "a /mine",
      "a./mine",
      "a\\mine",
      "%2e%2e/outside/secret",
      "．．/outside/secret",
      "..\\outside",
    ])
      expect(guest.read(root, name)).toBe("<no-entry>");
  });
});

describe.each(RESOLVERS)("by %s, what is neither file nor directory", (resolver) => {
  test("is not opened, and nobody waits for it", async () => {
    using scene = new Scene(resolver);
    const { guest, root } = scene;
    const specials: [name: string, type: string][] = [["fifo", "fifo"]];
    Bun.spawnSync(["mkfifo", scene.path("box/fifo")]);
    const server = Bun.listen({ unix: scene.path("box/socket"), socket: { data: () => undefined } });
    specials.push(["socket", "socket"]);
    if (isRoot) {
      Bun.spawnSync(["mknod", scene.path("box/device"), "c", "1", "5"]);
      Bun.spawnSync(["mknod", scene.path("box/disk"), "b", "7", "200"]);
      specials.push(["device", "character-device"], ["disk", "block-device"]);
    }
    for (const [name, type] of specials) {
      expect({ name, exists: existsSync(scene.path("box", name)) }).toEqual({ name, exists: true });
      symlinkSync(name, scene.path("box", `${name}-link`));
      expect(Object(guest.on(root, "stat-at", FOLLOW, name))[0]).toBe(type);
      for (const flags of [READ, WRITE, READ | WRITE, 0]) {
        expect([name, guest.code(root, "open-at", NOFOLLOW, name, 0, flags)]).toEqual([name, "not-permitted"]);
        expect(guest.code(root, "open-at", FOLLOW, `${name}-link`, 0, flags)).toBe("not-permitted");
        expect(guest.code(root, "open-at", FOLLOW, name, CREATE, flags)).toBe("not-permitted");
      }
      expect(guest.code(root, "open-at", FOLLOW, name, CREATE | TRUNCATE, WRITE)).toBe("not-permitted");
    }
    server.stop(true);
  });
});

describe.each(RESOLVERS)("by %s, two directories", (resolver) => {
  test("stay two: nothing is renamed or linked from one to the other", () => {
    using scene = new Scene(resolver);
    mkdirSync(scene.path("other"));
    writeFileSync(scene.path("other/theirs"), "theirs");
    const mounts = [mountOf(scene.path("box"), { guestPath: "/a" }), mountOf(scene.path("other"), { guestPath: "/b" })];
    using guest = new FileGuest(...mounts);
    const [one, two] = resolver === "openat2" ? guest.roots : mounts.map((mount) => openByWalking(guest, mount));
    if (one === undefined || two === undefined) throw new Error("no directories");
    expect([
      guest.code(one, "rename-at", "a/mine", two, "mine"),
      guest.code(one, "rename-at", "a/mine", two, "theirs"),
      guest.code(one, "rename-at", "a", two, "a"),
      guest.code(two, "rename-at", "theirs", one, "theirs"),
      guest.code(one, "link-at", NOFOLLOW, "a/mine", two, "mine"),
      guest.code(two, "link-at", NOFOLLOW, "theirs", one, "theirs"),
    ]).toEqual(Array(6).fill("cross-device"));
    expect([readdirSync(scene.path("other")), readFileSync(scene.path("other/theirs"), "utf8")]).toEqual([
      ["theirs"],
      "theirs",
    ]);
  });

  test("a hard link that the user made is a file of the directory; the guest cannot make one to what is outside", () => {
    using scene = new Scene(resolver);
    const { guest, root } = scene;
    linkSync(scene.path("outside/secret"), scene.path("box/granted"));
    expect(guest.read(root, "granted")).toBe(SECRET);
    const sources = ["../outside/secret", "out/secret", "out-absolute/secret", scene.path("outside/secret")];
    expect(sources.map((from) => guest.code(root, "link-at", NOFOLLOW, from, root, "stolen"))).toEqual(
      sources.map(() => "not-permitted"),
    );
    // A symlink gets another name, and is still a symlink that leads nowhere.
    expect(guest.code(root, "link-at", NOFOLLOW, "file-out", root, "stolen")).toBe("not-permitted");
    expect(guest.code(root, "rename-at", "file-out", root, "a/stolen")).toBe("ok");
    expect(guest.read(root, "a/stolen")).not.toContain(SECRET);
  });
});

describe("a directory that shows processes", () => {
  test("is not opened, whoever granted it", () => {
    using guest = new FileGuest(mountOf("/proc/self", { access: "read-only" }));
    const { root } = guest;
    expect([guest.read(root, "environ"), guest.code(root, "read-directory"), guest.code(root, "stat")]).toEqual([
      "<not-permitted>",
      "not-permitted",
      "not-permitted",
    ]);
  });

  test("is not reached from one that holds it", () => {
    using guest = new FileGuest(mountOf("/", { access: "read-only" }));
    const { root } = guest;
    const paths = [
      "proc/self/environ",
      "proc/self/mem",
      "proc/1/root/etc/passwd",
      "proc/self/fd/0",
      "proc/thread-self",
    ];
    for (const path of paths)
      expect([path, guest.code(root, "open-at", FOLLOW, path, 0, READ)]).toEqual([path, "not-permitted"]);
  });
});

describe.each(RESOLVERS)("by %s, a directory and a file that are swapped for symlinks meanwhile", (resolver) => {
  const counts = new Map<string, number>();
  afterAll(() => console.log(`swaps, by ${resolver}: ${JSON.stringify(Object.fromEntries(counts))}`));

  test("never let a byte from outside in, nor one out, in 100,000 attempts", async () => {
    using scene = new Scene(resolver);
    const { guest, root } = scene;
    mkdirSync(scene.path("box/dir"));
    writeFileSync(scene.path("box/dir/secret"), "inside");
    writeFileSync(scene.path("box/file"), "inside");
    symlinkSync("../outside", scene.path("box/dir-link"));
    symlinkSync("../outside/secret", scene.path("box/file-link"));
    const before = scene.outside;
    const child = Bun.spawn(
      [process.execPath, fileURLToPath(import.meta.resolve("./swap-files-child.ts")), scene.path("box")],
      {
        stdin: "pipe",
        stdout: "pipe",
        env: {},
      },
    );
    await child.stdout.getReader().read();
    const attempts: (() => string)[] = [
      () => guest.read(root, "dir/secret"),
      () => guest.read(root, "file"),
      () => guest.read(root, "file", NOFOLLOW),
      () => guest.read(root, "dir/../dir/secret"),
      () => `wrote: ${openToWrite(scene, "dir/secret")}`,
      () => `wrote: ${openToWrite(scene, "file")}`,
      () => `made: ${guest.code(root, "create-directory-at", "dir/new")}`,
      () => `removed: ${guest.code(root, "remove-directory-at", "dir/empty")}`,
      () => `timed: ${guest.code(root, "set-times-at", FOLLOW, "file", NOW, NOW)}`,
      () => `renamed: ${guest.code(root, "rename-at", "a/none", root, "dir/new")}`,
    ];
    for (let n = 0; n < 100_000; n += 1) {
      const result = attempts[n % attempts.length]?.() ?? "";
      counts.set(result, (counts.get(result) ?? 0) + 1);
    }
    child.kill();
    await child.exited;
    expect([...counts.keys()].filter((result) => result.includes(SECRET))).toEqual([]);
    expect(scene.outside).toEqual(before);
    // That it raced: the same path was inside, and outside, and nothing at all.
    const seen = (...results: string[]): number => results.reduce((sum, key) => sum + (counts.get(key) ?? 0), 0);
    expect(seen("inside")).toBeGreaterThan(1000);
    expect(seen("<not-permitted>", "<loop>")).toBeGreaterThan(100);
  }, 300_000);
});

/** Whether a path is a name in the granted directory itself: of a symlink of the guest's own, which it may rename or remove. */
function isOwnName(path: string): boolean {
  return /^[a-z-]+$/.test(path);
}

/** Opens to write and writes what would be seen outside. */
function openToWrite({ guest, root }: Scene, path: string): string {
  return codeOf(() => {
    const file = guest.open(root, path, { flags: WRITE });
    try {
      guest.on(file, "write", new TextEncoder().encode("inside"), 0n);
    } finally {
      file[Symbol.dispose]();
    }
  });
}

/** All that can be told of a file or a directory: names, types, contents and times of change. */
function tell(path: string): unknown[] {
  const stat = lstatSync(path, { bigint: true });
  const self = [
    path,
    stat.mode,
    stat.nlink,
    stat.mtimeNs,
    stat.ctimeNs,
    stat.isFile() ? readFileSync(path, "utf8") : "",
  ];
  if (!stat.isDirectory()) return self;
  return [
    ...self,
    readdirSync(path)
      .toSorted()
      .map((name) => tell(join(path, name))),
  ];
}
