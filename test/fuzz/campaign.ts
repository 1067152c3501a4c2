/**
 * Test support: has mutations judged in a child, and takes note when it crashes, hangs, or uses too much memory: with the mutation that it was
 * working on, which is then left out.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { TemporaryDirectory } from "../support/temporary.ts";
import type { Line } from "./child.ts";
import { type Input, packCorpus, Schedule } from "./corpus.ts";
import { makeMutation, type Mutation, type Target } from "./mutate.ts";
import { addTally, emptyTally, type Tally } from "./verdict.ts";

/** Numbers from `next` up to `end`, which is not among them. */
export interface Range {
  readonly next: number;
  readonly end: number;
}

/** What a child is told. */
export interface Task {
  readonly target: Target;
  readonly seed: number;
  readonly range: Range;
  readonly skipped: readonly number[];
  /** It ends when this is over, at the next opportunity. */
  readonly timeMs: number;
  readonly corpusPath: string;
  readonly progressPath: string;
}

/** A run. */
export interface Campaign {
  readonly target: Target;
  readonly seed: number;
  readonly count: number;
  readonly timeMs: number;
  readonly inputs: Readonly<Record<Target, readonly Input[]>>;
  /** The child's script; by default the one that judges. */
  readonly script?: string;
  /** Longest that one mutation may take before the child is killed; far above what counts as a hang, because the machine may be busy. */
  readonly stuckMs?: number;
  readonly onProgress?: (tally: Tally) => void;
}

/** Something that must not happen, with the smallest mutation that shows it. */
interface Finding extends Mutation {
  readonly number: number;
  readonly text: string;
  /** How many mutations show it. */
  readonly count: number;
}

/** How a run went. */
export interface Report {
  readonly tally: Tally;
  readonly findings: readonly Finding[];
  /** Most resident memory of any child, in bytes. */
  readonly peakBytes: number;
  readonly elapsedMs: number;
}

const MEMORY_LIMIT_BYTES = 512 * 1_048_576;
const STUCK_MS = 20_000;
const POLL_MS = 50;
const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));
/** A child that ends so often without a mutation at fault is itself at fault. */
const MOST_DEATHS = 200;

/** Runs a campaign to its end. */
export async function runCampaign(campaign: Campaign): Promise<Report> {
  using directory = new TemporaryDirectory();
  const corpusPath = directory.join("corpus.json");
  const progressPath = directory.join("progress");
  writeFileSync(corpusPath, packCorpus(campaign.inputs));
  writeFileSync(progressPath, new Uint8Array(8));
  const startedMs = performance.now();
  const run = new Run(campaign, new Uint32Array(Bun.mmap(progressPath).buffer));
  for (let deaths = 0; run.next < campaign.count; deaths++) {
    const leftMs = campaign.timeMs - (performance.now() - startedMs);
    if (leftMs <= 0) break;
    if (deaths > MOST_DEATHS) throw new Error("the child ends again and again");
    const isOver = await run.attempt({ timeMs: leftMs, corpusPath, progressPath });
    if (isOver) break;
  }
  return { ...run.result(), elapsedMs: performance.now() - startedMs };
}

class Run {
  /** The first that no tally has counted. */
  next = 0;
  readonly #campaign: Campaign;
  readonly #progress: Uint32Array;
  readonly #corpus: Readonly<Record<Target, Schedule>>;
  readonly #tally = emptyTally();
  readonly #findings = new Map<string, Finding>();
  readonly #skipped: number[] = [];
  #peakBytes = 0;

  constructor(campaign: Campaign, progress: Uint32Array) {
    this.#campaign = campaign;
    this.#progress = progress;
    const { module, component } = campaign.inputs;
    this.#corpus = { module: new Schedule(module), component: new Schedule(component) };
  }

  result(): Omit<Report, "elapsedMs"> {
    return { tally: this.#tally, findings: [...this.#findings.values()], peakBytes: this.#peakBytes };
  }

  /** Runs one child. @returns Whether it ended by itself, as it should. */
  async attempt(rest: Pick<Task, "timeMs" | "corpusPath" | "progressPath">): Promise<boolean> {
    const { target, seed, count, script = CHILD } = this.#campaign;
    const task: Task = { target, seed, range: { next: this.next, end: count }, skipped: this.#skipped, ...rest };
    const child = Bun.spawn([process.execPath, script, JSON.stringify(task)], { stdout: "pipe", stderr: "pipe" });
    const watch = this.#watch(child);
    const stderr = new Response(child.stderr).text();
    for await (const line of linesOf(child.stdout)) this.#take(line);
    const exitCode = await child.exited;
    const killedFor = watch.end();
    if (killedFor === undefined && exitCode === 0) return true;
    const number = this.#progress[0] ?? 0;
    const ending = killedFor ?? `it ends the process: ${child.signalCode ?? `exit code ${exitCode}`}`;
    this.#note(number, `${ending}\n${(await stderr).slice(0, 2000)}`.trim());
    this.#skipped.push(number);
    return false;
  }

  #take(line: Line): void {
    if (line.kind === "finding") return this.#note(line.number, line.text);
    addTally(this.#tally, line.tally);
    this.next = line.next;
    this.#campaign.onProgress?.(this.#tally);
  }

  #note(number: number, text: string): void {
    const key = text.replaceAll(/\d+/g, "0").slice(0, 300);
    const before = this.#findings.get(key);
    const mutation = makeMutation(this.#corpus, this.#campaign.target, [this.#campaign.seed, number]);
    const isSmaller = before === undefined || mutation.bytes.length < before.bytes.length;
    const count = (before?.count ?? 0) + 1;
    this.#findings.set(key, isSmaller ? { ...mutation, number, text, count } : { ...before, count });
  }

  /** Looks at the child's memory and at whether it gets on. */
  #watch(child: Bun.Subprocess): { end(): string | undefined } {
    const { stuckMs = STUCK_MS } = this.#campaign;
    let killedFor: string | undefined;
    let seen = this.#progress[1];
    let seenMs = performance.now();
    const timer = setInterval(() => {
      const nowMs = performance.now();
      if (this.#progress[1] !== seen) [seen, seenMs] = [this.#progress[1], nowMs];
      const bytes = peakBytes(child.pid);
      this.#peakBytes = Math.max(this.#peakBytes, bytes);
      if (killedFor === undefined && bytes > MEMORY_LIMIT_BYTES) killedFor = "it uses more than 512 MiB";
      else if (killedFor === undefined && nowMs - seenMs > stuckMs) killedFor = "it hangs";
      if (killedFor !== undefined) child.kill("SIGKILL");
    }, POLL_MS);
    return {
      end: () => {
        clearInterval(timer);
        return killedFor;
      },
    };
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Line> {
  let rest = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) {
      const line: Line = JSON.parse(text);
      yield line;
    }
  }
}

/** Most resident memory that a process had so far; zero where the system does not tell. */
function peakBytes(pid: number): number {
  try {
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
