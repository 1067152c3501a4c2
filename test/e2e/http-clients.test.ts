/**
 * Real MCP clients over HTTP, in both eras of the protocol, and a `kami serve --http` as its user starts it: with TLS, on a socket, to its end.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { createMCPClient } from "@ai-sdk/mcp";
import { Client, StreamableHTTPClientTransport, type VersionNegotiationMode } from "@modelcontextprotocol/client";
import { awaitLoad, canMeasureCpu } from "../mcp/support/cpu.ts";
import { Home, KAMI } from "../mcp/support/kami.ts";
import { ServedHttp } from "../mcp/support/served-http.ts";

const ENDLESS = "max_fuel = 9007199254740991";
const NAMES = ["echo", "spin", "spin-long", "trap"];

let home: Home;
let served: ServedHttp;

beforeAll(async () => {
  home = new Home();
  await home.installAll([
    home.makePackage("echo"),
    home.makePackage("trap"),
    home.makePackage("spin", `${ENDLESS}\nmax_execution_ms = 1500`),
    home.makePackage("spin", `${ENDLESS}\nmax_execution_ms = 120000`, "spin-long"),
  ]);
  served = await ServedHttp.start(home, ["--concurrency", "2"]);
});

afterAll(async () => {
  await served[Symbol.asyncDispose]();
  home[Symbol.dispose]();
});

async function connect(mode: VersionNegotiationMode, server = served): Promise<{ client: Client } & AsyncDisposable> {
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
  const headers = { authorization: `Bearer ${server.token}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(server.url), { requestInit: { headers } }));
  return { client, [Symbol.asyncDispose]: () => client.close() };
}

describe.each([
  { title: "legacy", mode: "legacy", version: "2025-11-25" },
  { title: "pinned", mode: { pin: "2026-07-28" }, version: "2026-07-28" },
  { title: "auto", mode: "auto", version: "2026-07-28" },
] as const)("@modelcontextprotocol/client, $title, $version", ({ mode, version }) => {
  test("lists the tools and calls them", async () => {
    await using connected = await connect(mode);
    const { client } = connected;
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    expect(client.getServerVersion()).toMatchObject({ name: "kami" });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(NAMES);
    const value = { text: "Grüße\n", list: [1, { deep: null }] };
    expect(await client.callTool({ name: "echo", arguments: value })).toMatchObject({ structuredContent: value });
    expect(await client.callTool({ name: "trap", arguments: { kind: "unreachable" } })).toMatchObject({
      isError: true,
    });
    const refused = await client.callTool({ name: "no-such-tool", arguments: {} }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: -32_602 });
  });

  test("answers each call with its own answer, while one spins until its deadline", async () => {
    await using connected = await connect(mode);
    const { client } = connected;
    const spin = client.callTool({ name: "spin", arguments: {} });
    const echoes = Array.from({ length: 20 }, (_, index) => client.callTool({ name: "echo", arguments: { index } }));
    const results = await Promise.all(echoes);
    expect(results.map(({ structuredContent }) => structuredContent)).toEqual(echoes.map((_, index) => ({ index })));
    expect(await spin).toMatchObject({ isError: true, _meta: { "dev.kami/failure": "DEADLINE_EXCEEDED" } });
  });

  test.if(canMeasureCpu)(
    "a cancelled call stops burning the processor, long before its deadline",
    async () => {
      await using connected = await connect(mode);
      const { client } = connected;
      const stop = new AbortController();
      const options = { signal: stop.signal, timeout: 120_000 };
      const outcome = client.callTool({ name: "spin-long", arguments: {} }, options).catch(() => "cancelled");
      expect(await awaitLoad(served.child.pid, (load) => load > 0.05)).toBeGreaterThan(0.05);
      stop.abort();
      expect(await outcome).toBe("cancelled");
      expect(await awaitLoad(served.child.pid, (load) => load < 0.03)).toBeLessThan(0.03);
      expect(await client.callTool({ name: "echo", arguments: {} })).toMatchObject({ structuredContent: {} });
    },
    30_000,
  );

  test("hears of a tool that another process installs", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const client = new Client(
      { name: "test", version: "1" },
      { versionNegotiation: { mode }, listChanged: { tools: { autoRefresh: false, onChanged: () => resolve() } } },
    );
    const headers = { authorization: `Bearer ${served.token}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(served.url), { requestInit: { headers } }));
    try {
      await client.listTools();
      await home.install(home.makePackage("upper"));
      await promise;
    } finally {
      await client.close();
      await uninstall("dev.kami.fixture.upper");
    }
  });
});

describe.each([
  { protocolVersionDiscovery: false, version: "2025-11-25" },
  { protocolVersionDiscovery: true, version: "2026-07-28" },
])("@ai-sdk/mcp, $version", ({ protocolVersionDiscovery, version }) => {
  test("lists the tools and calls them", async () => {
    const client = await createMCPClient({
      transport: { type: "http", url: served.url, headers: { authorization: `Bearer ${served.token}` } },
      protocolVersionDiscovery,
    });
    try {
      expect(client.initializeResult.protocolVersion).toBe(version);
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(NAMES);
      expect(await client.callTool({ name: "echo", arguments: { a: ["ü"] } })).toMatchObject({
        structuredContent: { a: ["ü"] },
      });
      expect(await client.callTool({ name: "trap", arguments: { kind: "bounds" } })).toMatchObject({ isError: true });
    } finally {
      await client.close();
    }
  });
});

describe("kami serve --http", () => {
  test("SIGTERM lets calls finish, refuses new ones, and ends the process", async () => {
    await using server = await ServedHttp.start(home);
    await using modern = await connect({ pin: "2026-07-28" }, server);
    await using legacy = await connect("legacy", server);
    const calls = [modern, legacy].map(({ client }) => client.callTool({ name: "spin", arguments: {} }));
    await awaitLoad(server.child.pid, (load) => load > 0.05);
    server.child.kill("SIGTERM");
    await server.until(/ending: calls in flight/);
    const refused = await fetch(server.url, { method: "POST", headers: { authorization: `Bearer ${server.token}` } });
    expect([refused.status, (await fetch(new URL("/ready", server.url))).status]).toEqual([503, 503]);
    for (const call of calls) {
      expect(await call).toMatchObject({ isError: true, _meta: { "dev.kami/failure": "DEADLINE_EXCEEDED" } });
    }
    expect(await server.child.exited).toBe(0);
  });

  test("a second signal ends it at once", async () => {
    await using server = await ServedHttp.start(home);
    await using connected = await connect({ pin: "2026-07-28" }, server);
    const call = connected.client.callTool({ name: "spin-long", arguments: {} }).catch(() => "lost");
    await awaitLoad(server.child.pid, (load) => load > 0.05);
    server.child.kill("SIGTERM");
    await server.until(/ending: calls in flight/);
    const startedAt = performance.now();
    server.child.kill("SIGTERM");
    await server.child.exited;
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(await call).toBe("lost");
  });

  test("speaks TLS by files", async () => {
    const [cert, key] = [join(home.path, "cert.pem"), join(home.path, "key.pem")];
    const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    const made = Bun.spawnSync([
      "openssl",
      ...words,
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost",
      "-keyout",
      key,
      "-out",
      cert,
    ]);
    expect(made.exitCode).toBe(0);
    await using server = await ServedHttp.start(home, ["--tls-cert", cert, "--tls-key", key]);
    expect(server.url).toMatch(/^https:/);
    const url = `https://localhost:${server.port}/health`;
    expect((await fetch(url, { tls: { ca: await Bun.file(cert).text() } })).status).toBe(200);
    expect(await fetch(url).catch(() => "not trusted")).toBe("not trusted");
  });

  test("listens on a Unix socket of its owner's", async () => {
    const path = join(home.path, "kami.sock");
    await using server = await ServedHttp.start(home, ["--unix", path]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const init = { method: "POST", unix: path, headers: { "content-type": "application/json" }, body: "{}" };
    expect((await fetch("http://localhost/mcp", init)).status).toBe(401);
    server.child.kill("SIGTERM");
    expect(await server.child.exited).toBe(0);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  test("a token of kami token serves its tools, until it is revoked", async () => {
    const made = await run(["token", "create", "ci", "--tools", "dev.kami.fixture.echo"]);
    const headers = { authorization: `Bearer ${made.stdout.trim()}` };
    const transport = new StreamableHTTPClientTransport(new URL(served.url), { requestInit: { headers } });
    const client = new Client({ name: "ci", version: "1" }, { versionNegotiation: { mode: "auto" } });
    await client.connect(transport);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["echo"]);
    expect((await run(["token", "list"])).stdout).toContain("dev.kami.fixture.echo");
    expect((await run(["token", "revoke", "ci"])).exitCode).toBe(0);
    expect(await client.callTool({ name: "echo", arguments: {} }).catch(() => "refused")).toBe("refused");
    await client.close();
  });

  test("shows the token to nobody who is no terminal, and says where it is", () => {
    expect(served.stderr).toContain(`made a token, kept in ${home.path}/home/http-token`);
    expect(served.stderr).not.toContain(served.token);
  });

  test.each([
    { flags: ["--port", "1"], problem: "--port is about HTTP" },
    { flags: ["--http", "--host", "0.0.0.0"], problem: "other machines reach it" },
    { flags: ["--http", "--host", "0.0.0.0", "--plain-http", "--no-auth"], problem: "would let other machines in" },
    { flags: ["--http", "--tls-cert", "x"], problem: "--tls-cert needs --tls-key" },
    { flags: ["--http", "--auth-audience", "x"], problem: "--auth-audience needs --auth-issuer" },
    { flags: ["--http", "--auth-issuer", "http://a.example", "--auth-audience", "x"], problem: "no https URL" },
    { flags: ["--http", "--unix", "x", "--port", "1"], problem: "--unix goes with no" },
    { flags: ["--http", "--no-auth", "--token-file", "x"], problem: "--no-auth goes with no --token-file" },
    { flags: ["--http", "--token-file", "/nonexistent"], problem: "there is no such file" },
    { flags: ["--http", "--port", "65536"], problem: "must be a whole number" },
  ])("refuses $flags", async ({ flags, problem }) => {
    const { exitCode, stderr } = await run(["serve", ...flags]);
    expect([exitCode === 0, stderr]).toEqual([false, expect.stringContaining(problem)]);
    expect(stderr).toContain("hint:");
  });
});

async function run(words: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const options = { env: home.environment(), stdin: "ignore", stdout: "pipe", stderr: "pipe" } as const;
  const child = Bun.spawn([KAMI.command, KAMI.script, ...words], options);
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

async function uninstall(id: string): Promise<void> {
  expect((await run(["uninstall", id])).exitCode).toBe(0);
}
