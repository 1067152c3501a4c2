/**
 * The file `baseline.json`: the ratios that the gate compares with, and for information what they were measured on.
 */
import { fileURLToPath } from "node:url";
import type { Ratios } from "./gate.ts";
import type { Machine } from "./report.ts";

/** What the ratios were measured on. */
export interface Origin {
  readonly bun: string;
  readonly machine: Machine;
}

const FILE = fileURLToPath(new URL("baseline.json", import.meta.url));
/** A ratio's digits behind the point: more would change with every recording and say nothing. */
const DIGITS = 3;

/** Reads the recorded ratios. A missing file counts as empty. */
export async function readBaseline(): Promise<Ratios> {
  const file = Bun.file(FILE);
  return (await file.exists()) ? parseBaseline(await file.text()) : new Map();
}

/** Records the ratios of some suites, beside those of the others. */
export async function writeBaseline(recorded: Ratios, origin: Origin): Promise<void> {
  await Bun.write(FILE, formatBaseline(recorded, origin));
}

/** Reads the text of a baseline. */
export function parseBaseline(text: string): Ratios {
  const { ratios }: { readonly ratios: Record<string, Record<string, number>> } = JSON.parse(text);
  return new Map(Object.entries(ratios).map(([suite, values]) => [suite, new Map(Object.entries(values))]));
}

/** Writes the text of a baseline: the same for the same figures, in the order of the names. */
export function formatBaseline(recorded: Ratios, { bun, machine }: Origin): string {
  const suites = sorted(recorded).map(([suite, values]) => [
    suite,
    Object.fromEntries(sorted(values).map(([name, value]) => [name, Number(value.toFixed(DIGITS))])),
  ]);
  return `${JSON.stringify({ recordedOn: { bun, machine }, ratios: Object.fromEntries(suites) }, null, 2)}\n`;
}

function sorted<V>(map: ReadonlyMap<string, V>): readonly (readonly [string, V])[] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
