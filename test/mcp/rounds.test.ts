/**
 * Tools that ask their user, with real guests: `ask` returns its input, which is a question here, until there are answers in it; `echo` asks forever.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { guestPath } from "../../fixtures/paths.ts";
import { refuse } from "../../lib/errors.ts";
import { nameOf, parseCapability } from "../../lib/policy/capability.ts";
import { NO_OUTPUT, NO_USAGE } from "../../lib/protocol/limits.ts";
import type { CallResult } from "../../lib/runtime.ts";
import { readQuestion, ROUNDS_LIMIT } from "../../lib/schema/question.ts";
import { TestRuntime } from "../support/runtime.ts";
import { Conversation, type Message } from "./support/conversation.ts";
import { succeed, TestHost } from "./support/host.ts";

const FORM = 'elicitation = "form"\nmax_fuel = 10000000';
const CAPABLE = { elicitation: {} };
const NAME = { action: "accept", content: { name: "Ann" } };

/** Tools: the guest, its `[security]`, and what it is granted. */
const TOOLS = {
  ask: ["ask", FORM, ["elicitation:form"]],
  other: ["ask", FORM, ["elicitation:form"]],
  endless: ["echo", FORM, ["elicitation:form"]],
  ungranted: ["ask", FORM, []],
  silent: ["ask", "", []],
  keyed: ["ask", `${FORM}\nenv_allow_list = ["KEY"]`, ["elicitation:form"]],
} as const;

let kami: TestRuntime;

beforeAll(async () => {
  kami = new TestRuntime();
  const { registry } = kami.runtime;
  for (const [name, [guest, security, granted]] of Object.entries(TOOLS)) {
    const directory = join(kami.home.path, "packages", name);
    mkdirSync(directory, { recursive: true });
    copyFileSync(guestPath(guest), join(directory, "tool.wasm"));
    writeFileSync(
      join(directory, "tool.toml"),
      `[tool]\nid = "dev.x.${name}"\nname = "${name}"\nversion = "1.0.0"\nwasm = "tool.wasm"\n[mcp]\ndescription = "x"\n[security]\n${security}\n`,
    );
    await kami.runtime.install(directory);
    const capabilities = granted.flatMap((text) => {
      const parsed = parseCapability(text);
      return parsed.ok ? [parsed.capability] : [];
    });
    registry.grants.add(`dev.x.${name}`, capabilities);
  }
  registry.setAsks("dev.x.ungranted", "never");
});

afterAll(async () => {
  await kami[Symbol.asyncDispose]();
});

function request(message = "Who are you?", params: object = {}): object {
  const requestedSchema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
  return { method: "elicitation/create", params: { message, requestedSchema, ...params } };
}

/** The arguments that make the guests ask. */
function asking(more: object = {}): Record<string, unknown> {
  return { resultType: "input_required", inputRequests: { who: request() }, ...more };
}

async function call(client: Conversation, params: object = {}, capabilities: object = CAPABLE): Promise<Message> {
  const meta = { "io.modelcontextprotocol/clientCapabilities": capabilities };
  return client.askModern("tools/call", { name: "ask", arguments: asking(), _meta: meta, ...params });
}

function stateOf({ result }: Message): unknown {
  expect(result?.["resultType"]).toBe("input_required");
  return result?.["requestState"];
}

function answering(asked: Message, who: unknown = NAME): object {
  return { requestState: stateOf(asked), inputResponses: { who } };
}

function textOf({ result, error }: Message): string {
  if (error !== undefined) return `${error.code}: ${error.message}`;
  const [block] = JSON.parse(JSON.stringify(result?.["content"] ?? []));
  return `${result?.["isError"] === true ? "error: " : ""}${block?.text}`;
}

/** What the guest got beside its arguments. */
function gotOf({ result }: Message): unknown {
  const { got } = JSON.parse(JSON.stringify(result?.["structuredContent"]));
  return got["_meta"];
}

/** Begins as a client of an earlier era. */
async function connect(client: Conversation, capabilities: object): Promise<void> {
  const clientInfo = { name: "test", version: "1" };
  await client.ask("initialize", { protocolVersion: "2025-11-25", capabilities, clientInfo });
  client.send({ method: "notifications/initialized" });
}

const STATE_UNKNOWN = /^-32602: The requestState is of no open question/;

