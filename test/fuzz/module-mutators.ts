/**
 * Test support: changes a core module by a mixture of what the other files offer.
 */
import type { Random } from "../wasm/values.ts";
import { BYTES } from "./byte-mutators.ts";
import { GENTLE_CODE, type Mutator, WILD_CODE } from "./code-mutators.ts";
import { Draft } from "./draft.ts";
import { GENTLE_SECTIONS, WILD_SECTIONS } from "./section-mutators.ts";

/** Changes a core module. Most stay within what is valid, nearly; some do not care. */
export function mutateModule(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const style = random.below(10);
  if (style === 9) return changeBytes(bytes, random, other);
  const draft = Draft.open(bytes);
  if (draft === undefined) return changeBytes(bytes, random, other);
  for (let left = 1 + random.below(4); left > 0; left--) random.pick(pickList(style, random))(draft, random);
  const made = draft.finish();
  return style === 8 ? changeBytes(made, random, other) : made;
}

function pickList(style: number, random: Random): readonly Mutator[] {
  const isWild = style >= 6 || (style >= 4 && random.once(2));
  if (random.once(3)) return isWild ? WILD_SECTIONS : GENTLE_SECTIONS;
  return isWild ? WILD_CODE : GENTLE_CODE;
}

function changeBytes(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  let made = bytes;
  for (let left = 1 + random.below(3); left > 0; left--) made = random.pick(BYTES)(made, random, other);
  return made;
}
