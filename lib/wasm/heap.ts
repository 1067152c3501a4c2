/**
 * What objects of the engine's heap cost: structures, arrays and exceptions. Their bytes are counted as they are made and never given
 * back, whether they are collected or not, so that no guest can exhaust the host through them.
 *
 * A module that can make any has a second counter, for bytes, and the functions here.
 */
import { writeCheck, writeIsNegative } from "./settle.ts";
import type { Helper } from "./helper-set.ts";
import type { IndexMap } from "./indices.ts";
import { ARRAY_LIMIT_BYTES } from "./limits.ts";
import { EMPTY_BLOCK, Op } from "./opcodes.ts";
import { type Writer, writeIndexed, writeNumber } from "./writer.ts";

const STRUCT_HEADER_BYTES = 8;
const ARRAY_HEADER_BYTES = 16;
/** What an exception takes beside its parameters. */
const EXCEPTION_BYTES = 80;
const CELL_BYTES = 16;
/** What the engine's size classes waste of an object, at most: of a small one up to five eighths of its size. */
const WASTE_EIGHTHS = 5;
const WASTE_LIMIT_BYTES = 8192;

/** Elements or bytes of one operation that are charged for, at most: what has more traps, and the 32-bit counter cannot wrap. */
const CHARGE_LIMIT = 2 ** 30 - 1;
/** Fuel: one unit for each 16 bytes. */
const BYTES_SHIFT = 4;

/** Computes what a structure counts. @param fieldBytes - Bytes of its fields. */
export function structBytes(fieldBytes: number): number {
  return objectBytes(STRUCT_HEADER_BYTES + fieldBytes);
}

/** Computes what an array counts. @param elementBytes - Bytes of its elements. */
export function arrayBytes(elementBytes: number): number {
  return objectBytes(ARRAY_HEADER_BYTES + elementBytes);
}

/** Computes what an exception counts. @param parameterBytes - Bytes of its tag's parameters. */
export function exceptionBytes(parameterBytes: number): number {
  return objectBytes(EXCEPTION_BYTES + parameterBytes);
}

/** Rounds up to 16 bytes, and adds what the engine's size classes waste. */
function objectBytes(bytes: number): number {
  const cell = Math.ceil(bytes / CELL_BYTES) * CELL_BYTES;
  return cell + Math.min((cell * WASTE_EIGHTHS) / 8, WASTE_LIMIT_BYTES);
}

/** `(bytes) -> ()`: counts an object before it is made. Traps when it does not fit. */
export function allocateHelper(indices: IndexMap): Helper {
  return {
    type: "consume",
    write(out) {
      writeIndexed(out, Op.globalGet, indices.heapGlobal);
      writeIndexed(out, Op.localGet, 0);
      out.u8(Op.i32Sub);
      writeIndexed(out, Op.globalSet, indices.heapGlobal);
      writeHeapCheck(out, indices);
      out.u8(Op.end);
    },
  };
}

/**
 * `(elements) -> elements`: charges fuel for the elements of an operation on arrays.
 *
 * @param shift - Binary logarithm of an element's bytes.
 */
export function arrayBulkHelper(indices: IndexMap, shift: number): Helper {
  return {
    type: "pass",
    write(out) {
      writeElementCharge(out, indices, shift);
      writeIndexed(out, Op.localGet, 0);
      out.u8(Op.end);
    },
  };
}

/**
 * `(elements) -> elements`: charges fuel for the elements of a new array, and counts its bytes. Traps when it is too large, or does not fit.
 *
 * @param shift - Binary logarithm of an element's bytes.
 */
export function arrayNewHelper(indices: IndexMap, shift: number): Helper {
  return {
    type: "passWithLocal",
    write(out) {
      writeElementCharge(out, indices, shift);
      writeIndexed(out, Op.localGet, 0);
      writeNumber(out, Op.i32Const, ARRAY_LIMIT_BYTES >> shift);
      out.u8(Op.i32GtU);
      writeIndexed(out, Op.if, EMPTY_BLOCK);
      writeIndexed(out, Op.call, indices.refuseArray);
      out.u8(Op.end);
      writeCell(out, shift);
      writeIndexed(out, Op.globalGet, indices.heapGlobal);
      writeIndexed(out, Op.localGet, 1);
      out.u8(Op.i32Sub);
      writeWaste(out);
      out.u8(Op.i32Sub);
      writeIndexed(out, Op.globalSet, indices.heapGlobal);
      writeHeapCheck(out, indices);
      writeIndexed(out, Op.localGet, 0);
      out.u8(Op.end);
    },
  };
}

/** Writes `fuel -= min(elements, limit) * size / 16`, and the look at what is left. */
function writeElementCharge(out: Writer, indices: IndexMap, shift: number): void {
  writeIndexed(out, Op.globalGet, indices.fuelGlobal);
  writeIndexed(out, Op.localGet, 0);
  writeNumber(out, Op.i32Const, CHARGE_LIMIT);
  writeIndexed(out, Op.localGet, 0);
  writeNumber(out, Op.i32Const, CHARGE_LIMIT);
  out.u8(Op.i32LtU);
  out.u8(Op.select);
  writeNumber(out, Op.i32Const, BYTES_SHIFT - shift);
  out.u8(Op.i32ShrU);
  out.u8(Op.i32Sub);
  writeIndexed(out, Op.globalSet, indices.fuelGlobal);
  writeCheck(out, indices.signal, indices.check);
}

/** Writes `local 1 = (elements << shift) + header, rounded up`. */
function writeCell(out: Writer, shift: number): void {
  writeIndexed(out, Op.localGet, 0);
  writeNumber(out, Op.i32Const, shift);
  out.u8(Op.i32Shl);
  writeNumber(out, Op.i32Const, ARRAY_HEADER_BYTES + CELL_BYTES - 1);
  out.u8(Op.i32Add);
  writeNumber(out, Op.i32Const, -CELL_BYTES);
  out.u8(Op.i32And);
  writeIndexed(out, Op.localSet, 1);
}

/** Writes `min(local 1 * eighths / 8, limit)`. */
function writeWaste(out: Writer): void {
  writeIndexed(out, Op.localGet, 1);
  writeNumber(out, Op.i32Const, WASTE_EIGHTHS);
  out.u8(Op.i32Mul);
  writeNumber(out, Op.i32Const, 3);
  out.u8(Op.i32ShrU);
  writeNumber(out, Op.i32Const, WASTE_LIMIT_BYTES);
  writeIndexed(out, Op.localGet, 1);
  writeNumber(out, Op.i32Const, Math.floor((WASTE_LIMIT_BYTES * 8) / WASTE_EIGHTHS));
  out.u8(Op.i32LtU);
  out.u8(Op.select);
}

/** Writes `if (heap < 0) heap = allocate(heap)`: the host refuses by a trap. */
function writeHeapCheck(out: Writer, indices: IndexMap): void {
  writeIsNegative(out, indices.heapGlobal);
  writeIndexed(out, Op.if, EMPTY_BLOCK);
  writeIndexed(out, Op.globalGet, indices.heapGlobal);
  writeIndexed(out, Op.call, indices.allocate);
  writeIndexed(out, Op.globalSet, indices.heapGlobal);
  out.u8(Op.end);
}
