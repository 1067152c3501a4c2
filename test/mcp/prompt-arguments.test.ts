/**
 * The arguments of a prompt that did not come: the user is asked for them, in both eras, where the client can.
 */
import { describe, expect, test } from "bun:test";
import type { ManifestPrompt } from "../../lib/manifest/manifest.ts";
import { Conversation, type Message } from "./support/conversation.ts";
import { TestHost } from "./support/host.ts";

const PROMPTS: readonly ManifestPrompt[] = [
  {
    name: "sum-up",
    description: "Sums up",
    messages: [{ role: "user", text: "Sum up {{topic}} in {{words}} words" }],
    arguments: [
      { name: "topic", description: "What\u001b[2J", required: true },
      { name: "words", description: "How many", required: false },
    ],
  },
];

function makeClient(): Conversation {
  return new Conversation(new TestHost().install({ id: "dev.x.echo", prompts: PROMPTS }));
}

function get(client: Conversation, more: object = {}, capabilities: object = { elicitation: {} }): Promise<Message> {
  const meta = { "io.modelcontextprotocol/clientCapabilities": capabilities };
  return client.askModern("prompts/get", { name: "sum-up", _meta: meta, ...more });
}

function answering(answer: object): object {
  return { inputResponses: { arguments: answer } };
}

const QUESTION = {
  message: "The prompt sum-up of the tool dev.x.echo needs to know more.",
  mode: "form",
  requestedSchema: {
    type: "object",
    properties: { topic: { type: "string", description: "What" } },
    required: ["topic"],
  },
};

describe("a prompt without a required argument, 2026-07-28", () => {
  test("is asked for, and filled in with what is answered beside what came", async () => {
    await using client = makeClient();
    const words = { arguments: { words: "ten" } };
    expect((await get(client, words)).result).toMatchObject({
      resultType: "input_required",
      inputRequests: { arguments: { method: "elicitation/create", params: QUESTION } },
    });
    const answer = answering({ action: "accept", content: { topic: "{{words}}", other: "x" } });
    expect((await get(client, { ...words, ...answer })).result?.["messages"]).toEqual([
      { role: "user", content: { type: "text", text: "Sum up {{words}} in ten words" } },
    ]);
  });

  test.each([
    ["the user declines", answering({ action: "decline" }), undefined],
    ["the client shows no forms", {}, {}],
  ])("is refused when %s", async (_why, more, capabilities) => {
    await using client = makeClient();
    expect((await get(client, more, capabilities)).error).toEqual({
      code: -32_602,
      message: 'Missing argument: "topic"',
    });
  });

  test("is asked for again when the answer does not fit", async () => {
    await using client = makeClient();
    const answer = answering({ action: "accept", content: { topic: 1 } });
    expect((await get(client, answer)).result?.["resultType"]).toBe("input_required");
  });

  test("is not asked for when another argument is not known", async () => {
    await using client = makeClient();
    expect((await get(client, { arguments: { other: "x" } })).error?.message).toBe('Unknown argument: "other"');
  });
});

test("a prompt without a required argument is asked for by a request of its own before that", async () => {
  await using client = makeClient();
  const clientInfo = { name: "test", version: "1" };
  await client.ask("initialize", { protocolVersion: "2025-11-25", capabilities: { elicitation: {} }, clientInfo });
  client.send({ method: "notifications/initialized" });
  const id = client.request("prompts/get", { name: "sum-up" });
  const question = await client.inbox.find(({ method }) => method === "elicitation/create");
  expect(question.params).toMatchObject(QUESTION);
  client.send({ id: question.id, result: { action: "accept", content: { topic: "x" } } });
  const answer = await client.inbox.find((each) => each.method === undefined && each.id === id);
  expect(JSON.stringify(answer.result)).toContain("Sum up x in  words");
});
