/**
 * Replies in test cases come with a tool that may be anybody's: what they name and hold is as hostile as the tool.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { parseCases, parseReplies, readCases } from "../../lib/author/cases.ts";
import { writeRecorded } from "../../lib/author/rehearse.ts";
import { formatReplies } from "../../lib/author/replies.ts";
import { type MadeRequest, REHEARSAL_LIMITS } from "../../lib/policy/rehearsal.ts";
import { told } from "../cli/support/failure.ts";
import { TestProject } from "./support.ts";

const { bodyBytes, requests: most } = REHEARSAL_LIMITS;
const URL_LINE = 'url = "https://example.com/"';

function parse(reply: string): unknown {
  return parseReplies(`[[reply]]\n${reply}\n`, "r.toml");
}

/** So many replies. */
function some(count: number, body: string): string {
  return `[[reply]]\n${URL_LINE}\nbody = "${body}"\n`.repeat(count);
}

function length(text: string): number {
  return parseReplies(text, "r").length;
}

function made(body: Uint8Array | string, header = "x"): MadeRequest {
  const headers = [
    ["a", header],
    ["a", "2"],
    ["b.c", "3"],
  ] as const;
  const reply = { status: 200, headers, body: Buffer.from(body) };
  return { method: "GET", url: "https://example.com/", outcome: "answered", reply };
}

async function write(project: TestProject, lines: string): Promise<void> {
  await project.write("tests/basic.toml", `[[case]]\nname = "x"\n${lines}\n`);
}

function parseOne(lines: string): unknown {
  return parseCases(`[[case]]\nname = "x"\n${lines}`, "t.toml", readNothing)[0];
}

function readNothing(): never {
  throw new Error("nothing is read");
}

describe("parseReplies()", () => {
  test("reads what is given, the URL as requests have it", () => {
    const text = `url = "HTTPS://Example.com:443/a/../b?c#d"\nheaders = { a = ["1", "2"], b = "ü" }\nbody = "é"`;
    expect(parse(text)).toEqual([
      {
        method: "GET",
        url: "https://example.com/b?c",
        status: 200,
        headers: [
          ["a", "1"],
          ["a", "2"],
          ["b", "ü"],
        ],
        body: new TextEncoder().encode("é"),
      },
    ]);
  });

  test.each([
    [`${URL_LINE}\nheaders = { a = "b\\r\\nset-cookie: x" }`, 'the value of "a" has a character that no header has'],
    [`${URL_LINE}\nheaders = { a = "b\\nc" }`, 'the value of "a" has a character that no header has'],
    [`${URL_LINE}\nheaders = { a = "→" }`, 'the value of "a" has a character that no header has'],
    [`${URL_LINE}\nheaders = { "a: b\\r\\nc" = "d" }`, "is no name of a header"],
    [`${URL_LINE}\nheaders = { Transfer-Encoding = "chunked" }`, "is about the connection: leave it out"],
    [`${URL_LINE}\nheaders = { a = "${"x".repeat(49_152)}" }`, "must be 200 and 49152 bytes at most"],
    [`${URL_LINE}\nstatus = 101`, "Invalid value"],
    [`${URL_LINE}\nmethod = "GET / HTTP/1.1\\r\\nX"`, "must be a method, in capitals"],
    [`${URL_LINE}\nbody = "a"\nbody_base64 = "YQ=="`, "is given more than once"],
    [`${URL_LINE}\nbody_base64 = "a"`, "must be base64"],
    [`${URL_LINE}\nfile = "a"`, "is not for recorded replies"],
    [`${URL_LINE}\nbodi = "a"`, 'Invalid key: Expected never but received "bodi"'],
    ['url = "ftp://example.com/"', "is no URL of http or https"],
    ['url = "https://user:secret@example.com/"', "is no URL of http or https"],
    ['url = "/etc/passwd"', "is no URL of http or https"],
  ])("refuses %j", async (reply, reason) => {
    const [code, message] = await told(() => parse(reply));
    expect([code, message]).toEqual(["CASE_INVALID", expect.stringContaining(reason)]);
    expect(message).not.toMatch(/[\r\n]/);
  });

  test("takes as many replies and bytes as the limits, and not one more", async () => {
    expect(length(some(most, ""))).toBe(most);
    expect((await told(() => length(some(most + 1, ""))))[1]).toContain(
      `has ${most + 1} replies, the limit is ${most}`,
    );
    expect(length(some(4, "x".repeat(bodyBytes)))).toBe(4);
    expect((await told(() => length(some(1, "x".repeat(bodyBytes + 1)))))[1]).toContain(`the limit is ${bodyBytes}`);
    expect((await told(() => length(some(4, "x".repeat(bodyBytes)) + some(1, "y"))))[1]).toContain("of bodies");
  });
});

