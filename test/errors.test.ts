/**
 * The table of failures as a whole: each text is one clean, bounded line whatever its detail says, follows the rules of texts, and is
 * produced by a test that is named here.
 */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  clean,
  type Failure,
  type FailureCode,
  failureCodes,
  type FailureDetail,
  isFailureCode,
  quote,
  refuse,
} from "../lib/errors.ts";

/** A detail of each code in which every foreign string is the one given. */
const SAMPLES: { readonly [C in FailureCode]: (text: string) => FailureDetail<C> } = {
  USAGE: (text) => ({ problem: `Cannot run: ${text}`, hint: text }),
  FILE_NOT_FOUND: (path) => ({ path }),
  FILE_UNREADABLE: (path) => ({ path, reason: path }),
  CONFIG_INVALID: (text) => ({ source: text, key: text, rule: text }),
  CASE_INVALID: (text) => ({ source: text, key: text, rule: text }),
  CONFIG_SYNTAX: (text) => ({ ...place(text), problem: text }),
  MANIFEST_MISSING: (path) => ({ path }),
  MANIFEST_TOO_LARGE: (path) => ({ path, bytes: 2, limitBytes: 1 }),
  MANIFEST_SYNTAX: (text) => ({ ...place(text), problem: text }),
  MANIFEST_UNKNOWN_KEY: (text) => ({ ...place(text), key: text, nearest: text }),
  MANIFEST_INVALID: (text) => ({ ...place(text), key: text, rule: text }),
  PACKAGE_PATH: (path) => ({ path, reason: path }),
  RESOURCE_REFUSED: (uri) => ({ uri, reason: uri, hint: uri }),
  ZIP_REFUSED: (path) => ({ path, reason: path }),
  PROJECT_UNKNOWN: (path) => ({ path, reason: path }),
  TOOLCHAIN_MISSING: (text) => ({ what: text, command: text }),
  BUILD_FAILED: (text) => ({ what: text, reason: text }),
  PACKAGE_CHANGED: (tool) => ({ tool }),
  COMPONENT_NOT_WASM: (path) => ({ path }),
  COMPONENT_IS_CORE_MODULE: (path) => ({ path }),
  COMPONENT_TOO_LARGE: (path) => ({ path, bytes: 2, limitBytes: 1 }),
  COMPONENT_INVALID: (reason) => ({ reason }),
  COMPONENT_UNSUPPORTED: (what) => ({ what }),
  COMPONENT_LIMIT: (what) => ({ what, value: 2, limit: 1 }),
  COMPONENT_NO_ENTRY: (text) => ({ exports: Array.from({ length: 20 }, () => text) }),
  COMPONENT_INITIAL_MEMORY: () => ({ bytes: 2_097_152, limitBytes: 1_048_576 }),
  DESCRIBE_REFUSED: (reason) => ({ reason }),
  INSTRUCTION_UNKNOWN: (text) => ({ module: text, offset: 1, opcode: text }),
  COMPILE_TIMEOUT: () => ({ limitMs: 1 }),
  COMPILE_CRASHED: (reason) => ({ reason }),
  ARTIFACT_UNUSABLE: (reason) => ({ reason }),
  REGISTRY_BUSY: () => ({ waitedMs: 1 }),
  REGISTRY_UNWRITABLE: (path) => ({ path, reason: path }),
  REGISTRY_NEWER: () => ({ found: 2, known: 1 }),
  REGISTRY_UNUSABLE: (path) => ({ path, reason: path }),
  TOOL_UNKNOWN: (text) => ({ id: text, nearest: text }),
  FUNCTION_UNKNOWN: (text) => ({ name: text, known: Array.from({ length: 20 }, () => text) }),
  TOOL_DISABLED: (id) => ({ id }),
  INPUT_NOT_JSON: (text) => ({ source: text, problem: text }),
  INPUT_TOO_LARGE: () => ({ bytes: 2, limitBytes: 1 }),
  INPUT_INVALID: (text) => ({ field: text, problem: text }),
  RESULT_TOO_LARGE: () => ({ bytes: 2, limitBytes: 1 }),
  RESULT_INVALID: (text) => ({ field: text, problem: text }),
  TOOL_ERROR: (message) => ({ message }),
  TOOL_EXIT: (message) => ({ exitCode: 1, message }),
  FUEL_EXHAUSTED: () => ({ fuelLimit: 1 }),
  DEADLINE_EXCEEDED: () => ({ limitMs: 1 }),
  MEMORY_EXHAUSTED: () => ({ limitBytes: 1_048_576 }),
  STACK_OVERFLOW: () => ({}),
  GUEST_UNREACHABLE: () => ({}),
  GUEST_OUT_OF_BOUNDS: (what) => ({ what }),
  GUEST_DIVIDE_BY_ZERO: () => ({}),
  GUEST_TRAP: (reason) => ({ reason }),
  CAPABILITY_DENIED: (capability) => ({ capability }),
  GRANT_REFUSED: (text) => ({ tool: text, capability: text, reason: text }),
  CONSENT_NEEDED: (text) => ({ tool: text, requests: text, flags: text }),
  MOUNT_REFUSED: (path) => ({ path, reason: path }),
  APPROVAL_NEEDED: (text) => ({ tool: text, reason: text, command: text }),
  APPROVAL_DENIED: (tool) => ({ tool }),
  ELICITATION_NEEDED: (text) => ({ tool: text, message: text }),
  ELICITATION_INVALID: (text) => ({ tool: text, field: text, problem: text }),
  CANCELLED: () => ({}),
  BUSY: () => ({ retryAfterMs: 1 }),
  WORKER_LOST: (reason) => ({ reason }),
  EXECUTOR_LOST: (reason) => ({ reason }),
  CLIENT_CONFIG: (text) => ({ path: text, reason: text, client: text }),
  LISTEN_FAILED: (text) => ({ address: text, reason: text }),
  LISTEN_EXPOSED: (address) => ({ address }),
  TOKENS_UNUSABLE: (path) => ({ path, reason: path }),
  TOKEN_EXISTS: (name) => ({ name }),
  TOKEN_UNKNOWN: (name) => ({ name, nearest: name }),
  ISSUER_UNUSABLE: (reason) => ({ reason }),
  HTTP_UNAUTHORIZED: (reason) => ({ reason }),
  HTTP_SCOPE: () => ({}),
  HTTP_HOST: (host) => ({ host }),
  HTTP_ORIGIN: (origin) => ({ origin }),
  HTTP_PATH: (target) => ({ target }),
  HTTP_METHOD: (method) => ({ method }),
  HTTP_MEDIA_TYPE: () => ({}),
  HTTP_BODY_TOO_LARGE: () => ({ limitBytes: 1 }),
  HTTP_BODY_TIMEOUT: () => ({ limitMs: 1 }),
  HTTP_BODY_INVALID: (problem) => ({ problem: `it is not so: ${problem}` }),
  HTTP_MESSAGE_INVALID: (problem) => ({ problem: `it is not so: ${problem}` }),
  HTTP_SESSION_UNKNOWN: () => ({}),
  HTTP_RATE_LIMITED: (what) => ({ what: `requests ${what}`, retryAfterMs: 1 }),
  HTTP_OVERLOADED: (what) => ({ what: `too much ${what}`, retryAfterMs: 1 }),
  HTTP_DRAINING: () => ({}),
};

