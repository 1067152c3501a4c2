/**
 * Test support: a child whose judge breaks on some mutations, one in each way that there is.
 */
import type { Task } from "./campaign.ts";
import { work } from "./child.ts";
import { unpackCorpus } from "./corpus.ts";
import { makeMutation } from "./mutate.ts";
import type { Verdict } from "./verdict.ts";

const task: Task = JSON.parse(process.argv[2] ?? "");
const corpus = unpackCorpus(await Bun.file(task.corpusPath).text());
const deeds = new Map<number | bigint, () => void>([
  [hashOf(2), () => process.kill(process.pid, "SIGKILL")],
  [hashOf(4), spin],
  [hashOf(6), hoard],
  [hashOf(7), () => process.exit(3)],
]);

await work(task, (bytes): Verdict => {
  deeds.get(Bun.hash(bytes))?.();
  if (Bun.hash(bytes) === hashOf(5)) return { isValid: false, finding: "it is number 5" };
  return { isValid: true, outcome: "fine" };
});

function hashOf(number: number): number | bigint {
  return Bun.hash(makeMutation(corpus, task.target, [task.seed, number]).bytes);
}

function spin(): void {
  for (;;) if (performance.now() < 0) return;
}

function hoard(): void {
  const kept = new Uint8Array(800_000_000).fill(1);
  spin();
  kept.fill(2);
}
