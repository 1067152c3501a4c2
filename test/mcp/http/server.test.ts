import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AccessCheck } from "../../../lib/mcp/http/access.ts";
import { removeDeadSocket } from "../../../lib/mcp/http/socket.ts";
import { OWNER, TokenCheck, TokenStore } from "../../../lib/mcp/http/tokens.ts";
import { succeed, TestHost, untilCancelled } from "../support/host.ts";
import { readEvent, refusalOf, TestServer, TOKEN, Wire } from "./support.ts";

const CALL = { name: "echo", arguments: { a: 1 } };

describe("HttpServer, 2026-07-28", () => {
  test("answers discover, list and call, each by itself", async () => {
    await using server = new TestServer();
    expect(readEvent(await (await server.modern("server/discover")).text())).toMatchObject({
      result: { resultType: "complete", supportedVersions: ["2026-07-28"] },
    });
    expect(await (await server.modern("tools/list")).json()).toMatchObject({ result: { tools: [{ name: "echo" }] } });
    const response = await server.modern("tools/call", CALL);
    expect([response.status, response.headers.get("mcp-session-id")]).toEqual([200, null]);
    expect(await response.json()).toMatchObject({ id: 1, result: { structuredContent: { a: 1 } } });
  });

  test("tells subscribers that the tools have changed", async () => {
    const host = new TestHost().install({ id: "dev.x.echo" });
    await using server = new TestServer(host);
    const response = await server.modern("subscriptions/listen", { notifications: { toolsListChanged: true } });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("acknowledged")) text += (await reader?.read())?.value ?? "";
    host.install({ id: "dev.x.other" });
    while (!text.includes("tools/list_changed")) text += (await reader?.read())?.value ?? "";
    await reader?.cancel();
  });

  test("asks the registry for changes only while somebody listens", async () => {
    const host = new TestHost().install({ id: "dev.x.echo" });
    await using server = new TestServer(host);
    await (await server.modern("tools/list")).text();
    const { looks } = host;
    await Bun.sleep(1200);
    expect(host.looks).toBe(looks);
  });

  test("interrupts a call whose client goes away", async () => {
    const host = new TestHost().install({ id: "dev.x.wait" }, untilCancelled);
    await using server = new TestServer(host);
    const stop = new AbortController();
    const body = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: {
        name: "wait",
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    });
    const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "wait" };
    const call = server.send({ method: "POST", body, headers, signal: stop.signal }).catch(() => "gone");
    await until(() => host.arrivals.length === 1);
    stop.abort();
    expect(await call).toBe("gone");
    await until(() => host.arrivals[0]?.signal.aborted === true && server.http.load.pending === 0);
  });
});

