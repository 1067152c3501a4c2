/**
 * What the meter adds to every module with code: the types of its imports, the imports, counters, and a few small functions.
 */
import { writeCheck } from "./charge.ts";
import type { IndexMap } from "./indices.ts";
import type { Layout } from "./layout.ts";
import { EMPTY_BLOCK, Op } from "./opcodes.ts";
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
  { name: "refill", type: 2 },
  { name: "grow", type: 1 },
  { name: "growTable", type: 2 },
  { name: "grewTable", type: 2 },
];
const OBJECT_IMPORTS: readonly MeterImport[] = [
  { name: "allocate", type: 2 },
  { name: "refuseArray", type: 3 },
];

/** `check`, `chargeBytes`, `chargeElements`, `readFuel` and `writeFuel`, then `readHeap` and `writeHeap`, as places in {@link METER_TYPES}. */
const HELPER_TYPES: readonly number[] = [3, 2, 2, 0, 4];
const OBJECT_HELPER_TYPES: readonly number[] = [0, 4];

/** A counter: a mutable i32, at first 0, so that the first check asks for a slice. */
const COUNTER: Uint8Array = Uint8Array.of(0x7f, 0x01, Op.i32Const, 0x00, Op.end);

/** What a module gets added, in index order; nothing when it has no code. */
export interface Additions {
  readonly types: readonly Uint8Array[];
  readonly imports: readonly MeterImport[];
  /** The types of the helpers that every such module gets. */
  readonly helperTypes: readonly number[];
  readonly globals: readonly Uint8Array[];
}

const NOTHING: Additions = { types: [], imports: [], helperTypes: [], globals: [] };
const FUEL: Additions = { types: METER_TYPES, imports: IMPORTS, helperTypes: HELPER_TYPES, globals: [COUNTER] };
const FUEL_AND_OBJECTS: Additions = {
  types: METER_TYPES,
  imports: [...IMPORTS, ...OBJECT_IMPORTS],
  helperTypes: [...HELPER_TYPES, ...OBJECT_HELPER_TYPES],
  globals: [COUNTER, COUNTER],
};

/** Tells what is added to a module. */
export function additionsFor(layout: Layout): Additions {
  if (layout.functions === 0) return NOTHING;
  return layout.hasObjects ? FUEL_AND_OBJECTS : FUEL;
}

/** Bulk operations cost one unit for each 16 bytes. */
const BYTES_SHIFT = 4;
/** More elements than any table has, and little enough for the counter never to wrap. */
const ELEMENT_LIMIT = 2 ** 30 - 1;
const NO_LOCALS = 0;

/** Writes the bodies of the helpers that every module with code gets. */
export function writeHelpers(out: Writer, indices: IndexMap, layout: Layout): void {
  writeFunction(out, () => {
    writeIndexed(out, Op.globalGet, indices.fuelGlobal);
    writeIndexed(out, Op.call, indices.refill);
    writeIndexed(out, Op.globalSet, indices.fuelGlobal);
    writeIndexed(out, Op.globalGet, indices.fuelGlobal);
    writeNumber(out, Op.i32Const, 0);
    out.u8(Op.i32LtS);
    writeIndexed(out, Op.if, EMPTY_BLOCK);
    out.u8(Op.unreachable);
    out.u8(Op.end);
  });
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
  if (layout.hasObjects) writeAccess(out, indices.heapGlobal);
}

/** Writes a function that charges a cost made from its parameter, looks at what is left, and returns the parameter. */
function writeLengthHelper(out: Writer, indices: IndexMap, writeCost: () => void): void {
  writeFunction(out, () => {
    writeIndexed(out, Op.globalGet, indices.fuelGlobal);
    writeCost();
    out.u8(Op.i32Sub);
    writeIndexed(out, Op.globalSet, indices.fuelGlobal);
    writeCheck(out, indices);
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
