import { describe, expect, test } from "bun:test";
import { PROGRESS_BURST, ProgressReporter } from "../../lib/mcp/progress.ts";
import { Conversation, type Message } from "./support/conversation.ts";
import { type Arrival, LIMITS, succeed, TestHost } from "./support/host.ts";
import { Home } from "./support/kami.ts";

const isProgress = ({ method }: Message): boolean => method === "notifications/progress";

/** Tells three things, and ends. */
async function talk({ onProgress }: Arrival): ReturnType<typeof untilTold> {
  onProgress?.({ fuel: 10, said: "begun\u001b[2J" });
  onProgress?.({ fuel: 10, said: "still here" });
  onProgress?.({ fuel: 500 });
  return untilTold();
}

function untilTold() {
  return Promise.resolve(succeed("{}"));
}

describe("tools/call with a progress token", () => {
  test.each([
    { era: "earlier", modern: false },
    { era: "2026-07-28", modern: true },
  ])("tells fuel of fuel with what the guest logged, before the answer: $era era", async ({ modern }) => {
    await using client = new Conversation(new TestHost().install({ id: "dev.x.talk" }, talk));
    if (!modern) await client.initialize();
    const params = { name: "talk", _meta: { progressToken: "t" } };
    const answer = await (modern ? client.askModern("tools/call", params) : client.ask("tools/call", params));
    expect(answer.result?.["isError"]).toBeUndefined();
    const total = LIMITS.fuel;
    expect(client.inbox.messages.filter(isProgress).map((message) => message.params)).toMatchObject([
      { progressToken: "t", progress: 10, total, message: "begun" },
      { progressToken: "t", progress: 11, total, message: "still here" },
      { progressToken: "t", progress: 500, total },
    ]);
    expect(client.inbox.messages.at(-1)).toBe(answer);
  });

  test("asks for no progress without a token, and tells none", async () => {
    const host = new TestHost().install({ id: "dev.x.talk" }, talk);
    await using client = new Conversation(host);
    await client.initialize();
    await client.ask("tools/call", { name: "talk" });
    expect(host.arrivals.map(({ onProgress }) => onProgress)).toEqual([undefined]);
    expect(client.inbox.messages.filter(isProgress)).toEqual([]);
  });

  test("tells what a real guest logs, through an executor process", async () => {
    using home = new Home();
    await home.install(home.makePackage("kami-tool"));
    await using client = home.serve();
    await client.initialize();
    const params = { name: "kami-tool", arguments: { a: 1 }, _meta: { progressToken: 7 } };
    await client.ask("tools/call", params);
    expect(client.inbox.messages.filter(isProgress).map((message) => message.params)).toEqual([
      { progressToken: 7, progress: expect.any(Number), total: 1_000_000, message: '{"a":1}' },
    ]);
  });
});

function makeReporter() {
  const told: { readonly progress: number; readonly message?: string | undefined }[] = [];
  const reporter = new ProgressReporter({
    token: 1,
    total: 1000,
    notify: ({ params }) => {
      told.push({ progress: params.progress, message: params.message });
      return Promise.resolve();
    },
  });
  return { told, reporter };
}

describe("ProgressReporter", () => {
  test("holds back what comes too often, and tells the last line before the end", async () => {
    const { told, reporter } = makeReporter();
    for (let line = 1; line <= 500; line += 1) reporter.report({ fuel: line, said: `line ${line}` });
    expect(told).toHaveLength(PROGRESS_BURST);
    reporter[Symbol.dispose]();
    expect(told.at(-1)).toEqual({ progress: 500, message: "line 500" });
    reporter.report({ fuel: 600, said: "late" });
    await Bun.sleep(300);
    expect(told).toHaveLength(PROGRESS_BURST + 1);
  });

  test("never goes back, never says the same twice, and never more than there is", () => {
    const { told, reporter } = makeReporter();
    for (const fuel of [500, 400, 500, 2000, 3000]) reporter.report({ fuel });
    reporter[Symbol.dispose]();
    expect(told.map(({ progress }) => progress)).toEqual([500, 501, 502, 1000]);
  });

  test("cuts and cleans a line", () => {
    const { told, reporter } = makeReporter();
    reporter.report({ fuel: 1, said: `a\u202e\n${"x".repeat(400)}` });
    reporter.report({ fuel: 2, said: "\u0000\u200f" });
    expect(told[0]?.message?.length).toBeLessThanOrEqual(300);
    expect(told[0]?.message).toStartWith("a xxx");
    expect(told[1]).toEqual({ progress: 2, message: undefined });
  });
});
