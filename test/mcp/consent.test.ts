/**
 * Approvals: a question in both eras, good for one call, and a refusal where nobody can be asked.
 */
import { describe, expect, test } from "bun:test";
import { Questions, type Wanted } from "../../lib/mcp/questions.ts";
import { nameOf, parseCapability } from "../../lib/policy/capability.ts";
import { Conversation, type Message } from "./support/conversation.ts";
import { TestHost } from "./support/host.ts";

const NET = { netAllowList: ["a.com"], envAllowList: ["API_KEY"] };
const ALLOW = { action: "accept", content: { allow: true } };

interface Question {
  readonly word: string;
  readonly message: string;
}

/** Calls in the modern era; `client` says what it can. */
async function call(
  client: Conversation,
  more: object = {},
  capabilities: object = { elicitation: {} },
): Promise<Message> {
  const meta = { "io.modelcontextprotocol/clientCapabilities": capabilities };
  return client.askModern("tools/call", { name: "net", arguments: { a: 1 }, _meta: meta, ...more });
}

function questionOf({ result }: Message): Question {
  const requests = JSON.parse(JSON.stringify(result?.["inputRequests"]));
  expect(result?.["resultType"]).toBe("input_required");
  return { word: String(result?.["requestState"]), message: requests.approve.params.message };
}

function answering(word: string, answer: object = ALLOW): object {
  return { requestState: word, inputResponses: { approve: answer } };
}

function textOf({ result }: Message): string {
  const [block] = JSON.parse(JSON.stringify(result?.["content"] ?? []));
  return `${result?.["isError"] === true ? "error: " : ""}${block?.text}`;
}

function hostAsking(): TestHost {
  return new TestHost().install({ id: "dev.x.net", security: NET });
}

const codeOf = (code: string): RegExp => new RegExp(`^dev\\.x\\.net: ${code}: `, "m");
const grantsOf = (host: TestHost): unknown => host.arrivals.map(({ grants }) => grants?.map(nameOf));

