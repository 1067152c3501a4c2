/**
 * What the meter adds to every module with code: the types of its imports, the imports, counters, and a few small functions.
 */
import type { IndexMap } from "./indices.ts";
import type { Layout } from "./layout.ts";
import { Op } from "./opcodes.ts";
import { writeCheck, writeSettle } from "./settle.ts";
import { STACK_BYTES } from "./signal.ts";
import { type Writer, writeIndexed, writeNumber, writeSized } from "./writer.ts";

/**
 * The added function types, in the binary format: `[] → [i32]`, `[i32 i32] → [i32]`, `[i32] → [i32]`, `[] → []`, `[i32] → []`,
 * `[i32 i32 i32] → []`.
 */
const METER_TYPES: readonly Uint8Array[] = [
  Uint8Array.of(0x60, 0, 1, 0x7f),
  Uint8Array.of(0x60, 2, 0x7f, 0x7f, 1, 0x7f),
  Uint8Array.of(0x60, 1, 0x7f, 1, 0x7f),
  Uint8Array.of(0x60, 0, 0),
  Uint8Array.of(0x60, 1, 0x7f, 0),
  Uint8Array.of(0x60, 3, 0x7f, 0x7f, 0x7f, 0),
];

/** A function that the meter imports; `type` is a place in {@link METER_TYPES}. */
interface MeterImport {
  readonly name: string;
  readonly type: number;
}

const IMPORTS: readonly MeterImport[] = [
  { name: "grow", type: 1 },
  { name: "growTable", type: 2 },
  { name: "grewTable", type: 2 },
];
const OBJECT_IMPORTS: readonly MeterImport[] = [
  { name: "allocate", type: 2 },
  { name: "refuseArray", type: 3 },
];

/** `check`, `chargeBytes`, `chargeElements`, `readFuel`, `writeFuel` and `readStack`, then `readHeap` and `writeHeap`, as places in {@link METER_TYPES}. */
const HELPER_TYPES: readonly number[] = [3, 2, 2, 0, 4, 0];
const OBJECT_HELPER_TYPES: readonly number[] = [0, 4];

/** What a module gets added, in index order; nothing when it has no code. */
export interface Additions {
  readonly types: readonly Uint8Array[];
  readonly imports: readonly MeterImport[];
  /** The types of the helpers that every such module gets. */
  readonly helperTypes: readonly number[];
}

const NOTHING: Additions = { types: [], imports: [], helperTypes: [] };
const PLAIN: Additions = { types: METER_TYPES, imports: IMPORTS, helperTypes: HELPER_TYPES };
const WITH_OBJECTS: Additions = {
  types: METER_TYPES,
  imports: [...IMPORTS, ...OBJECT_IMPORTS],
  helperTypes: [...HELPER_TYPES, ...OBJECT_HELPER_TYPES],
};

/** Tells what is added to a module. */
export function additionsFor(layout: Layout): Additions {
  if (layout.functions === 0) return NOTHING;
  return layout.hasObjects ? WITH_OBJECTS : PLAIN;
}

/**
 * The values that the counters begin with, in index order: fuel with a slice, the stack with all there is, objects with nothing, so that the
 * first one asks.
 */
export function countersFor(layout: Layout, slice: number): readonly number[] {
  if (layout.functions === 0) return [];
  return layout.hasObjects ? [slice, STACK_BYTES, 0] : [slice, STACK_BYTES];
}

/** Bulk operations cost one unit for each 16 bytes. */
const BYTES_SHIFT = 4;
/** More elements than any table has, and little enough for the counter never to wrap. */
const ELEMENT_LIMIT = 2 ** 30 - 1;
const NO_LOCALS = 0;

/** Writes the bodies of the helpers that every module with code gets. */
export function writeHelpers(out: Writer, indices: IndexMap, layout: Layout): void {
  writeFunction(out, () => writeSettle(out, indices.signal));
  writeLengthHelper(out, indices, () => {
    writeIndexed(out, Op.localGet, 0);
    writeNumber(out, Op.i32Const, BYTES_SHIFT);
    out.u8(Op.i32ShrU);
  });
  writeLengthHelper(out, indices, () => {
    for (let pair = 0; pair < 2; pair++) {
      writeIndexed(out, Op.localGet, 0);
      writeNumber(out, Op.i32Const, ELEMENT_LIMIT);
    }
    out.u8(Op.i32LtU);
    out.u8(Op.select);
  });
  writeAccess(out, indices.fuelGlobal);
  writeFunction(out, () => writeIndexed(out, Op.globalGet, indices.stackGlobal));
  if (layout.hasObjects) writeAccess(out, indices.heapGlobal);
}

/** Writes a function that charges a cost made from its parameter, looks at what is left, and returns the parameter. */
function writeLengthHelper(out: Writer, indices: IndexMap, writeCost: () => void): void {
  writeFunction(out, () => {
    writeIndexed(out, Op.globalGet, indices.fuelGlobal);
    writeCost();
    out.u8(Op.i32Sub);
    writeIndexed(out, Op.globalSet, indices.fuelGlobal);
    writeCheck(out, indices.signal, indices.check);
    writeIndexed(out, Op.localGet, 0);
  });
}

/** Writes two functions, by which the host reads a counter and replaces it. */
function writeAccess(out: Writer, counter: number): void {
  writeFunction(out, () => writeIndexed(out, Op.globalGet, counter));
  writeFunction(out, () => {
    writeIndexed(out, Op.localGet, 0);
    writeIndexed(out, Op.globalSet, counter);
  });
}

function writeFunction(out: Writer, write: () => void): void {
  writeSized(out, () => {
    out.u8(NO_LOCALS);
    write();
    out.u8(Op.end);
  });
}
