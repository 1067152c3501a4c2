/**
 * The WebAssembly specification's test suite: metered modules behave as unmetered ones, down to the bit, and their fuel does not depend on
 * the size of slices.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { DEVIATIONS, DIFFERENCES, type Known, SKIPPED } from "./spec-known.ts";
import type { Note } from "./spec-run.ts";

interface Shown {
  readonly files: number;
  readonly modules: number;
  readonly sameFuel: number;
  readonly compared: Readonly<Record<string, number>>;
  readonly skipped: readonly Note[];
  readonly deviations: readonly Note[];
  readonly differences: readonly Note[];
}

/** What was compared when this was last looked at: it may become more, not less. */
const RECORDED: Readonly<Record<string, number>> = {
  files: 343,
  modules: 3167,
  sameFuel: 337,
  module: 3164,
  module_instance: 3,
  action: 349,
  assert_return: 55_769,
  assert_trap: 4963,
  assert_exception: 18,
  assert_exhaustion: 19,
  assert_invalid: 4073,
  assert_malformed: 1677,
  assert_uninstantiable: 172,
  assert_unlinkable: 358,
};

let shown: Shown;

describe("the specification's test suite", () => {
  beforeAll(async () => {
    // With fewer memories at once, each one more makes the engine look for one that it can take back.
    const run = Bun.spawn([process.execPath, new URL("spec-main.ts", import.meta.url).pathname], {
      env: { BUN_JSC_maxNumWasmFastMemories: "4000" },
      stdout: "pipe",
    });
    shown = await new Response(run.stdout).json();
  }, 60_000);

  test("is compared as far as recorded, and says how far", () => {
    const { files, modules, sameFuel, compared, skipped } = shown;
    const counts: Record<string, number> = { files, modules, sameFuel, ...compared };
    const total = Object.values(compared).reduce((sum, count) => sum + count, 0);
    console.log(`specification: ${files} files, ${modules} modules, ${total} comparisons, ${skipped.length} skipped`);
    const less = Object.entries(RECORDED).filter(([name, count]) => (counts[name] ?? 0) < count);
    expect(less.map(([name, count]) => `${name}: ${counts[name]} instead of ${count}`)).toEqual([]);
  });

  test("gives the same metered as unmetered", () => {
    expect(compare(shown.differences, DIFFERENCES)).toEqual([]);
  });

  test("is passed by the engine itself, with exceptions that are known", () => {
    expect(compare(shown.deviations, DEVIATIONS)).toEqual([]);
  });

  test("is skipped for reasons that are known", () => {
    expect(compare(shown.skipped, SKIPPED)).toEqual([]);
  });
});

/** Says which notes are not known, and which known ones are there more often than recorded. */
function compare(notes: readonly Note[], known: readonly Known[]): readonly string[] {
  const counts = known.map(() => 0);
  const unknown: string[] = [];
  for (const { file, line, what } of notes) {
    const index = known.findIndex((entry) => entry.what.test(what) && (entry.file?.test(file) ?? true));
    if (index === -1) unknown.push(`${file}.wast:${line}: ${what}`);
    else counts[index] = (counts[index] ?? 0) + 1;
  }
  const changed = known.flatMap(({ why, count }, index) =>
    (counts[index] ?? 0) <= count ? [] : [`${counts[index]}, at most ${count} expected: ${why}`],
  );
  return [...changed, ...unknown];
}
