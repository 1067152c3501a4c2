import { describe, expect, test } from "bun:test";
import { MODERN_META, TestServer } from "./http/support.ts";
import { Conversation, type Message } from "./support/conversation.ts";
import { TestHost } from "./support/host.ts";

const A = "test://a";
const B = "test://b";
const README = "kami://tool/dev.x.one/readme";

function makeHost(): TestHost {
  return new TestHost()
    .install({ id: "dev.x.one", resources: { [A]: "1" } })
    .install({ id: "dev.x.two", resources: { [B]: "1" } });
}

function updatesOf({ inbox }: Conversation): readonly unknown[] {
  return inbox.messages
    .filter(({ method }) => method === "notifications/resources/updated")
    .map(({ params }) => params?.["uri"]);
}

const isListChange = ({ method }: Message): boolean => method === "notifications/tools/list_changed";

/** Waits until a change has been told of, and all that goes with it. */
async function seeChange(client: Conversation, change: () => void): Promise<void> {
  const before = client.inbox.messages.filter(isListChange).length;
  change();
  await client.inbox.find(() => client.inbox.messages.filter(isListChange).length > before);
  await client.ask("ping").catch(() => undefined);
}

describe("subscriptions to single resources", () => {
  test("earlier eras: are told of what was subscribed to, when it changes or goes, until unsubscribed", async () => {
    const host = makeHost();
    await using client = new Conversation(host);
    expect((await client.initialize()).result?.["capabilities"]).toMatchObject({
      resources: { listChanged: true, subscribe: true },
    });
    expect((await client.ask("resources/subscribe", { uri: A })).result).toEqual({});
    await seeChange(client, () => makeChange(host));
    expect(updatesOf(client)).toEqual([A]);
    // The package is another one, the resource is as it was.
    await seeChange(client, () => host.install({ id: "dev.x.one", resources: { [A]: "9" }, description: "x" }));
    expect(updatesOf(client)).toEqual([A]);
    await seeChange(client, () => host.uninstall("dev.x.one"));
    expect(updatesOf(client)).toEqual([A, A]);
    expect((await client.ask("resources/unsubscribe", { uri: A })).result).toEqual({});
    await seeChange(client, () => makeChange(host));
    expect(updatesOf(client)).toEqual([A, A]);
  });

  test("are only to what is there", async () => {
    await using client = new Conversation(makeHost());
    await client.initialize();
    for (const uri of ["test://none", "file:///etc/passwd", README, "__proto__", ""])
      expect((await client.ask("resources/subscribe", { uri })).error?.code).toBe(-32_602);
  });

  test("2026-07-28: a stream has what it asked for", async () => {
    const host = makeHost();
    await using client = new Conversation(host);
    await client.askModern("resources/list");
    const notifications = { toolsListChanged: true, resourceSubscriptions: [A] };
    void client.askModern("subscriptions/listen", { notifications });
    const { params } = await client.inbox.find(({ method }) => method === "notifications/subscriptions/acknowledged");
    expect(params?.["notifications"]).toEqual(notifications);
    await seeChange(client, () => makeChange(host));
    expect(updatesOf(client)).toEqual([A]);
  });

  test("2026-07-28 over HTTP: a stream has what it asked for, of what there is for its client", async () => {
    const host = makeHost();
    await using server = new TestServer(host);
    const notifications = { resourceSubscriptions: [A, "test://none"] };
    const body = {
      jsonrpc: "2.0",
      id: 7,
      method: "subscriptions/listen",
      params: { notifications, _meta: MODERN_META },
    };
    const response = await server.post(body, {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "subscriptions/listen",
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const until = async (word: string): Promise<void> => {
      while (!text.includes(word)) {
        const part = await reader?.read();
        if (part?.done !== false) throw new Error(`the stream ended: ${text}`);
        text += part.value;
      }
    };
    await until("acknowledged");
    expect(text).toContain(`"resourceSubscriptions":["${A}"]`);
    makeChange(host);
    await until("resources/updated");
    expect(text).toContain(`"uri":"${A}"`);
    expect(text).not.toContain(B);
    await reader?.cancel();
  });
});

function makeChange(host: TestHost): void {
  host.install({ id: "dev.x.two", resources: { [B]: "9" } }).install({ id: "dev.x.one", resources: { [A]: "9" } });
}