/** For each code a test that makes the code that throws it throw it. */
const PRODUCED_BY: { readonly [C in FailureCode]: string } = {
  USAGE: "cli/arguments",
  FILE_NOT_FOUND: "registry/package",
  FILE_UNREADABLE: "cli/config",
  CONFIG_INVALID: "cli/settings",
  CASE_INVALID: "author/replies",
  CONFIG_SYNTAX: "cli/config",
  MANIFEST_MISSING: "registry/package",
  MANIFEST_TOO_LARGE: "registry/package",
  MANIFEST_SYNTAX: "manifest/parse",
  MANIFEST_UNKNOWN_KEY: "manifest/parse",
  MANIFEST_INVALID: "security/manifest",
  PACKAGE_PATH: "security/package",
  RESOURCE_REFUSED: "security/resources",
  ZIP_REFUSED: "security/zip-package",
  PROJECT_UNKNOWN: "author/build",
  TOOLCHAIN_MISSING: "author/build",
  BUILD_FAILED: "author/build",
  PACKAGE_CHANGED: "registry/registry",
  COMPONENT_NOT_WASM: "registry/package",
  COMPONENT_IS_CORE_MODULE: "registry/package",
  COMPONENT_TOO_LARGE: "registry/package",
  COMPONENT_INVALID: "component/inspect",
  COMPONENT_UNSUPPORTED: "component/inspect",
  COMPONENT_LIMIT: "wasm/limits",
  COMPONENT_NO_ENTRY: "component/inspect",
  COMPONENT_INITIAL_MEMORY: "security/guests",
  DESCRIBE_REFUSED: "schema/foreign",
  INSTRUCTION_UNKNOWN: "security/guests",
  COMPILE_TIMEOUT: "component/compile",
  COMPILE_CRASHED: "security/guests",
  ARTIFACT_UNUSABLE: "security/guests",
  REGISTRY_BUSY: "registry/database",
  REGISTRY_UNWRITABLE: "registry/database",
  REGISTRY_NEWER: "registry/database",
  REGISTRY_UNUSABLE: "registry/database",
  TOOL_UNKNOWN: "registry/registry",
  FUNCTION_UNKNOWN: "e2e/cli-functions",
  TOOL_DISABLED: "runtime",
  INPUT_NOT_JSON: "schema/json",
  INPUT_TOO_LARGE: "cli/input",
  INPUT_INVALID: "schema/arguments",
  RESULT_TOO_LARGE: "security/guests",
  RESULT_INVALID: "runtime-describe",
  TOOL_ERROR: "runtime",
  TOOL_EXIT: "security/guests",
  FUEL_EXHAUSTED: "security/guests",
  DEADLINE_EXCEEDED: "security/guests",
  MEMORY_EXHAUSTED: "security/guests",
  STACK_OVERFLOW: "security/guests",
  GUEST_UNREACHABLE: "security/guests",
  GUEST_OUT_OF_BOUNDS: "security/guests",
  GUEST_DIVIDE_BY_ZERO: "security/guests",
  GUEST_TRAP: "security/guests",
  CAPABILITY_DENIED: "security/guests",
  GRANT_REFUSED: "registry/grants",
  CONSENT_NEEDED: "e2e/cli-grants",
  MOUNT_REFUSED: "registry/mounts",
  APPROVAL_NEEDED: "mcp/consent",
  APPROVAL_DENIED: "mcp/consent",
  ELICITATION_NEEDED: "mcp/rounds",
  ELICITATION_INVALID: "mcp/rounds",
  CANCELLED: "runtime",
  BUSY: "security/guests",
  WORKER_LOST: "executor/worker",
  EXECUTOR_LOST: "executor/child",
  CLIENT_CONFIG: "cli/connect",
  LISTEN_FAILED: "mcp/http/server",
  LISTEN_EXPOSED: "mcp/http/listen",
  TOKENS_UNUSABLE: "mcp/http/tokens",
  TOKEN_EXISTS: "mcp/http/tokens",
  TOKEN_UNKNOWN: "mcp/http/tokens",
  ISSUER_UNUSABLE: "mcp/http/issuer",
  HTTP_UNAUTHORIZED: "mcp/http/server",
  HTTP_SCOPE: "mcp/http/issuer",
  HTTP_HOST: "mcp/http/names",
  HTTP_ORIGIN: "mcp/http/names",
  HTTP_PATH: "mcp/http/server",
  HTTP_METHOD: "mcp/http/server",
  HTTP_MEDIA_TYPE: "mcp/http/server",
  HTTP_BODY_TOO_LARGE: "mcp/http/body",
  HTTP_BODY_TIMEOUT: "mcp/http/body",
  HTTP_BODY_INVALID: "mcp/http/body",
  HTTP_MESSAGE_INVALID: "mcp/http/body",
  HTTP_SESSION_UNKNOWN: "mcp/http/server",
  HTTP_RATE_LIMITED: "mcp/http/server",
  HTTP_OVERLOADED: "mcp/http/exchanges",
  HTTP_DRAINING: "mcp/http/server",
};