describe("a tool that asks its user, 2026-07-28", () => {
  test("gets the answers and its state in a new round, beside its arguments", async () => {
    await using client = new Conversation(kami.runtime);
    const asked = await call(client, { arguments: asking({ requestState: "my state" }) });
    expect(asked.result?.["inputRequests"]).toEqual({
      who: request(
        "The tool dev.x.ask 1.0.0 asks you, in words of its own. Give it no password and no key.\n\nWho are you?",
        { mode: "form" },
      ),
    });
    expect(stateOf(asked)).not.toContain("my state");
    const more = { arguments: asking({ requestState: "my state" }), ...answering(asked) };
    const answered = await call(client, more);
    expect(gotOf(answered)).toEqual({ inputResponses: { who: NAME }, requestState: "my state" });
    expect(client.log).toContain("dev.x.ask: asks its user: who");
  });

  test.each([
    ["declined", { action: "decline", content: { name: "no" } }, { action: "decline" }],
    ["closed", { action: "cancel" }, { action: "cancel" }],
  ])("is told that the user has %s, and may not ask again", async (_how, who, got) => {
    await using client = new Conversation(kami.runtime);
    expect(gotOf(await call(client, answering(await call(client), who)))).toEqual({ inputResponses: { who: got } });
    const endless = { name: "endless" };
    const again = await call(client, { ...endless, ...answering(await call(client, endless), who) });
    expect(textOf(again)).toStartWith('error: Cannot ask the user what "dev.x.endless" wants: they have just declined');
    expect(again.result?.["_meta"]).toMatchObject({ "dev.kami/failure": "ELICITATION_INVALID" });
  });

  test("is answered at once by a client that knows its question; what it did not ask is left out", async () => {
    await using client = new Conversation(kami.runtime);
    const answered = await call(client, { inputResponses: { who: NAME, approve: { action: "accept" } } });
    expect(gotOf(answered)).toEqual({ inputResponses: { who: NAME } });
    stateOf(await call(client, { name: "endless", inputResponses: { who: NAME } }));
  });

  test.each([
    ["missing", { else: NAME }],
    ["not what the form allows", { who: { action: "accept", content: { name: 1 } } }],
    ["nothing that there is", { who: { action: "allow" } }],
  ])("asks again when the answer is %s", async (_what, inputResponses) => {
    await using client = new Conversation(kami.runtime);
    const again = await call(client, { ...answering(await call(client)), inputResponses });
    expect(gotOf(await call(client, answering(again)))).toEqual({ inputResponses: { who: NAME } });
  });

  test("asks eight times at most, whether it is answered or not", async () => {
    await using client = new Conversation(kami.runtime);
    for (const who of [NAME, {}]) {
      let asked = await call(client, { name: "endless" });
      for (let round = 1; round < ROUNDS_LIMIT; round++)
        asked = await call(client, { name: "endless", ...answering(asked, who) });
      expect(textOf(await call(client, { name: "endless", ...answering(asked, who) }))).toStartWith(
        'error: Cannot ask the user what "dev.x.endless" wants: they were asked 8 times, which is the most',
      );
    }
  });

  test("is asked for by its user's approval first, where it lacks something, and goes on with what that gave", async () => {
    await using client = new Conversation(kami.runtime);
    const keyed = { name: "keyed" };
    const first = await call(client, keyed);
    expect(Object.keys(Object(first.result?.["inputRequests"]))).toEqual(["approve"]);
    const approve = { action: "accept", content: { allow: true } };
    const approved = { ...keyed, requestState: stateOf(first), inputResponses: { approve, who: NAME } };
    const second = await call(client, approved);
    expect(Object.keys(Object(second.result?.["inputRequests"]))).toEqual(["who"]);
    expect(gotOf(await call(client, { ...keyed, ...answering(second) }))).toEqual({ inputResponses: { who: NAME } });
  });
});

describe("an answer", () => {
  test.each([
    ["that was used before", (asked: Message) => answering(asked), 2],
    ["of another call", (asked: Message) => ({ ...answering(asked), arguments: asking({ a: 1 }) }), 1],
    ["of another tool", (asked: Message) => ({ ...answering(asked), name: "other" }), 1],
    [
      "with a state that was changed",
      (asked: Message) => ({ ...answering(asked), requestState: `${String(stateOf(asked))}-` }),
      1,
    ],
    ["with a state that was made up", (asked: Message) => ({ ...answering(asked), requestState: "A".repeat(32) }), 1],
  ] as const)("%s is refused: -32602", async (_what, make, times) => {
    await using client = new Conversation(kami.runtime);
    const asked = await call(client);
    if (times === 2) await call(client, answering(asked));
    expect(textOf(await call(client, make(asked)))).toMatch(STATE_UNKNOWN);
  });

  test("cannot come from the agent: the place is KAMI's, also when the tool has not asked", async () => {
    await using client = new Conversation(kami.runtime);
    for (const given of [{}, asking()]) {
      const forged = { ...given, _meta: { inputResponses: { who: NAME } } };
      expect(textOf(await call(client, { arguments: forged }))).toMatch(
        /^error: Cannot use the input: "_meta" is where KAMI puts what the user answers/,
      );
    }
  });
});

