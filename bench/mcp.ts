/**
 * What does MCP cost on top of the runtime's own call, how many calls a second go through it, and how long does a client wait for its first list?
 * Server and clients share this process, as they share the machine in use; guests run in executor processes, as `kami serve` has them.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AccessCheck } from "../lib/mcp/http/access.ts";
import { LOOPBACK_HOSTS } from "../lib/mcp/http/names.ts";
import { HttpServer } from "../lib/mcp/http/server.ts";
import { TokenCheck, TokenStore } from "../lib/mcp/http/tokens.ts";
import { readPackage } from "../lib/registry/package.ts";
import { Registry } from "../lib/registry/registry.ts";
import { Runtime } from "../lib/runtime.ts";
import { type Answer, type Ask, askOverHttp, BENCH_TOKEN, LineClient, StdioPair } from "./mcp-client.ts";
import { compare, lighten } from "./measure.ts";
import type { Scratch } from "./scratch.ts";
import type { Comparison, Findings, Suite, SummaryFigure, Surroundings } from "./suite.ts";
import { ECHO } from "./tools.ts";

const KAMI = fileURLToPath(new URL("../bin/kami.ts", import.meta.url));

/** Clients at once. */
const CROWDS = [1, 16, 256];

/** Tools of the installation that a client connects to first, and of the large one. */
const TOOLS = { few: 20, many: 1000 } as const;

/** An effort that takes fewer rounds than this only shows that everything runs. */
const FEW_ROUNDS = 4;

/** `bun bench/run.ts mcp` */
export const MCP: Suite = {
  name: "mcp",
  question: "What does MCP add to a call, and to a start?",
  async run(surroundings): Promise<Findings> {
    const { only } = surroundings;
    const calls = only("calls") ? await measureCalls(surroundings) : NOTHING;
    const lists = only("lists") ? await measureLists(surroundings) : NOTHING;
    return {
      comparisons: [...calls.comparisons, ...lists.comparisons],
      summary: [...calls.summary, ...lists.summary],
    };
  },
};

const NOTHING: Findings = { comparisons: [], summary: [] };

async function measureCalls({ effort, scratch }: Surroundings): Promise<Findings> {
  await using runtime = new Runtime({ home: scratch.directory("mcp-calls"), isolation: "process" });
  const { id } = (await runtime.install(ECHO.directory)).tool;
  await using http = listen(runtime);
  await using stdio = new StdioPair(runtime);
  await stdio.initialize();
  const call: Ask = { method: "tools/call", params: { name: "echo", arguments: JSON.parse(ECHO.input) } };
  const comparison = await compare(
    "one call at a time",
    [
      { name: "runtime.call", run: async () => expectOk((await runtime.call(id, ECHO.input)).ok) },
      { name: "tools/call over stdio", run: async () => expectResult(await stdio.ask(call)) },
      { name: "tools/call over HTTP", run: async () => expectResult(await askOverHttp(http.address, call)) },
    ],
    effort,
  );
  const summary: SummaryFigure[] = [];
  const ms = effort.rounds < FEW_ROUNDS ? 20 : 2000;
  for (const clients of CROWDS) {
    const direct = await throughput(clients, ms, async () => expectOk((await runtime.call(id, ECHO.input)).ok));
    summary.push(rate("runtime.call", clients, direct));
    const pairs = Array.from({ length: clients }, () => new StdioPair(runtime));
    for (const pair of pairs) await pair.initialize();
    summary.push(
      rate("stdio", clients, await throughput(clients, ms, async (at) => expectResult(await pairs[at]?.ask(call)))),
    );
    for (const pair of pairs) await pair[Symbol.asyncDispose]();
    const overHttp = async (): Promise<void> => expectResult(await askOverHttp(http.address, call));
    summary.push(rate("HTTP", clients, await throughput(clients, ms, overHttp)));
  }
  return { comparisons: [comparison], summary };
}

