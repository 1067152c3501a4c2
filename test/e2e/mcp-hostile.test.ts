/**
 * `kami serve` against guests and clients that mean harm, spoken to line by line so that every byte of its stdout is seen.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { FailureCode } from "../../lib/errors.ts";
import type { Message } from "../mcp/support/conversation.ts";
import { Home, type Served } from "../mcp/support/kami.ts";

const ENDLESS = "max_fuel = 9007199254740991";

/** Most fuel and no time to speak of: the deadline has to stop it. */
const SHORT = `${ENDLESS}\nmax_execution_ms = 300`;

interface HostileCall {
  readonly guest: string;
  /** The tool's name, where a guest is installed twice. */
  readonly name?: string;
  readonly security: string;
  readonly input?: Readonly<Record<string, unknown>>;
  readonly failure: FailureCode;
  /** What the agent reads, without the hint. */
  readonly text: string;
}

const DENIED = "which is denied";
const OVERTIME = "Cannot finish the call: it ran longer than 300 ms";

/** What becomes of each hostile guest. */
const HOSTILE: readonly HostileCall[] = [
  {
    guest: "spin",
    name: "spin-fuel",
    security: "max_fuel = 100000",
    failure: "FUEL_EXHAUSTED",
    text: "Cannot finish the call: all 100000 fuel is used up",
  },
  { guest: "spin", name: "spin-time", security: SHORT, failure: "DEADLINE_EXCEEDED", text: OVERTIME },
  { guest: "spin-start", security: SHORT, failure: "DEADLINE_EXCEEDED", text: OVERTIME },
  { guest: "spin-realloc", security: SHORT, failure: "DEADLINE_EXCEEDED", text: OVERTIME },
  {
    guest: "hog",
    security: `${ENDLESS}\nmax_memory_mb = 16`,
    failure: "MEMORY_EXHAUSTED",
    text: "Cannot finish the call: it needs more than 16 MiB of memory",
  },
  {
    guest: "recurse",
    security: ENDLESS,
    failure: "STACK_OVERFLOW",
    text: `The tool crashed: its recursion is too deep for the stack, in "deeper" (try another input, or tell the tool's author)`,
  },
  {
    guest: "trap",
    security: "",
    input: { kind: "unreachable" },
    failure: "GUEST_UNREACHABLE",
    text: "The tool crashed: it executed an unreachable instruction, in function 8 (try another input, or tell the tool's author)",
  },
  {
    guest: "trap",
    security: "",
    input: { kind: "bounds" },
    failure: "GUEST_OUT_OF_BOUNDS",
    text: "The tool crashed: out-of-bounds memory access, in function 8 (try another input, or tell the tool's author)",
  },
  {
    guest: "trap",
    security: "",
    input: { kind: "divide" },
    failure: "GUEST_DIVIDE_BY_ZERO",
    text: "The tool crashed: it divided by zero, in function 8 (try another input, or tell the tool's author)",
  },
  { guest: "fail", security: "", input: { own: "words" }, failure: "TOOL_ERROR", text: '{"own":"words"}' },
  {
    guest: "exit",
    security: "",
    input: { code: 3 },
    failure: "TOOL_EXIT",
    text: "The tool ended with exit code 3",
  },
  {
    guest: "catch-all",
    security: SHORT,
    input: JSON.parse('{"call": "door", "then": "spin"}'),
    failure: "CAPABILITY_DENIED",
    text: `The tool was stopped: it asked for an unknown host function (kami:fixture/door open), ${DENIED}`,
  },
  {
    guest: "open-forged",
    security: "",
    input: { path: "etc/passwd" },
    failure: "GUEST_TRAP",
    text: "The tool crashed: it broke the component ABI: a handle that it does not have",
  },
  {
    guest: "read-file",
    security: "",
    input: { path: "/etc/passwd" },
    failure: "TOOL_ERROR",
    text: "cannot open /etc/passwd: Capabilities insufficient",
  },
];

const nameOf = ({ guest, name }: HostileCall): string => name ?? guest;

/** The guests that write where they may. */
const NOISY = ["stdout-forger", "log-flood", "stderr-escape"];

let home: Home;

beforeAll(async () => {
  home = new Home();
  const packages = new Map(HOSTILE.map((call) => [nameOf(call), call]));
  await home.installAll([
    home.makePackage("echo"),
    ...[...packages].map(([name, { guest, security }]) => home.makePackage(guest, security, name)),
    ...[...NOISY, "read-env"].map((guest) => home.makePackage(guest, ENDLESS)),
  ]);
});

afterAll(() => home[Symbol.dispose]());

const callTool = (served: Served, name: string, input: object = {}): Promise<Message> =>
  served.ask("tools/call", { name, arguments: { ...input } });

/** The result that a hostile call has to have. */
function expectedOf({ failure, text }: HostileCall): Record<string, unknown> {
  return {
    isError: true,
    content: [
      {
        type: "text",
        text: expect.stringMatching(
          new RegExp(`^${RegExp.escape(text)}(, in [^(]+( \\(called from [^(]+\\))?)?( \\(.*\\))?$`),
        ),
      },
    ],
    _meta: { "dev.kami/failure": failure },
  };
}

