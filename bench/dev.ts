/**
 * How soon does an agent have what was saved? `kami dev` of a tool in TypeScript, with the official client connected to it: from the moment that the source
 * is written until a call, made when the server has said that its tools changed, gives the new output. Beside it: `kami build` and `kami install` of
 * the same source.
 */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { filesOf } from "../lib/author/templates.ts";
import { type Timing, timed } from "./processes.ts";
import type { Scratch } from "./scratch.ts";
import type { Findings, Suite, SummaryFigure } from "./suite.ts";

const KAMI = fileURLToPath(new URL("../bin/kami.ts", import.meta.url));
const ENGINE = fileURLToPath(new URL("../node_modules/componentize-qjs", import.meta.url));
const SAVES = 20;
const LIMIT_MS = 1000;
/** Milliseconds between two saves: nobody types faster, and what one save leaves to be done must not count for the next. */
const PAUSE_MS = 300;
const BUILDS = 3;

/** `bun bench/run.ts dev` */
export const DEV: Suite = {
  name: "dev",
  question: "How soon does an agent have what was saved?",
  async run({ scratch, effort }): Promise<Findings> {
    const isQuick = effort.leastSamples === 1;
    const project = start(scratch);
    const installed = await repeat(isQuick ? 1 : BUILDS, () => buildAndInstall(scratch, project));
    await using dev = await Dev.start(scratch, project);
    const saves = await repeat(isQuick ? 2 : SAVES, (save) => dev.save(`save${save}`));
    return { comparisons: [], summary: summarize(saves, installed) };
  },
};

function summarize(saves: readonly Timing[], installed: readonly Timing[]): readonly SummaryFigure[] {
  const wall = saves.map(({ wallMs }) => wallMs);
  const [median, before] = [middle(wall), middle(installed.map(({ wallMs }) => wallMs))];
  const count = `${saves.length} saves`;
  return [
    { name: `save to new output, ${count}, median`, value: median, unit: "ms", note: `at most ${LIMIT_MS}` },
    {
      name: `save to new output, ${count}, the worst`,
      value: Math.max(...wall),
      unit: "ms",
      note: `at most ${LIMIT_MS}`,
    },
    { name: "CPU time of a save, median", value: middle(saves.map(({ cpuMs }) => cpuMs)), unit: "ms" },
    { name: "kami build and kami install, median", value: before, unit: "ms" },
    { name: "CPU time of these", value: middle(installed.map(({ cpuMs }) => cpuMs)), unit: "ms" },
    { name: "a save over build and install", value: median / before, unit: "x" },
  ];
}

/** Writes the project that `kami init` does, with the engine that this repository has. @returns Its directory. */
function start(scratch: Scratch): string {
  const project = scratch.directory("dev-project");
  for (const [path, text] of filesOf({ name: "hello", language: "ts" })) write(project, path, text);
  mkdirSync(join(project, "node_modules"));
  symlinkSync(ENGINE, join(project, "node_modules", "componentize-qjs"));
  return project;
}

function write(project: string, path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

async function buildAndInstall(scratch: Scratch, project: string): Promise<Timing> {
  const home = scratch.directory("dev-home");
  return timed(async () => {
    await scratch.run([KAMI, "build", project], { KAMI_HOME: home });
    await scratch.run([KAMI, "install", project, "--grant", "none"], { KAMI_HOME: home });
  });
}

/** A server that builds, and the client that it serves. */
class Dev implements AsyncDisposable {
  readonly #client: Client;
  readonly #source: string;
  #changed = Promise.withResolvers<void>();

  private constructor(client: Client, source: string) {
    this.#client = client;
    this.#source = source;
    client.setNotificationHandler("notifications/tools/list_changed", () => this.#changed.resolve());
  }

  static async start(scratch: Scratch, project: string): Promise<Dev> {
    const client = new Client({ name: "bench", version: "1" });
    const dev = new Dev(client, join(project, "src/tool.ts"));
    const home = scratch.directory("dev-served");
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [KAMI, "dev", project],
        env: { PATH: process.env["PATH"] ?? "", HOME: home, KAMI_HOME: home },
        stderr: "ignore",
      }),
    );
    await client.listTools();
    return dev;
  }

  /** Saves a source that answers with a word, and waits until a call does. */
  async save(word: string): Promise<Timing> {
    await Bun.sleep(PAUSE_MS);
    this.#changed = Promise.withResolvers();
    return timed(async () => {
      writeFileSync(this.#source, sourceOf(word));
      await this.#changed.promise;
      await this.#client.listTools();
      const { content } = await this.#client.callTool({ name: "hello", arguments: { text: "a" } });
      if (!JSON.stringify(content).includes(word)) throw new Error(`${word} is not served: ${JSON.stringify(content)}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}

/** The tool of `kami init`, with a word in its output. */
function sourceOf(word: string): string {
  const text = filesOf({ name: "hello", language: "ts" }).get("src/tool.ts") ?? "";
  return text.replace("shouted: text", `said: "${word}", shouted: text`);
}

async function repeat<T>(count: number, work: (turn: number) => Promise<T>): Promise<readonly T[]> {
  const done: T[] = [];
  for (let turn = 0; turn < count; turn += 1) done.push(await work(turn));
  return done;
}

function middle(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? NaN;
}