async function measureLists({ effort, scratch }: Surroundings): Promise<Findings> {
  const isQuick = effort.rounds < FEW_ROUNDS;
  const few = scratch.directory("mcp-few");
  await fill(scratch, few, TOOLS.few);
  const start = await compare(
    "start to the first list",
    [
      { name: "bun -e 0", run: () => scratch.run(["-e", "0"]) },
      { name: `kami serve, ${TOOLS.few} tools`, run: () => firstList(few) },
    ],
    lighten(effort),
  );
  const many = scratch.directory("mcp-many");
  const count = isQuick ? TOOLS.few : TOOLS.many;
  await fill(scratch, many, count);
  await using runtime = new Runtime({ home: many });
  await using client = new StdioPair(runtime);
  const first = await timed(async () => client.initialize().then(() => listAll(client, count)));
  const again = await compare(
    "all pages of a list",
    [
      { name: "registry.list", run: () => runtime.registry.list().length },
      { name: `tools/list, ${count} tools`, run: () => listAll(client, count) },
    ],
    lighten(effort),
  );
  const listMs = (again.figures[1]?.medianNs ?? NaN) / 1e6;
  return {
    comparisons: [start, again],
    summary: [
      { name: `start to the first list, ${TOOLS.few} tools (limit 150)`, value: msOf(start), unit: " ms" },
      { name: `tools/list of ${count} tools (limit 50)`, value: listMs, unit: " ms" },
      { name: `connect, and tools/list of ${count} tools for the first time`, value: first, unit: " ms" },
    ],
  };
}

/** Installs copies of a tool under many ids. */
async function fill(scratch: Scratch, home: string, count: number): Promise<void> {
  await using runtime = new Runtime({ home });
  const { component, manifestBytes } = await readPackage(ECHO.directory);
  const toml = new TextDecoder().decode(manifestBytes);
  const wasm = /wasm = "([^"]+)"/.exec(toml)?.[1] ?? "";
  const directory = scratch.directory("mcp-package");
  writeFileSync(join(directory, wasm), component);
  const write = (at: number): void =>
    writeFileSync(join(directory, "tool.toml"), toml.replace(/id = "[^"]+"/, `id = "dev.kami.bench.tool-${at}"`));
  write(0);
  // Once through the runtime, which compiles it; then the rows and files alone.
  await runtime.install(directory);
  using registry = Registry.open(home);
  for (let at = 1; at < count; at += 1) {
    write(at);
    registry.install(await readPackage(directory));
  }
}

/** A whole process, from its start to its first list; it ends when its stdin does. */
async function firstList(home: string): Promise<void> {
  const child = Bun.spawn([process.execPath, "--no-orphans", KAMI, "serve"], {
    env: { PATH: process.env["PATH"], HOME: home, KAMI_HOME: home },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  const client = new LineClient((text) => {
    void child.stdin.write(text);
    void child.stdin.flush();
  });
  const listed = client.initialize().then(() => client.ask({ method: "tools/list", params: {} }));
  const reading = (async () => {
    for await (const chunk of child.stdout) client.push(new TextDecoder().decode(chunk));
  })();
  await Promise.race([listed, reading]);
  child.kill("SIGKILL");
  await child.exited;
}

async function listAll(client: LineClient, count: number): Promise<void> {
  let found = 0;
  let cursor: unknown;
  do {
    const params = cursor === undefined ? {} : { cursor };
    const { result } = await client.ask({ method: "tools/list", params });
    const tools = result?.["tools"];
    found += Array.isArray(tools) ? tools.length : 0;
    cursor = result?.["nextCursor"];
  } while (cursor !== undefined);
  if (found !== count) throw new Error(`${found} of ${count} tools were listed`);
}

function listen(runtime: Runtime): HttpServer {
  return new HttpServer(runtime, {
    place: { kind: "tcp", host: "127.0.0.1", port: 0 },
    names: { hosts: LOOPBACK_HOSTS, origins: new Set() },
    access: new AccessCheck({ tokens: new TokenCheck(BENCH_TOKEN, new TokenStore("/nowhere")) }),
    drainMs: 1000,
    version: "0",
    log: () => undefined,
  });
}

/** Calls a second of clients that each call again as soon as they have an answer. */
async function throughput(clients: number, ms: number, call: (at: number) => Promise<void>): Promise<number> {
  const until = performance.now() + ms;
  const startedAt = performance.now();
  let calls = 0;
  const client = async (at: number): Promise<void> => {
    while (performance.now() < until) {
      await call(at);
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, at) => client(at)));
  return calls / ((performance.now() - startedAt) / 1000);
}

function rate(name: string, clients: number, value: number): SummaryFigure {
  return { name: `calls a second, ${name}, ${clients} clients`, value, unit: "/s" };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function msOf({ figures }: Comparison): number {
  return (figures[1]?.medianNs ?? NaN) / 1e6;
}

function expectResult(answer: Answer | undefined): void {
  expectOk(answer?.result !== undefined && answer.result["isError"] !== true);
}

function expectOk(isOk: boolean): void {
  if (!isOk) throw new Error("a call failed that should not: its figure would be worth nothing");
}