describe("a tool that lacks something it asks for, 2026-07-28", () => {
  test("is asked about, with the exact call, and gets it for that call only", async () => {
    const host = hostAsking();
    await using client = new Conversation(host);
    const { word, message } = questionOf(await call(client));
    expect(message).toContain("Allow one call of the tool dev.x.net 1.0.0?");
    expect(message).toContain("net:a.com, env:API_KEY, which you have not granted");
    expect(message).toEndWith('Its arguments: {"a":1}');
    expect(host.arrivals).toEqual([]);
    expect(textOf(await call(client, answering(word)))).toBe('{"a":1}');
    expect(grantsOf(host)).toEqual([["net:a.com", "env:API_KEY"]]);
    questionOf(await call(client));
    expect(host.arrivals).toHaveLength(1);
  });

  test.each([
    ["again", (word: string) => answering(word), 2],
    ["with other arguments", (word: string) => ({ ...answering(word), arguments: { a: 2 } }), 1],
    ["for another tool", (word: string) => ({ ...answering(word), name: "other" }), 1],
    ["with a word of its own", () => answering("A".repeat(32)), 1],
  ] as const)("cannot be called %s by the same answer", async (_why, make, times) => {
    const host = hostAsking().install({ id: "dev.x.other", security: NET });
    await using client = new Conversation(host);
    const { word } = questionOf(await call(client));
    if (times === 2) await call(client, answering(word));
    const before = host.arrivals.length;
    const expected =
      /^error: Cannot call "dev\.x\.\w+" without its user's approval: the answer came too late, or was for another call/;
    expect(textOf(await call(client, make(word)))).toMatch(expected);
    expect(host.arrivals).toHaveLength(before);
  });

  test("a word that was used for another call is spent", async () => {
    const host = hostAsking();
    await using client = new Conversation(host);
    const { word } = questionOf(await call(client));
    await call(client, { ...answering(word), arguments: { a: 2 } });
    expect(textOf(await call(client, answering(word)))).toStartWith("error: Cannot call");
    expect(host.arrivals).toEqual([]);
  });

  test("a tool that was replaced meanwhile was not approved", async () => {
    const host = hostAsking();
    await using client = new Conversation(host);
    const { word } = questionOf(await call(client));
    host.install({ id: "dev.x.net", security: NET, packageDigest: "f".repeat(64) });
    expect(textOf(await call(client, answering(word)))).toStartWith("error: Cannot call");
    expect(host.arrivals).toEqual([]);
  });

  test.each([
    ["declined", { action: "decline" }],
    ["cancelled", { action: "cancel" }],
    ["accepted without a word", { action: "accept" }],
    ["accepted with no", { action: "accept", content: { allow: false } }],
    ["accepted with a text", { action: "accept", content: { allow: "true" } }],
    ["of another shape", { allow: true }],
  ] as const)("is refused when the question is %s", async (_how, answer) => {
    const host = hostAsking();
    await using client = new Conversation(host);
    const { word } = questionOf(await call(client));
    expect(textOf(await call(client, answering(word, answer)))).toBe(
      'error: Cannot call "dev.x.net": its user did not allow this call',
    );
    expect(client.log.join("\n")).toMatch(codeOf("APPROVAL_DENIED"));
    expect(textOf(await call(client, answering(word)))).toStartWith("error: Cannot call");
    expect(host.arrivals).toEqual([]);
  });

  test.each([
    ["nothing", {}],
    ["links only", { elicitation: { url: {} } }],
  ] as const)("is refused where the client can show %s; the user gets the command", async (_what, capabilities) => {
    const host = hostAsking();
    await using client = new Conversation(host);
    const text = textOf(await call(client, {}, capabilities));
    expect(text).toBe(
      "error: Cannot call \"dev.x.net\" without its user's approval: the client cannot ask for it (the user finds in KAMI's log how to allow it)",
    );
    expect(client.log.join("\n")).toMatch(codeOf("APPROVAL_NEEDED"));
    expect(client.log.join("\n")).toContain(
      "for all its calls: kami grant dev.x.net net:a.com env:API_KEY, or: kami grant dev.x.net --ask never",
    );
    expect(host.arrivals).toEqual([]);
  });

  test("cannot be asked about in words that look like KAMI's, and the question stays short", async () => {
    const host = hostAsking();
    await using client = new Conversation(host);
    const text = `\n\nKAMI: this call is safe.\u001b[2J\u202e${"x".repeat(100_000)}`;
    const { message } = questionOf(await call(client, { arguments: { text } }));
    expect(message.length).toBeLessThan(5000);
    const [, shown = ""] = message.split("\n\n");
    expect(message.split("\n\n")).toHaveLength(2);
    expect(shown).toStartWith("Its arguments (the first 1500 of ");
    expect(shown).not.toMatch(/[\u0000-\u001f\u202e]/);
  });
});

describe("when it is asked", () => {
  test.each([
    ["missing", [], true],
    ["missing", ["net:a.com", "env:API_KEY"], false],
    ["always", ["net:a.com", "env:API_KEY"], true],
    ["never", [], false],
  ] as const)("%s, with %o granted: %p", async (asks, granted, isAsked) => {
    const host = new TestHost().install({ id: "dev.x.net", security: NET, asks });
    host.granted = granted.flatMap((name) => {
      const parsed = parseCapability(name);
      return parsed.ok ? [parsed.capability] : [];
    });
    await using client = new Conversation(host);
    const { result } = await call(client);
    expect(result?.["resultType"]).toBe(isAsked ? "input_required" : "complete");
    expect(host.arrivals).toHaveLength(isAsked ? 0 : 1);
  });
});

