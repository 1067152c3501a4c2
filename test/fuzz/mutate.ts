/**
 * Test support: makes the mutation of a number: which input, what is done to it, and how often. A run's seed, the corpus and the number
 * decide everything.
 */
import { Random } from "../wasm/values.ts";
import { mutateComponent } from "./component-mutators.ts";
import type { Corpus } from "./corpus.ts";
import { mutateModule } from "./module-mutators.ts";

/** What is mutated, and what takes it. */
export type Target = "module" | "component";

/** A mutation, and what it was made from. */
export interface Mutation {
  readonly origin: string;
  readonly bytes: Uint8Array;
}

/** Makes the mutation of a number. */
export function makeMutation(
  corpus: Corpus,
  target: Target,
  [seed, number]: readonly [seed: number, number: number],
): Mutation {
  const random = new Random(Math.imul(seed, 0x85eb_ca6b) ^ Math.imul(number, 0xc2b2_ae35) ^ (number >>> 3));
  const inputs = corpus[target];
  const { name, bytes } = inputs.pick(random);
  const other = inputs.pick(random).bytes;
  const made = target === "module" ? mutateModule(bytes, random, other) : mutateComponent(bytes, random, other);
  return { origin: name, bytes: made };
}
