import { describe, expect, test } from "bun:test";
import { parseWorkerMessage } from "../../lib/executor/settled.ts";
import { NO_OUTPUT, NO_USAGE } from "../../lib/protocol/limits.ts";

const GOOD = { type: "settled", id: 1, outcome: { ok: true, output: "x" }, usage: NO_USAGE, captured: NO_OUTPUT };
const MIB = 1_048_576;

const failure = (code: string, detail: object): object => ({ ...GOOD, outcome: { ok: false, code, detail } });
const output = (text: string): object => ({ ...GOOD, outcome: { ok: true, output: text } });
const frames = (names: unknown): object => failure("GUEST_UNREACHABLE", { frames: names });
const usage = (part: object): object => ({ ...GOOD, usage: { ...NO_USAGE, ...part } });
const denials = (list: unknown): object => ({ ...GOOD, denials: list });
const denial = (units: number): object => ({ capability: "x".repeat(units), target: "y".repeat(units) });
const requests = (list: unknown): object => ({ ...GOOD, requests: list });
const answered = (bytes: number, part: object = {}): object => ({
  method: "GET",
  url: "https://x.com/",
  outcome: "answered",
  reply: { status: 200, headers: [["a", "b"]], body: new Uint8Array(bytes), ...part },
});
const pieces = (texts: readonly string[]): object => ({
  ...GOOD,
  captured: { pieces: texts.map((text) => ({ stream: "stderr", text })), droppedBytes: 0 },
});

