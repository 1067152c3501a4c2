import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { closeSync, ftruncateSync, openSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { join, relative } from "node:path";
import type { FailureCode } from "../../lib/errors.ts";
import { COMPONENT_LIMIT_BYTES, readComponent, readPackage } from "../../lib/registry/package.ts";
import {
  COMPONENT_HEADER,
  failureOf,
  makeComponent,
  makeManifest,
  MODULE_HEADER,
  temporaryDirectory,
  writePackage,
} from "./support.ts";

const hash = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

describe("readPackage()", () => {
  test("reads a directory: manifest, exact bytes and digests", async () => {
    using directory = temporaryDirectory();
    const source = await readPackage(writePackage(directory.path, { seed: "one" }));
    const manifestText = makeManifest({});
    const component = makeComponent("one");
    const componentDigest = hash(component);
    const listing = JSON.stringify([
      ["tool.toml", hash(manifestText)],
      ["tool.wasm", componentDigest],
    ]);
    expect(source).toEqual({
      manifest: {
        tool: { id: "dev.example.echo", name: "echo", version: "1.0.0", wasm: "tool.wasm" },
        mcp: { description: "Gives back what it gets", arguments: [] },
        security: {
          netAllowList: [],
          fsAccess: "none",
          envAllowList: [],
          elicitation: "none",
          maxMemoryMb: 64,
          maxExecutionMs: 5000,
          maxFuel: source.manifest.security.maxFuel,
        },
      },
      manifestBytes: new TextEncoder().encode(manifestText),
      component,
      componentDigest,
      packageDigest: hash(listing),
    });
  });

  test("reads a tool.toml, a relative path, a path with a trailing slash and a link to a directory alike", async () => {
    using directory = temporaryDirectory();
    const path = writePackage(join(directory.path, "package"), { wasm: "deep/er/tool.wasm" });
    const expected = await readPackage(path);
    symlinkSync("package", join(directory.path, "link"));
    const names = [join(path, "tool.toml"), relative(".", path), `${path}/`, join(directory.path, "link")];
    for (const name of [...names, join(directory.path, "link", "tool.toml")]) {
      expect(await readPackage(name)).toEqual(expected);
    }
  });

  test("gives each package a digest of its own: version, component and path of the component count", async () => {
    using directory = temporaryDirectory();
    const variants = [{}, { version: "1.0.1" }, { seed: "other" }, { wasm: "other.wasm" }];
    const digests = new Set<string>();
    for (const [index, options] of variants.entries()) {
      digests.add((await readPackage(writePackage(join(directory.path, `${index}`), options))).packageDigest);
    }
    expect(digests.size).toBe(variants.length);
  });

  test("says what is wrong with the path", async () => {
    using directory = temporaryDirectory();
    const { path } = directory;
    writeFileSync(join(path, "tool.wasm"), COMPONENT_HEADER);
    const missing = join(path, "missing");
    expect(await failureOf(() => readPackage(missing))).toEqual({
      code: "FILE_NOT_FOUND",
      message: `Cannot read "${missing}": there is no such file or directory`,
    });
    expect(await failureOf(() => readPackage(path))).toEqual({
      code: "MANIFEST_MISSING",
      message: `Cannot install "${path}": the directory has no tool.toml`,
    });
    const other = join(path, "tool.wasm");
    expect(await failureOf(() => readPackage(other))).toEqual({
      code: "FILE_UNREADABLE",
      message: `Cannot read "${other}": it is neither a directory nor a tool.toml`,
    });
    expect(await failureOf(() => readPackage(join(other, "deeper")))).toEqual({
      code: "FILE_NOT_FOUND",
      message: `Cannot read "${join(other, "deeper")}": there is no such file or directory`,
    });
    const long = join(path, "x".repeat(300));
    expect((await failureOf(() => readPackage(long))).code).toBe("FILE_UNREADABLE");
  });

  test("names the component that is missing", async () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "tool.toml"), makeManifest({ wasm: "missing.wasm" }));
    const missing = join(directory.path, "missing.wasm");
    expect(await failureOf(() => readPackage(directory.path))).toEqual({
      code: "FILE_NOT_FOUND",
      message: `Cannot read "${missing}": there is no such file or directory`,
    });
  });

  test("passes on the manifest's own failure, with the file as the user named it", async () => {
    using directory = temporaryDirectory();
    writePackage(directory.path, { version: "one" });
    const { code, message } = await failureOf(() => readPackage(directory.path));
    expect(code).toBe("MANIFEST_INVALID");
    expect(message).toStartWith(`Cannot use ${join(directory.path, "tool.toml")}:4:11: "tool.version" `);
  });

  const NOT_UTF8 = [
    { why: "a byte that never occurs", bytes: [0x61, 0x0a, 0x62, 0xff, 0x62], line: 2, column: 2 },
    { why: "a sequence cut off by the end", bytes: [0x61, 0xe2, 0x82], line: 1, column: 2 },
    {
      why: "a surrogate, after a character outside the BMP",
      bytes: [0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0, 0x80],
      line: 1,
      column: 3,
    },
    { why: "an overlong form, at the start", bytes: [0xc0, 0xaf], line: 1, column: 1 },
  ];
  test.each(NOT_UTF8)("refuses a manifest that is not UTF-8: $why", async ({ bytes, line, column }) => {
    using directory = temporaryDirectory();
    const file = join(directory.path, "tool.toml");
    writeFileSync(file, new Uint8Array(bytes));
    expect(await failureOf(() => readPackage(directory.path))).toEqual({
      code: "MANIFEST_SYNTAX",
      message: `Cannot parse ${file}:${line}:${column}: the byte here is not UTF-8`,
    });
  });

  test("takes a manifest of 64 KiB, and refuses one a byte larger", async () => {
    using directory = temporaryDirectory();
    const file = join(writePackage(directory.path), "tool.toml");
    const text = makeManifest({});
    const comment = `#${"x".repeat(65_536 - text.length - 1)}`;
    writeFileSync(file, text + comment.slice(0, -1));
    expect((await readPackage(directory.path)).manifestBytes.length).toBe(65_535);
    writeFileSync(file, text + comment);
    expect((await readPackage(directory.path)).manifestBytes.length).toBe(65_536);
    writeFileSync(file, `${text}${comment}x`);
    expect(await failureOf(() => readPackage(directory.path))).toEqual({
      code: "MANIFEST_TOO_LARGE",
      message: `Cannot read "${file}": the manifest has 65537 bytes, the limit is 65536`,
    });
  });

  test("takes a manifest with a byte order mark, and keeps it in the bytes", async () => {
    using directory = temporaryDirectory();
    const text = `\ufeff${makeManifest({})}`;
    writeFileSync(join(writePackage(directory.path), "tool.toml"), text);
    const source = await readPackage(directory.path);
    expect(source.manifestBytes).toEqual(new TextEncoder().encode(text));
    expect(source.manifest.tool.id).toBe("dev.example.echo");
  });
});

