/**
 * `bun run fuzz`: a million mutations of real modules through the meter, and of real components through the reader, each judged. Prints what
 * became of them; saves what must not happen, and then exits with 1.
 *
 * `--target module|component` (both) · `--count N` (1,000,000; a tenth of it for components) · `--seed N` (1) · `--time SECONDS` (none)
 * · `--replay FILE` judges one saved input · `--out DIR` where findings go
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { COMPONENT_PREAMBLE } from "./binary.ts";
import { type Campaign, type Report, runCampaign } from "./campaign.ts";
import { judgeTimed } from "./child.ts";
import { judgeComponent } from "./component-oracle.ts";
import { buildCorpus } from "./corpus.ts";
import { judgeModule } from "./module-oracle.ts";
import type { Target } from "./mutate.ts";
import { emptyTally } from "./verdict.ts";

const { values } = parseArgs({
  options: {
    target: { type: "string" },
    count: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    time: { type: "string" },
    replay: { type: "string" },
    out: { type: "string", default: join(tmpdir(), "kami-fuzz") },
  },
});

if (values.replay === undefined) await fuzz();
else await replay(values.replay);

async function fuzz(): Promise<void> {
  const inputs = await buildCorpus();
  const targets: readonly Target[] =
    values.target === undefined ? ["module", "component"] : [parseTarget(values.target)];
  for (const target of targets) {
    const share = target === "component" && values.target === undefined ? 10 : 1;
    const report = await runCampaign({
      target,
      seed: Number(values.seed),
      count: Math.ceil(Number(values.count) / share),
      timeMs: values.time === undefined ? Number.MAX_SAFE_INTEGER : Number(values.time) * 1000,
      inputs,
      onProgress: showProgress(),
    });
    printReport(target, report);
    save(target, report);
    if (report.findings.length > 0) process.exitCode = 1;
  }
}

function parseTarget(text: string): Target {
  if (text === "module" || text === "component") return text;
  throw new TypeError(`--target must be module or component, not ${text}`);
}

function showProgress(): NonNullable<Campaign["onProgress"]> {
  let shownMs = performance.now();
  return ({ mutations }) => {
    if (performance.now() - shownMs < 10_000) return;
    shownMs = performance.now();
    console.error(`${mutations} mutations`);
  };
}

function printReport(target: Target, { tally, peakBytes, elapsedMs, findings }: Report): void {
  const { mutations, valid, slowestMs, slowest, outcomes } = tally;
  console.log(`${target}: ${mutations} mutations in ${(elapsedMs / 1000).toFixed(1)} s, seed ${values.seed}`);
  console.log(
    `  ${Math.round((mutations / elapsedMs) * 1000)} a second, ${((100 * valid) / mutations).toFixed(1)} % valid`,
  );
  console.log(`  peak resident memory ${Math.round(peakBytes / 1_048_576)} MiB`);
  console.log(`  slowest ${slowestMs.toFixed(0)} ms: ${slowest}`);
  const byCount = Object.entries(outcomes).toSorted(([, one], [, other]) => other - one);
  for (const [outcome, count] of byCount) console.log(`  ${String(count).padStart(8)}  ${outcome}`);
  console.log(`  ${findings.length} findings`);
}

function save(target: Target, { findings }: Report): void {
  if (findings.length === 0) return;
  mkdirSync(values.out, { recursive: true });
  for (const { bytes, number, origin, text, count } of findings) {
    const path = join(values.out, `${target}-${values.seed}-${number}.wasm`);
    writeFileSync(path, bytes);
    writeFileSync(`${path}.txt`, `${origin}\n${count} times\n${text}\n`);
    console.log(`${path} (${count} times, from ${origin})\n  ${text.replaceAll("\n", "\n  ")}`);
  }
}

async function replay(path: string): Promise<void> {
  const bytes = await Bun.file(path).bytes();
  const judge = bytes[4] === COMPONENT_PREAMBLE[4] ? judgeComponent : judgeModule;
  const tally = emptyTally();
  const finding = judgeTimed(tally, [path, bytes], { judge });
  console.log(finding ?? `${Object.keys(tally.outcomes).join()} in ${tally.slowestMs.toFixed(1)} ms`);
  if (finding !== undefined) process.exitCode = 1;
}