describe("parseWorkerMessage()", () => {
  for (const { message, passes, why } of [
    { message: { type: "ready" }, passes: true, why: "the first word of a Worker" },
    { message: GOOD, passes: true, why: "a settled call" },
    { message: undefined, passes: false, why: "nothing" },
    { message: "ready", passes: false, why: "another type" },
    { message: { ...GOOD, id: "1" }, passes: false, why: "an id that is text" },
    { message: output("x".repeat(MIB)), passes: true, why: "a result of the limit" },
    { message: output("x".repeat(MIB + 1)), passes: false, why: "a result over the limit" },
    { message: output("\u20ac".repeat(349_525)), passes: true, why: "a result of one byte below the limit" },
    {
      message: output("\u20ac".repeat(349_526)),
      passes: false,
      why: "a result over the limit in bytes, not in code units",
    },
    {
      message: failure("TOOL_ERROR", { message: "x".repeat(4001) }),
      passes: true,
      why: "an error's text of the limit",
    },
    {
      message: failure("TOOL_ERROR", { message: "x".repeat(4002) }),
      passes: false,
      why: "an error's text over the limit",
    },
    {
      message: failure("TOOL_EXIT", { exitCode: 3, message: "x".repeat(4001) }),
      passes: true,
      why: "a last line of the limit",
    },
    {
      message: failure("TOOL_EXIT", { exitCode: 3, message: "x".repeat(4002) }),
      passes: false,
      why: "a last line over the limit",
    },
    { message: failure("TOOL_EXIT", { exitCode: 255, message: "" }), passes: true, why: "the highest exit code" },
    {
      message: failure("TOOL_EXIT", { exitCode: 256, message: "" }),
      passes: false,
      why: "an exit code that is no byte",
    },
    { message: failure("TOOL_EXIT", { exitCode: -1, message: "" }), passes: false, why: "an exit code below 0" },
    {
      message: failure("TOOL_EXIT", { exitCode: 1.5, message: "" }),
      passes: false,
      why: "an exit code that is no integer",
    },
    { message: failure("GUEST_TRAP", { reason: "x".repeat(4002) }), passes: false, why: "a reason over the limit" },
    { message: failure("GUEST_UNREACHABLE", { more: 1 }), passes: false, why: "a detail that the code does not have" },
    { message: failure("WORKER_LOST", { reason: "x" }), passes: false, why: "a code that is the host's" },
    { message: failure("PACKAGE_CHANGED", { tool: "x" }), passes: false, why: "a code of another part" },
    { message: failure("toString", {}), passes: false, why: "no code at all" },
    { message: usage({ fuel: Number.MAX_SAFE_INTEGER }), passes: true, why: "the largest amount" },
    { message: usage({ fuel: 2 ** 53 }), passes: false, why: "an amount that is not safe" },
    { message: usage({ fuel: 0.5 }), passes: false, why: "half a unit" },
    { message: usage({ hostCalls: -1 }), passes: false, why: "less than nothing" },
    { message: usage({ peakMemoryBytes: Infinity }), passes: false, why: "an amount without end" },
    { message: usage({ outputBytes: NaN }), passes: false, why: "no number" },
    { message: usage({ wallMs: 0.5 }), passes: true, why: "half a millisecond" },
    { message: usage({ wallMs: Infinity }), passes: false, why: "a time without end" },
    { message: usage({ cpuMs: 0.001 }), passes: true, why: "a microsecond of CPU time" },
    { message: usage({ cpuMs: -1 }), passes: false, why: "less CPU time than none" },
    { message: usage({ isPartial: true }), passes: false, why: "usage that its own Worker calls partial" },
    { message: frames(Array.from({ length: 8 }, () => "f")), passes: true, why: "as many functions as may be" },
    { message: frames(Array.from({ length: 9 }, () => "f")), passes: false, why: "one function too many" },
    { message: frames(["x".repeat(256)]), passes: true, why: "a function's name of the limit" },
    { message: frames(["x".repeat(257)]), passes: false, why: "a function's name over the limit" },
    { message: frames([7]), passes: false, why: "a function's name that is no text" },
    { message: failure("CANCELLED", { frames: ["f"] }), passes: false, why: "functions where there is no place" },
    { message: pieces(["x".repeat(65_535), "y"]), passes: true, why: "output of the limit, in two pieces" },
    { message: pieces(["x".repeat(65_535), "yz"]), passes: false, why: "output over the limit, in two pieces" },
    { message: pieces(Array.from({ length: 4096 }, () => "")), passes: true, why: "as many pieces as may be" },
    { message: pieces(Array.from({ length: 4097 }, () => "")), passes: false, why: "one piece too many" },
    { message: denials(undefined), passes: true, why: "denials that are left out" },
    { message: denials(Array.from({ length: 32 }, () => denial(300))), passes: true, why: "as many denials as may be" },
    { message: denials(Array.from({ length: 33 }, () => denial(1))), passes: false, why: "one denial too many" },
    { message: denials([denial(301)]), passes: false, why: "a denial over the limit" },
    { message: denials([{ capability: "net:x" }]), passes: false, why: "a denial of nothing" },
    { message: denials([{ capability: 1, target: "x" }]), passes: false, why: "a denial that is no text" },
    { message: denials({ length: 1, 0: denial(1) }), passes: false, why: "denials that are no list" },
    { message: denials(null), passes: false, why: "denials that are null" },
    {
      message: requests(Array.from({ length: 64 }, () => answered(1))),
      passes: true,
      why: "as many requests as may be",
    },
    { message: requests(Array.from({ length: 65 }, () => answered(1))), passes: false, why: "one request too many" },
    { message: requests([answered(1_048_576)]), passes: true, why: "a body as large as may be" },
    { message: requests([answered(1_048_577)]), passes: false, why: "a body over the limit" },
    {
      message: requests(Array.from({ length: 5 }, () => answered(1_000_000))),
      passes: false,
      why: "bodies over the limit",
    },
    { message: requests([answered(1, { status: 100 })]), passes: false, why: "a status that is none of a reply" },
    { message: requests([answered(1, { headers: [["a"]] })]), passes: false, why: "a header without a value" },
    { message: requests([answered(1, { body: "text" })]), passes: false, why: "a body that is no bytes" },
  ]) {
    test(`${passes ? "takes" : "refuses"} ${why}`, () => {
      expect(parseWorkerMessage(message) !== undefined).toBe(passes);
    });
  }

  test("gives denials as they were sent, without what else they hold; none when there are none", () => {
    const sent = [{ capability: "net:x.com\u001b[2J", target: "https://x.com/", more: 1 }];
    const parsed = [sent, []].map((list) => parseWorkerMessage(denials(list)));
    expect(parsed).toEqual([
      {
        id: 1,
        settled: {
          ok: true,
          output: "x",
          usage: NO_USAGE,
          captured: NO_OUTPUT,
          denials: [{ capability: "net:x.com\u001b[2J", target: "https://x.com/" }],
        },
      },
      { id: 1, settled: { ok: true, output: "x", usage: NO_USAGE, captured: NO_OUTPUT } },
    ]);
  });

  test("gives the host's own failure, whatever else the message holds", () => {
    const parsed = parseWorkerMessage({
      ...failure("TOOL_EXIT", { exitCode: 3, message: "a\u001b[2Jb", more: 1 }),
      more: 1,
    });
    if (typeof parsed !== "object" || !("settled" in parsed) || parsed.settled.ok)
      throw new Error("expected a failed call");
    const { failure: made, ...rest } = parsed.settled;
    expect([parsed.id, rest, made.code, made.message]).toEqual([
      1,
      { ok: false, usage: NO_USAGE, captured: NO_OUTPUT },
      "TOOL_EXIT",
      "The tool ended with exit code 3: ab",
    ]);
    expect(made.detail).toEqual({ exitCode: 3, message: "a\u001b[2Jb" });
  });
});
