import { describe, expect, test } from "bun:test";
import { Readable } from "node:stream";
import { EndWatch, Interrupted } from "../../lib/cli/exit-signal.ts";
import { hasPipedInput, type InputFlags, readInput } from "../../lib/cli/input.ts";
import { Session } from "../../lib/cli/session.ts";
import { TemporaryDirectory } from "./support/directory.ts";
import { told } from "./support/failure.ts";
import { type TestHost, testHost } from "./support/host.ts";

const LIMIT = 16;

async function read(flags: Partial<InputFlags>, host: TestHost = testHost()): Promise<string> {
  using end = new EndWatch(host);
  return readInput(new Session(host, false, end), { text: undefined, file: undefined, ...flags }, LIMIT);
}

function stdin(...chunks: readonly string[]): TestHost {
  return testHost({ stdin: chunks.map((chunk) => Buffer.from(chunk)) });
}

const jsonHint = `give JSON text, for example: --input '{"name": "value"}'`;
const exactly = `"${"x".repeat(LIMIT - 2)}"`;
const oneMore = `"${"x".repeat(LIMIT - 1)}"`;
const tooLarge = [
  "INPUT_TOO_LARGE",
  "Cannot use the input: it has 17 bytes, the limit is 16",
  "send less at once",
] as const;
const tooLong = [
  "INPUT_TOO_LARGE",
  "Cannot use the input: it has more than 16 bytes, which is the limit",
  "send less at once",
] as const;

describe("readInput()", () => {
  test("is an empty object without flags", async () => {
    expect(await read({})).toBe("{}");
  });

  test("takes the text as it is", async () => {
    expect(await read({ text: ' {"a" : 1}' })).toBe(' {"a" : 1}');
  });

  test("takes a file, and standard input in any pieces", async () => {
    using temporary = new TemporaryDirectory();
    expect(await read({ file: temporary.write("a.json", "[1]\n") })).toBe("[1]\n");
    expect(await read({ file: "-" }, stdin('{"a"', ":", '"\u00e9"}'))).toBe('{"a":"é"}');
  });

  test("reads a character that two chunks share", async () => {
    const bytes = Buffer.from('"é"');
    const host = testHost({ stdin: [bytes.subarray(0, 2), bytes.subarray(2)] });
    expect(await read({ file: "-" }, host)).toBe('"é"');
  });

  test("leaves out a byte order mark", async () => {
    expect(await read({ file: "-" }, stdin("\ufeff{}"))).toBe("{}");
  });

  test("refuses both flags at once", async () => {
    expect(await told(() => read({ text: "{}", file: "-" }))).toEqual([
      "USAGE",
      "Cannot use --input and --input-file at once",
      "give one of them, or none for the input {}",
    ]);
  });

  test("takes the limit, and not one byte more", async () => {
    using temporary = new TemporaryDirectory();
    const file = temporary.write("exact.json", exactly);
    const more = temporary.write("more.json", oneMore);
    expect([await read({ text: exactly }), await read({ file }), await read({ file: "-" }, stdin(exactly))]).toEqual([
      exactly,
      exactly,
      exactly,
    ]);
    expect(await told(() => read({ text: oneMore }))).toEqual(tooLarge);
    expect(await told(() => read({ file: more }))).toEqual(tooLarge);
    expect(await told(() => read({ file: "-" }, stdin(exactly, " ")))).toEqual(tooLong);
  });

  test("counts bytes, not characters", async () => {
    expect(await told(() => read({ text: `"${"é".repeat(8)}"` }))).toEqual([
      "INPUT_TOO_LARGE",
      "Cannot use the input: it has 18 bytes, the limit is 16",
      "send less at once",
    ]);
  });

  test("reads no more of an endless file than the limit", async () => {
    expect(await told(() => read({ file: "/dev/zero" }))).toEqual(tooLong);
  });

  test("says which input is no JSON", async () => {
    using temporary = new TemporaryDirectory();
    const file = temporary.write("a.json", "{");
    const sources: readonly [Partial<InputFlags>, TestHost, string][] = [
      [{ text: "{" }, testHost(), "--input"],
      [{ file }, testHost(), file],
      [{ file: "-" }, stdin("{"), "standard input"],
    ];
    for (const [flags, host, source] of sources) {
      const [code, message, hint] = await told(() => read(flags, host));
      expect([code, message.startsWith(`Cannot use the input from ${source}: `), hint]).toEqual([
        "INPUT_NOT_JSON",
        true,
        jsonHint,
      ]);
    }
  });

  test("refuses what is no UTF-8", async () => {
    const host = testHost({ stdin: [new Uint8Array([0x22, 0xff, 0x22])] });
    expect(await told(() => read({ file: "-" }, host))).toEqual([
      "INPUT_NOT_JSON",
      "Cannot use the input from standard input: it is not UTF-8 text",
      jsonHint,
    ]);
  });

  test("says what is wrong with a path", async () => {
    using temporary = new TemporaryDirectory();
    const missing = temporary.at("missing.json");
    expect(await told(() => read({ file: missing }))).toEqual([
      "FILE_NOT_FOUND",
      `Cannot read "${missing}": there is no such file or directory`,
      "check the path",
    ]);
    expect(await told(() => read({ file: temporary.path }))).toEqual([
      "FILE_UNREADABLE",
      `Cannot read "${temporary.path}": it is a directory`,
      "check the path and its permissions",
    ]);
  });

  test("stops waiting for standard input at a signal", async () => {
    const silent = new Readable({ read: () => undefined });
    const host = { ...testHost(), stdin: () => silent };
    using end = new EndWatch(host);
    const reading = readInput(new Session(host, false, end), { text: undefined, file: "-" }, LIMIT);
    host.send("SIGINT");
    expect(await reading.catch((error: unknown) => error)).toBeInstanceOf(Interrupted);
  });

  test("tells a person at a terminal how to end the input", async () => {
    const host = testHost({ isTerminal: true, stdin: [Buffer.from("{}")] });
    await read({ file: "-" }, host);
    expect(host.printed).toEqual({ stdout: "", stderr: "reading the input from the terminal: end it with Ctrl-D\n" });
  });
});

describe("hasPipedInput()", () => {
  test("sees what was piped in, and does not wait for what never comes", async () => {
    const silent: TestHost = { ...testHost(), stdin: () => new Readable({ read: () => undefined }) };
    const broken: TestHost = {
      ...testHost(),
      stdin: () => new Readable({ read: () => void 0 }).destroy(new Error("gone")),
    };
    const terminal: TestHost = { ...stdin("{}"), stdinIsTerminal: true };
    const seen = [stdin("{}"), stdin(), silent, broken, terminal].map(hasPipedInput);
    expect(await Promise.all(seen)).toEqual([true, false, false, false, false]);
  });
});
