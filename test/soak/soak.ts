/**
 * Calls of every kind, good, failing, hostile and cancelled, over stdio and HTTP at once, for as long as is wanted. Counts what must not
 * happen: an answer that is lost, doubled, crossed or of the wrong kind, and memory that grows.
 */
import { readdirSync, readFileSync } from "node:fs";
import { Client, StreamableHTTPClientTransport, type VersionNegotiationMode } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Home, KAMI } from "../mcp/support/kami.ts";
import { ServedHttp } from "../mcp/support/served-http.ts";
import { checkDuplicates, RawSession } from "./raw-session.ts";

/** What came of a soak. */
export interface SoakReport {
  readonly seconds: number;
  readonly calls: number;
  /** Calls by what was asked and what was answered. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** What must not happen, one line each; at most a hundred. */
  readonly faults: readonly string[];
  /** Mebibytes resident, of each server and its executors: after the first third of the time, and at the end. */
  readonly memory: Readonly<Record<string, { readonly early: number; readonly late: number }>>;
}

/** How long, and how hard. */
export interface SoakOptions {
  readonly seconds: number;
  /** Calls that each client has under way. */
  readonly width: number;
  readonly seed: number;
  readonly onProgress?: (line: string) => void;
}

const ENDLESS = "max_fuel = 9007199254740991\nmax_execution_ms = 150";
const GREEDY = "max_fuel = 1000000000\nmax_memory_mb = 8";
const ERAS: readonly VersionNegotiationMode[] = ["legacy", { pin: "2026-07-28" }];
const FAULTS_SHOWN = 100;

/** Failures that any call may have when an executor was lost beside it; how many is bounded. */
const GIVEN_UP = ["WORKER_LOST", "EXECUTOR_LOST"];
const GIVEN_UP_LIMIT = 0.002;

/** One kind of call. */
interface Kind {
  readonly share: number;
  readonly tool: string;
  /** Whether the client cancels it. */
  readonly isCancelled?: boolean;
  readonly input: (mark: string) => Record<string, unknown>;
  /** What the answer is called; undefined when it is not one that this call may have. */
  readonly judge: (answer: Answer, mark: string) => string | undefined;
}

type Answer = Record<string, unknown>;

const failsWith =
  (...codes: readonly string[]) =>
  (answer: Answer): string | undefined => {
    const meta: unknown = answer["_meta"];
    const code =
      typeof meta === "object" && meta !== null && "dev.kami/failure" in meta ? String(meta["dev.kami/failure"]) : "OK";
    return codes.includes(code) ? code : undefined;
  };

const echoes = (answer: Answer, mark: string): string | undefined => {
  const value: unknown = answer["structuredContent"];
  return typeof value === "object" && value !== null && "mark" in value && value.mark === mark ? "OK" : undefined;
};

const KINDS: Readonly<Record<string, Kind>> = {
  good: { share: 50, tool: "echo", input: (mark) => ({ mark, text: "ü".repeat(200) }), judge: echoes },
  large: { share: 2, tool: "echo", input: (mark) => ({ mark, text: "x".repeat(200_000) }), judge: echoes },
  failing: { share: 12, tool: "fail", input: (mark) => ({ mark }), judge: failsWith("TOOL_ERROR") },
  trap: { share: 8, tool: "trap", input: () => ({ kind: "unreachable" }), judge: failsWith("GUEST_UNREACHABLE") },
  greedy: { share: 4, tool: "hog", input: () => ({}), judge: failsWith("MEMORY_EXHAUSTED") },
  deep: { share: 4, tool: "recurse", input: () => ({}), judge: failsWith("STACK_OVERFLOW", "FUEL_EXHAUSTED") },
  forger: {
    share: 4,
    tool: "stdout-forger",
    input: () => ({}),
    judge: failsWith("OK", "CAPABILITY_DENIED", "TOOL_ERROR"),
  },
  endless: { share: 4, tool: "spin", input: () => ({}), judge: failsWith("DEADLINE_EXCEEDED", "CANCELLED") },
  cancelled: {
    share: 12,
    tool: "spin",
    isCancelled: true,
    input: () => ({}),
    judge: failsWith("DEADLINE_EXCEEDED", "CANCELLED"),
  },
};

const GUESTS = ["echo", "fail", "trap", "recurse", "stdout-forger"];

/** Runs a soak. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  using home = new Home();
  await home.installAll([
    ...GUESTS.map((guest) => home.makePackage(guest)),
    home.makePackage("spin", ENDLESS),
    home.makePackage("hog", GREEDY),
  ]);
  await using server = await ServedHttp.start(home, ["--concurrency", "4"]);
  const run = new Run(options);
  const clients = await openClients(home, server);
  const raw = await RawSession.open(server.url, server.token);
  const pids = new Map([
    ["http", server.child.pid],
    ...clients.flatMap(({ name, pid }): [string, number][] => (pid === undefined ? [] : [[name, pid]])),
  ]);
  try {
    await run.all(
      clients.map(({ client, name }) => ({ client, name })),
      { raw, pids },
    );
  } finally {
    await Promise.all(clients.map(({ client }) => client.close()));
  }
  return run.report();
}

interface OpenClient {
  readonly name: string;
  readonly client: Client;
  /** Of its server, when that is its own. */
  readonly pid?: number | undefined;
}

