import { describe, expect, test } from "bun:test";
import { Conversation } from "./support/conversation.ts";
import { TestHost, type ToolFacts } from "./support/host.ts";

const MANY = Array.from({ length: 250 }, (_, index) => `Many ${index}`);

const TOOL: ToolFacts = {
  id: "dev.x.echo",
  prompts: [
    {
      name: "travel",
      description: "d",
      messages: [{ role: "user", text: "{{to}}" }],
      arguments: [
        { name: "to", description: "d", required: true, values: ["paris", "park", "Party", "rome", ...MANY] },
        { name: "why", description: "d", required: false },
      ],
    },
  ],
  arguments: [
    { name: "city", type: "string", description: "d", required: true, enum: ["oslo", "osaka"] },
    { name: "day", type: "string", description: "d", required: true },
  ],
  templates: [{ uriTemplate: "weather://{city}/{day}", name: "weather" }],
};

const PROMPT = { type: "ref/prompt", name: "travel" };
const TEMPLATE = { type: "ref/resource", uri: "weather://{city}/{day}" };

describe("completion", () => {
  test.each([false, true])("offers what a manifest lists, by how it begins; modern: %p", async (modern) => {
    await using client = new Conversation(new TestHost().install(TOOL));
    if (!modern) expect((await client.initialize()).result?.["capabilities"]).toMatchObject({ completions: {} });
    const complete = async (ref: object, name: string, value: string): Promise<unknown> => {
      const params = { ref, argument: { name, value } };
      const method = "completion/complete";
      const { result, error } = await (modern ? client.askModern(method, params) : client.ask(method, params));
      return result?.["completion"] ?? error;
    };
    expect(await complete(PROMPT, "to", "PAR")).toEqual({
      values: ["paris", "park", "Party"],
      total: 3,
      hasMore: false,
    });
    expect(await complete(PROMPT, "to", "many")).toEqual({ values: MANY.slice(0, 100), total: 250, hasMore: true });
    expect(await complete({ ...PROMPT, name: "echo__travel" }, "why", "")).toEqual({
      values: [],
      total: 0,
      hasMore: false,
    });
    expect(await complete(TEMPLATE, "city", "os")).toMatchObject({ values: ["oslo", "osaka"] });
    expect(await complete(TEMPLATE, "day", "")).toMatchObject({ values: [] });
    for (const [ref, name, message] of [
      [PROMPT, "__proto__", 'Unknown argument: "__proto__"'],
      [TEMPLATE, "other", 'Unknown argument: "other"'],
      [{ ...PROMPT, name: "none" }, "to", 'Unknown prompt: "none"'],
      [{ ...TEMPLATE, uri: "weather://oslo/today" }, "city", 'Unknown resource template: "weather://oslo/today"'],
    ] as const)
      expect(await complete(ref, name, "")).toEqual({ code: -32_602, message });
  });

  test("is announced only when a package has something to offer", async () => {
    await using client = new Conversation(new TestHost().install({ id: "dev.x.echo", prompts: [] }));
    expect((await client.initialize()).result?.["capabilities"]).toEqual({
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true },
    });
  });

  test("knows nothing of disabled tools", async () => {
    const host = new TestHost().install(TOOL);
    await using client = new Conversation(host);
    await client.initialize();
    host.install({ ...TOOL, enabled: false });
    const params = { ref: PROMPT, argument: { name: "to", value: "" } };
    expect((await client.ask("completion/complete", params)).error?.code).toBe(-32_602);
  });
});
