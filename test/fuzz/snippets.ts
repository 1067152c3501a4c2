/**
 * Test support: instructions that leave the operand stack as it was, for every proposal. Put between any two instructions of a valid body they
 * leave it valid, where the module has what they name.
 */
import type { Random } from "../wasm/values.ts";
import { join, signed, unsigned } from "./binary.ts";

type Snippet = (random: Random) => Uint8Array | readonly number[];

const DROP = 0x1a;
const EMPTY = 0x40;
const END = 0x0b;

/** Need nothing of the module. */
const FREE: readonly Snippet[] = [
  () => [0x01],
  (random) => [0x41, ...signed(random.below(0xffff_ffff)), DROP],
  (random) => [0x42, ...signed(random.below(0xffff_ffff)), DROP],
  () => [0x43, 0, 0, 0x80, 0x7f, DROP],
  () => [0x02, EMPTY, END],
  () => [0x03, EMPTY, END],
  () => [0x03, EMPTY, 0x41, 0, 0x0d, 0, END],
  () => [0x03, EMPTY, 0x02, EMPTY, 0x0c, 1, END, END],
  () => [0x03, 0x7f, 0x41, 1, END, DROP],
  () => [0x41, 1, 0x04, EMPTY, 0x05, END],
  () => [0x41, 1, 0x04, EMPTY, 0x01, END],
  () => [0x41, 1, 0x04, 0x7f, 0x41, 2, 0x05, 0x41, 3, END, DROP],
  () => [0x02, EMPTY, 0x0c, 0, END],
  () => [0x02, EMPTY, 0x41, 0, 0x0d, 0, END],
  () => [0x02, 0x7f, 0x41, 1, 0x41, 0, 0x0d, 0, END, DROP],
  () => [0x02, EMPTY, 0x00, END],
  () => [0x02, EMPTY, 0x00, 0x1a, 0x6a, 0x1a, END],
  () => [0x02, EMPTY, 0x0c, 0, 0x03, EMPTY, END, END],
  () => [0x41, 1, 0x41, 2, 0x41, 0, 0x1b, DROP],
  () => [0x42, 1, 0x42, 2, 0x41, 0, 0x1c, 1, 0x7e, DROP],
  () => [0xd0, 0x70, 0xd1, DROP],
  () => [0x41, 5, 0xfb, 0x1c, DROP],
  () => [0x41, 5, 0xfb, 0x1c, 0xfb, 0x1e, DROP],
  () => [0x41, 5, 0xfd, 0x11, 0xfd, 0x53, DROP],
  () => [0xfd, 0x0c, ...Array.from({ length: 16 }, (_, index) => index), DROP],
  () => [0x02, EMPTY, 0x1f, EMPTY, 1, 2, 0, 0x01, END, END],
  () => [0x02, EMPTY, 0x1f, EMPTY, 0, 0x0c, 1, END, END],
  () => [0x02, 0x69, 0x1f, EMPTY, 1, 3, 0, END, 0xd0, 0x69, END, DROP],
  () => [0x06, EMPTY, 0x01, 0x19, 0x01, END],
  () => [0x06, EMPTY, 0x06, EMPTY, 0x18, 0, 0x19, 0x09, 0, END],
  (random) => branchTable(random),
  (random) => nest(1 + random.below(60), [0x02, EMPTY]),
  (random) => nest(1 + random.below(30), [0x03, EMPTY]),
  (random) => nest(1 + random.below(30), [0x41, 1, 0x04, EMPTY]),
  (random) => join([[0x41, 0x00], ...Array.from({ length: random.below(300) }, () => [0x41, 1, 0x6a]), [DROP]]),
];

/** Need a memory, a table, a global, a local, a function, a segment, a tag or a type. */
const BOUND: readonly Snippet[] = [
  () => [0x3f, 0, DROP],
  (random) => [0x41, ...signed(random.below(70_000)), 0x40, 0, DROP],
  (random) => [0x41, 0, 0x28, random.below(3), ...unsigned(random.below(70_000)), DROP],
  () => [0x41, 0, 0x41, 0, 0x36, 2, 0],
  () => [0x41, 0, 0x41, 1, 0x41, 0x20, 0xfc, 11, 0],
  () => [0x41, 0, 0x41, 1, 0x41, 0x20, 0xfc, 10, 0, 0],
  () => [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 8, 0, 0, 0xfc, 9, 0],
  () => [0xd0, 0x70, 0x41, 1, 0xfc, 15, 0, DROP],
  () => [0xfc, 16, 0, DROP],
  () => [0x41, 0, 0xd0, 0x70, 0x41, 1, 0xfc, 17, 0],
  () => [0x41, 0, 0x41, 0, 0x41, 1, 0xfc, 14, 0, 0],
  () => [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 12, 0, 0, 0xfc, 13, 0],
  (random) => [0x23, random.below(4), DROP],
  (random) => [0x20, random.below(4), DROP],
  (random) => [0x20, 0, 0x22, random.below(2), DROP],
  (random) => [0xd2, random.below(4), DROP],
  (random) => [0x02, EMPTY, 0x00, 0x10, random.below(8), 0x00, END],
  (random) => [0x02, EMPTY, 0x00, 0x11, random.below(4), 0, 0x00, END],
  (random) => [0x02, EMPTY, 0x00, 0x14, random.below(4), 0x00, END],
  (random) => [0x02, EMPTY, 0x00, 0x12, random.below(8), END],
  () => [0x02, EMPTY, 0x00, 0x08, 0, END],
  () => [0x02, EMPTY, 0x1f, EMPTY, 1, 0, 0, 0, END, END],
  () => [0x41, 0, 0x3f, 1, DROP, DROP],
  () => [0x41, 0, 0x28, 0x42, 1, 0, DROP],
  () => [0x41, 0, 0x41, 0, 0x41, 1, 0xfc, 10, 1, 0],
  (random) => [0xfb, 1, random.below(4), DROP],
  (random) => [0x41, ...signed(random.below(70_000)), 0xfb, 7, random.below(4), DROP],
  (random) => [0x41, 7, 0x41, ...signed(random.below(70_000)), 0xfb, 6, random.below(4), 0xfb, 15, DROP],
  (random) => [0xd0, random.below(4), DROP],
];

/** Picks a snippet; of those that need something of the module once in four. */
export function pickSnippet(random: Random): Uint8Array {
  return Uint8Array.from(random.pick(random.once(4) ? BOUND : FREE)(random));
}

/** Blocks inside each other. */
export function nest(depth: number, open: readonly number[]): Uint8Array {
  return join([...Array.from({ length: depth }, () => open), new Uint8Array(depth).fill(END)]);
}

/** A branch table of up to a few thousand labels. */
function branchTable(random: Random): Uint8Array {
  const labels = random.once(20) ? 5000 : random.below(100);
  return join([[0x02, EMPTY, 0x41, 0x00, 0x0e], unsigned(labels), new Uint8Array(labels + 1), [END]]);
}
