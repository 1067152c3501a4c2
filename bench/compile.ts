/**
 * What does metering add to compiling, and to a module's size? `WebAssembly.compile` of guests as they come, and of the same ones metered.
 */
import { meterModule } from "../lib/wasm/meter.ts";
import { compare, type Effort, lighten } from "./measure.ts";
import { readQuickJs, readSpiderMonkey, type SampleModule } from "./modules.ts";
import type { Comparison, Findings, Suite, SummaryFigure } from "./suite.ts";

/** `bun bench/run.ts compile` */
export const COMPILE: Suite = {
  name: "compile",
  question: "What does metering add to compiling, and to a module's size?",
  async run({ effort }): Promise<Findings> {
    const comparisons: Comparison[] = [];
    const summary: SummaryFigure[] = [];
    for (const module of [await readSpiderMonkey(), await readQuickJs()]) {
      const metered = Uint8Array.from(meterModule(module.bytes, module.name).bytes);
      comparisons.push(await compareCompiling(module, metered, { ...lighten(effort), clock: "process" }));
      summary.push({ name: `size of ${module.name}, metered`, value: metered.length / module.bytes.length, unit: "x" });
    }
    return { comparisons, summary };
  },
};

function compareCompiling(
  { name, bytes }: SampleModule,
  metered: Uint8Array<ArrayBuffer>,
  effort: Effort,
): Promise<Comparison> {
  const subjects = [
    { name: "unmetered", run: () => WebAssembly.compile(bytes) },
    { name: "metered", run: () => WebAssembly.compile(metered) },
  ] as const;
  return compare(name, subjects, effort);
}
