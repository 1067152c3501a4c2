/**
 * What the meter adds to every module with code: the types of its imports, the imports, a counter, and five small functions.
 */
import { writeCheck } from "./charge.ts";
import type { IndexMap } from "./indices.ts";
import { type Writer, writeSized } from "./writer.ts";

/** The added function types, in the binary format: `[] → [i32]`, `[i32 i32] → [i32]`, `[i32] → [i32]`, `[] → []`, `[i32] → []`. */
export const METER_TYPES: readonly Uint8Array[] = [
  Uint8Array.of(0x60, 0, 1, 0x7f),
  Uint8Array.of(0x60, 2, 0x7f, 0x7f, 1, 0x7f),
  Uint8Array.of(0x60, 1, 0x7f, 1, 0x7f),
  Uint8Array.of(0x60, 0, 0),
  Uint8Array.of(0x60, 1, 0x7f, 0),
];

/** The added function imports, in index order; `type` is a place in {@link METER_TYPES}. */
export const METER_IMPORTS: readonly { readonly name: string; readonly type: number }[] = [
  { name: "refill", type: 2 },
  { name: "grow", type: 1 },
  { name: "growTable", type: 2 },
  { name: "grewTable", type: 2 },
];

/** The types of the helpers `check`, `chargeBytes`, `chargeElements`, `readFuel` and `writeFuel`, as places in {@link METER_TYPES}. */
export const HELPER_TYPES: readonly number[] = [3, 2, 2, 0, 4];

/** The fuel counter: a mutable i32, at first 0, so that the first check asks for a slice. */
export const FUEL_GLOBAL: Uint8Array = Uint8Array.of(0x7f, 0x01, 0x41, 0x00, 0x0b);

/** Bulk operations cost one unit for each 16 bytes. */
const BYTES_SHIFT = 4;

const NO_LOCALS = 0;
const UNREACHABLE = 0x00;
const IF = 0x04;
const EMPTY_BLOCK = 0x40;
const END = 0x0b;
const CALL = 0x10;
const SELECT = 0x1b;
const LOCAL_GET = 0x20;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const I32_CONST = 0x41;
const I32_LT_S = 0x48;
const I32_LT_U = 0x49;
const I32_SUB = 0x6b;
const I32_SHR_U = 0x76;

/** Writes the bodies of the helpers. */
export function writeHelpers(out: Writer, indices: IndexMap): void {
  writeSized(out, () => {
    out.u8(NO_LOCALS);
    writeIndexed(out, GLOBAL_GET, indices.fuelGlobal);
    writeIndexed(out, CALL, indices.refill);
    writeIndexed(out, GLOBAL_SET, indices.fuelGlobal);
    writeIndexed(out, GLOBAL_GET, indices.fuelGlobal);
    for (const byte of [I32_CONST, 0, I32_LT_S, IF, EMPTY_BLOCK, UNREACHABLE, END, END]) out.u8(byte);
  });
  writeLengthHelper(out, indices, [LOCAL_GET, 0, I32_CONST, BYTES_SHIFT, I32_SHR_U]);
  // 2^30 - 1: more elements than any table has, and little enough for the counter never to wrap.
  const limit = [I32_CONST, 0xff, 0xff, 0xff, 0xff, 0x03];
  writeLengthHelper(out, indices, [LOCAL_GET, 0, ...limit, LOCAL_GET, 0, ...limit, I32_LT_U, SELECT]);
  writeSized(out, () => {
    out.u8(NO_LOCALS);
    writeIndexed(out, GLOBAL_GET, indices.fuelGlobal);
    out.u8(END);
  });
  writeSized(out, () => {
    out.u8(NO_LOCALS);
    writeIndexed(out, LOCAL_GET, 0);
    writeIndexed(out, GLOBAL_SET, indices.fuelGlobal);
    out.u8(END);
  });
}

/** Writes a function that charges a cost made from its parameter, looks at what is left, and returns the parameter. */
function writeLengthHelper(out: Writer, indices: IndexMap, cost: readonly number[]): void {
  writeSized(out, () => {
    out.u8(NO_LOCALS);
    writeIndexed(out, GLOBAL_GET, indices.fuelGlobal);
    for (const byte of cost) out.u8(byte);
    out.u8(I32_SUB);
    writeIndexed(out, GLOBAL_SET, indices.fuelGlobal);
    writeCheck(out, indices);
    for (const byte of [LOCAL_GET, 0, END]) out.u8(byte);
  });
}

function writeIndexed(out: Writer, opcode: number, index: number): void {
  out.u8(opcode);
  out.u32(index);
}
