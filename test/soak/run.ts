/**
 * `bun run soak`: ten minutes of calls of every kind over stdio and HTTP. Prints what became of them as JSON, and exits with 1 when something
 * happened that must not, or a server grew by more than half.
 *
 * `--seconds N` (600) · `--width N` (8), calls that each of the four clients has under way · `--seed N` (1)
 */
import { parseArgs } from "node:util";
import { soak } from "./soak.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    width: { type: "string", default: "8" },
    seed: { type: "string", default: "1" },
  },
});

const report = await soak({
  seconds: Number(values.seconds),
  width: Number(values.width),
  seed: Number(values.seed),
  onProgress: (line) => console.error(line),
});
console.log(JSON.stringify(report, undefined, 2));
const hasGrown = Object.values(report.memory).some(({ early, late }) => late > early * 1.5);
process.exitCode = report.faults.length > 0 || hasGrown ? 1 : 0;