describe("HttpServer, sessions", () => {
  test.each(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])("begins one in %s", async (version) => {
    await using server = new TestServer();
    const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: "test", version: "1" } };
    const response = await server.post({ jsonrpc: "2.0", id: 1, method: "initialize", params });
    expect(response.headers.get("mcp-session-id")).toMatch(/^[\w-]{32}$/);
    expect(readEvent(await response.text())).toMatchObject({ result: { protocolVersion: version } });
  });

  test("lists, calls, pings and ends", async () => {
    await using server = new TestServer();
    const session = await server.begin();
    expect(await session.ask(1, "ping")).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
    expect(await session.ask(2, "tools/list")).toMatchObject({ result: { tools: [{ name: "echo" }] } });
    expect(await session.ask(3, "tools/call", CALL)).toMatchObject({ id: 3, result: { structuredContent: { a: 1 } } });
    expect((await server.send({ method: "DELETE", headers: session.headers })).status).toBe(200);
    expect(await refusalOf(await session.send({ id: 4, method: "ping" }))).toEqual({
      status: 404,
      body: {
        jsonrpc: "2.0",
        id: 4,
        error: {
          code: -32_001,
          message: "Cannot serve the request: its session has ended, or never was",
          data: { code: "HTTP_SESSION_UNKNOWN", hint: "start a new session with: initialize" },
        },
      },
    });
    expect(server.http.load).toEqual({ pending: 0, sessions: 0, waitingBytes: 0 });
  });

  test("belongs to the token that began it", async () => {
    using home = new TemporaryHome();
    const store = new TokenStore(home.path);
    const other = store.create({ name: "other", tools: ["*"] });
    const access = new AccessCheck({ tokens: new TokenCheck(TOKEN, store) });
    await using server = new TestServer(undefined, { access });
    const session = await server.begin();
    const headers = { ...session.headers, authorization: `Bearer ${other}` };
    const stolen = await server.post({ jsonrpc: "2.0", id: 1, method: "tools/list" }, headers);
    expect(stolen.status).toBe(404);
    expect((await server.send({ method: "DELETE", headers })).status).toBe(404);
    expect(await session.ask(1, "ping")).toMatchObject({ result: {} });
  });

  test("tells its stream that the tools have changed, and has one stream", async () => {
    const host = new TestHost().install({ id: "dev.x.echo" });
    await using server = new TestServer(host);
    const session = await server.begin();
    const stream = await server.send({ method: "GET", headers: session.headers });
    expect((await server.send({ method: "GET", headers: session.headers })).status).toBe(409);
    await session.ask(1, "tools/list");
    host.install({ id: "dev.x.other" });
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("tools/list_changed")) text += (await reader?.read())?.value ?? "";
    await reader?.cancel();
  });

  test("refuses an id that is in use, and takes it again when it is not", async () => {
    const ends: (() => void)[] = [];
    const host = new TestHost().install({ id: "dev.x.wait" }, async ({ input }) => {
      await new Promise<void>((resolve) => ends.push(resolve));
      return succeed(input);
    });
    await using server = new TestServer(host);
    const session = await server.begin();
    const first = session.ask(7, "tools/call", { name: "wait", arguments: { n: 1 } });
    await until(() => host.arrivals.length === 1);
    const second = await session.send({ id: 7, method: "tools/call", params: { name: "wait", arguments: { n: 2 } } });
    expect(await refusalOf(second)).toMatchObject({ status: 400, body: { id: 7, error: { code: -32_600 } } });
    ends[0]?.();
    expect(await first).toMatchObject({ result: { structuredContent: { n: 1 } } });
    const third = session.ask(7, "tools/call", { name: "wait", arguments: { n: 3 } });
    await until(() => ends.length === 2);
    ends[1]?.();
    expect(await third).toMatchObject({ result: { structuredContent: { n: 3 } } });
  });

  test("a cancelled call is interrupted, its stream ends, and its id is free", async () => {
    const host = new TestHost().install({ id: "dev.x.wait" }, untilCancelled);
    await using server = new TestServer(host);
    const session = await server.begin();
    const call = await session.send({ id: 5, method: "tools/call", params: { name: "wait" } });
    await until(() => host.arrivals.length === 1);
    await session.send({ method: "notifications/cancelled", params: { requestId: 5 } });
    expect(await call.text()).toBe(": open\n\n");
    await until(() => host.arrivals[0]?.signal.aborted === true);
    expect(await session.ask(5, "ping")).toMatchObject({ id: 5, result: {} });
    expect(server.http.load.pending).toBe(0);
  });

  test("a client that goes away interrupts its call, and the session lives on", async () => {
    const host = new TestHost().install({ id: "dev.x.wait" }, untilCancelled);
    await using server = new TestServer(host);
    const session = await server.begin();
    const stop = new AbortController();
    const call = await session.send({ id: 5, method: "tools/call", params: { name: "wait" } }, { signal: stop.signal });
    await until(() => host.arrivals.length === 1);
    stop.abort();
    await call.text().catch(() => undefined);
    await until(() => host.arrivals[0]?.signal.aborted === true);
    expect(await session.ask(6, "ping")).toMatchObject({ result: {} });
  });

  test("beyond their number the longest unused one ends; one that is in use does not", async () => {
    const host = new TestHost().install({ id: "dev.x.wait" }, untilCancelled);
    const limits = { sessions: { total: 2, perClient: 2, idleMs: 60_000 } };
    await using server = new TestServer(host, { limits });
    const busy = await server.begin();
    const stop = new AbortController();
    await busy.send({ id: 1, method: "tools/call", params: { name: "wait" } }, { signal: stop.signal });
    const idle = await server.begin();
    const third = await server.begin();
    expect(server.http.load.sessions).toBe(2);
    expect((await idle.send({ id: 1, method: "ping" })).status).toBe(404);
    expect(await third.ask(1, "ping")).toMatchObject({ result: {} });
    stop.abort();
  });

  test("one that is not used ends", async () => {
    const limits = { sessions: { total: 2, perClient: 2, idleMs: 50 } };
    await using server = new TestServer(undefined, { limits });
    await server.begin();
    await until(() => server.http.load.sessions === 0);
  });
});

