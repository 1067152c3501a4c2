/**
 * What clients should not send, to a real `kami serve --http`: each gets its exact status or error, memory stays bounded, and the server
 * serves on. How each would be abused stands in its name.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { exportSPKI, SignJWT, UnsecuredJWT } from "jose";
import { LocalIssuer } from "../mcp/http/local-issuer.ts";
import { MODERN_META, Wire } from "../mcp/http/support.ts";
import { Home } from "../mcp/support/kami.ts";
import { ServedHttp } from "../mcp/support/served-http.ts";

const AUDIENCE = "https://kami.example/mcp";
const CALL = { name: "echo", arguments: { a: 1 } };
const SECRET = "negative-negative-negative-negative";

/** Idle connections: as many as the server has to bear, or as descriptors allow here. */
const CONNECTIONS = Math.min(10_000, Math.floor(descriptorLimit() / 2));

/** Bytes that the serving process may keep of all this, once its collector has run. */
const GROWTH_LIMIT_BYTES = 150 * 1_048_576;
/** And that it may grow by meanwhile: with a collector that is late, less than a hundred bodies that are as large as may be. */
const PEAK_LIMIT_BYTES = 200 * 1_048_576;

let home: Home;
let served: ServedHttp;
let issuer: LocalIssuer;
let restingBytes: number;

beforeAll(async () => {
  home = new Home();
  issuer = await LocalIssuer.start();
  await home.install(home.makePackage("echo"));
  served = await ServedHttp.start(home, [
    "--auth-issuer",
    issuer.url,
    "--auth-audience",
    AUDIENCE,
    "--token-file",
    tokenFile(),
  ]);
  expect((await modern("tools/call", CALL)).status).toBe(200);
  restingBytes = memoryOf("VmRSS");
});

afterAll(async () => {
  await served[Symbol.asyncDispose]();
  issuer[Symbol.dispose]();
  home[Symbol.dispose]();
});

afterEach(async () => {
  const response = await modern("tools/call", CALL);
  expect(await response.json()).toMatchObject({ result: { structuredContent: { a: 1 } } });
  await expectMemoryBack();
});

describe("tokens", () => {
  test("none", async () => {
    expect(await statusOf(undefined)).toEqual({ status: 401, why: "Cannot serve the request: it carries no token" });
  });

  test("a wrong one", async () => {
    expect(await statusOf("Bearer kami_wrong")).toEqual({
      status: 401,
      why: "Cannot serve the request: the token is not known",
    });
  });

  test("the challenge says where tokens come from, and the metadata are there", async () => {
    const response = await modern("tools/list", {}, { authorization: undefined });
    expect(response.headers.get("www-authenticate")).toContain(
      'resource_metadata="https://kami.example/.well-known/oauth-protected-resource/mcp"',
    );
    const metadata = await fetch(new URL("/.well-known/oauth-protected-resource/mcp", served.url));
    expect(await metadata.json()).toMatchObject({
      resource: AUDIENCE,
      authorization_servers: [issuer.url],
      scopes_supported: ["tools"],
    });
  });

  test("a signed one that is in order is taken", async () => {
    expect((await statusOf(`Bearer ${await issuer.sign({ aud: AUDIENCE, scope: "tools" })}`)).status).toBe(200);
  });

  test.each([
    { claims: { exp: 1_000_000 }, why: "the token has expired" },
    { claims: { aud: "https://other.example" }, why: "the token is not meant for this server" },
    { claims: { iss: "https://evil.example" }, why: "the token is of another issuer" },
  ])("a signed one with $claims", async ({ claims, why }) => {
    const token = await issuer.sign({ aud: AUDIENCE, scope: "tools", ...claims });
    expect(await statusOf(`Bearer ${token}`)).toEqual({ status: 401, why: `Cannot serve the request: ${why}` });
  });

  test("a signed one for no tool", async () => {
    expect((await statusOf(`Bearer ${await issuer.sign({ aud: AUDIENCE, scope: "openid" })}`)).status).toBe(403);
  });

  test("one without a signature, and one that is signed with the public key as a secret", async () => {
    const claims = {
      sub: "x",
      scope: "tools",
      iss: issuer.url,
      aud: AUDIENCE,
      exp: Math.floor(Date.now() / 1000) + 60,
    };
    const secret = new TextEncoder().encode(await exportSPKI(issuer.publicKey));
    const forged = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "key-1" }).sign(secret);
    for (const token of [new UnsecuredJWT(claims).encode(), forged]) {
      expect((await statusOf(`Bearer ${token}`)).status).toBe(401);
    }
  });
});

