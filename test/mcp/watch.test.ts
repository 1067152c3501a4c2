import { describe, expect, test } from "bun:test";
import { announceNow, RevisionPoll } from "../../lib/mcp/watch.ts";
import { Conversation, type Message } from "./support/conversation.ts";
import { TestHost } from "./support/host.ts";

const isChange = ({ method }: Message): boolean => method === "notifications/tools/list_changed";

describe("announceChanges()", () => {
  test.each([
    { era: "earlier", modern: false },
    { era: "2026-07-28", modern: true },
  ])("announces each change once, from the first list on: $era era", async ({ modern }) => {
    const host = new TestHost().install({ id: "dev.x.echo" });
    await using client = new Conversation(host);
    if (modern) {
      await client.askModern("tools/list");
      void client.askModern("subscriptions/listen", { notifications: { toolsListChanged: true } });
      await client.inbox.find(({ method }) => method === "notifications/subscriptions/acknowledged");
    } else {
      await client.initialize();
      await client.ask("tools/list");
    }
    expect(client.inbox.messages.filter(isChange)).toEqual([]);
    host.install({ id: "dev.x.new" });
    await client.inbox.find(isChange);
    const looks = host.looks;
    while (host.looks < looks + 2) await Bun.sleep(1);
    expect(client.inbox.messages.filter(isChange)).toHaveLength(1);
  });

  test("says nothing to a client that never listed, and ends with the connection", async () => {
    const host = new TestHost();
    const client = new Conversation(host);
    await client.initialize();
    const looks = host.looks;
    await client.ask("ping");
    expect(host.looks).toBe(looks);
    await client.ask("tools/list");
    await client[Symbol.asyncDispose]();
    const last = host.looks;
    await Bun.sleep(600);
    expect(host.looks).toBe(last);
  });
});

describe("announceNow()", () => {
  test("tells of a change without waiting for the next look, and of one that was told before not again", () => {
    let revision = 1;
    const registry = { revision: () => revision };
    const told: number[] = [];
    const stop = RevisionPoll.of(registry).watch({ changed: (each) => told.push(each), failed: () => told.push(-1) });
    announceNow({ registry });
    revision = 2;
    announceNow({ registry });
    announceNow({ registry });
    stop();
    expect(told).toEqual([1, 2]);
  });
});
