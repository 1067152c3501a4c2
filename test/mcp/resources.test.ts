import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { INLINE_LIMIT_BYTES, KeptResults } from "../../lib/mcp/kept-results.ts";
import { Conversation, type Message } from "./support/conversation.ts";
import { succeed, TestHost } from "./support/host.ts";
import { Home } from "./support/kami.ts";

function bodyOf({ result }: Message): {
  content: { type: string; text?: string; uri?: string }[];
  structuredContent?: unknown;
} {
  return JSON.parse(JSON.stringify(result));
}

function textOf({ result }: Message): unknown {
  const { contents } = JSON.parse(JSON.stringify(result ?? { contents: [] }));
  return contents[0]?.text;
}

describe("large results", () => {
  const large = JSON.stringify({ data: "😀".repeat(INLINE_LIMIT_BYTES / 4) });

  test("become a link that their client can read, and nobody else", async () => {
    const host = new TestHost().install({ id: "dev.x.large" }, () => Promise.resolve(succeed(large)));
    await using client = new Conversation(host);
    await using other = new Conversation(host);
    await client.initialize();
    await other.initialize();
    const { content, structuredContent } = bodyOf(await client.ask("tools/call", { name: "large" }));
    const [text, link] = content;
    const uri = link?.uri ?? "";
    expect([content.length, structuredContent, link]).toEqual([
      2,
      undefined,
      {
        type: "resource_link",
        uri,
        name: "a result of dev.x.large",
        mimeType: "application/json",
        size: Buffer.byteLength(large),
      },
    ]);
    expect(text?.text).toStartWith(`The result has ${Buffer.byteLength(large)} bytes: read all of it at ${uri}`);
    expect(text?.text?.length).toBeLessThan(3000);
    expect(textOf(await client.ask("resources/read", { uri }))).toBe(large);
    const unknown = { code: -32_602, message: `Unknown resource: ${uri}` };
    expect((await other.ask("resources/read", { uri })).error).toMatchObject(unknown);
    expect(JSON.stringify((await client.ask("resources/list")).result)).toContain(uri);
    expect(JSON.stringify((await other.ask("resources/list")).result)).not.toContain(uri);
  });

  test("stay where they are up to the limit, and where a schema was promised", async () => {
    const fits = "x".repeat(INLINE_LIMIT_BYTES);
    const described = { outputSchema: { type: "object" } };
    const host = new TestHost()
      .install({ id: "dev.x.fits" }, () => Promise.resolve(succeed(fits)))
      .install({ id: "dev.x.over" }, () => Promise.resolve(succeed(`${fits}x`)))
      .install({ id: "dev.x.promised", described }, () => Promise.resolve(succeed(large)));
    await using client = new Conversation(host);
    await client.initialize();
    const blocks = async (name: string): Promise<number> =>
      bodyOf(await client.ask("tools/call", { name })).content.length;
    expect([await blocks("fits"), await blocks("over"), await blocks("promised")]).toEqual([1, 2, 1]);
  });
});

function resultOf(bytes: number) {
  return { text: "x", mimeType: "text/plain", toolId: "t", bytes } as const;
}

describe("KeptResults", () => {
  test("forget what is old, and what is too much, a client's own first", () => {
    let now = 0;
    const kept = new KeptResults({ totalBytes: 100, clientBytes: 50, lifetimeMs: 10 }, () => now);
    const first = kept.keep("a", resultOf(30));
    const other = kept.keep("b", resultOf(30));
    const second = kept.keep("a", resultOf(30));
    expect([kept.find("a", first.uri), kept.find("b", other.uri)?.uri, kept.find("b", second.uri)]).toEqual([
      undefined,
      other.uri,
      undefined,
    ]);
    kept.keep("c", resultOf(45));
    expect([kept.find("b", other.uri), kept.bytes]).toEqual([undefined, 75]);
    now = 10;
    expect([kept.of("a"), kept.bytes]).toEqual([[], 0]);
  });
});

async function serve(home: Home, name: string, readme: string | Uint8Array): Promise<void> {
  const directory = home.makePackage("echo", "", name);
  writeFileSync(join(directory, "README.md"), readme);
  await home.install(directory);
}

describe("READMEs", () => {
  test("are part of their packages, listed, and read clean; what is changed since is not read", async () => {
    using home = new Home();
    await serve(home, "told", "# Told\u001b[2J\n\n    code\u202e\n\t- tab\n");
    await serve(home, "binary", new Uint8Array([0xff, 0xfe, 0]));
    await serve(home, "long", "x".repeat(65_537));
    await serve(home, "empty", "");
    await using client = home.serve();
    await client.initialize();
    const uri = "kami://tool/dev.kami.fixture.told/readme";
    expect((await client.ask("resources/list")).result?.["resources"]).toEqual([
      {
        uri,
        name: "dev.kami.fixture.told/README.md",
        description: "What the author of told (dev.kami.fixture.told) says about it",
        mimeType: "text/markdown",
      },
    ]);
    expect(textOf(await client.ask("resources/read", { uri }))).toBe("# Told\n\n    code\n  - tab\n");
    for (const bad of [
      "kami://tool/dev.kami.fixture.long/readme",
      "kami://tool/../readme",
      "file:///etc/passwd",
      "kami://result/x",
      "",
    ]) {
      expect([bad, (await client.ask("resources/read", { uri: bad })).error?.code]).toEqual([bad, -32_602]);
    }
    const tools = join(home.path, "home", "tools");
    for (const file of new Bun.Glob("*/README.md").scanSync(tools)) {
      Bun.spawnSync(["chmod", "u+w", join(tools, file)]);
      writeFileSync(join(tools, file), "something else");
    }
    expect((await client.ask("resources/read", { uri })).error?.code).toBe(-32_603);
  });
});
