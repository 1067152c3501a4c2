/**
 * `bun run try`: shows KAMI at work, with the real command line, the real server and a real MCP client, in a home that is thrown away.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { guestDirectory, toolDirectory } from "../fixtures/paths.ts";
import { wrap } from "../lib/cli/table.ts";

const KAMI = join(import.meta.dir, "kami.ts");
const isColoured = process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "";
const CSV = "city,population,founded\nBern,134794,1191\nBasel,178120,\nChur,38295,-3000\n";

console.log("Setting up…");
const home = await mkdtemp(join(tmpdir(), "kami-try-"));
try {
  await tryKami();
} finally {
  await rm(home, { recursive: true, force: true });
}

async function tryKami(): Promise<void> {
  const startedAt = performance.now();
  title("1. Install four tools into a throw-away home");
  explain(
    "Two useful ones, one that wants the network, one that never ends. Each is a WebAssembly component and a tool.toml.",
  );
  for (const directory of [toolDirectory("json-query"), toolDirectory("csv-summary")]) await install(directory);
  for (const guest of ["connect", "spin"]) await install(guestDirectory(guest));

  title("2. Start `kami serve` and connect a real MCP client to it");
  await using server = await connect();
  const { client } = server;
  const { tools } = await client.listTools();
  explain(`It speaks MCP ${client.getNegotiatedProtocolVersion()} and offers ${tools.length} tools:`);
  for (const { name, description } of tools) show(`${name}: ${shorten(description ?? "", 90)}`);

  title("3. Call the useful ones");
  await call(client, "json-query", {
    data: {
      people: [
        { name: "Ada", born: 1815 },
        { name: "Alan", born: 1912 },
      ],
    },
    query: "people[?born < `1900`].name",
  });
  await call(client, "csv-summary", { csv: CSV });

  title("4. A tool asks for what it was not granted");
  explain(
    "This one connects to a port of your machine. KAMI grants nothing that you did not grant: it is told 1, access-denied.",
  );
  await call(client, "connect", {});

  title("5. A tool never ends");
  explain("This one loops for ever, and has two seconds. Ten calls of another tool go on beside it.");
  const spinning = call(client, "spin", {});
  const others = Array.from({ length: 10 }, (_, index) =>
    client.callTool({ name: "json-query", arguments: { data: index, query: "@" } }),
  );
  await Promise.all(others);
  show("the ten others have finished");
  await spinning;

  title("Done");
  explain(
    `All of that took ${((performance.now() - startedAt) / 1000).toFixed(1)} s. The home is gone again. Next: the README shows how to add KAMI to your agent.`,
  );
}

async function install(directory: string): Promise<void> {
  const child = Bun.spawn([process.execPath, KAMI, "install", directory, "--json"], {
    env: { ...process.env, KAMI_HOME: home },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [exitCode, stderr] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  if (exitCode !== 0) throw new Error(`kami install ended with exit code ${exitCode}: ${stderr}`);
  show(`kami install ${directory.slice(join(import.meta.dir, "..").length + 1)}`);
}

async function connect(): Promise<{ readonly client: Client } & AsyncDisposable> {
  const client = new Client({ name: "try", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [KAMI, "serve", "--concurrency", "2"],
    env: { PATH: process.env["PATH"] ?? "", KAMI_HOME: home },
    stderr: "ignore",
  });
  await client.connect(transport);
  return { client, [Symbol.asyncDispose]: () => client.close() };
}

async function call(client: Client, name: string, input: Record<string, unknown>): Promise<void> {
  const startedAt = performance.now();
  const result = await client.callTool({ name, arguments: input });
  const ms = (performance.now() - startedAt).toFixed(0);
  const content: unknown = Array.isArray(result.content) ? result.content[0] : undefined;
  const text = typeof content === "object" && content !== null && "text" in content ? String(content.text) : "";
  show(`${name} ${shorten(JSON.stringify(input), 90)}`);
  const verdict = result.isError === true ? paint(31, "refused") : paint(32, "answered");
  show(`  ${verdict} after ${ms} ms: ${shorten(text, 200)}`);
}

function title(text: string): void {
  console.log(`\n${paint(1, text)}`);
}

function explain(text: string): void {
  console.log(wrap(text, process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : undefined));
}

function show(text: string): void {
  console.log(`  ${text}`);
}

function shorten(text: string, limit: number): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > limit ? `${line.slice(0, limit)}…` : line;
}

function paint(code: number, text: string): string {
  return isColoured ? `\u001b[${code}m${text}\u001b[0m` : text;
}