/** Every line of stdout is a JSON-RPC message, and every message answers a request: each exactly once. */
function expectOnlyAnswers(served: Served, lastId: number): void {
  const lines = served.inbox.text.split("\n");
  expect(lines.pop()).toBe("");
  const messages = lines.map((line): Message => JSON.parse(line));
  expect(messages.every(({ jsonrpc, method }) => jsonrpc === "2.0" && method === undefined)).toBe(true);
  const ids = messages.map(({ id }) => Number(id)).toSorted((a, b) => a - b);
  expect(ids).toEqual(Array.from({ length: lastId }, (_, index) => index + 1));
  // The bytes, not only their meaning: nothing stands between the messages.
  expect(served.inbox.text).toBe(messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
}

describe("hostile guests", () => {
  test("each ends in its own failure, and the server serves on", async () => {
    await using served = home.serve("--concurrency", "2");
    await served.initialize();
    for (const hostile of HOSTILE) {
      const { result } = await callTool(served, nameOf(hostile), hostile.input);
      expect({ guest: hostile.guest, result }).toMatchObject({ guest: hostile.guest, result: expectedOf(hostile) });
      const after = { after: hostile.guest };
      expect((await callTool(served, "echo", after)).result).toMatchObject({ structuredContent: after });
    }
    expectOnlyAnswers(served, 1 + 2 * HOSTILE.length);
    expect(await served.end()).toBe(0);
  });

  test("the same in the 2026-07-28 era", async () => {
    await using served = home.serve();
    for (const hostile of HOSTILE) {
      const call = { name: nameOf(hostile), arguments: hostile.input ?? {} };
      const { result } = await served.askModern("tools/call", call);
      expect(result).toMatchObject({ resultType: "complete", ...expectedOf(hostile) });
    }
    expect(await served.end()).toBe(0);
  });

  test("what a guest writes to stdout, stderr or the log puts not one byte into the protocol stream", async () => {
    await using served = home.serve("--concurrency", "2");
    await served.initialize();
    await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        callTool(served, NOISY[index % 3] ?? "echo", { padding: "x".repeat(index) }),
      ),
    );
    const answer = await callTool(served, "stdout-forger", { mine: true });
    expect(answer.result).toMatchObject({ structuredContent: { mine: true } });
    expect(await served.end()).toBe(0);
    expectOnlyAnswers(served, 14);
    expect(served.inbox.text).not.toContain('"forged"');
    expect(served.stderr).toContain("dev.kami.fixture.stdout-forger stdout: ");
    // A person's terminal shows stderr: nothing there may steer it.
    expect(served.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  test("a guest finds an empty environment", async () => {
    await using served = home.serve();
    await served.initialize();
    const { result } = await callTool(served, "read-env");
    expect(result).toMatchObject({ structuredContent: { environment: 0, names: [], arguments: [] } });
  });
});

describe("hostile clients", () => {
  test("messages that cannot be read are answered or dropped, and the server serves on", async () => {
    await using served = home.serve();
    await served.initialize();
    served.raw("{broken\n");
    served.raw(Uint8Array.from([0xff, 0xfe, 0x0a]));
    served.raw('[{"jsonrpc":"2.0","id":1,"method":"ping"}]\n');
    served.raw(`${"x".repeat(11 * 1_048_576)}\n`);
    served.raw('{"jsonrpc":"2.0","id":"half"}\n{"jsonrpc":"2.0","method":"no/such/notification"}\n');
    expect((await served.ask("no/such/method")).error).toMatchObject({ code: -32_601 });
    const { error } = await served.ask("tools/call", { name: "echo", arguments: "text" });
    expect(error).toMatchObject({ code: -32_602 });
    expect((await callTool(served, "echo", { still: "here" })).result).toMatchObject({
      structuredContent: { still: "here" },
    });
    expect(served.inbox.messages.filter(({ id }) => id === undefined).map((message) => message.error?.code)).toEqual([
      -32_700, -32_700, -32_600, -32_600,
    ]);
    expect(await served.end()).toBe(0);
  });

  test("an input or a result over the limit is refused as a tool error", async () => {
    await using served = home.serve();
    await served.initialize();
    const { result } = await callTool(served, "echo", { big: "x".repeat(5 * 1_048_576) });
    expect(result).toMatchObject({ isError: true, _meta: { "dev.kami/failure": "INPUT_TOO_LARGE" } });
    const { result: tooMuch } = await callTool(served, "echo", { big: "x".repeat(2 * 1_048_576) });
    expect(tooMuch).toMatchObject({ isError: true, _meta: { "dev.kami/failure": "RESULT_TOO_LARGE" } });
    const big = "\u0001".repeat(40_000);
    expect((await callTool(served, "echo", { big })).result).toMatchObject({ structuredContent: { big } });
    const bigger = "\u0001".repeat(150_000);
    const { result: linked } = await callTool(served, "echo", { big: bigger });
    expect(linked).toMatchObject({ content: [{ type: "text" }, { type: "resource_link", size: 900_010 }] });
    const uri = /kami:\/\/result\/[\w-]+/.exec(JSON.stringify(linked))?.[0];
    const { result: whole } = await served.ask("resources/read", { uri });
    expect(whole).toMatchObject({ contents: [{ uri, text: JSON.stringify({ big: bigger }) }] });
  });
});
