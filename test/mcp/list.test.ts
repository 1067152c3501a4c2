import { describe, expect, test } from "bun:test";
import { PAGE_SIZE } from "../../lib/mcp/page.ts";
import { Conversation } from "./support/conversation.ts";
import { TestHost } from "./support/host.ts";

interface Page {
  readonly names: readonly string[];
  readonly next: string | undefined;
}

async function ask(client: Conversation, cursor?: string): Promise<Page> {
  const { result } = await client.ask("tools/list", cursor === undefined ? {} : { cursor });
  const tools: unknown = result?.["tools"];
  const next = result?.["nextCursor"];
  const names = Array.isArray(tools) ? tools.map((tool: { name: string }) => tool.name) : [];
  return { names, next: typeof next === "string" ? next : undefined };
}

function hostWith(count: number): TestHost {
  const host = new TestHost();
  for (let index = 0; index < count; index += 1) host.install({ id: `dev.x.t${String(index).padStart(4, "0")}` });
  return host;
}

describe("tools/list in pages", () => {
  for (const [count, pages] of [
    [0, [0]],
    [PAGE_SIZE, [PAGE_SIZE]],
    [PAGE_SIZE + 1, [PAGE_SIZE, 1]],
    [2 * PAGE_SIZE, [PAGE_SIZE, PAGE_SIZE]],
  ] as const) {
    test(`gives ${count} tools in pages of ${pages.join(" and ")}, in the order of their ids`, async () => {
      await using client = new Conversation(hostWith(count));
      await client.initialize();
      const found: Page[] = [await ask(client)];
      for (let next = found[0]?.next; next !== undefined; next = found.at(-1)?.next)
        found.push(await ask(client, next));
      expect(found.map(({ names }) => names.length)).toEqual([...pages]);
      const names = found.flatMap((page) => page.names);
      expect(names).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)));
      expect(new Set(names).size).toBe(count);
    });
  }

  test("misses none and tells none twice when others come and go in between", async () => {
    const host = hostWith(PAGE_SIZE + 2);
    await using client = new Conversation(host);
    await client.initialize();
    const first = await ask(client);
    host.uninstall(`dev.x.t${String(PAGE_SIZE - 1).padStart(4, "0")}`);
    host.install({ id: "dev.x.a-new-one" });
    expect(await ask(client, first.next)).toEqual({ names: [`t0${PAGE_SIZE}`, `t0${PAGE_SIZE + 1}`], next: undefined });
  });

  test.each([
    "",
    "x",
    "tools.",
    "tools.!!!!",
    "tools.ZGV2",
    "prompts.ZGV2LngudDAwMDA",
    `tools.${"A".repeat(5000)}`,
    "\u001b[2J",
  ])("answers the cursor %o without losing anything", async (cursor) => {
    await using client = new Conversation(hostWith(1));
    await client.initialize();
    const answer = await client.ask("tools/list", { cursor });
    if (cursor === "tools.ZGV2") expect(answer.result).toMatchObject({ tools: [{ name: "t0000" }] });
    else
      expect(answer.error).toMatchObject({
        code: -32_602,
        message: expect.stringMatching(/^Unknown cursor: "[^\u001b]*"$/),
      });
  });

  test("says how long the list may be kept, and that it is for this client alone", async () => {
    await using client = new Conversation(hostWith(1));
    const { result } = await client.askModern("tools/list");
    expect(result).toMatchObject({ ttlMs: 30_000, cacheScope: "private" });
  });
});
