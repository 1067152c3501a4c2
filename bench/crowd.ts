/**
 * Do hostile calls slow honest ones down? Eight clients call an honest tool again and again: alone, then with one more client at their side
 * that goes through the corpus of hostile guests, in turns. Guests run where `kami serve` has them run. Each guest ends as it should, or the figures are worth nothing.
 */
import { CORPUS } from "../fixtures/hostile/corpus.ts";
import { HOSTILE_LIMITS, type HostileGuest } from "../fixtures/hostile/endings.ts";
import { hostilePath, toolDirectory } from "../fixtures/paths.ts";
import { type CallResult, Runtime } from "../lib/runtime.ts";
import type { Effort } from "./measure.ts";
import type { Comparison, Figure, Findings, Suite, SummaryFigure } from "./suite.ts";
import { AMPLE_LIMITS, ECHO, type SampleTool } from "./tools.ts";

/** `bun bench/run.ts crowd` */
export const CROWD: Suite = {
  name: "crowd",
  question: "Do hostile calls slow honest ones down?",
  async run({ effort, scratch, only }): Promise<Findings> {
    await using runtime = new Runtime({ home: scratch.directory("crowd"), isolation: "process" });
    const hostile = new Hostile(runtime, effort.rounds < FEW_ROUNDS ? RUNNING.filter(isSample) : RUNNING);
    await hostile.prepare();
    const comparisons: Comparison[] = [];
    const summary: SummaryFigure[] = [];
    for (const tool of [ECHO, CSV_SUMMARY].filter(({ name }) => only(name))) {
      const { id } = (await runtime.install(tool.directory)).tool.manifest.tool;
      const honest = new Honest(runtime, id, tool.input);
      const crowd = await measureCrowd(tool.name, { honest, hostile, effort });
      comparisons.push(crowd.comparison);
      summary.push({ name: `p99 beside hostile calls over p99 alone, ${tool.name}`, value: crowd.p99Ratio, unit: "x" });
    }
    return { comparisons, summary };
  },
};

/** A real program whose call takes some milliseconds: a table of 1,000 records, summarised in C. */
const CSV_SUMMARY: SampleTool = {
  name: "csv-summary",
  directory: toolDirectory("csv-summary"),
  input: JSON.stringify({
    csv: `name,price\n${Array.from({ length: 1000 }, (_, at) => `item ${at},${at % 97}`).join("\n")}`,
  }),
};

const CLIENTS = 8;
/** What one turn of the crowd lasts, in an effort's rounds: a p99 needs many calls. There are half as many turns. */
const LENGTH = 20;
/** An effort that takes fewer rounds than this goes through one guest in so many. */
const FEW_ROUNDS = 4;
const SHARE = 25;

const isSample = (_guest: HostileGuest, at: number): boolean => at % SHARE === 0;

const RUNNING = CORPUS.filter(({ at }) => at === undefined);

/** Latencies of one kind of round, in nanoseconds. */
type Rounds = number[][];

interface Crowd {
  readonly honest: Honest;
  readonly hostile: Hostile;
  readonly effort: Effort;
}

async function measureCrowd(
  name: string,
  { honest, hostile, effort }: Crowd,
): Promise<{ readonly comparison: Comparison; readonly p99Ratio: number }> {
  const ms = effort.roundMs * LENGTH;
  await honest.callFor(effort.warmUpMs);
  const alone: Rounds = [];
  const beside: Rounds = [];
  for (let round = 0; round < effort.rounds; round += 2) {
    alone.push(await honest.callFor(ms));
    beside.push(await hostile.beside(() => honest.callFor(ms)));
  }
  const figures = [summarize("alone", alone, alone), summarize("beside hostile calls", beside, alone)];
  return { comparison: { name, figures }, p99Ratio: ratioOf(beside.flat(), alone.flat(), 0.99) };
}

/** The honest clients. */
class Honest {
  readonly #runtime: Runtime;
  readonly #id: string;
  readonly #input: string;
  #output: string | undefined;

  constructor(runtime: Runtime, id: string, input: string) {
    this.#runtime = runtime;
    this.#id = id;
    this.#input = input;
  }

  /** Every client calls again and again. @returns What each call took, in nanoseconds. */
  async callFor(ms: number): Promise<number[]> {
    const until = performance.now() + ms;
    const lanes = await Promise.all(
      Array.from({ length: CLIENTS }, (_, lane) => this.#callUntil(until, `honest ${lane}`)),
    );
    return lanes.flat();
  }

  async #callUntil(until: number, client: string): Promise<number[]> {
    const times: number[] = [];
    do {
      const startedAt = Bun.nanoseconds();
      const result = await this.#runtime.call(this.#id, this.#input, { limits: AMPLE_LIMITS, client });
      times.push(Bun.nanoseconds() - startedAt);
      this.#check(result);
    } while (performance.now() < until);
    return times;
  }

  #check(result: CallResult): void {
    if (!result.ok) throw result.failure;
    this.#output ??= result.output;
    if (result.output !== this.#output) throw new Error(`BUG: the calls differ: ${result.output}`);
  }
}

/** The hostile client. */
class Hostile {
  readonly #runtime: Runtime;
  readonly #guests: readonly HostileGuest[];
  #next = 0;

  constructor(runtime: Runtime, guests: readonly HostileGuest[]) {
    this.#runtime = runtime;
    this.#guests = guests;
  }

  /** Has every guest compiled, and checks how it ends. */
  async prepare(): Promise<void> {
    await Promise.all(this.#guests.map(async (guest) => checkEnd(guest, await this.#call(guest))));
  }

  /** Calls one guest after the other until the work at their side is done. */
  async beside<T>(work: () => Promise<T>): Promise<T> {
    const done = new AbortController();
    const lane = (async (): Promise<void> => {
      while (!done.signal.aborted) {
        const guest = this.#guests[this.#next++ % this.#guests.length];
        if (guest !== undefined) checkEnd(guest, await this.#call(guest));
      }
    })();
    const result = await work();
    done.abort();
    await lane;
    return result;
  }

  #call({ name, limits }: HostileGuest): Promise<CallResult> {
    return this.#runtime.runFile(hostilePath(name), "{}", {
      limits: { ...HOSTILE_LIMITS, ...limits },
      client: "hostile",
    });
  }
}

function checkEnd({ name, ends }: HostileGuest, result: CallResult): void {
  const wanted = "code" in ends ? ends.code : "OK";
  const end = result.ok ? "OK" : result.failure.code;
  if (wanted !== end) throw new Error(`BUG: ${name} ended with ${end} in place of ${wanted}`);
}

function summarize(name: string, rounds: Rounds, baseline: Rounds): Figure {
  const times = rounds.flat();
  const ratios = rounds.map((round, at) => ratioOf(round, baseline[at] ?? [], 0.5));
  return {
    name,
    medianNs: quantile(times, 0.5),
    meanNs: times.reduce((sum, time) => sum + time, 0) / times.length,
    p99Ns: quantile(times, 0.99),
    samples: times.length,
    ratio: ratioOf(times, baseline.flat(), 0.5),
    ratioRange: [Math.min(...ratios), Math.max(...ratios)],
  };
}

function ratioOf(times: readonly number[], baseline: readonly number[], share: number): number {
  return quantile(times, share) / quantile(baseline, share);
}

function quantile(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(share * (times.length - 1))] ?? NaN;
}
