import { describe, expect, test } from "bun:test";
import { describeError, painterFor, printError, showControls, toJson } from "../../lib/cli/output.ts";
import { refuse } from "../../lib/errors.ts";
import { testHost } from "./support/host.ts";

describe("painterFor()", () => {
  const cases: readonly {
    isTerminal: boolean;
    environment: Readonly<Record<string, string>>;
    painted: boolean;
    why: string;
  }[] = [
    { isTerminal: true, environment: {}, painted: true, why: "a terminal" },
    { isTerminal: false, environment: {}, painted: false, why: "a pipe" },
    { isTerminal: true, environment: { NO_COLOR: "1" }, painted: false, why: "NO_COLOR" },
    { isTerminal: true, environment: { NO_COLOR: "" }, painted: true, why: "an empty NO_COLOR counts as unset" },
    { isTerminal: true, environment: { TERM: "dumb" }, painted: false, why: "a dumb terminal" },
  ];
  test.each(cases)("colours: $painted for $why", ({ isTerminal, environment, painted }) => {
    const host = testHost({ isTerminal, environment });
    const text = painterFor(host.stdout, host.environment)("red", "x");
    expect(text).toBe(painted ? "\u001b[31mx\u001b[39m" : "x");
  });
});

describe("toJson()", () => {
  test("escapes what steers a terminal, and means the same", () => {
    const value = { text: "\u009b31m\u202eevil\u007f\u001b[0m\ufeff é 漢" };
    expect(toJson(value)).toBe('{"text":"\\u009b31m\\u202eevil\\u007f\\u001b[0m\\ufeff é 漢"}');
    expect(JSON.parse(toJson(value))).toEqual(value);
  });
});

describe("showControls()", () => {
  test("shows control characters, and keeps lines and tabs", () => {
    expect(showControls("a\tb\n\u001b[2J\u009b1m\r\u202e")).toBe("a\tb\n\\u001b[2J\\u009b1m\\u000d\\u202e");
  });
});

describe("printError()", () => {
  const failure = refuse("TOOL_DISABLED", { id: "dev.example.x" });

  test("prints a failure with its hint", async () => {
    const host = testHost();
    await printError(host, failure);
    expect(host.printed).toEqual({
      stdout: "",
      stderr:
        'error: Cannot run the tool "dev.example.x": it is disabled\n  hint: enable it with: kami enable dev.example.x\n',
    });
  });

  test("prints no hint where there is none", async () => {
    const host = testHost();
    await printError(host, refuse("TOOL_ERROR", { message: "no\nsuch \u001b[31mcolumn" }));
    expect(host.printed.stderr).toBe("error: no such column\n");
  });

  test("never shows a failure's stack", async () => {
    const host = testHost({ environment: { KAMI_DEBUG: "1" } });
    await printError(host, failure);
    expect(host.printed.stderr).not.toContain("    at ");
  });

  test("shows the stack of an internal error only when it is asked for", async () => {
    const quiet = testHost();
    const debugging = testHost({ environment: { KAMI_DEBUG: "1" } });
    await printError(quiet, new Error("BUG: x"));
    await printError(debugging, new Error("BUG: x"));
    const hint = "  hint: this is a bug in KAMI: set KAMI_DEBUG=1 to see where, and report it\n";
    expect(quiet.printed.stderr).toBe(`internal error: BUG: x\n${hint}`);
    expect(debugging.printed.stderr).toStartWith(`internal error: BUG: x\n${hint}`);
    expect(debugging.printed.stderr).toContain("    at ");
  });

  test("colours on a terminal", async () => {
    const host = testHost({ isTerminal: true });
    await printError(host, refuse("TOOL_ERROR", { message: "no" }));
    expect(host.printed.stderr).toBe("\u001b[31merror:\u001b[39m no\n");
  });
});

describe("describeError()", () => {
  test("says code, message and hint", () => {
    expect(describeError(refuse("BUSY", { retryAfterMs: 5 }))).toEqual({
      code: "BUSY",
      message: "Cannot start the call: the queue is full, retry in 5 ms",
      hint: "send fewer calls at once, or raise --concurrency",
    });
  });

  test("leaves out a hint that there is not", () => {
    expect(describeError(refuse("CANCELLED", {}))).toEqual({ code: "CANCELLED", message: "The call was cancelled" });
  });
});
