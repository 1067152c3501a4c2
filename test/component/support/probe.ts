/**
 * A child for tests of how children are run. Its standard input says what it does, its standard output what it found.
 */
import { readdirSync, readlinkSync } from "node:fs";

const ORDERS = new Map<string, () => unknown>([
  ["surroundings", surroundings],
  ["spin", spin],
  ["allocate", allocate],
  ["flood", async () => await flood(Bun.stdout)],
  ["flood stderr", async () => await flood(Bun.stderr)],
  ["count", count],
]);

const input = await Bun.stdin.bytes();
const order = new TextDecoder().decode(input.subarray(0, 12)).replace(/ *$/, "").split("\n", 1)[0] ?? "";
const found = await (ORDERS.get(order) ?? (() => order))();
await Bun.write(Bun.stdout, JSON.stringify(found));

function surroundings(): unknown {
  const descriptors = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  return { environment: { ...process.env }, directory: process.cwd(), descriptors };
}

function spin(): never {
  for (;;);
}

/** Touches what it allocates: pages that are not touched are not resident. */
async function allocate(): Promise<never> {
  const kept: Uint8Array[] = [];
  for (;;) {
    kept.push(new Uint8Array(8_388_608).fill(kept.length));
    await Bun.sleep(1);
  }
}

async function flood(stream: Bun.BunFile): Promise<string> {
  const writer = stream.writer();
  for (let left = 64; left > 0; left--) {
    await writer.write(new Uint8Array(65_536).fill(120));
    await writer.flush();
  }
  return "flooded";
}

function count(): number {
  return input.length;
}
