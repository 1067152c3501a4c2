/**
 * How fast is a module rewritten, and in how much memory? The baseline is the engine's own pass over the same bytes, its validation.
 */
import { fileURLToPath } from "node:url";
import { meterModule } from "../lib/wasm/meter.ts";
import { compare, type Effort, lighten } from "./measure.ts";
import { readQuickJs, readSpiderMonkey, type SampleModule, SPIDERMONKEY } from "./modules.ts";
import type { Comparison, Findings, Suite, SummaryFigure } from "./suite.ts";

const PEAK = fileURLToPath(new URL("peak.ts", import.meta.url));

/** `bun bench/run.ts rewrite` */
export const REWRITE: Suite = {
  name: "rewrite",
  question: "How fast is a module rewritten, and in how much memory?",
  async run({ effort, scratch }): Promise<Findings> {
    const comparisons: Comparison[] = [];
    const summary: SummaryFigure[] = [];
    for (const module of [await readSpiderMonkey(), await readQuickJs()]) {
      const comparison = await compareRewriting(module, { ...lighten(effort), clock: "process" });
      comparisons.push(comparison);
      summary.push(...describe(module, comparison));
    }
    const times = Number(await scratch.run([PEAK, SPIDERMONKEY]));
    summary.push({ name: "peak memory over size of SpiderMonkey", value: times, unit: "x" });
    return { comparisons, summary };
  },
};

function compareRewriting({ name, bytes }: SampleModule, effort: Effort): Promise<Comparison> {
  const subjects = [
    { name: "the engine validates it", run: () => WebAssembly.validate(bytes) },
    { name: "the meter rewrites it", run: () => meterModule(bytes, name) },
  ] as const;
  return compare(`${name}, ${(bytes.length / 1e6).toFixed(1)} MB`, subjects, effort);
}

function describe({ name, bytes }: SampleModule, { figures }: Comparison): readonly SummaryFigure[] {
  const [validates, rewrites] = figures.map(({ medianNs }) => (bytes.length * 1000) / medianNs);
  return [
    { name: `rewriting ${name}`, value: rewrites ?? NaN, unit: "MB/s" },
    { name: `validating ${name}`, value: validates ?? NaN, unit: "MB/s" },
  ];
}
