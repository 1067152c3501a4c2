/**
 * What the official client gets beside tools, from the real server in both eras: progress, questions, prompts, resources.
 */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client, type VersionNegotiationMode } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { guestDirectory } from "../../fixtures/paths.ts";
import { Home, KAMI } from "../mcp/support/kami.ts";

const PROMPT =
  '[[mcp.prompts]]\nname = "greet"\ndescription = "Greets"\ntext = "Greet {{who}}"\n[[mcp.prompts.arguments]]\nname = "who"\ndescription = "Whom"\nrequired = true\n';

async function install(home: Home, directory: string, ...flags: string[]): Promise<void> {
  const child = Bun.spawn([KAMI.command, KAMI.script, "install", directory, ...flags], {
    env: home.environment(),
    stdout: "ignore",
    stderr: "inherit",
  });
  expect(await child.exited).toBe(0);
}

async function connect(home: Home, mode: VersionNegotiationMode): Promise<Client> {
  const client = new Client(
    { name: "test", version: "1" },
    { versionNegotiation: { mode }, capabilities: { elicitation: { form: {} } } },
  );
  const env = { ...home.environment(), GREETING: "hello" };
  await client.connect(
    new StdioClientTransport({ command: KAMI.command, args: [KAMI.script, "serve"], env, stderr: "ignore" }),
  );
  return client;
}

describe.each([
  { era: "2025-11-25", mode: "legacy" },
  { era: "2026-07-28", mode: { pin: "2026-07-28" } },
] as const)("the official client, $era", ({ mode }) => {
  test("shows progress, asks its user, and reads prompts and resources", async () => {
    using home = new Home();
    const logging = home.makePackage("kami-tool");
    writeFileSync(join(logging, "README.md"), "# A tool\n");
    const toml = await Bun.file(join(logging, "tool.toml")).text();
    writeFileSync(join(logging, "tool.toml"), toml.replace("[security]", `${PROMPT}[security]`));
    await install(home, logging);
    await install(home, home.makePackage("read-env", 'env_allow_list = ["GREETING"]'), "--grant", "none");
    await install(home, guestDirectory("ask"), "--grant", "all");
    const client = await connect(home, mode);
    const told: unknown[] = [];
    const questions: string[] = [];
    client.setRequestHandler("elicitation/create", ({ params }) => {
      questions.push(params.message);
      return { action: "accept", content: { allow: questions.length === 1 } };
    });
    await client.callTool(
      { name: "kami-tool", arguments: { a: 1 } },
      { onprogress: ({ total, message }) => told.push([total, message]) },
    );
    expect(told).toEqual([[1_000_000, '{"a":1}']]);
    const allowed = await client.callTool({ name: "read-env", arguments: {} });
    expect(JSON.stringify(allowed)).toContain("GREETING");
    const refused = await client.callTool({ name: "read-env", arguments: {} });
    expect([refused.isError, JSON.stringify(refused.content)]).toEqual([
      true,
      expect.stringContaining("did not allow this call"),
    ]);
    expect(questions[0]).toContain("Allow one call of the tool dev.kami.fixture.read-env");
    const form = { type: "object", properties: { allow: { type: "boolean" } } };
    const inputRequests = {
      sure: { method: "elicitation/create", params: { message: "Sure?", requestedSchema: form } },
    };
    const asking = { resultType: "input_required", inputRequests, requestState: "s" };
    const answered = await client.callTool({ name: "ask", arguments: asking });
    expect(questions[2]).toEndWith("asks you, in words of its own. Give it no password and no key.\n\nSure?");
    const sure = { action: "accept", content: { allow: false } };
    expect(answered.structuredContent).toEqual({
      got: { ...asking, _meta: { inputResponses: { sure }, requestState: "s" } },
    });
    const prompt = await client.getPrompt({ name: "greet", arguments: { who: "Ada" } });
    expect(prompt.messages).toEqual([{ role: "user", content: { type: "text", text: "Greet Ada" } }]);
    const { resources } = await client.listResources();
    const uri = resources[0]?.uri ?? "";
    expect((await client.readResource({ uri })).contents).toMatchObject([{ uri, text: "# A tool\n" }]);
    await client.close();
  });
});