describe("formatReplies()", () => {
  test.each([
    "plain",
    "",
    'a\n"""\nb = 1\n"""""" \\" \\\\"""\n[[reply]]\n""',
    'ends in a quote\n"',
    "ends in a backslash\n\\",
    "\n\r\n\t\u001b[31m\u202e\u2028\ufeff\u0000\u007f\u{e0001}",
    Uint8Array.of(0xff, 0, 1),
  ])("writes what reads as the same: %j", (body) => {
    const text = formatReplies([made(body, 'q"\\ü'), made("second")]) ?? "";
    // Nothing in it that a reviewer would not see.
    expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Cf}|\u2028/u);
    const found = parseReplies(text, "r");
    expect(found.map(({ body: bytes }) => Buffer.from(bytes))).toEqual([Buffer.from(body), Buffer.from("second")]);
    expect(found.map(({ headers }) => headers)).toEqual([
      made("", 'q"\\ü').reply?.headers ?? [],
      made("").reply?.headers ?? [],
    ]);
    expect(found[0]).toMatchObject({ method: "GET", url: "https://example.com/", status: 200 });
  });

  test("leaves out what was denied, and writes nothing when a reply is missing", () => {
    const denied: MadeRequest = { method: "GET", url: "https://example.com/", outcome: "denied" };
    expect(formatReplies([denied])).toBe("");
    expect(formatReplies([made("x"), { ...denied, outcome: "failed" }])).toBeUndefined();
  });
});

describe("readCases()", () => {
  test.each([
    ['file = "../secret.txt"', "PACKAGE_PATH"],
    ['file = "/etc/passwd"', "PACKAGE_PATH"],
    ['file = "link.txt"', "PACKAGE_PATH"],
    ['file = "huge.txt"', "FILE_UNREADABLE"],
    ['file = "none.txt"', "FILE_NOT_FOUND"],
  ])("takes a body from beside the case alone: %s", async (line, code) => {
    using project = await TestProject.start("ts");
    await project.write("secret.txt", "secret");
    await project.write("tests/huge.txt", "x".repeat(bodyBytes + 1));
    await project.write("tests/page.txt", "page");
    symlinkSync(project.join("secret.txt"), project.join("tests/link.txt"));
    await write(project, `[[case.reply]]\n${URL_LINE}\n${line}`);
    expect((await told(() => readCases(project.path)))[0]).toBe(code);
    await write(project, `[[case.reply]]\n${URL_LINE}\nfile = "page.txt"`);
    expect(readCases(project.path)[0]?.replies?.[0]?.body).toEqual(new TextEncoder().encode("page"));
  });

  test("recorded replies have a plain name, and are not followed out of the tool", async () => {
    using project = await TestProject.start("ts");
    using elsewhere = await TestProject.start("ts");
    for (const name of ["../page", "a/b", "", "A", "x".repeat(65), "/etc/passwd"]) {
      await write(project, `recorded = "${name}"`);
      expect((await told(() => readCases(project.path)))[1]).toContain("must be a plain name");
    }
    await write(project, 'recorded = "page"');
    expect(readCases(project.path)[0]).toMatchObject({ recorded: "tests/recorded/page.toml", replies: undefined });
    symlinkSync(elsewhere.path, project.join("tests/recorded"));
    await elsewhere.write("page.toml", "");
    expect((await told(() => readCases(project.path)))[0]).toBe("PACKAGE_PATH");
    expect((await told(() => writeRecorded(project.path, "tests/recorded/new.toml", "x")))[0]).toBe("PACKAGE_PATH");
    expect(existsSync(elsewhere.join("new.toml"))).toBe(false);
  });

  test("what was recorded is never written over, nor through a link", async () => {
    using project = await TestProject.start("ts");
    await project.write("tests/recorded/page.toml", "mine");
    mkdirSync(project.join("out"));
    symlinkSync(project.join("out/file"), project.join("tests/recorded/link.toml"));
    for (const name of ["page", "link"]) {
      const [code, message] = await told(() => writeRecorded(project.path, `tests/recorded/${name}.toml`, "x"));
      expect([code, message]).toEqual(["FILE_UNREADABLE", expect.stringContaining("it is there already")]);
    }
    expect([
      await Bun.file(project.join("tests/recorded/page.toml")).text(),
      existsSync(project.join("out/file")),
    ]).toEqual(["mine", false]);
  });

  test("requests are as they are sent, and replies are given or recorded", async () => {
    expect(parseOne('requests = ["GET https://Example.com"]')).toMatchObject({
      requests: ["GET https://example.com/"],
      replies: [],
    });
    expect((await told(() => parseOne('requests = ["https://example.com"]')))[1]).toContain("is no request");
    const both = `recorded = "a"\n[[case.reply]]\n${URL_LINE}`;
    expect((await told(() => parseOne(both)))[1]).toContain("not both");
  });
});
