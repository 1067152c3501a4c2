/**
 * How long does a person wait for `kami exec`? Whole processes, from start to end: Bun that does nothing, an exec whose artifact is in the cache, and
 * an exec that has to compile because the cache is empty.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readPackage } from "../lib/registry/package.ts";
import { compare, lighten } from "./measure.ts";
import type { Comparison, Findings, Suite, Surroundings } from "./suite.ts";
import { ECHO, JSON_QUERY, type SampleTool } from "./tools.ts";

const KAMI = fileURLToPath(new URL("../bin/kami.ts", import.meta.url));

/** `bun bench/run.ts exec` */
export const EXEC: Suite = {
  name: "exec",
  question: "How long does a cold `kami exec` take?",
  async run(surroundings): Promise<Findings> {
    const comparisons: Comparison[] = [];
    for (const tool of [ECHO, JSON_QUERY]) comparisons.push(await compareProcesses(tool, surroundings));
    return { comparisons, summary: [] };
  },
};

async function compareProcesses(tool: SampleTool, { effort, scratch }: Surroundings): Promise<Comparison> {
  const home = scratch.directory(`exec-${tool.name}`);
  const kami = (...words: string[]): Promise<string> => scratch.run([KAMI, ...words], { KAMI_HOME: home });
  await kami("install", tool.directory);
  const { id } = (await readPackage(tool.directory)).manifest.tool;
  const exec = (): Promise<string> => kami("exec", id, "--input", tool.input);
  const subjects = [
    { name: "bun -e 0", run: () => scratch.run(["-e", "0"]) },
    { name: "kami exec, artifact cached", run: exec },
    {
      name: "kami exec, has to compile",
      // Removing it is in the figure: well under a thousandth of it.
      run: () => {
        rmSync(join(home, "artifacts"), { recursive: true });
        return exec();
      },
    },
  ] as const;
  return compare(tool.name, subjects, lighten(effort));
}