describe("web pages", () => {
  test.each([
    "evil.example",
    "evil.example:3000",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "0.0.0.0",
    "[::ffff:7f00:1]",
  ])("a name that a page has made to resolve to us: %s", async (host) => {
    const answer = await raw("POST /mcp HTTP/1.1", { Host: host, Origin: `http://${host}` }, "{}");
    expect(answer).toMatch(/^HTTP\/1\.1 403 .*HTTP_HOST/s);
  });

  test.each(["null", "https://evil.example", "http://localhost:1", "http://127.0.0.1"])(
    "a page of %s",
    async (origin) => {
      const response = await modern("tools/call", CALL, { origin });
      expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([403, null]);
    },
  );

  test("a preflight from one", async () => {
    const headers = { origin: "https://evil.example", "access-control-request-method": "POST" };
    expect((await fetch(served.url, { method: "OPTIONS", headers })).status).toBe(403);
  });

  test("a form, which needs no preflight", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]) {
      expect((await modern("tools/call", CALL, { "content-type": type })).status).toBe(415);
    }
  });
});

describe("bodies", () => {
  test("100 MB that are announced", async () => {
    const answer = await raw("POST /mcp HTTP/1.1", { "Content-Length": "100000000" }, "x");
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("100 MB that are not", async () => {
    using wire = new Wire(served.port);
    wire.send(head("POST /mcp HTTP/1.1", { "Transfer-Encoding": "chunked" }));
    const chunk = `100000\r\n${"x".repeat(0x100000)}\r\n`;
    for (let sent = 0; sent < 100 && wire.text === ""; sent++) {
      wire.send(chunk);
      await Bun.sleep(5);
    }
    expect(await wire.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("a hundred bodies at once that are as large as may be", async () => {
    const text = "x".repeat(4_190_000);
    const statuses = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const response = await modern("tools/call", { name: "echo", arguments: { text } });
        await response.text();
        return response.status;
      }),
    );
    expect([...new Set(statuses)].toSorted((a, b) => a - b)).toEqual([200, 503]);
  });

  test("one that does not come", async () => {
    using wire = new Wire(served.port);
    wire.send(`${head("POST /mcp HTTP/1.1", { "Content-Length": "100" })}{`);
    expect(await wire.until(/\r\n\r\n.*}/s)).toMatch(/^HTTP\/1\.1 408 .*HTTP_BODY_TIMEOUT/s);
  }, 20_000);

  test.each([
    { body: "\u0000\u0001\u0002", code: -32_700, why: "garbage" },
    { body: "", code: -32_700, why: "nothing" },
    { body: "{", code: -32_700, why: "half of JSON" },
    { body: "[".repeat(4_000_000), code: -32_600, why: "brackets four million deep" },
    { body: `{"a":`.repeat(700_000), code: -32_600, why: "objects 700,000 deep" },
    { body: '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', code: -32_600, why: "a batch" },
    { body: "[]", code: -32_600, why: "an empty batch" },
    { body: '{"jsonrpc":"2.0"}', code: -32_600, why: "a message of no kind" },
    { body: '{"jsonrpc":"2.0","id":null,"method":"ping"}', code: -32_600, why: "an id that is none" },
    { body: '{"id":1,"method":"ping"}', code: -32_600, why: "no version of JSON-RPC" },
  ])("$why: 400 and $code", async ({ body, code }) => {
    const response = await post(body);
    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({ error: expect.objectContaining({ code }) }),
    ]);
  });
});