describe("HttpServer, what it refuses", () => {
  test.each([
    { why: "another path", path: "/", method: "POST", code: "HTTP_PATH", status: 404 },
    { why: "a path beneath", path: "/mcp/", method: "POST", code: "HTTP_PATH", status: 404 },
    { why: "another method", path: "/mcp", method: "PUT", code: "HTTP_METHOD", status: 405 },
    { why: "a stream without a session", path: "/mcp", method: "GET", code: "HTTP_METHOD", status: 405 },
  ])("$why", async ({ path, method, code, status }) => {
    await using server = new TestServer();
    const response = await server.send({ method }, path);
    expect(await refusalOf(response)).toMatchObject({ status, body: { error: { code: -32_000, data: { code } } } });
    expect(server.log.join("\n")).toContain(code);
  });

  test("a body that is not JSON by its own account", async () => {
    await using server = new TestServer();
    const response = await server.post({ jsonrpc: "2.0", id: 1, method: "ping" }, { "content-type": "text/plain" });
    expect(await refusalOf(response)).toMatchObject({
      status: 415,
      body: { error: { data: { code: "HTTP_MEDIA_TYPE" } } },
    });
  });

  test("more calls than its token may make", async () => {
    await using server = new TestServer(undefined, { callsPerMinute: 2 });
    const statuses: number[] = [];
    for (let at = 0; at < 3; at++) statuses.push((await server.modern("tools/call", CALL)).status);
    expect(statuses).toEqual([200, 200, 429]);
    const refused = await server.modern("tools/call", CALL);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ id: 1, error: { data: { code: "HTTP_RATE_LIMITED" } } });
    // What is read may be what a tool makes.
    const uri = "test://a";
    expect((await server.modern("resources/read", { uri }, { "mcp-name": uri })).status).toBe(429);
    expect((await server.modern("tools/list")).status).toBe(200);
  });

  test("no token, or a wrong one, with the challenge of RFC 6750", async () => {
    await using server = new TestServer();
    for (const authorization of ["", "Bearer wrong", "Basic eDp5", `Bearer  ${TOKEN}`, `Bearer ${TOKEN}, x`, TOKEN]) {
      const response = await server.post({ jsonrpc: "2.0", id: 1, method: "ping" }, { authorization });
      expect(response.headers.get("www-authenticate")).toMatch(
        /^Bearer error="invalid_token", error_description="[^"]+"$/,
      );
      expect(await refusalOf(response)).toMatchObject({
        status: 401,
        body: { error: { data: { code: "HTTP_UNAUTHORIZED" } } },
      });
    }
  });

  test("a token in the query", async () => {
    await using server = new TestServer();
    const response = await server.send(
      { method: "POST", body: "{}", headers: { authorization: "" } },
      `/mcp?access_token=${TOKEN}`,
    );
    expect(response.status).toBe(401);
  });

  test("who fails too often, and never who has a token", async () => {
    const access = new AccessCheck({ tokens: new TokenCheck(TOKEN, new TokenStore("/nowhere")), failuresPerMinute: 3 });
    await using server = new TestServer(undefined, { access });
    const statuses: number[] = [];
    for (let at = 0; at < 4; at++) {
      statuses.push((await server.modern("tools/list", {}, { authorization: "Bearer x" })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 429]);
    expect((await server.modern("tools/list")).status).toBe(200);
  });

  test("logs each kind of refusal only so often, and nothing of a token", async () => {
    await using server = new TestServer();
    await Promise.all(
      Array.from({ length: 60 }, () => server.modern("tools/list", {}, { authorization: "Bearer secret-secret" })),
    );
    expect(server.log).toHaveLength(30);
    expect(server.log.join("\n")).not.toContain("secret");
  });
});

