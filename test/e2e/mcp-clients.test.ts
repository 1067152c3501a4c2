/**
 * Real MCP clients, each as a client starts a server: as a child process. In both eras of the protocol.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createMCPClient } from "@ai-sdk/mcp";
import { StdioMCPTransport } from "@ai-sdk/mcp/mcp-stdio";
import { Client, type VersionNegotiationMode } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { toolDirectory } from "../../fixtures/paths.ts";
import { awaitLoad, canMeasureCpu } from "../mcp/support/cpu.ts";
import { Home, KAMI } from "../mcp/support/kami.ts";

const ENDLESS = "max_fuel = 9007199254740991";
const CSV = "city,people\nBern,100\nBasel,300\n";

let home: Home;

beforeAll(async () => {
  home = new Home();
  await home.installAll([
    home.makePackage("echo"),
    home.makePackage("trap"),
    home.makePackage("spin", `${ENDLESS}\nmax_execution_ms = 2000`),
    home.makePackage("spin", `${ENDLESS}\nmax_execution_ms = 120000`, "spin-long"),
    toolDirectory("csv-summary"),
  ]);
});

afterAll(() => home[Symbol.dispose]());

const parameters = (): { command: string; args: string[]; env: Record<string, string>; stderr: "ignore" } => ({
  command: KAMI.command,
  args: [KAMI.script, "serve", "--concurrency", "2"],
  env: home.environment(),
  stderr: "ignore",
});

async function connect(mode: VersionNegotiationMode): Promise<{ client: Client; pid: number } & AsyncDisposable> {
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
  const transport = new StdioClientTransport(parameters());
  await client.connect(transport);
  return { client, pid: transport.pid ?? 0, [Symbol.asyncDispose]: () => client.close() };
}

const NAMES = ["csv-summary", "echo", "spin", "spin-long", "trap"];

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
    expect(client.getInstructions()).toContain("- echo: dev.kami.fixture.echo 1.0.0");
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(NAMES);
    const value = { text: "Grüße\n", list: [1, { deep: null }] };
    expect(await client.callTool({ name: "echo", arguments: value })).toMatchObject({
      content: [{ type: "text", text: JSON.stringify(value) }],
      structuredContent: value,
    });
    expect(await client.callTool({ name: "trap", arguments: { kind: "unreachable" } })).toMatchObject({
      isError: true,
      content: [
        {
          type: "text",
          text: "The tool crashed: it executed an unreachable instruction, in function 8 (try another input, or tell the tool's author)",
        },
      ],
    });
    const summary = await client.callTool({ name: "csv-summary", arguments: { csv: CSV } });
    expect(summary).toMatchObject({ structuredContent: { rows: 2, raggedRows: 0 } });
    expect(await client.callTool({ name: "csv-summary", arguments: {} })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('Cannot use the input: "csv" is required') }],
    });
    const refused = await client.callTool({ name: "no-such-tool", arguments: {} }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: -32_602, message: expect.stringContaining('Unknown tool: "no-such-tool"') });
  });
});

describe.each([
  { protocolVersionDiscovery: false, version: "2025-11-25" },
  { protocolVersionDiscovery: true, version: "2026-07-28" },
])("@ai-sdk/mcp, $version", ({ protocolVersionDiscovery, version }) => {
  test("lists the tools and calls them", async () => {
    const client = await createMCPClient({ transport: new StdioMCPTransport(parameters()), protocolVersionDiscovery });
    try {
      expect(client.initializeResult.protocolVersion).toBe(version);
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(NAMES);
      expect(await client.callTool({ name: "echo", arguments: { a: ["ü"] } })).toMatchObject({
        content: [{ type: "text", text: '{"a":["ü"]}' }],
        structuredContent: { a: ["ü"] },
      });
      expect(await client.callTool({ name: "trap", arguments: { kind: "bounds" } })).toMatchObject({ isError: true });
      const refused = await client.callTool({ name: "no-such-tool" }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ message: expect.stringContaining('Unknown tool: "no-such-tool"') });
    } finally {
      await client.close();
    }
  });
});

describe.each([
  { version: "2025-11-25", mode: "legacy" },
  { version: "2026-07-28", mode: { pin: "2026-07-28" } },
] as const)("many calls at once, $version", ({ mode }) => {
  test("ten others finish while one spins until its deadline", async () => {
    await using connected = await connect(mode);
    const { client } = connected;
    const finished: string[] = [];
    const spin = client.callTool({ name: "spin", arguments: {} }).finally(() => finished.push("spin"));
    const echoes = Array.from({ length: 10 }, (_, index) =>
      client.callTool({ name: "echo", arguments: { index } }).finally(() => finished.push("echo")),
    );
    const results = await Promise.all(echoes);
    expect(results.map(({ structuredContent }) => structuredContent)).toEqual(echoes.map((_, index) => ({ index })));
    expect(await spin).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining("Cannot finish the call: it ran longer than 2000 ms") }],
      _meta: { "dev.kami/failure": "DEADLINE_EXCEEDED" },
    });
    expect(finished).toEqual([...Array.from({ length: 10 }, () => "echo"), "spin"]);
  });

  test.if(canMeasureCpu)(
    "a cancelled call stops burning the processor, long before its deadline",
    async () => {
      await using connected = await connect(mode);
      const { client, pid } = connected;
      const stop = new AbortController();
      const call = client.callTool({ name: "spin-long", arguments: {} }, { signal: stop.signal, timeout: 120_000 });
      const outcome = call.then(
        () => "answered",
        () => "cancelled",
      );
      // The control: without it, a call that never ran would pass.
      expect(await awaitLoad(pid, (load) => load > 0.5)).toBeGreaterThan(0.5);
      stop.abort();
      expect(await outcome).toBe("cancelled");
      expect(await awaitLoad(pid, (load) => load < 0.1)).toBeLessThan(0.1);
      expect(await client.callTool({ name: "echo", arguments: {} })).toMatchObject({ structuredContent: {} });
    },
    30_000,
  );
});
