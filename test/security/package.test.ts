/**
 * Attack: a package that makes the installer read what is not in it, wait for ever, or fill memory.
 */
import { describe, expect, test } from "bun:test";
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openBeneath, segmentsOf } from "../../lib/registry/files.ts";
import { readPackage } from "../../lib/registry/package.ts";
import { failureOf, makeComponent, makeManifest, temporaryDirectory, writePackage } from "../registry/support.ts";

const SECRET = makeComponent("the secret of another user");

/** A directory with a secret component outside of a package. */
function stage(
  options: { readonly wasm?: string } = {},
): Disposable & { readonly root: string; readonly secret: string } {
  const directory = temporaryDirectory();
  const root = writePackage(join(directory.path, "package"), options);
  const secret = join(directory.path, "secret.wasm");
  writeFileSync(secret, SECRET);
  return { root, secret, [Symbol.dispose]: () => directory[Symbol.dispose]() };
}

describe("readPackage() on a hostile package", () => {
  test("follows no link in place of the component, neither out of the package nor inside it", async () => {
    for (const target of ["../secret.wasm", "real.wasm", "/dev/zero", "nowhere"]) {
      using staged = stage({ wasm: "real.wasm" });
      writeFileSync(join(staged.root, "tool.toml"), makeManifest({ wasm: "tool.wasm" }));
      symlinkSync(target, join(staged.root, "tool.wasm"));
      expect(await failureOf(() => readPackage(staged.root))).toEqual({
        code: "PACKAGE_PATH",
        message: `Cannot package "${join(staged.root, "tool.wasm")}": it is a symbolic link, not a regular file`,
      });
    }
  });

  test("follows no link in place of a directory on the way, and names the link", async () => {
    using staged = stage({ wasm: "a/b/tool.wasm" });
    rmSync(join(staged.root, "a"), { recursive: true });
    mkdirSync(join(staged.root, "../outside/b"), { recursive: true });
    writeFileSync(join(staged.root, "../outside/b/tool.wasm"), SECRET);
    symlinkSync("../outside", join(staged.root, "a"));
    expect(await failureOf(() => readPackage(staged.root))).toEqual({
      code: "PACKAGE_PATH",
      message: `Cannot package "${join(staged.root, "a")}": it is a symbolic link, not a directory`,
    });
  });

  test("follows no link in place of the manifest, whichever way the package is named", async () => {
    using staged = stage();
    const manifest = join(staged.root, "tool.toml");
    writeFileSync(join(staged.root, "../other.toml"), makeManifest({}));
    unlinkSync(manifest);
    symlinkSync("../other.toml", manifest);
    for (const name of [staged.root, manifest]) {
      expect(await failureOf(() => readPackage(name))).toEqual({
        code: "PACKAGE_PATH",
        message: `Cannot package "${manifest}": it is a symbolic link, not a regular file`,
      });
    }
  });

  const WAYS_OUT = [
    "../secret.wasm",
    "a/../../secret.wasm",
    "/etc/passwd",
    "a//tool.wasm",
    "./tool.wasm",
    "..\\secret.wasm",
    "",
  ];
  test.each(WAYS_OUT)("is refused by the manifest's own rules for the path %j", async (wasm) => {
    using staged = stage();
    writeFileSync(join(staged.root, "tool.toml"), makeManifest({ wasm }));
    const { code, message } = await failureOf(() => readPackage(staged.root));
    expect(code).toBe("MANIFEST_INVALID");
    expect(message).toStartWith(`Cannot use ${join(staged.root, "tool.toml")}:5:8: "tool.wasm" `);
  });

  test.each([...WAYS_OUT, "a\0b", "tool.wasm/"])("is refused again by the reader for the path %j", async (path) => {
    const { code } = await failureOf(() => segmentsOf(path));
    expect(code).toBe("PACKAGE_PATH");
  });

  const ODD_FILES = [
    { why: "a directory", make: (path: string) => mkdirSync(path), kind: "a directory" },
    {
      why: "a named pipe that nobody writes to",
      make: (path: string) => Bun.spawnSync(["mkfifo", path]),
      kind: "a named pipe",
    },
  ];
  test.each(ODD_FILES)("refuses $why as component or manifest, and does not wait", async ({ make, kind }) => {
    for (const name of ["tool.wasm", "tool.toml"]) {
      using staged = stage();
      const path = join(staged.root, name);
      unlinkSync(path);
      make(path);
      expect(await failureOf(() => readPackage(staged.root))).toEqual({
        code: "PACKAGE_PATH",
        message: `Cannot package "${path}": it is ${kind}, not a regular file`,
      });
    }
  });

  test("refuses a socket as component", async () => {
    using staged = stage();
    const path = join(staged.root, "tool.wasm");
    unlinkSync(path);
    using server = Bun.listen({ unix: path, socket: { data: () => undefined } });
    expect(await failureOf(() => readPackage(staged.root))).toEqual({
      code: "PACKAGE_PATH",
      message: `Cannot package "${server.unix}": it is a socket, not a regular file`,
    });
  });

  test("refuses a component of a terabyte that takes no space on the disk, before reading it", async () => {
    using staged = stage();
    const path = join(staged.root, "tool.wasm");
    const fd = openSync(path, "r+");
    ftruncateSync(fd, 2 ** 40);
    closeSync(fd);
    expect(await failureOf(() => readPackage(staged.root))).toEqual({
      code: "COMPONENT_TOO_LARGE",
      message: `Cannot use "${path}": it has ${2 ** 40} bytes, the limit is 67108864`,
    });
  });

  test("cleans a hostile path before it reaches a message", async () => {
    using staged = stage();
    const hostile = join(staged.root, "\u001b[31m\u202egnp.exe\nforged line");
    expect(await failureOf(() => readPackage(hostile))).toEqual({
      code: "FILE_NOT_FOUND",
      message: `Cannot read "${staged.root}/ gnp.exe forged line": there is no such file or directory`,
    });
  });

  test("takes a hard link: package managers make them", async () => {
    using staged = stage();
    linkSync(join(staged.root, "tool.wasm"), join(staged.root, "../store.wasm"));
    expect((await readPackage(staged.root)).component).toEqual(makeComponent("seed"));
  });
});