describe("headers that do not agree with the body", () => {
  test.each([
    { headers: { "mcp-protocol-version": undefined }, code: -32_020, why: "no version" },
    { headers: { "mcp-protocol-version": "2025-11-25" }, code: -32_020, why: "another version" },
    { headers: { "mcp-method": "tools/list" }, code: -32_020, why: "another method" },
    { headers: { "mcp-method": undefined }, code: -32_020, why: "no method" },
    { headers: { "mcp-name": "other" }, code: -32_020, why: "another tool" },
    { headers: { "mcp-name": undefined }, code: -32_020, why: "no tool" },
  ])("$why", async ({ headers, code }) => {
    const response = await modern("tools/call", CALL, headers);
    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({ id: 1, error: expect.objectContaining({ code }) }),
    ]);
  });

  test("a version that nobody speaks", async () => {
    const meta = { ...MODERN_META, "io.modelcontextprotocol/protocolVersion": "2099-01-01" };
    const body = { jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta: meta } };
    const response = await post(JSON.stringify(body), {
      "mcp-protocol-version": "2099-01-01",
      "mcp-method": "tools/list",
    });
    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({
        error: expect.objectContaining({ code: -32_022, data: { supported: ["2026-07-28"], requested: "2099-01-01" } }),
      }),
    ]);
  });

  test("a method that there is not", async () => {
    const response = await modern("tools/destroy");
    expect([response.status, await response.json()]).toEqual([
      404,
      expect.objectContaining({ error: expect.objectContaining({ code: -32_601 }) }),
    ]);
  });
});

describe("sessions", () => {
  test("an id in use, the id of another, none at all", async () => {
    const session = await begin();
    const unknown = await post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}', { "mcp-session-id": `${session}x` });
    expect(unknown.status).toBe(404);
    const none = await post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}');
    expect([none.status, await none.json()]).toEqual([
      400,
      expect.objectContaining({ error: expect.objectContaining({ code: -32_600 }) }),
    ]);
    const authorization = `Bearer ${await issuer.sign({ aud: AUDIENCE, scope: "tools" })}`;
    const stolen = await post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}', {
      "mcp-session-id": session,
      authorization,
    });
    expect(stolen.status).toBe(404);
  });

  test("two thousand that are begun and left", async () => {
    for (let round = 0; round < 40; round++) await Promise.all(Array.from({ length: 50 }, begin));
  }, 60_000);
});

describe("connections", () => {
  test(`${CONNECTIONS} that are idle`, async () => {
    const wires: Wire[] = [];
    try {
      while (wires.length < CONNECTIONS) {
        wires.push(...Array.from({ length: 250 }, () => new Wire(served.port)));
        await Bun.sleep(10);
      }
      // The server has them, and not the system's backlog.
      const openFiles = (): number => readdirSync(`/proc/${served.child.pid}/fd`).length;
      while (openFiles() < CONNECTIONS) await Bun.sleep(10);
      const startedAt = performance.now();
      expect((await modern("tools/call", CALL)).status).toBe(200);
      expect(performance.now() - startedAt).toBeLessThan(5000);
      await expectMemoryBack();
    } finally {
      for (const wire of wires) wire[Symbol.dispose]();
    }
  }, 60_000);

  test("those that trickle a request are closed", async () => {
    using headers = new Wire(served.port);
    headers.send("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    const trickle = setInterval(() => headers.send("X-A: b\r\n"), 1000);
    await headers.closed;
    clearInterval(trickle);
  }, 40_000);

  test("half-closed ones end, and what they asked for too", async () => {
    for (let at = 0; at < 50; at++) {
      using wire = new Wire(served.port);
      const body = callBody();
      wire.send(`${head("POST /mcp HTTP/1.1", { ...MODERN_HEADERS, "Content-Length": String(body.length) })}${body}`);
      wire.socket.end();
      await wire.closed;
    }
  });

  test("those that never read what they asked for", async () => {
    const wires = Array.from({ length: 20 }, () => {
      const wire = new Wire(served.port);
      wire.socket.pause();
      const body = callBody("x".repeat(500_000));
      const request = `${head("POST /mcp HTTP/1.1", { ...MODERN_HEADERS, "Content-Length": String(body.length) })}${body}`;
      for (let at = 0; at < 5; at++) wire.send(request);
      return wire;
    });
    await Bun.sleep(2000);
    await expectMemoryBack();
    for (const wire of wires) wire[Symbol.dispose]();
  }, 30_000);

  test.each([
    { request: "\u0016\u0003\u0001garbage\r\n\r\n", status: 400, why: "TLS to a port without" },
    {
      request: `GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${"y".repeat(20_000)}\r\n\r\n`,
      status: 431,
      why: "20 KB of header",
    },
    {
      request: `GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n${"X: y\r\n".repeat(500)}\r\n`,
      status: 431,
      why: "500 headers",
    },
    { request: "GET /mcp HTTP/1.1\r\n\r\n", status: 400, why: "no Host" },
    {
      request:
        "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      status: 400,
      why: "two lengths, as a smuggler sends",
    },
    { request: "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n", status: 403, why: "two hosts" },
  ])("$why: $status", async ({ request, status }) => {
    using wire = new Wire(served.port);
    wire.send(request);
    expect(await wire.until(/\r\n\r\n/)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });
});

describe("the log", () => {
  test("holds no token, no escape sequence, and is bounded", async () => {
    for (let at = 0; at < 200; at++) {
      await raw("POST /mcp HTTP/1.1", { Host: `a\u001b[31m${at}` }, "");
      await modern("tools/list", {}, { "mcp-method": "evil\u001b[2J" }).catch(() => undefined);
    }
    expect(served.stderr).not.toMatch(/\u001b|kami_wrong|eyJ/);
    expect(served.stderr.length).toBeLessThan(200_000);
  }, 30_000);
});

/** What a request with a token comes to: its status, and what the challenge says. */
async function statusOf(authorization: string | undefined): Promise<{ readonly status: number; readonly why: string }> {
  const response = await modern("tools/list", {}, { authorization });
  const challenge = response.headers.get("www-authenticate") ?? "";
  return { status: response.status, why: /error_description="([^"]*)"/.exec(challenge)?.[1] ?? "" };
}

const MODERN_HEADERS = { "Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "echo" };

function callBody(text = ""): string {
  return JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "echo", arguments: { text }, _meta: MODERN_META },
  });
}

