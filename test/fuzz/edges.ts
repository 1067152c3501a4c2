/**
 * Test support: integers at the edges, and encodings of them at the edges.
 */
import type { Random } from "../wasm/values.ts";
import { join, unsigned } from "./binary.ts";

/** Powers of two and the limits that the meter and the engine have, one off on either side. */
const EDGES: readonly number[] = [
  0, 1, 2, 0x3f, 0x40, 0x7f, 0x80, 0x3fff, 0x4000, 10_000, 10_001, 50_000, 50_001, 0xffff, 0x1_0000, 0x1_0001, 100_001,
  200_001, 1_000_001, 0x1f_ffff, 0x20_0000, 0x0fff_ffff, 0x1000_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe,
  0xffff_ffff,
];

/** Too long, too large, or without an end. */
const MALFORMED: readonly (readonly number[])[] = [
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  [0xff, 0xff, 0xff, 0xff, 0x1f],
  [0xff, 0xff, 0xff, 0xff, 0x7f],
  [0x80, 0x80, 0x80, 0x80, 0x10],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80],
  [0xff, 0xff],
];

/** Picks an integer of 32 bits, an edge as often as not. */
export function edge(random: Random): number {
  return random.once(2) ? random.pick(EDGES) : random.below(16);
}

/** Writes an integer: as usual, padded, or malformed. */
export function edgeBytes(random: Random): Uint8Array {
  if (random.once(4)) return Uint8Array.from(random.pick(MALFORMED));
  return unsigned(edge(random), random.once(3) ? 5 : 0);
}

/** Makes an integer longer without changing its value, where it is not negative. */
export function padded(bytes: Uint8Array, length: number): Uint8Array {
  const last = bytes.at(-1) ?? 0;
  if ((last & 0x40) !== 0 || bytes.length >= length) return bytes;
  const zeros = new Uint8Array(length - bytes.length - 1).fill(0x80);
  return join([bytes.subarray(0, -1), [last | 0x80], zeros, [0x00]]);
}