describe("HttpServer, tokens with scopes", () => {
  test("for such a token other tools are not installed", async () => {
    using home = new TemporaryHome();
    const store = new TokenStore(home.path);
    const authorization = `Bearer ${store.create({ name: "some", tools: ["dev.a.*"], callsPerMinute: 1 })}`;
    const host = new TestHost()
      .install({ id: "dev.a.echo" })
      .install({ id: "dev.b.secret" })
      .install({ id: "dev.b.echo" });
    await using server = new TestServer(host, { access: new AccessCheck({ tokens: new TokenCheck(TOKEN, store) }) });
    const list: { result: { tools: { name: string }[] } } = await (
      await server.modern("tools/list", {}, { authorization })
    ).json();
    expect(list.result.tools.map(({ name }) => name)).toEqual(["echo"]);
    const discovered = await (await server.modern("server/discover", {}, { authorization })).text();
    expect(discovered).not.toContain("dev.b");
    const refused = await server.modern("tools/call", { name: "secret" }, { authorization });
    expect(await refused.json()).toMatchObject({ error: { code: -32_602, message: 'Unknown tool: "secret"' } });
    expect(host.arrivals).toEqual([]);
    expect((await server.modern("tools/call", { name: "echo" }, { authorization })).status).toBe(429);
  });

  test("does not get at more through a session that began with more", async () => {
    using home = new TemporaryHome();
    const store = new TokenStore(home.path);
    const host = new TestHost().install({ id: "dev.a.echo" }).install({ id: "dev.b.secret" });
    await using server = new TestServer(host, { access: new AccessCheck({ tokens: new TokenCheck(TOKEN, store) }) });
    const wide = `Bearer ${store.create({ name: "some", tools: ["*"] })}`;
    const { headers } = await server.begin({ authorization: wide });
    store.revoke("some");
    const narrow = `Bearer ${store.create({ name: "some", tools: ["dev.a.*"] })}`;
    const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
    expect((await server.post(list, { ...headers, authorization: narrow })).status).toBe(404);
    expect((await server.post(list, headers)).status).toBe(401);
  });

  test("tells caches that an answer is for one client alone", async () => {
    await using server = new TestServer();
    expect(await (await server.modern("tools/list")).json()).toMatchObject({ result: { cacheScope: "private" } });
  });

  test("one that is revoked is refused at its next request", async () => {
    using home = new TemporaryHome();
    const store = new TokenStore(home.path);
    const authorization = `Bearer ${store.create({ name: "some", tools: ["*"] })}`;
    await using server = new TestServer(undefined, {
      access: new AccessCheck({ tokens: new TokenCheck(TOKEN, store) }),
    });
    expect((await server.modern("tools/list", {}, { authorization })).status).toBe(200);
    new TokenStore(home.path).revoke("some");
    expect((await server.modern("tools/list", {}, { authorization })).status).toBe(401);
  });

  test("a file of tokens that others can read lets nobody in by a named token", async () => {
    using home = new TemporaryHome();
    const store = new TokenStore(home.path);
    const authorization = `Bearer ${store.create({ name: "some", tools: ["*"] })}`;
    await using server = new TestServer(undefined, {
      access: new AccessCheck({ tokens: new TokenCheck(TOKEN, store) }),
    });
    chmodSync(store.path, 0o644);
    expect(await refusalOf(await server.modern("tools/list", {}, { authorization }))).toEqual({
      status: 500,
      body: { jsonrpc: "2.0", error: { code: -32_603, message: "KAMI could not answer; its log says why" } },
    });
    expect(server.log.join("\n")).toContain("TOKENS_UNUSABLE");
  });
});

