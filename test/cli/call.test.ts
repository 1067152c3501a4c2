import { describe, expect, test } from "bun:test";
import {
  type CallEnd,
  type CallFlags,
  capturedLines,
  explainInput,
  printCall,
  readLimits,
} from "../../lib/cli/call.ts";
import { EndWatch } from "../../lib/cli/exit-signal.ts";
import type { ExitCode } from "../../lib/cli/exit-codes.ts";
import { Session } from "../../lib/cli/session.ts";
import { usageBlock } from "../../lib/cli/words.ts";
import { type Failure, refuse } from "../../lib/errors.ts";
import { adviseOn } from "../../lib/policy/advice.ts";
import { NO_OUTPUT, NO_USAGE } from "../../lib/protocol/limits.ts";
import type { CallResult } from "../../lib/runtime.ts";
import { told } from "./support/failure.ts";
import { type HostOptions, type TestHost, testHost } from "./support/host.ts";

const flags: CallFlags = {
  function: undefined,
  input: undefined,
  "input-file": undefined,
  fuel: undefined,
  "memory-mb": undefined,
  "timeout-ms": undefined,
  usage: false,
};

interface Printed {
  readonly exit: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

interface How extends HostOptions {
  readonly json?: boolean;
  readonly usage?: boolean;
  readonly before?: (host: TestHost) => void;
}

async function print(result: CallEnd, how: How = {}): Promise<Printed> {
  const host = testHost(how);
  using end = new EndWatch(host);
  how.before?.(host);
  const exit = await printCall(new Session(host, how.json ?? false, end), result, how.usage ?? false);
  return { exit, ...host.printed };
}

function ok(output: string): CallResult {
  return { ok: true, output, usage: NO_USAGE, captured: NO_OUTPUT };
}

function failed(failure: Failure): CallResult {
  return { ok: false, failure, usage: NO_USAGE, captured: NO_OUTPUT };
}

const usageJson =
  '"usage":{"fuel":0,"cpuMs":0,"wallMs":0,"peakMemoryBytes":0,"hostCalls":0,"inputBytes":0,"outputBytes":0,"isPartial":false},"captured":{"pieces":[],"droppedBytes":0}';

describe("printCall() of a call that was denied something", () => {
  const denials = [{ capability: "net:a.com\u001b[2J", target: "https://a.com/\u202ex" }];
  const advise = adviseOn.bind(undefined, {
    id: "x.y",
    request: { netAllowList: [], fsAccess: "none", envAllowList: [], elicitation: "none" },
  });

  test("says so on stderr, cleaned, whether the call went well or not", async () => {
    const line = '[kami] denied "net:a.com", for "https://a.com/ x"; its tool.toml does not ask for it\n';
    expect(await print({ ...ok("x"), denials, advise })).toEqual({ exit: 0, stdout: "x\n", stderr: line });
    expect((await print({ ...failed(refuse("TOOL_ERROR", { message: "m" })), denials, advise })).stderr).toBe(
      `${line}error: m\n`,
    );
  });

  test("says it in JSON beside what was captured", async () => {
    const escaped = String.raw`"denials":[{"capability":"net:a.com\u001b[2J","target":"https://a.com/\u202ex"}]`;
    const { stdout } = await print({ ...ok("1"), denials, advise }, { json: true });
    expect(stdout).toBe(`{"ok":true,"output":1,${usageJson},${escaped}}\n`);
    const { stderr } = await print({ ...failed(refuse("CANCELLED", {})), denials, advise }, { json: true });
    expect(stderr).toEndWith(`${escaped}}\n`);
  });
});

describe("printCall()", () => {
  test("prints the output alone, with a line feed", async () => {
    expect(await print(ok('{"a":\u009b1}'))).toEqual({ exit: 0, stdout: '{"a":\u009b1}\n', stderr: "" });
  });

  test("shows control characters of the output on a terminal", async () => {
    const { stdout } = await print(ok("\u001b[2Jx"), { isTerminal: true });
    expect(stdout).toBe("\\u001b[2Jx\n");
  });

  test("keeps the output's digits and keys in JSON", async () => {
    const output = ' {"n": 12345678901234567890, "n": 1.0}\n';
    expect(await print(ok(output), { json: true })).toEqual({
      exit: 0,
      stdout: `{"ok":true,"output":{"n": 12345678901234567890, "n": 1.0},${usageJson}}\n`,
      stderr: "",
    });
  });

  test.each(["plain text", "{", "", "[".repeat(70) + "]".repeat(70)])("gives %p as a JSON string", async (output) => {
    const { stdout } = await print(ok(output), { json: true });
    expect(stdout).toBe(`{"ok":true,"output":${JSON.stringify(output)},${usageJson}}\n`);
  });

  test("prints a failure on stderr, and its exit code", async () => {
    expect(await print(failed(refuse("FUEL_EXHAUSTED", { fuelLimit: 5 })))).toEqual({
      exit: 5,
      stdout: "",
      stderr:
        "error: Cannot finish the call: all 5 fuel is used up\n  hint: pass --fuel N for one call; or raise security.max_fuel in tool.toml and install again, and the setting max_fuel if it is lower (kami config)\n",
    });
  });

  test("prints a failure as one JSON object on stderr", async () => {
    expect(await print(failed(refuse("TOOL_ERROR", { message: "no" })), { json: true, usage: true })).toEqual({
      exit: 1,
      stdout: "",
      stderr: `{"ok":false,"error":{"code":"TOOL_ERROR","message":"no"},${usageJson}}\n`,
    });
  });

  test("exits like an interrupted program when Ctrl-C cancelled the call", async () => {
    const cancelled = failed(refuse("CANCELLED", {}));
    expect(await print(cancelled, { before: (host) => host.send("SIGINT") })).toEqual({
      exit: 130,
      stdout: "",
      stderr: "",
    });
    expect((await print(cancelled)).exit).toBe(7);
  });

  test("prints what the guest wrote, then what it used", async () => {
    const captured = { pieces: [{ stream: "log", level: "warn", text: "hot" }], droppedBytes: 0 } as const;
    expect(await print({ ok: true, output: "1", usage: NO_USAGE, captured }, { usage: true })).toEqual({
      exit: 0,
      stdout: "1\n",
      stderr: `[log warn] hot\n${usageBlock(NO_USAGE)}\n`,
    });
  });
});

describe("capturedLines()", () => {
  test("marks every line", () => {
    const pieces = [
      { stream: "stdout", text: "hello\n  indented\n" },
      { stream: "stderr", text: "oops" },
      { stream: "log", level: "info", text: "a" },
      { stream: "log", level: "info", text: "b\nc" },
      { stream: "stdout", text: "\n" },
    ] as const;
    expect(capturedLines({ pieces, droppedBytes: 5 })).toEqual([
      "[stdout] hello",
      "[stdout]   indented",
      "[stderr] oops",
      "[log info] a",
      "[log info] b",
      "[log info] c",
      "[stdout]",
      "[kami] the tool wrote 5 more bytes: dropped",
    ]);
  });

  test("lets no escape sequence and no forged mark through", () => {
    const text = "\u001b]0;x\u0007\u009b2J\r[kami] forged\u202e\u2028x";
    const [line = ""] = capturedLines({ pieces: [{ stream: "stdout", text }], droppedBytes: 0 });
    expect(line).toBe("[stdout] [kami] forged x");
  });

  test("cuts long lines", () => {
    const lines = capturedLines({ pieces: [{ stream: "stderr", text: "x".repeat(4001) }], droppedBytes: 0 });
    expect(lines).toEqual([`[stderr] ${"x".repeat(4000)}…`]);
  });

  test("fills four rows of a terminal with one line, and no more", () => {
    const lengths = [31, 32].map((length) => {
      const pieces = [{ stream: "stderr", text: "x".repeat(length) }] as const;
      return capturedLines({ pieces, droppedBytes: 0 }, 10)[0];
    });
    expect(lengths).toEqual([`[stderr] ${"x".repeat(31)}`, `[stderr] ${"x".repeat(30)}…`]);
  });

  test("says nothing about nothing", () => {
    expect(capturedLines(NO_OUTPUT)).toEqual([]);
  });
});

describe("explainInput()", () => {
  const invalid = failed(refuse("INPUT_INVALID", { field: "text", problem: "is required" }));

  test("adds the tool and the pipe to a failure about the input", async () => {
    const named = explainInput(invalid, { tool: "dev.example.x" });
    const printed = await Promise.all(
      [invalid, named, explainInput(named, { isPiped: true })].map((each) => print(each)),
    );
    const message = 'error: Cannot use the input: "text" is required\n';
    const inspect = "see the tool's arguments with: kami inspect dev.example.x";
    expect(printed.map(({ stderr }) => stderr)).toEqual([
      message,
      `${message}  hint: ${inspect}\n`,
      `${message}  hint: to read the pipe: --input-file -; ${inspect}\n`,
    ]);
  });

  test("leaves every other result alone", () => {
    const others = [ok("1"), failed(refuse("CANCELLED", {}))];
    expect(others.map((each) => explainInput(each, { tool: "dev.example.x" }))).toEqual(others);
  });
});

describe("readLimits()", () => {
  test("takes none", () => {
    expect(readLimits(flags)).toEqual({});
  });

  test("takes memory in MiB", () => {
    expect(readLimits({ ...flags, fuel: "5", "memory-mb": "2", "timeout-ms": "600000" })).toEqual({
      fuel: 5,
      memoryBytes: 2_097_152,
      timeoutMs: 600_000,
    });
  });

  const wrong: readonly { given: Partial<CallFlags>; problem: string; hint: string }[] = [
    {
      given: { fuel: "0" },
      problem: 'Cannot use --fuel "0": it must be a whole number from 1 to 9,007,199,254,740,991',
      hint: "for example: --fuel 1000000",
    },
    {
      given: { "memory-mb": "4097" },
      problem: 'Cannot use --memory-mb "4097": it must be a whole number from 1 to 4,096',
      hint: "for example: --memory-mb 64",
    },
    {
      given: { "timeout-ms": "600001" },
      problem: 'Cannot use --timeout-ms "600001": it must be a whole number from 1 to 600,000',
      hint: "for example: --timeout-ms 5000",
    },
    {
      given: { "timeout-ms": "5s" },
      problem: 'Cannot use --timeout-ms "5s": it must be a whole number from 1 to 600,000',
      hint: "for example: --timeout-ms 5000",
    },
  ];
  test.each(wrong)("refuses: $problem", async ({ given, problem, hint }) => {
    expect(await told(() => readLimits({ ...flags, ...given }))).toEqual(["USAGE", problem, hint]);
  });
});
