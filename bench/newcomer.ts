/**
 * How long does it take from nothing to the first call of a tool of one's own? The npm package is installed from its tarball, a tool started, its
 * dependencies installed from the registry into an empty home, built and installed, and called by the official client: as the README says, with machine
 * time alone. In Rust as well, where there is a toolchain that compiles for WebAssembly.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { identifyRust } from "../fixtures/cargo.ts";
import { type Timing, timed } from "./processes.ts";
import { carried, type Scratch } from "./scratch.ts";
import type { Findings, Suite, SummaryFigure } from "./suite.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const LIMIT_MS = 60_000;
type Language = "ts" | "rust";

/** `bun bench/run.ts newcomer` */
export const NEWCOMER: Suite = {
  name: "newcomer",
  question: "How long does it take from nothing to the first call of a tool of one's own?",
  async run({ scratch }): Promise<Findings> {
    const tarball = (await scratch.run(["--cwd", ROOT, "bin/pack.ts"])).trim();
    const newcomer = new Newcomer(scratch, scratch.directory("newcomer"));
    const installed = await timed(() => newcomer.bun("add", "--cwd", newcomer.directory, tarball));
    const languages: readonly Language[] =
      identifyRust("wasm32-unknown-unknown") === undefined ? ["ts"] : ["ts", "rust"];
    const summary: SummaryFigure[] = [];
    for (const language of languages) {
      const steps = new Map([["install KAMI from its tarball", installed], ...(await newcomer.start(language))]);
      summary.push(...summarize(language, steps));
    }
    return { comparisons: [], summary };
  },
};

function summarize(language: Language, steps: ReadonlyMap<string, Timing>): readonly SummaryFigure[] {
  const sum = (of: (timing: Timing) => number): number =>
    [...steps.values()].reduce((total, each) => total + of(each), 0);
  return [
    ...[...steps].map(([name, { wallMs }]) => ({ name: `${language}: ${name}`, value: wallMs, unit: "ms" })),
    {
      name: `${language}: from nothing to the first call`,
      value: sum(({ wallMs }) => wallMs),
      unit: "ms",
      note: `at most ${LIMIT_MS}`,
    },
    { name: `${language}: CPU time of all`, value: sum(({ cpuMs }) => cpuMs), unit: "ms" },
  ];
}

/** Somebody who has Bun and nothing else: no cache, no home of KAMI's. */
class Newcomer {
  /** Absolute path of where the package is installed. */
  readonly directory: string;
  readonly #scratch: Scratch;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(scratch: Scratch, directory: string) {
    this.#scratch = scratch;
    this.directory = directory;
    this.#environment = { ...carried(), KAMI_HOME: join(directory, "home") };
  }

  async bun(...words: readonly string[]): Promise<void> {
    await this.#scratch.run(words, this.#environment);
  }

  /** Makes a tool and calls it. @returns Each step by what it is. */
  async start(language: Language): Promise<ReadonlyMap<string, Timing>> {
    const name = `hello-${language}`;
    const tool = join(this.directory, name);
    const kami = (...words: readonly string[]) => timed(() => this.bun(this.#program, ...words));
    const steps = new Map([["kami init", await kami("init", tool, "--lang", language)]]);
    if (existsSync(join(tool, "package.json")))
      steps.set("bun install", await timed(() => this.bun("install", "--cwd", tool)));
    steps.set("kami build", await kami("build", tool));
    steps.set("kami test", await kami("test", tool));
    steps.set("kami install", await kami("install", tool, "--grant", "none"));
    steps.set("connect, list, call", await timed(() => this.#call(name)));
    return steps;
  }

  get #program(): string {
    return join(this.directory, "node_modules/kami/kami.js");
  }

  async #call(name: string): Promise<void> {
    const client = new Client({ name: "bench", version: "1" });
    const env = { PATH: process.env["PATH"] ?? "", HOME: this.directory, ...this.#environment };
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args: [this.#program, "serve"], env, stderr: "ignore" }),
    );
    try {
      await client.listTools();
      const { content } = await client.callTool({ name, arguments: { text: "to be" } });
      if (!JSON.stringify(content).includes("TO BE")) throw new Error(`the call gives ${JSON.stringify(content)}`);
    } finally {
      await client.close();
    }
  }
}