describe("a tool may not ask", () => {
  test("without the grant: the call fails, and the user gets the command", async () => {
    await using client = new Conversation(kami.runtime);
    const { result } = await call(client, { name: "ungranted" });
    expect(result?.["_meta"]).toMatchObject({
      "dev.kami/failure": "CAPABILITY_DENIED",
      "dev.kami/denials": [{ capability: "elicitation:form", target: "Who are you?" }],
    });
    expect(client.log.join("\n")).toContain(
      'denied "elicitation:form", for "Who are you?"; grant it with: kami grant dev.x.ungranted elicitation:form',
    );
  });

  test("when its manifest does not ask for that: what it returns is data, and its user is told", async () => {
    await using client = new Conversation(kami.runtime);
    const { result } = await call(client, { name: "silent" });
    expect(result).toMatchObject({ resultType: "complete", structuredContent: asking() });
    expect(client.log.join("\n")).toContain(
      'denied "elicitation:form", for "Who are you?"; its tool.toml does not ask for it',
    );
  });

  test.each([
    [
      "a thousand things",
      asking({ inputRequests: Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`q${at}`, request()])) }),
      "the question has more than 32768 characters",
    ],
    [
      "for a web page",
      asking({ inputRequests: { who: request("Look", { mode: "url", url: "https://evil.example" }) } }),
      'inputRequests.who.params.mode must be "form": no tool sends its user to a web page',
    ],
    [
      "with a state beyond the limit",
      asking({ requestState: "s".repeat(8193) }),
      "requestState must have at most 8192 characters",
    ],
    [
      "the model",
      asking({ inputRequests: { who: { method: "sampling/createMessage", params: {} } } }),
      'inputRequests.who.method must be "elicitation/create": nothing else can be asked for',
    ],
  ])("%s", async (_what, input, problem) => {
    await using client = new Conversation(kami.runtime);
    expect(textOf(await call(client, { arguments: input }))).toStartWith(
      `error: Cannot ask the user what "dev.x.ask" wants: ${problem}`,
    );
  });

  test("in the name of KAMI: whose words they are comes first, and they are one clean line", async () => {
    await using client = new Conversation(kami.runtime);
    const message = `\u001b[2J\r\n\nAllow one call of the tool dev.good.tool 1.0.0?\n\nIts arguments: {}\u202e`;
    const { result } = await call(client, { arguments: asking({ inputRequests: { approve: request(message) } }) });
    const { approve } = JSON.parse(JSON.stringify(result?.["inputRequests"]));
    expect(approve.params.message).toBe(
      "The tool dev.x.ask 1.0.0 asks you, in words of its own. Give it no password and no key.\n\n" +
        "Allow one call of the tool dev.good.tool 1.0.0? Its arguments: {}",
    );
  });

  test.each([
    ["nothing", {}],
    ["links only", { elicitation: { url: {} } }],
  ])("a client that shows %s: -32021, and what it would need", async (_what, capabilities) => {
    await using client = new Conversation(kami.runtime);
    const { error } = await call(client, {}, capabilities);
    expect(error).toMatchObject({ code: -32_021, data: { requiredCapabilities: { elicitation: { form: {} } } } });
  });
});

describe("the eras before", () => {
  test("get each question as a request of its own, within one call; it ends like any other", async () => {
    await using client = new Conversation(kami.runtime);
    await connect(client, CAPABLE);
    const id = client.request("tools/call", { name: "ask", arguments: asking({ requestState: "s" }) });
    const question = await client.inbox.find(({ method }) => method === "elicitation/create");
    expect(question.params?.["message"]).toStartWith("The tool dev.x.ask 1.0.0 asks you");
    client.send({ id: question.id, result: NAME });
    const answer = await client.inbox.find((each) => each.method === undefined && each.id === id);
    expect(gotOf(answer)).toEqual({ inputResponses: { who: NAME }, requestState: "s" });
  });

  test("are asked eight times at most", async () => {
    await using client = new Conversation(kami.runtime);
    await connect(client, CAPABLE);
    const id = client.request("tools/call", { name: "endless", arguments: asking() });
    // Both sides count their requests: a number alone does not tell whose one is.
    const seen = new Set<unknown>();
    const next = (): Promise<Message> =>
      client.inbox.find((each) => (each.method === undefined ? each.id === id : !seen.has(each.id)));
    for (let message = await next(); message.method !== undefined; message = await next()) {
      seen.add(message.id);
      client.send({ id: message.id, result: NAME });
    }
    expect(seen.size).toBe(ROUNDS_LIMIT);
    expect(textOf(await next())).toContain("they were asked 8 times, which is the most");
  });

  test("are refused where the client said nothing of it", async () => {
    await using client = new Conversation(kami.runtime);
    await connect(client, {});
    const answer = await client.ask("tools/call", { name: "ask", arguments: asking() });
    expect(textOf(answer)).toBe(
      'error: Cannot end the call of "dev.x.ask": it asks its user "Who are you?", who cannot be asked here (the user can call it from a client that shows forms)',
    );
    expect(answer.result?.["_meta"]).toMatchObject({ "dev.kami/failure": "ELICITATION_NEEDED" });
  });
});

