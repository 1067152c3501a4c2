/**
 * How many calls can wait at once? A thousand calls of one tool, each waiting 100 ms for a server on this machine, in one executor process: all together,
 * beside one alone.
 */
import { guestPath } from "../fixtures/paths.ts";
import { parseCapability } from "../lib/policy/capability.ts";
import { Runtime } from "../lib/runtime.ts";
import { descendantMebibytes } from "./resident.ts";
import type { Findings, Suite, SummaryFigure } from "./suite.ts";

const CALLS = 1000;
const WAIT_MS = 100;
const LIMIT_MS = 1000;
const LIMIT_MEBIBYTES = 400;
/** Rounds before and in the measurement. The first ones start Workers, compile, and make control blocks. */
const WARM_UP = 2;
const ROUNDS = 5;
const LIMITS = { fuel: 10_000_000, memoryBytes: 16 * 1_048_576, timeoutMs: 20_000 } as const;

/** `bun bench/run.ts io` */
export const IO: Suite = {
  name: "io",
  question: "How many calls can wait at once?",
  async run({ scratch, effort }): Promise<Findings> {
    await using server = await Server.start();
    await using runtime = new Runtime({
      home: scratch.directory("io"),
      isolation: "process",
      concurrency: 1,
      queueLimit: CALLS,
    });
    const isQuick = effort.leastSamples === 1;
    const calls = isQuick ? 50 : CALLS;
    const times: number[] = [];
    let mebibytes = 0;
    for (let round = 0; round < (isQuick ? 1 : WARM_UP + ROUNDS); round++) {
      const { ms, held } = await measure(runtime, server, calls);
      if (round >= WARM_UP || isQuick) times.push(ms);
      mebibytes = Math.max(mebibytes, held);
    }
    const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;
    return { comparisons: [], summary: summarize(calls, median, mebibytes) };
  },
};

function summarize(calls: number, ms: number, mebibytes: number): readonly SummaryFigure[] {
  return [
    { name: `${calls} calls at once, each waiting ${WAIT_MS} ms`, value: ms, unit: "ms", note: `at most ${LIMIT_MS}` },
    { name: "the executor process, at most", value: mebibytes, unit: "MiB", note: `at most ${LIMIT_MEBIBYTES}` },
  ];
}

/** Makes the calls at once. @returns What it took, and what the executor held while they waited. */
async function measure(runtime: Runtime, server: Server, calls: number): Promise<{ ms: number; held: number }> {
  const granted = parseCapability(`net:http://${server.authority}`);
  if (!granted.ok) throw new Error(`BUG: ${granted.problem}`);
  const input = JSON.stringify({ authority: server.authority });
  const options = { limits: LIMITS, grants: [granted.capability] };
  const startMs = performance.now();
  const all = Array.from({ length: calls }, () => runtime.runFile(guestPath("http-get"), input, options));
  await Bun.sleep(WAIT_MS);
  const held = descendantMebibytes([server.pid]);
  const results = await Promise.all(all);
  const ms = performance.now() - startMs;
  const failed = results.find((result) => !result.ok || !result.output.includes("200"));
  if (failed !== undefined) throw new Error(`BUG: a call failed: ${JSON.stringify(failed)}`);
  return { ms, held };
}

/** The server's process. */
class Server implements AsyncDisposable {
  readonly authority: string;
  readonly #child: Bun.Subprocess;

  private constructor(child: Bun.Subprocess, port: string) {
    this.#child = child;
    this.authority = `127.0.0.1:${port}`;
  }

  static async start(): Promise<Server> {
    const script = new URL("io-server.ts", import.meta.url).pathname;
    const child = Bun.spawn([process.execPath, script], { stdout: "pipe", stderr: "inherit" });
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    reader.releaseLock();
    return new Server(child, new TextDecoder().decode(value).trim());
  }

  get pid(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }
}