describe("openBeneath()", () => {
  test("does not rest on an earlier look: a link that is there when it opens makes it throw", () => {
    using staged = stage({ wasm: "a/tool.wasm" });
    symlinkSync("../secret.wasm", join(staged.root, "file"));
    symlinkSync("a", join(staged.root, "directory"));
    expect(() => openBeneath(staged.root, ["file"])).toThrow("ELOOP");
    expect(() => openBeneath(staged.root, ["directory", "tool.wasm"])).toThrow("ENOTDIR");
    closeSync(openBeneath(staged.root, ["a", "tool.wasm"]));
  });

  test("does not wait for a named pipe that takes the component's place after the look", () => {
    using staged = stage();
    Bun.spawnSync(["mkfifo", join(staged.root, "pipe")]);
    const files = JSON.stringify(join(import.meta.dir, "../../lib/registry/files.ts"));
    const script = `import { openBeneath } from ${files}; openBeneath(${JSON.stringify(staged.root)}, ["pipe"])`;
    // In a child: an open that waits blocks its whole process.
    const child = Bun.spawnSync([process.execPath, "-e", script], { timeout: 10_000 });
    expect({ exitCode: child.exitCode, stderr: child.stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
  });

  test("stays in the directory that it opened while the component is swapped for a link again and again", async () => {
    using staged = stage();
    const victim = join(staged.root, "tool.wasm");
    const [honest, link] = [`${victim}.honest`, `${victim}.link`];
    writeFileSync(honest, makeComponent("seed"));
    symlinkSync("../secret.wasm", link);
    await using swapper = Bun.spawn(
      [process.execPath, fileURLToPath(import.meta.resolve("./swap-child.ts")), victim, honest, link],
      {
        stderr: "inherit",
      },
    );
    const seen = { honest: 0, refused: 0 };
    // Both must have been seen often, or the swapper was not at work.
    while (seen.honest < 300 || seen.refused < 300) {
      const component = await readPackage(staged.root).then(
        (source) => source.component,
        (error: unknown) => expectRefusal(error, victim),
      );
      if (component !== undefined) expect(component).toEqual(makeComponent("seed"));
      seen[component === undefined ? "refused" : "honest"] += 1;
    }
    expect(swapper.exitCode).toBeNull();
  }, 20_000);
});

function expectRefusal(error: unknown, path: string): undefined {
  const reasons = ["it is a symbolic link, not a regular file", "it changed while it was read"];
  expect(reasons.map((reason) => `Cannot package "${path}": ${reason}`)).toContain(
    String(error).replace(/^Failure: /, ""),
  );
}
