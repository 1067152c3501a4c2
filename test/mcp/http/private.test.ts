/**
 * What belongs to one client of a server is no other's: the answers to its questions, and its large results.
 */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AccessCheck } from "../../../lib/mcp/http/access.ts";
import { TokenCheck, TokenStore } from "../../../lib/mcp/http/tokens.ts";
import { INLINE_LIMIT_BYTES } from "../../../lib/mcp/kept-results.ts";
import { succeed, TestHost } from "../support/host.ts";
import { MODERN_META, readEvent, TestServer, TOKEN } from "./support.ts";

const META = { ...MODERN_META, "io.modelcontextprotocol/clientCapabilities": { elicitation: {} } };

interface Two extends AsyncDisposable {
  readonly host: TestHost;
  /** Asks as the owner, or as the holder of another token. */
  readonly ask: (who: "owner" | "other", method: string, params: Record<string, unknown>) => Promise<string>;
}

function serveTwo(): Two {
  const directory = mkdtempSync(join(tmpdir(), "kami-private-"));
  const store = new TokenStore(directory);
  const token = store.create({ name: "other", tools: ["dev.x.net", "dev.x.large"] });
  const host = new TestHost()
    .install({ id: "dev.x.net", security: { netAllowList: ["a.com"] } })
    .install({
      id: "dev.x.secret",
      resources: { "test://secret": "1" },
      templates: [{ uriTemplate: "test://secret/{x}", name: "n" }],
      prompts: [{ name: "p", description: "d", messages: [{ role: "user", text: "t" }], arguments: [] }],
    })
    .install({ id: "dev.x.large", resources: { "test://open": "1" } }, () =>
      Promise.resolve(succeed("x".repeat(INLINE_LIMIT_BYTES + 1))),
    );
  const server = new TestServer(host, { access: new AccessCheck({ tokens: new TokenCheck(TOKEN, store) }) });
  return {
    host,
    ask: async (who, method, params) => {
      const named = params["name"] ?? params["uri"];
      const response = await server.post(
        { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: META } },
        {
          "mcp-protocol-version": "2026-07-28",
          "mcp-method": method,
          ...(typeof named === "string" && { "mcp-name": named }),
          ...(who === "other" && { authorization: `Bearer ${token}` }),
        },
      );
      return JSON.stringify(readEvent(await response.text()));
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true });
    },
  };
}

describe("over HTTP", () => {
  test("another client's word approves nothing, and spends nothing", async () => {
    await using two = serveTwo();
    const call = { name: "net", arguments: {} };
    const asked = JSON.parse(await two.ask("owner", "tools/call", call));
    const answer = {
      requestState: asked.result.requestState,
      inputResponses: { approve: { action: "accept", content: { allow: true } } },
    };
    expect(await two.ask("other", "tools/call", { ...call, ...answer })).toContain("or was for another call");
    expect(two.host.arrivals).toEqual([]);
    expect(await two.ask("owner", "tools/call", { ...call, ...answer })).toContain('"structuredContent":{}');
    expect(two.host.arrivals).toHaveLength(1);
  });

  test("another client's result is not there", async () => {
    await using two = serveTwo();
    const { result } = JSON.parse(await two.ask("owner", "tools/call", { name: "large", arguments: {} }));
    const { uri } = result.content[1];
    expect(await two.ask("other", "resources/read", { uri })).toContain(`Unknown resource: ${uri}`);
    expect((await two.ask("owner", "resources/read", { uri })).length).toBeGreaterThan(INLINE_LIMIT_BYTES);
    expect(await two.ask("other", "resources/list", {})).not.toContain(uri);
  });

  test("what a package brings is not there for a token that is not for its tool, nor does it hear of it", async () => {
    await using two = serveTwo();
    for (const [method, params, known, unknown] of [
      ["prompts/get", { name: "p" }, '"text":"t"', "Unknown prompt"],
      ["prompts/get", { name: "secret__p" }, '"text":"t"', "Unknown prompt"],
      ["resources/read", { uri: "test://secret/1" }, '"contents":[', "Unknown resource"],
      ["resources/list", {}, '"uri":"test://secret"', '"resources":[{"uri":"test://open","name":"n"'],
      ["resources/templates/list", {}, "test://secret/{x}", '"resourceTemplates":[]'],
    ] as const) {
      expect(await two.ask("owner", method, params)).toContain(known);
      expect(await two.ask("other", method, params)).toContain(unknown);
    }
    expect(await two.ask("other", "resources/list", {})).not.toContain("test://secret");
    // A stream of nothing ends at once; one of something would not.
    const notifications = { resourceSubscriptions: ["test://secret"] };
    expect(await two.ask("other", "subscriptions/listen", { notifications })).toContain('"resultType":"complete"');
  });
});