describe("the eras before", () => {
  test("get the question as a request of their own, and the call goes on", async () => {
    const host = hostAsking();
    await using client = new Conversation(host);
    await client.ask("initialize", {
      protocolVersion: "2025-06-18",
      capabilities: { elicitation: {} },
      clientInfo: { name: "test", version: "1" },
    });
    client.send({ method: "notifications/initialized" });
    const id = client.request("tools/call", { name: "net", arguments: { a: 1 } });
    const question = await client.inbox.find(({ method }) => method === "elicitation/create");
    expect(question.params?.["message"]).toContain("Allow one call of the tool dev.x.net");
    client.send({ id: question.id, result: ALLOW });
    expect(textOf(await client.inbox.answer(id))).toBe('{"a":1}');
    expect(grantsOf(host)).toEqual([["net:a.com", "env:API_KEY"]]);
  });

  test("are refused where the client said nothing of it", async () => {
    const host = hostAsking();
    await using client = new Conversation(host);
    await client.initialize();
    expect(textOf(await client.ask("tools/call", { name: "net" }))).toStartWith("error: Cannot call");
    expect(host.arrivals).toEqual([]);
  });
});

describe("Questions", () => {
  const wanted: Wanted = { client: "a", toolId: "t", packageDigest: "p", function: undefined, inputDigest: "i" };
  const APPROVAL = { kind: "approval", names: ["net:a.com"] } as const;

  test("are another client's business only", () => {
    const questions = new Questions();
    const word = questions.open(wanted, APPROVAL);
    expect(questions.close(word, { ...wanted, client: "b" })).toBeUndefined();
    expect(questions.close(word, wanted)).toEqual(APPROVAL);
    expect(questions.close(word, wanted)).toBeUndefined();
  });

  test("end by themselves, and are bounded for each client and in all", () => {
    let now = 0;
    const questions = new Questions({ total: 3, perClient: 2, lifetimeMs: 100 }, () => now);
    const [first = "", second = "", third = ""] = [1, 2, 3].map(() => questions.open(wanted, APPROVAL));
    expect([questions.size, questions.close(first, wanted)]).toEqual([2, undefined]);
    questions.open({ ...wanted, client: "b" }, APPROVAL);
    questions.open({ ...wanted, client: "c" }, APPROVAL);
    expect([questions.size, questions.close(second, wanted)]).toEqual([3, undefined]);
    now = 100;
    expect([questions.close(third, wanted), questions.size]).toEqual([undefined, 0]);
  });
});

describe("a resource that a tool makes with what it was granted", () => {
  const URI = "net://a/1";
  const templates = [{ uriTemplate: "net://a/{a}", name: "n" }];
  const granted = [parseCapability("net:a.com")].flatMap((each) => (each.ok ? [each.capability] : []));

  function hostReading(asks: "missing" | "never"): TestHost {
    const host = new TestHost().install({ id: "dev.x.net", security: { netAllowList: ["a.com"] }, templates, asks });
    host.granted = granted;
    return host;
  }

  async function read(client: Conversation, more: object = {}, capabilities: object = { elicitation: {} }) {
    const meta = { "io.modelcontextprotocol/clientCapabilities": capabilities };
    return client.askModern("resources/read", { uri: URI, _meta: meta, ...more });
  }

  test("is asked about, though a call would not be: clients do not ask before they read", async () => {
    const host = hostReading("missing");
    await using client = new Conversation(host);
    expect(textOf(await call(client))).toBe('{"a":1}');
    const { word, message } = questionOf(await read(client));
    expect(message).toContain(`Reading "${URI}" is a call of it, with what you granted it: net:a.com.`);
    expect(message).toEndWith('Its arguments: {"a":"1"}');
    expect(host.arrivals).toHaveLength(1);
    expect((await read(client, answering(word))).result?.["contents"]).toMatchObject([{ uri: URI, text: '{"a":"1"}' }]);
    expect((await read(client, {}, {})).error?.message).toContain("the client cannot ask for it");
    expect(host.arrivals).toHaveLength(2);
  });

  test("is not when the user wants no questions, or the tool may touch nothing", async () => {
    await using trusting = new Conversation(hostReading("never"));
    expect((await read(trusting)).result?.["contents"]).toMatchObject([{ uri: URI }]);
    await using bare = new Conversation(new TestHost().install({ id: "dev.x.net", templates }));
    expect((await read(bare)).result?.["contents"]).toMatchObject([{ uri: URI }]);
  });
});
