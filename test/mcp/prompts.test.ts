import { describe, expect, test } from "bun:test";
import type { ManifestPrompt } from "../../lib/manifest/manifest.ts";
import { PROMPT_LIMIT } from "../../lib/mcp/prompts.ts";
import { Conversation } from "./support/conversation.ts";
import { TestHost } from "./support/host.ts";

const PROMPTS: readonly ManifestPrompt[] = [
  {
    name: "sum-up",
    description: "Sums up",
    messages: [{ role: "user", text: "Sum up {{topic}} in {{ words }} words, {{topic}}!" }],
    arguments: [
      { name: "topic", description: "What", required: true },
      { name: "words", description: "How many", required: false },
    ],
  },
];

async function connect(host = new TestHost().install({ id: "dev.x.echo", prompts: PROMPTS })): Promise<Conversation> {
  const client = new Conversation(host);
  await client.initialize();
  return client;
}

describe("prompts", () => {
  test("are listed under the tool's name, and say whose they are", async () => {
    await using client = await connect();
    const { result } = await client.ask("prompts/list");
    expect(result?.["prompts"]).toEqual([
      {
        name: "sum-up",
        title: "sum-up (dev.x.echo)",
        description: "Sums up",
        arguments: PROMPTS[0]?.arguments ?? [],
      },
    ]);
  });

  test("are filled in once: what stands in a value is text", async () => {
    await using client = await connect();
    const values = { topic: "{{words}} $& $1", words: "ten" };
    const { result } = await client.ask("prompts/get", { name: "echo__sum-up", arguments: values });
    expect(result).toMatchObject({
      description: "Sums up (a prompt of the tool dev.x.echo)",
      messages: [
        { role: "user", content: { type: "text", text: "Sum up {{words}} $& $1 in ten words, {{words}} $& $1!" } },
      ],
    });
    const left = await client.ask("prompts/get", { name: "echo__sum-up", arguments: { topic: "x" } });
    expect(JSON.stringify(left.result)).toContain("Sum up x in  words, x!");
  });

  test.each([
    ["echo__none", {}, 'Unknown prompt: "echo__none"'],
    ["__proto__", {}, 'Unknown prompt: "__proto__"'],
    ["echo__sum-up", {}, 'Missing argument: "topic"'],
    ["echo__sum-up", { topic: "x", other: "y" }, 'Unknown argument: "other"'],
    ["echo__sum-up", { topic: "x".repeat(16_385) }, 'The argument "topic" has more than 16384 characters'],
  ])("refuse %s with %o", async (name, values, message) => {
    await using client = await connect();
    expect((await client.ask("prompts/get", { name, arguments: values })).error).toEqual({ code: -32_602, message });
  });

  test.each([
    ["often a value is used", ["{{a}}".repeat(3000)]],
    ["many messages use it", Array.from({ length: 16 }, () => "{{a}}")],
    ["many messages there are", ["{{a}}", ...Array.from({ length: 15 }, () => "x".repeat(16_000))]],
  ])("do not grow beyond their limit, however %s", async (_how, texts) => {
    const prompts = [
      {
        name: "p",
        description: "d",
        messages: texts.map((text) => ({ role: "user" as const, text })),
        arguments: [{ name: "a", description: "d", required: true }],
      },
    ];
    await using client = await connect(new TestHost().install({ id: "dev.x.echo", prompts }));
    const { error } = await client.ask("prompts/get", { name: "echo__p", arguments: { a: "x".repeat(16_000) } });
    expect(error?.message).toBe(`The prompt has more than ${PROMPT_LIMIT} characters with these arguments`);
  });

  test("of disabled tools are not there", async () => {
    await using client = await connect(new TestHost().install({ id: "dev.x.echo", prompts: PROMPTS, enabled: false }));
    expect((await client.ask("prompts/list")).result?.["prompts"]).toEqual([]);
    expect((await client.ask("prompts/get", { name: "echo__sum-up" })).error?.code).toBe(-32_602);
  });
});
