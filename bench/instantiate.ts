/**
 * What does the memory pool save? An instance needs a memory of zeros: a fresh one is mapped by the engine and collected as garbage, a pooled one is
 * zeroed after use. Both instances are fresh, of the same compiled module, and made and dropped in each run.
 */
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { ControlBlock } from "../lib/protocol/control.ts";
import { Instances } from "../lib/worker/instance.ts";
import { MemoryPool } from "../lib/worker/memory-pool.ts";
import { compileMetered, endlessBudget } from "./component.ts";
import { compare, type Effort } from "./measure.ts";
import type { Comparison, Findings, Suite } from "./suite.ts";

/** Initial sizes in pages of 64 KiB: a small C tool, QuickJS, SpiderMonkey. */
const SIZES: readonly number[] = [1, 16, 160];

/** `bun bench/run.ts instantiate` */
export const INSTANTIATE: Suite = {
  name: "instantiate",
  question: "What does the memory pool save when an instance is made?",
  async run({ effort }): Promise<Findings> {
    const comparisons: Comparison[] = [];
    for (const pages of SIZES) comparisons.push(await compareMemories(pages, effort));
    return { comparisons, summary: [] };
  },
};

async function compareMemories(pages: number, effort: Effort): Promise<Comparison> {
  const module = compileMetered(await parse(moduleText(pages)), "bench");
  const control = new ControlBlock();
  const instantiate = (pool: MemoryPool): void => {
    using instances = new Instances(endlessBudget(control), pool);
    instances.make(module, {});
  };
  const pool = new MemoryPool();
  const subjects = [
    { name: "fresh memory", run: () => instantiate(new FreshMemories()) },
    { name: "pooled memory, zeroed after use", run: () => instantiate(pool) },
  ] as const;
  return compare(pages === 1 ? "1 page" : `${pages} pages`, subjects, effort);
}

/** No pool: what is given back is dropped. */
class FreshMemories extends MemoryPool {
  override give(): void {
    // To the engine's collector.
  }
}

/** A module that does nothing: what is left is the instantiation. Its data segment is applied to each memory again. */
function moduleText(pages: number): string {
  return `(module
    (memory (export "memory") ${pages})
    (data (i32.const 1024) "an active data segment")
    (func (export "run") (param $address i32) (result i32) (i32.load8_u (local.get $address))))`;
}