async function openClients(home: Home, server: ServedHttp): Promise<readonly OpenClient[]> {
  const clients: OpenClient[] = [];
  for (const [index, mode] of ERAS.entries()) {
    const http = new Client({ name: "soak", version: "1" }, { versionNegotiation: { mode } });
    const headers = { authorization: `Bearer ${server.token}` };
    await http.connect(new StreamableHTTPClientTransport(new URL(server.url), { requestInit: { headers } }));
    const stdio = new Client({ name: "soak", version: "1" }, { versionNegotiation: { mode } });
    const transport = new StdioClientTransport({
      command: KAMI.command,
      args: [KAMI.script, "serve", "--concurrency", "2"],
      env: home.environment(),
      stderr: "ignore",
    });
    await stdio.connect(transport);
    clients.push(
      { name: `http-${index}`, client: http },
      { name: `stdio-${index}`, client: stdio, pid: transport.pid ?? undefined },
    );
  }
  return clients;
}

/** The state of one soak. */
class Run {
  readonly #options: SoakOptions;
  readonly #outcomes = new Map<string, number>();
  readonly #faults: string[] = [];
  readonly #memory = new Map<string, { early: number; late: number }>();
  #startedAt = performance.now();
  #random: number;
  #calls = 0;

  constructor(options: SoakOptions) {
    this.#options = options;
    this.#random = options.seed;
  }

  async all(
    clients: readonly { readonly client: Client; readonly name: string }[],
    { raw, pids }: { readonly raw: RawSession; readonly pids: ReadonlyMap<string, number> },
  ): Promise<void> {
    const { width, seconds } = this.#options;
    this.#startedAt = performance.now();
    const lanes = clients.flatMap(({ client, name }) => Array.from({ length: width }, () => this.#lane(client, name)));
    const early = this.#measure(pids, "early", seconds / 3);
    const watching = this.#watch();
    const duplicates = checkDuplicates(
      raw,
      () => this.#isOver,
      (fault) => this.#fault(fault),
    );
    await Promise.all([...lanes, early, watching, duplicates]);
    // What is being torn down is no growth.
    await Bun.sleep(500);
    await this.#measure(pids, "late", 0);
  }

  report(): SoakReport {
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000);
    const givenUp = [...this.#outcomes].filter(([key]) => GIVEN_UP.some((code) => key.endsWith(code)));
    const sum = givenUp.reduce((total, [, count]) => total + count, 0);
    if (sum > Math.max(5, this.#calls * GIVEN_UP_LIMIT)) this.#fault(`${sum} calls were given up`);
    const outcomes = Object.fromEntries([...this.#outcomes].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    return { seconds, calls: this.#calls, outcomes, faults: this.#faults, memory: Object.fromEntries(this.#memory) };
  }

  get #isOver(): boolean {
    return performance.now() - this.#startedAt > this.#options.seconds * 1000;
  }

  async #lane(client: Client, name: string): Promise<void> {
    while (!this.#isOver) {
      const [kind, call] = this.#pick();
      this.#calls += 1;
      const mark = `${name}-${this.#calls}`;
      const outcome = await this.#call(client, call, mark);
      const key = `${kind}: ${outcome.startsWith("!") ? "wrong" : outcome}`;
      this.#outcomes.set(key, (this.#outcomes.get(key) ?? 0) + 1);
      if (outcome.startsWith("!")) this.#fault(`${name}, ${kind}: ${outcome}`);
    }
  }

  async #call(client: Client, kind: Kind, mark: string): Promise<string> {
    const stop = new AbortController();
    const timer = kind.isCancelled === true ? setTimeout(() => stop.abort(), this.#next(100)) : undefined;
    try {
      const params = { name: kind.tool, arguments: kind.input(mark) };
      const answer: Answer = { ...(await client.callTool(params, { signal: stop.signal, timeout: 30_000 })) };
      // A full queue, and what the watchdog gives up on a machine that has no time for it, are answers too.
      return (
        failsWith("BUSY", ...GIVEN_UP)(answer) ??
        kind.judge(answer, mark) ??
        `! ${JSON.stringify(answer).slice(0, 300)}`
      );
    } catch (error) {
      return stop.signal.aborted ? "cancelled" : `! lost: ${String(error).slice(0, 300)}`;
    } finally {
      clearTimeout(timer);
    }
  }

  #pick(): [string, Kind] {
    let at = this.#next(100);
    for (const [name, kind] of Object.entries(KINDS)) {
      if (at < kind.share) return [name, kind];
      at -= kind.share;
    }
    throw new Error("BUG: the shares are less than a hundred");
  }

  /** A number from 0 to `below` - 1. Source: Park and Miller, CACM 31 (1988). */
  #next(below: number): number {
    this.#random = (this.#random * 48_271) % 2_147_483_647;
    return this.#random % below;
  }

  async #measure(pids: ReadonlyMap<string, number>, when: "early" | "late", afterSeconds: number): Promise<void> {
    await Bun.sleep(afterSeconds * 1000);
    for (const [name, pid] of pids) {
      const figures = this.#memory.get(name) ?? { early: 0, late: 0 };
      figures[when] = familyMebibytes(pid);
      this.#memory.set(name, figures);
    }
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      await Bun.sleep(Math.min(10_000, this.#options.seconds * 1000));
      this.#options.onProgress?.(`${this.#calls} calls, ${this.#faults.length} faults`);
    }
  }

  #fault(fault: string): void {
    this.#options.onProgress?.(fault);
    if (this.#faults.length < FAULTS_SHOWN) this.#faults.push(fault);
  }
}

/** Memory of a process and its children. Source: proc_pid_status(5), proc_pid_stat(5). */
function familyMebibytes(root: number): number {
  const parents = new Map(
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((name): [number, number] => [Number(name), Number(/PPid:\s+(\d+)/.exec(read(name))?.[1] ?? 0)]),
  );
  const family = [...parents].filter(([pid, parent]) => pid === root || parent === root).map(([pid]) => pid);
  return Math.round(
    family.reduce((sum, pid) => sum + Number(/VmRSS:\s+(\d+) kB/.exec(read(String(pid)))?.[1] ?? 0), 0) / 1024,
  );
}

function read(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}