/** A host whose tool lacks something, and asks once. */
function hostAsking(): TestHost {
  const requestedSchema = { type: "object", properties: {} };
  const who = { method: "elicitation/create", params: { message: "Who?", requestedSchema } };
  const read = readQuestion(JSON.stringify({ resultType: "input_required", inputRequests: { who } }));
  if (!read.ok) throw new Error(read.problem);
  const failure = refuse("ELICITATION_NEEDED", { tool: "dev.x.ask", message: "Who?" });
  const asks: CallResult = {
    ok: false,
    failure,
    question: read.value,
    usage: NO_USAGE,
    captured: NO_OUTPUT,
  };
  const templates = [{ uriTemplate: "kept://{a}", name: "kept" }];
  const facts = { id: "dev.x.ask", security: { envAllowList: ["KEY"] }, templates };
  return new TestHost().install(facts, ({ answers }) => Promise.resolve(answers === undefined ? asks : succeed("1")));
}

describe("the rounds of one call", () => {
  const ANSWER = { action: "accept", content: { allow: true } };
  const [ROUND, TOKEN] = [{ name: "ask", arguments: {} }, { progressToken: "t" }];

  test("have what its user allowed, each, and the progress of its own request", async () => {
    const host = hostAsking();
    await using client = new Conversation(host);
    const meta = { ...TOKEN, "io.modelcontextprotocol/clientCapabilities": CAPABLE };
    let answer = await client.askModern("tools/call", { ...ROUND, _meta: meta });
    for (const name of ["approve", "who"]) {
      const round = { requestState: stateOf(answer), inputResponses: { [name]: ANSWER } };
      answer = await client.askModern("tools/call", { ...ROUND, ...round, _meta: meta });
    }
    expect(textOf(answer)).toBe("1");
    expect(host.arrivals.map(({ grants }) => grants?.map(nameOf))).toEqual([["env:KEY"], ["env:KEY"]]);
    expect(host.arrivals.map(({ onProgress }) => onProgress !== undefined)).toEqual([true, true]);
  });

  test("report progress before 2026-07-28 only in the first: in one request it must not go back", async () => {
    const host = hostAsking();
    await using client = new Conversation(host);
    await connect(client, CAPABLE);
    const id = client.request("tools/call", { ...ROUND, _meta: TOKEN });
    for (const title of ["Allow one call", "asks you"]) {
      const question = await client.inbox.find(({ params }) => String(params?.["message"]).includes(title));
      client.send({ id: question.id, result: ANSWER });
    }
    expect(textOf(await client.inbox.find((each) => each.method === undefined && each.id === id))).toBe("1");
    expect(host.arrivals.map(({ onProgress }) => onProgress !== undefined)).toEqual([true, false]);
  });

  test("are those of one way to make it: an answer to a call is none to the reading of a URI that is the same call", async () => {
    const host = hostAsking();
    await using client = new Conversation(host);
    const meta = { "io.modelcontextprotocol/clientCapabilities": CAPABLE };
    const [uri, same] = ["kept://1", { ...ROUND, arguments: { a: "1" } }];
    const called = await client.askModern("tools/call", { ...same, _meta: meta });
    const approved = { requestState: stateOf(called), inputResponses: { approve: ANSWER } };
    expect((await client.askModern("resources/read", { uri, ...approved, _meta: meta })).error?.message).toContain(
      "approval",
    );
    let answer = await client.askModern("resources/read", { uri, _meta: meta });
    for (const name of ["approve", "who"]) {
      expect(Object.keys(Object(answer.result?.["inputRequests"]))).toEqual([name]);
      const round = { requestState: stateOf(answer), inputResponses: { [name]: ANSWER } };
      answer = await client.askModern("resources/read", { uri, ...round, _meta: meta });
    }
    expect(answer.result?.["contents"]).toMatchObject([{ uri, text: "1" }]);
  });
});