describe("readComponent()", () => {
  test("reads a file, through a link as well", async () => {
    using directory = temporaryDirectory();
    const file = join(directory.path, "tool.wasm");
    writeFileSync(file, makeComponent("run"));
    symlinkSync("tool.wasm", join(directory.path, "link"));
    expect(await readComponent(file)).toEqual(makeComponent("run"));
    expect(await readComponent(join(directory.path, "link"))).toEqual(makeComponent("run"));
  });

  test("refuses what is not there and what is not a regular file, without waiting", async () => {
    using directory = temporaryDirectory();
    const { path } = directory;
    Bun.spawnSync(["mkfifo", join(path, "pipe")]);
    symlinkSync("nowhere", join(path, "dangling"));
    const rows: readonly (readonly [name: string, code: FailureCode, problem: string])[] = [
      [join(path, "missing"), "FILE_NOT_FOUND", "there is no such file or directory"],
      [join(path, "dangling"), "FILE_NOT_FOUND", "there is no such file or directory"],
      [path, "FILE_UNREADABLE", "it is a directory, not a regular file"],
      [join(path, "pipe"), "FILE_UNREADABLE", "it is a named pipe, not a regular file"],
      ["/dev/zero", "FILE_UNREADABLE", "it is a device, not a regular file"],
    ];
    for (const [name, code, problem] of rows) {
      const told = await failureOf(() => readComponent(name));
      expect(told).toEqual({ code, message: `Cannot read "${name}": ${problem}` });
    }
  });

  const HEADERS: readonly { why: string; bytes: ArrayLike<number>; code: FailureCode; says: string }[] = [
    { why: "no bytes", bytes: [], code: "COMPONENT_NOT_WASM", says: "it is not WebAssembly" },
    {
      why: "7 of the header's 8 bytes",
      bytes: COMPONENT_HEADER.subarray(0, 7),
      code: "COMPONENT_NOT_WASM",
      says: "it is not WebAssembly",
    },
    {
      why: "text",
      bytes: new TextEncoder().encode("(module) ;; hello"),
      code: "COMPONENT_NOT_WASM",
      says: "it is not WebAssembly",
    },
    {
      why: "a core module",
      bytes: MODULE_HEADER,
      code: "COMPONENT_IS_CORE_MODULE",
      says: "it is a core module, not a component",
    },
  ];
  test.each(HEADERS)("refuses $why", async ({ bytes, code, says }) => {
    using directory = temporaryDirectory();
    const file = join(directory.path, "tool.wasm");
    writeFileSync(file, new Uint8Array(bytes));
    expect(await failureOf(() => readComponent(file))).toEqual({
      code,
      message: `Cannot use "${file}": ${says}`,
    });
  });

  test("refuses a version of the binary format that it does not know, by its numbers", async () => {
    using directory = temporaryDirectory();
    const file = join(directory.path, "tool.wasm");
    writeFileSync(file, new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x0e, 0x00, 0x01, 0x00]));
    expect(await failureOf(() => readComponent(file))).toEqual({
      code: "COMPONENT_UNSUPPORTED",
      message: "Cannot compile the component: it uses binary format version 14, layer 1, which KAMI refuses",
    });
  });

  test("takes 8 bytes and 64 MiB, and refuses a byte more without reading it", async () => {
    using directory = temporaryDirectory();
    const file = join(directory.path, "tool.wasm");
    writeFileSync(file, COMPONENT_HEADER);
    expect((await readComponent(file)).length).toBe(8);
    writeSparse(file, COMPONENT_LIMIT_BYTES - 1);
    expect((await readComponent(file)).length).toBe(67_108_863);
    writeSparse(file, COMPONENT_LIMIT_BYTES);
    expect((await readComponent(file)).length).toBe(67_108_864);
    writeSparse(file, COMPONENT_LIMIT_BYTES + 1);
    expect(await failureOf(() => readComponent(file))).toEqual({
      code: "COMPONENT_TOO_LARGE",
      message: `Cannot use "${file}": it has 67108865 bytes, the limit is 67108864`,
    });
  });
});

function writeSparse(file: string, size: number): void {
  const fd = openSync(file, "w");
  writeSync(fd, COMPONENT_HEADER);
  ftruncateSync(fd, size);
  closeSync(fd);
}