const HOSTILE: readonly { readonly what: string; readonly text: string }[] = [
  { what: "a terminal escape", text: "\u001b]0;owned\u0007\u001b[2J\u009b31m" },
  { what: "line feeds", text: "a\nerror: forged\r\n  hint: run rm\u0085b\u2028c\u2029d\u000be\u000cf" },
  { what: "bidirectional overrides", text: "\u202egnp\u202c.exe \u2066x\u2069 \u061cy\u200ez\u200f" },
  { what: "invisible text", text: "a\u200bb\u2060c\u00add\ufeffe\u{e0041}\u{e007f}f" },
  { what: "lone surrogates", text: "\ud800x\udc00" },
  { what: "a megabyte", text: "x".repeat(1_048_576) },
  { what: "a megabyte of line feeds", text: "\n".repeat(1_048_576) },
  { what: "nothing", text: "" },
];

/** Code units of the longest text or hint. What a tool says about its own error may be longer. */
const LONGEST = 1001;
const LONGEST_OF_TOOL = 4001;

const codes = failureCodes();

describe("every failure", () => {
  test("has a sample and a test", () => {
    expect(Object.keys(SAMPLES).toSorted()).toEqual(codes.toSorted());
    expect(Object.keys(PRODUCED_BY).toSorted()).toEqual(codes.toSorted());
  });

  test.each(codes)("%s is produced by the test that is named here", async (code) => {
    const path = join(import.meta.dir, `${PRODUCED_BY[code]}.test.ts`);
    const text = existsSync(path) ? await Bun.file(path).text() : "";
    expect({ path, names: new RegExp(`["\`]${code}\\b`).test(text) }).toEqual({ path, names: true });
  });

  test.each(codes)("%s says what could not be done, a colon and the state, or what happened to the tool", (code) => {
    const { message } = sample(code, "sample");
    if (code === "TOOL_ERROR") expect(message).toBe("sample");
    else
      expect(message).toMatch(
        /^(?:Cannot [^:]+: \S|Cannot (?:parse|use) \S+:\d+:\d+: \S|The (?:tool|call) (?:was|ended|crashed))/,
      );
    expect(message).not.toMatch(/[.!?:]$|undefined|NaN|\[object/);
  });

  test.each(codes)("%s has no hint, or one without a final period", (code) => {
    const { hint } = sample(code, "sample");
    if (hint !== undefined) expect(hint).toMatch(/^[^\s.][^\n]*[^\s.]$/);
  });

  test.each(codes)("%s tells an agent nothing that only a user can do", (code) => {
    const { agentMayRead, agentHint } = sample(code, "sample");
    if (agentMayRead) expect(agentHint ?? "").not.toMatch(/\bkami \w|--\w|tool\.toml/);
  });

  test.each(codes)("%s is for its user alone when it names a file of the host", (code) => {
    const names = Object.keys(SAMPLES[code]("sample"));
    if (names.includes("path") || names.includes("file")) expect(sample(code, "sample").agentMayRead).toBe(false);
  });

  test.each(codes)("%s quotes the name that it is about", (code) => {
    const detail: object = SAMPLES[code]("a b");
    const quoted = ["path", "tool", "id", "field", "module", "key"].filter((name) => Object.hasOwn(detail, name));
    if (quoted.length > 0) expect(sample(code, "a b").message).toContain('"a b"');
  });

  test.each(codes)("%s says so when it is given no reason that can be shown", (code) => {
    if (Object.hasOwn(SAMPLES[code](""), "reason")) {
      expect(sample(code, "\u001b[2J").message).toContain("no reason is given");
    }
  });

  for (const { what, text } of HOSTILE) {
    test.each(codes)(`%s stays one clean, bounded line with ${what} in its detail`, (code) => {
      const { message, hint = "", agentHint = "" } = sample(code, text);
      for (const line of [message, hint, agentHint]) {
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
        expect(line.length).toBeLessThanOrEqual(code === "TOOL_ERROR" ? LONGEST_OF_TOOL : LONGEST);
      }
      expect(message.trim()).not.toBe("");
    });
  }
});

describe("clean()", () => {
  test.each([
    { text: "", cleaned: "", why: "nothing" },
    { text: "\u0000 \n", cleaned: "", why: "nothing to see" },
    { text: "a\r\n\tb", cleaned: "a b", why: "a run of control characters is one space" },
    { text: "a\u200bb\u{e0061}c", cleaned: "a b c", why: "invisible characters are seen" },
    { text: "a\u{e0158}\u{e0159}b\ufe00c", cleaned: "a b c", why: "bytes written in variation selectors are seen" },
    { text: "\u3164\u115f\u034f\u2800", cleaned: "", why: "letters that are blank are blank" },
    { text: "\u2764\ufe0f", cleaned: "\u2764\ufe0f", why: "emoji are spelled with a selector" },
    {
      text: "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
      cleaned: "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
      why: "Persian is spelled with a joiner",
    },
    { text: "a\u001b[1;31mb\u001b[0mc\u009b2Jd", cleaned: "abcd", why: "control sequences go as a whole" },
    {
      text: "a\u001b]0;owned\u0007b\u001b]8;;http://x\u001b\\c\u009d0;t\u009cd",
      cleaned: "abcd",
      why: "so do titles and links",
    },
    {
      text: "a\u001bP1$r\u001b\\b\u001bcc\u001b(Bd",
      cleaned: "abcd",
      why: "and strings of devices, resets and character sets",
    },
    { text: "a\u001b]0;no end", cleaned: "a0;no end", why: "a string without its end hides nothing" },
    { text: "a\u001b", cleaned: "a", why: "a lone escape" },
    { text: "\u001b\u001b[31m[31mx", cleaned: "[31mx", why: "what is left of nested ones steers nothing" },
    { text: "x\ud800", cleaned: "x\ufffd", why: "half a character" },
  ])("$why", ({ text, cleaned }) => {
    expect(clean(text)).toBe(cleaned);
  });

  test("takes time in proportion to the text", () => {
    for (const text of ["\u001b]", "\u001b[", "\u009d", "\u001b[0;"]) {
      const startedAt = performance.now();
      clean(text.repeat(200_000), 1_000_000);
      expect(performance.now() - startedAt).toBeLessThan(2000);
    }
  });

  test("keeps as much as its limit, and says when there was more", () => {
    expect(["xx", "xxx", "xxxx"].map((text) => clean(text, 3))).toEqual(["xx", "xxx", "xxx…"]);
    expect([299, 300, 301].map((length) => clean("x".repeat(length)).length)).toEqual([299, 300, 301]);
  });
});

describe("quote()", () => {
  test("cleans, bounds and quotes", () => {
    expect([quote("a\nb"), quote("x".repeat(301))]).toEqual(['"a b"', `"${"x".repeat(300)}…"`]);
  });
});

describe("Failure.where", () => {
  test.each([
    { frames: undefined, where: undefined, why: "nothing is known" },
    { frames: [], where: undefined, why: "nothing is known, in so many words" },
    { frames: ["run"], where: 'in "run"', why: "one function" },
    {
      frames: ["parse", "#12", "run"],
      where: 'in "parse" (called from function 12 < "run")',
      why: "its callers, one of them without a name",
    },
    { frames: ["#12x", "#"], where: 'in "#12x" (called from "#")', why: "what only looks like an index is a name" },
    {
      frames: Array.from({ length: 9 }, (_, at) => `f${at}`),
      where: `in "f0" (called from ${[1, 2, 3, 4, 5, 6, 7].map((at) => `"f${at}"`).join(" < ")})`,
      why: "eight of nine",
    },
    { frames: ["a\u001b[31mb\nc\u202e"], where: 'in "ab c"', why: "clean" },
    { frames: ["x".repeat(120)], where: `in "${"x".repeat(120)}"`, why: "a name of the limit" },
    { frames: ["x".repeat(121)], where: `in "${"x".repeat(120)}…"`, why: "a longer one, cut" },
  ])("says $why", ({ frames, where }) => {
    const detail = frames === undefined ? {} : { frames };
    expect(refuse("GUEST_UNREACHABLE", detail).where).toBe(where);
  });
});

describe("isFailureCode()", () => {
  test.each(["toString", "__proto__", "fuel_exhausted", ""])("refuses %p", (code) => {
    expect(isFailureCode(code)).toBe(false);
  });
});

describe("refuse()", () => {
  test("keeps the code, the detail and the foreign error", () => {
    const cause = new Error("disk");
    const failure = refuse("FILE_NOT_FOUND", { path: "x" }, cause);
    expect([failure.name, failure.code, failure.detail, failure.cause]).toEqual([
      "Failure",
      "FILE_NOT_FOUND",
      { path: "x" },
      cause,
    ]);
    expect(refuse("CANCELLED", {})).not.toHaveProperty("cause");
  });
});

function sample<C extends FailureCode>(code: C, text: string): Failure<C> {
  return refuse(code, SAMPLES[code](text));
}

function place(file: string): { readonly file: string; readonly line: number; readonly column: number } {
  return { file, line: 1, column: 2 };
}
