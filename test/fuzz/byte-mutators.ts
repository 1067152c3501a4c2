/**
 * Test support: changes to bytes that know nothing of what they are.
 */
import type { Random } from "../wasm/values.ts";
import { join, spliced } from "./binary.ts";
import { edgeBytes } from "./edges.ts";

/** Changes bytes. `other` is another input, to take pieces from. */
export type ByteMutator = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

/** All of them, the small ones more often. */
export const BYTES: readonly ByteMutator[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  setByte,
  insertEdge,
  removeRange,
  repeatRange,
  cut,
  takeFromOther,
  swapRanges,
];

/** Where to change something: near the head as often as anywhere. */
function place(bytes: Uint8Array, random: Random): number {
  return random.below(Math.max(1, random.once(2) ? Math.min(bytes.length, 200) : bytes.length));
}

function flipBit(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  const at = place(bytes, random);
  copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
  return copy;
}

function setByte(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  copy[place(bytes, random)] = random.once(2) ? random.below(256) : random.pick([0, 1, 0x0b, 0x40, 0x7f, 0x80, 0xff]);
  return copy;
}

function insertEdge(bytes: Uint8Array, random: Random): Uint8Array {
  const at = place(bytes, random);
  return spliced(bytes, [at, at + random.below(6)], edgeBytes(random));
}

function removeRange(bytes: Uint8Array, random: Random): Uint8Array {
  const at = place(bytes, random);
  return spliced(bytes, [at, at + 1 + random.below(random.once(4) ? 200 : 4)], []);
}

function repeatRange(bytes: Uint8Array, random: Random): Uint8Array {
  const at = place(bytes, random);
  const piece = bytes.subarray(at, at + 1 + random.below(30));
  return spliced(bytes, [at, at], join(Array.from({ length: 1 + random.below(20) }, () => piece)));
}

function cut(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.slice(0, random.below(bytes.length + 1));
}

function takeFromOther(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const from = random.below(other.length + 1);
  const at = place(bytes, random);
  const length = random.below(64);
  return spliced(bytes, [at, at + random.below(64)], other.subarray(from, from + length));
}

function swapRanges(bytes: Uint8Array, random: Random): Uint8Array {
  const [start, end] = [place(bytes, random), place(bytes, random)].toSorted((a, b) => a - b);
  const length = random.below(16);
  if (start === undefined || end === undefined || start + length > end) return bytes;
  const first = bytes.slice(start, start + length);
  return spliced(
    spliced(bytes, [start, start + length], bytes.subarray(end, end + length)),
    [end, end + length],
    first,
  );
}
