import { describe, expect, test } from "bun:test";
import { refuse } from "../../lib/errors.ts";
import { WIRE_LIMIT_BYTES, toToolResult } from "../../lib/mcp/result.ts";
import { NO_OUTPUT, NO_USAGE, type Usage } from "../../lib/protocol/limits.ts";
import { succeed } from "./support/host.ts";

const usage: Usage = { ...NO_USAGE, fuel: 7, cpuMs: 1.25, wallMs: 1.5, peakMemoryBytes: 65_536, hostCalls: 2 };

const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

describe("toToolResult()", () => {
  test("puts an object in both parts, equal to each other; times are in whole microseconds", () => {
    const fine = { ...usage, cpuMs: 1.250_000_01, wallMs: 1.499_999_999 };
    const output = ' {"b": [1, {"c": null}],"a":"é"}\n';
    expect(toToolResult({ ok: true, output, usage: fine, captured: NO_OUTPUT })).toEqual({
      content: [{ type: "text", text: '{"b":[1,{"c":null}],"a":"é"}' }],
      structuredContent: { b: [1, { c: null }], a: "é" },
      _meta: { "dev.kami/usage": usage },
    });
  });

  test.each([
    { output: "[1,2]", why: "an array" },
    { output: '"text"', why: "a string" },
    { output: "42", why: "a number" },
    { output: "null", why: "null" },
    { output: "plain prose", why: "prose" },
    { output: "", why: "nothing" },
    { output: "{not json}", why: "almost JSON" },
    { output: '{"id":9007199254740993}', why: "an integer that JavaScript would round" },
    { output: '{"a":[{"id":-9007199254740993}]}', why: "the same, deep inside" },
    { output: '{"__proto__":{"x":1}}', why: "a key that would be lost on the way" },
    { output: '{"a":{"\\u005f_proto__":1}}', why: "the same, escaped" },
    { output: nested(129), why: "nesting one level over the limit" },
    { output: nested(200_000), why: "nesting that overflows the stack" },
  ])("gives text alone, unchanged, for $why", ({ output }) => {
    expect(toToolResult(succeed(output))).toEqual({
      content: [{ type: "text", text: output }],
      _meta: { "dev.kami/usage": NO_USAGE },
    });
  });

  test.each([
    { output: '{"id":9007199254740991}', why: "the greatest exact integer" },
    { output: '{"x":0.1234567890123456}', why: "a fraction" },
    { output: nested(128), why: "nesting at the limit" },
    { output: "{}", why: "an empty object" },
  ])("gives both parts for $why", ({ output }) => {
    const result = toToolResult(succeed(output));
    expect(result.structuredContent).toEqual(JSON.parse(output));
    expect(result.content).toEqual([{ type: "text", text: output }]);
  });

  test("gives a failure that an agent may read as its message and hint", () => {
    const failure = refuse("BUSY", { retryAfterMs: 50 });
    expect(toToolResult({ ok: false, failure, usage, captured: NO_OUTPUT })).toEqual({
      isError: true,
      content: [
        {
          type: "text",
          text: "Cannot start the call: the queue is full, retry in 50 ms (send fewer calls at once)",
        },
      ],
      _meta: { "dev.kami/usage": usage, "dev.kami/failure": "BUSY" },
    });
  });

  test("names the guest's functions, and says how much of its output was left out", () => {
    const failure = refuse("GUEST_UNREACHABLE", { frames: ["parse\u001b[31m", "#7"] });
    const captured = { pieces: [], droppedBytes: 12 };
    expect(toToolResult({ ok: false, failure, usage, captured })).toEqual({
      isError: true,
      content: [
        {
          type: "text",
          text: `The tool crashed: it executed an unreachable instruction, in "parse" (called from function 7) (try another input, or tell the tool's author)`,
        },
      ],
      _meta: {
        "dev.kami/usage": usage,
        "dev.kami/dropped-output-bytes": 12,
        "dev.kami/failure": "GUEST_UNREACHABLE",
      },
    });
    expect(toToolResult({ ok: true, output: "1", usage, captured })).toEqual({
      content: [{ type: "text", text: "1" }],
      _meta: { "dev.kami/usage": usage, "dev.kami/dropped-output-bytes": 12 },
    });
  });

  test("tells an agent what an agent can do", () => {
    const failures = [
      refuse("INPUT_INVALID", { field: "url", problem: "is required", tool: "dev.x.echo" }),
      refuse("DEADLINE_EXCEEDED", { limitMs: 5 }),
      refuse("TOOL_DISABLED", { id: "dev.x.echo" }),
    ];
    const texts = failures.map((failure) => toToolResult({ ok: false, failure, usage, captured: NO_OUTPUT }).content);
    expect(texts).toEqual(
      [
        `Cannot use the input: "url" is required (see the tool's input schema)`,
        "Cannot finish the call: it ran longer than 5 ms (ask for less work, or ask the user to raise the tool's limits)",
        'Cannot run the tool "dev.x.echo": it is disabled (ask the user to enable it)',
      ].map((text) => [{ type: "text", text }]),
    );
  });

  test("says in one sentence what a failed call was denied, cleaned", () => {
    const failure = refuse("TOOL_ERROR", { message: "no answer" });
    const names = ["net:a.com", "net:a.com", "net:b.com\u001b[2J", "env:\u202eKEY", "fs:sandbox"];
    const denials = names.map((capability) => ({ capability, target: `${capability}\n` }));
    expect(toToolResult({ ok: false, failure, usage, captured: NO_OUTPUT, denials })).toEqual({
      isError: true,
      content: [
        {
          type: "text",
          text:
            'no answer. The tool was denied "net:a.com", "net:b.com", "env: KEY" and 1 more: the user can grant it, ' +
            "and finds how in KAMI's log",
        },
      ],
      _meta: {
        "dev.kami/usage": usage,
        "dev.kami/denials": ["net:a.com", "net:a.com", "net:b.com", "env: KEY", "fs:sandbox"].map((text) => ({
          capability: text,
          target: text,
        })),
        "dev.kami/failure": "TOOL_ERROR",
      },
    });
  });

  test("leaves the text of a call that went well as it is, whatever it was denied", () => {
    const denials = [{ capability: "net:a.com", target: "https://a.com/" }];
    expect(toToolResult({ ...succeed('"x"'), denials })).toEqual({
      content: [{ type: "text", text: '"x"' }],
      _meta: { "dev.kami/usage": NO_USAGE, "dev.kami/denials": denials },
    });
  });

  test("gives a failure without a hint as its message", () => {
    const failure = refuse("TOOL_ERROR", { message: "no such column" });
    expect(toToolResult({ ok: false, failure, usage, captured: NO_OUTPUT }).content).toEqual([
      { type: "text", text: "no such column" },
    ]);
  });

  test("withholds a text that may name files of the host", () => {
    const failure = refuse("FILE_UNREADABLE", { path: "/home/someone/secret", reason: "EACCES" });
    const result = toToolResult({ ok: false, failure, usage, captured: NO_OUTPUT });
    expect(result.content).toEqual([
      { type: "text", text: "The tool could not be run; its user can see why in KAMI's log" },
    ]);
    expect(JSON.stringify(result)).not.toContain("secret");
  });

  test.each([
    { over: -1, fits: true },
    { over: 0, fits: true },
    { over: 1, fits: false },
  ])("bounds the message on the wire: $over bytes over the limit", ({ over, fits }) => {
    const frame = Buffer.byteLength(JSON.stringify(toToolResult(succeed("x")))) - 1;
    const result = toToolResult(succeed("x".repeat(WIRE_LIMIT_BYTES - frame + over)));
    if (fits) expect(Buffer.byteLength(JSON.stringify(result))).toBe(WIRE_LIMIT_BYTES + over);
    else {
      expect(result).toMatchObject({ isError: true, _meta: { "dev.kami/failure": "RESULT_TOO_LARGE" } });
    }
  });
});