function tokenFile(): string {
  const path = `${home.path}/secret`;
  void Bun.write(path, `${SECRET}\n`);
  return path;
}

/** Posts with the owner's token; a header that is undefined is left out. */
function post(body: string, headers: Record<string, string | undefined> = {}): Promise<Response> {
  const all: Record<string, string | undefined> = {
    authorization: `Bearer ${SECRET}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...headers,
  };
  const given = Object.entries(all).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  );
  return fetch(served.url, { method: "POST", body, headers: given });
}

function modern(
  method: string,
  params: Record<string, unknown> = {},
  headers: Record<string, string | undefined> = {},
): Promise<Response> {
  const name = typeof params["name"] === "string" ? { "mcp-name": params["name"] } : {};
  const body = { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: MODERN_META } };
  return post(JSON.stringify(body), {
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": method,
    ...name,
    ...headers,
  });
}

async function begin(): Promise<string> {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } };
  const response = await post(JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params }));
  await response.text();
  return response.headers.get("mcp-session-id") ?? "";
}

function head(line: string, headers: Record<string, string>): string {
  const all = {
    Host: "127.0.0.1",
    Authorization: `Bearer ${SECRET}`,
    "Content-Type": "application/json",
    Accept: "application/json, text/event-stream",
    ...headers,
  };
  return `${[line, ...Object.entries(all).map(([name, value]) => `${name}: ${value}`)].join("\r\n")}\r\n\r\n`;
}

/** Sends a request byte by byte as it is given, and returns the answer. */
async function raw(line: string, headers: Record<string, string>, body: string): Promise<string> {
  using wire = new Wire(served.port);
  const length = Object.hasOwn(headers, "Content-Length") ? {} : { "Content-Length": String(body.length) };
  wire.send(head(line, { ...length, ...headers }) + body);
  return await wire.until(/\r\n\r\n(?:$|.*}$)/s);
}

async function expectMemoryBack(): Promise<void> {
  const grown = (): number => memoryOf("VmRSS") - restingBytes;
  for (let tries = 0; tries < 100 && grown() > GROWTH_LIMIT_BYTES; tries += 1) await Bun.sleep(100);
  expect(grown()).toBeLessThan(GROWTH_LIMIT_BYTES);
  expect(memoryOf("VmHWM") - restingBytes).toBeLessThan(PEAK_LIMIT_BYTES);
}

/** Memory of the serving process alone. Source: proc_pid_status(5). */
function memoryOf(field: "VmRSS" | "VmHWM"): number {
  const text = readFileSync(`/proc/${served.child.pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(text)?.[1]) * 1024;
}

/** Files that this process may have open, and the server as well. Source: proc_pid_limits(5). */
function descriptorLimit(): number {
  const text = readFileSync("/proc/self/limits", "utf8");
  return Number(/^Max open files\s+(\d+)/m.exec(text)?.[1]);
}
