/**
 * Test support: what is mutated. Real modules above all: the fixtures', the benchmarks', an interpreter's, whole and with most of its bodies
 * taken out; then seeds for each section and proposal, and generated modules.
 */
import { readdirSync } from "node:fs";
import { join as joinPath } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { generateProgram } from "../wasm/generator.ts";
import { renderProgram } from "../wasm/program.ts";
import { Random } from "../wasm/values.ts";
import { COMPONENT_PREAMBLE, coreModules } from "./binary.ts";
import { Draft } from "./draft.ts";
import type { Target } from "./mutate.ts";
import { COMPONENT_SEEDS, SEEDS } from "./seeds.ts";

/** One input. */
export interface Input {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The inputs of each target. */
export type Corpus = Readonly<Record<Target, Schedule>>;

const FOLDERS = ["../../fixtures/", "../../bench/guests/"].map((path) => fileURLToPath(new URL(path, import.meta.url)));
/** A module above this size is also taken with most of its bodies emptied, so that its head is mutated as often as a small module. */
const LARGE_BYTES = 100_000;
const GENERATED = 24;
/** A trap, which any type allows. */
const EMPTIED = Uint8Array.of(0, 0x00, 0x0b);

/** Inputs, of which small ones are picked more often: about as much time goes to each. */
export class Schedule {
  readonly inputs: readonly Input[];
  readonly #upTo: readonly number[];

  constructor(inputs: readonly Input[]) {
    this.inputs = inputs;
    let total = 0;
    this.#upTo = inputs.map(({ bytes }) => (total += Math.max(2, Math.floor(2_000_000 / (2000 + bytes.length)))));
  }

  /** Picks one. */
  pick(random: Random): Input {
    const at = random.below(this.#upTo.at(-1) ?? 1);
    const input = this.inputs[this.#upTo.findIndex((bound) => at < bound)];
    if (input === undefined) throw new Error("nothing to pick from");
    return input;
  }
}

/** Writes inputs for a child. */
export function packCorpus(inputs: Readonly<Record<Target, readonly Input[]>>): string {
  return JSON.stringify(inputs, (_, value: unknown) => (value instanceof Uint8Array ? value.toBase64() : value));
}

/** Reads what {@link packCorpus} wrote. */
export function unpackCorpus(text: string): Corpus {
  const packed: Record<Target, readonly { readonly name: string; readonly bytes: string }[]> = JSON.parse(text);
  const open = (target: Target): Schedule =>
    new Schedule(packed[target].map(({ name, bytes }) => ({ name, bytes: Uint8Array.fromBase64(bytes) })));
  return { module: open("module"), component: open("component") };
}

/** Builds the corpus from the repository. */
export async function buildCorpus(): Promise<Readonly<Record<Target, readonly Input[]>>> {
  const binaries = await readBinaries();
  const components = binaries.filter(isComponent);
  const inner = components.flatMap(({ name, bytes }) =>
    coreModules(bytes).map((module, index) => ({ name: `${name}#${index}`, bytes: module })),
  );
  const real = [...inner, ...binaries.filter((input) => !isComponent(input))];
  const modules = [
    ...withoutTwins([...real, ...real.flatMap(thinned)]),
    ...(await assembleAll(SEEDS)),
    ...(await generate()),
  ];
  return { module: modules, component: [...components, ...(await assembleAll(COMPONENT_SEEDS))] };
}

async function readBinaries(): Promise<Input[]> {
  const inputs: Input[] = [];
  for (const folder of FOLDERS) {
    for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
      if (path.endsWith(".wasm")) inputs.push({ name: path, bytes: await Bun.file(joinPath(folder, path)).bytes() });
    }
  }
  return inputs;
}

function isComponent({ bytes }: Input): boolean {
  return bytes[4] === COMPONENT_PREAMBLE[4];
}

/** Copies of a large module with other bodies left in each. */
function thinned({ name, bytes }: Input): Input[] {
  if (bytes.length < LARGE_BYTES) return [];
  return Array.from({ length: 6 }, (_, copy) => {
    const draft = Draft.open(bytes);
    if (draft === undefined) throw new Error(`${name} is no module`);
    const random = new Random(copy);
    const kept = new Set(Array.from({ length: 40 }, () => random.below(draft.bodies.length)));
    draft.bodies.forEach((body, index) => {
      if (!kept.has(index) || body.length > 6000) draft.bodies[index] = EMPTIED;
    });
    const thin = draft.content(11);
    if (thin !== undefined && thin.length > LARGE_BYTES) dropData(draft);
    return { name: `${name}~${copy}`, bytes: draft.finish() };
  });
}

/** Leaves as many data segments as were counted, all of them empty. */
function dropData(draft: Draft): void {
  const count = draft.count(11);
  draft.replace(11, Uint8Array.of(0));
  for (let left = count; left > 0; left--) draft.append(11, [1, 0]);
}

function withoutTwins(inputs: readonly Input[]): Input[] {
  const byContent = new Map<string | number | bigint, Input>();
  for (const input of inputs) {
    const key = Bun.hash(input.bytes);
    if (!byContent.has(key)) byContent.set(key, input);
  }
  return [...byContent.values()];
}

async function assembleAll(texts: Readonly<Record<string, string>>): Promise<Input[]> {
  const inputs: Input[] = [];
  for (const [name, text] of Object.entries(texts)) inputs.push({ name, bytes: await assemble(name, text) });
  return inputs;
}

async function assemble(name: string, text: string): Promise<Uint8Array> {
  try {
    return await parse(text);
  } catch (error) {
    throw new Error(`the seed "${name}" cannot be assembled`, { cause: error });
  }
}

async function generate(): Promise<Input[]> {
  const inputs: Input[] = [];
  for (let seed = 1; seed <= GENERATED; seed++) {
    inputs.push({ name: `generated-${seed}`, bytes: await parse(renderProgram(generateProgram(seed))) });
  }
  return inputs;
}
