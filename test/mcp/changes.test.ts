/**
 * Another process changes the registry: connected clients of both eras hear of it within a second, over both transports.
 */
import { describe, expect, test } from "bun:test";
import { Registry } from "../../lib/registry/registry.ts";
import { Runtime } from "../../lib/runtime.ts";
import { TestServer } from "./http/support.ts";
import type { Message } from "./support/conversation.ts";
import { Home, KAMI, type Served } from "./support/kami.ts";

const ID = "dev.kami.fixture.read-env";
const LIMIT_MS = 1000;

const isChange = ({ method }: Message): boolean => method === "notifications/tools/list_changed";

/** What another process does, after the tool of {@link ID} was installed. */
const CHANGES: readonly (readonly string[])[] = [
  ["disable", ID],
  ["enable", ID],
  ["grant", ID, "env:GREETING"],
  ["revoke", ID, "--all"],
  ["uninstall", ID],
];

async function kami(home: Home, words: readonly string[]): Promise<void> {
  const child = Bun.spawn([KAMI.command, KAMI.script, ...words], { env: home.environment(), stdout: "ignore" });
  expect(await child.exited).toBe(0);
}

async function subscribe(client: Served, modern: boolean): Promise<void> {
  if (!modern) {
    await client.initialize();
    await client.ask("tools/list");
    return;
  }
  await client.askModern("tools/list");
  void client.askModern("subscriptions/listen", { notifications: { toolsListChanged: true } });
  await client.inbox.find(({ method }) => method === "notifications/subscriptions/acknowledged");
}

describe("a change by another process", () => {
  test.each([
    { era: "earlier", modern: false },
    { era: "2026-07-28", modern: true },
  ])("reaches a client over stdio within a second: $era era", async ({ modern }) => {
    using home = new Home();
    const directory = home.makePackage("read-env", 'env_allow_list = ["GREETING"]');
    await using client = home.serve();
    await subscribe(client, modern);
    for (const words of [["install", directory, "--grant", "none"], ...CHANGES]) {
      const before = client.inbox.messages.filter(isChange).length;
      await kami(home, words);
      // The command has ended, so that the change is at least as old as this.
      const doneAt = performance.now();
      await client.inbox.find((message) => client.inbox.messages.filter(isChange).indexOf(message) >= before);
      expect([words[0], performance.now() - doneAt < LIMIT_MS]).toEqual([words[0], true]);
      await client.ask("tools/list").catch(() => undefined);
    }
  });

  test("reaches subscribers and sessions over HTTP, with one look for all of them", async () => {
    using home = new Home();
    const path = home.environment()["KAMI_HOME"] ?? "";
    await using runtime = new Runtime({ home: path });
    const directory = home.makePackage("read-env", 'env_allow_list = ["GREETING"]');
    await runtime.install(directory);
    let looks = 0;
    const registry = new Proxy(runtime.registry, {
      get: (target, key) => {
        if (key === "revision") looks += 1;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    await using server = new TestServer({
      registry,
      call: runtime.call.bind(runtime),
      limitsOf: runtime.limitsOf.bind(runtime),
    });
    const sessions = await Promise.all(Array.from({ length: 5 }, () => server.begin()));
    for (const session of sessions) await session.ask(1, "tools/list");
    const streams = await Promise.all(sessions.map(({ headers }) => server.send({ method: "GET", headers })));
    await Bun.sleep(600);
    looks = 0;
    await Bun.sleep(1100);
    expect(looks).toBeLessThanOrEqual(3);
    using other = Registry.open(path);
    const changedAt = performance.now();
    other.setEnabled(ID, false);
    await Promise.all(streams.map((stream) => readUntil(stream, "tools/list_changed")));
    expect(performance.now() - changedAt).toBeLessThan(LIMIT_MS);
  });
});

async function readUntil(response: Response, wanted: string): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes(wanted)) text += (await reader?.read())?.value ?? "";
  await reader?.cancel();
}