describe("HttpServer, its life", () => {
  test("says whether it is alive and ready, to anybody, and nothing else", async () => {
    const host = new TestHost();
    await using server = new TestServer(host);
    const ask = (path: string) => fetch(new URL(path, server.url), { headers: { host: "10.0.0.7" } });
    expect(await (await ask("/health")).json()).toEqual({ status: "ok" });
    expect(await (await ask("/ready")).json()).toEqual({ status: "ready" });
    host.registry.revision = () => {
      throw new Error("locked");
    };
    expect((await ask("/health/ready")).status).toBe(503);
  });

  test("lets calls in flight finish when it ends, and takes no new ones", async () => {
    const ends: (() => void)[] = [];
    const host = new TestHost().install({ id: "dev.x.wait" }, async ({ input }) => {
      await new Promise<void>((resolve) => ends.push(resolve));
      return succeed(input);
    });
    await using server = new TestServer(host);
    const session = await server.begin();
    const legacy = session.ask(1, "tools/call", { name: "wait", arguments: { n: 1 } });
    const modern = server.modern("tools/call", { name: "wait", arguments: { n: 2 } });
    await until(() => ends.length === 2);
    const drained = server.http.drain();
    const refused = await server.modern("tools/call", { name: "wait" });
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await refusalOf(refused)).toMatchObject({
      status: 503,
      body: { error: { data: { code: "HTTP_DRAINING" } } },
    });
    expect((await fetch(new URL("/ready", server.url))).status).toBe(503);
    for (const end of ends) end();
    expect(await legacy).toMatchObject({ result: { structuredContent: { n: 1 } } });
    expect(await (await modern).json()).toMatchObject({ result: { structuredContent: { n: 2 } } });
    await drained;
    expect(await fetch(server.url).catch(() => "closed")).toBe("closed");
  });

  test("interrupts those that have not finished in time", async () => {
    const host = new TestHost().install({ id: "dev.x.wait" }, async (arrival) => untilCancelled(arrival));
    await using server = new TestServer(host, { drainMs: 50 });
    const call = server.modern("tools/call", { name: "wait" });
    await until(() => host.arrivals.length === 1);
    await server.http.drain();
    expect(await (await call).json()).toMatchObject({
      result: { isError: true, _meta: { "dev.kami/failure": "CANCELLED" } },
    });
  });

  test("ends streams when it ends", async () => {
    await using server = new TestServer();
    const session = await server.begin();
    const stream = await server.send({ method: "GET", headers: session.headers });
    const listen = await server.modern("subscriptions/listen", { notifications: { toolsListChanged: true } });
    await server.http.drain();
    await Promise.allSettled([stream.text(), listen.text()]);
  });

  test("refuses an address that is taken", async () => {
    await using server = new TestServer();
    const place = { kind: "tcp", host: "127.0.0.1", port: server.port } as const;
    expect(() => new TestServer(undefined, { place })).toThrow(
      expect.objectContaining({ code: "LISTEN_FAILED", message: expect.stringContaining("the address is in use") }),
    );
  });

  test("serves on a Unix socket that its owner alone may use, in the place of one that is dead", async () => {
    using home = new TemporaryHome();
    const path = join(home.path, "kami.sock");
    const options = { place: { kind: "unix", path } as const, names: { hosts: undefined, origins: new Set<string>() } };
    const ask = (): Promise<Response> => fetch("http://localhost/health", { unix: path });
    {
      await using server = new TestServer(undefined, options);
      expect(server.url).toBe(path);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect((await ask()).status).toBe(200);
      expect(() => new TestServer(undefined, options)).toThrow(expect.objectContaining({ code: "LISTEN_FAILED" }));
      expect((await ask()).status).toBe(200);
    }
    expect(existsSync(path)).toBe(false);
    // What a server that was killed leaves behind.
    const script = `Bun.serve({ unix: ${JSON.stringify(path)}, fetch: () => new Response("") }); process.kill(process.pid, "SIGKILL");`;
    await Bun.spawn([process.execPath, "-e", script], { stdout: "ignore", stderr: "ignore" }).exited;
    expect(existsSync(path)).toBe(true);
    await removeDeadSocket(path);
    {
      await using server = new TestServer(undefined, options);
      await removeDeadSocket(server.url);
      expect((await ask()).status).toBe(200);
    }
    writeFileSync(path, "precious");
    await removeDeadSocket(path);
    expect(() => new TestServer(undefined, options)).toThrow(expect.objectContaining({ code: "LISTEN_FAILED" }));
    expect(await Bun.file(path).text()).toBe("precious");
  });

  test("answers web pages that are allowed, and lets them read it", async () => {
    const names = { hosts: new Set(["127.0.0.1"]), origins: new Set(["https://app.example"]) };
    await using server = new TestServer(undefined, { names });
    const origin = "https://app.example";
    const preflight = await server.send({ method: "OPTIONS", headers: { origin, authorization: "" } });
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([204, origin]);
    const response = await server.modern("tools/list", {}, { origin });
    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
    const foreign = await server.send({ method: "OPTIONS", headers: { origin: "https://evil.example" } });
    expect([foreign.status, foreign.headers.get("access-control-allow-origin")]).toEqual([403, null]);
  });

  test("without tokens everybody is the owner", async () => {
    await using server = new TestServer(undefined, { access: new AccessCheck({ tokens: undefined }) });
    expect((await server.modern("tools/list", {}, { authorization: "" })).status).toBe(200);
    expect(OWNER.tools).toEqual(["*"]);
  });

  test("survives a request line that is no URL", async () => {
    await using server = new TestServer();
    using wire = new Wire(server.port);
    wire.send("GET http://[::1/mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    expect(await wire.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 4\d\d/);
    using old = new Wire(server.port);
    old.send("GET /mcp HTTP/1.0\r\n\r\n");
    expect(await old.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 4\d\d/);
    expect((await server.modern("tools/list")).status).toBe(200);
  });
});

class TemporaryHome implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "kami-http-"));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Bun.sleep(5);
}
