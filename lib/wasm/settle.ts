/**
 * Code by which a guest settles its fuel with the call, and finds out that it has been stopped.
 */
import { EMPTY_BLOCK, Op } from "./opcodes.ts";
import { SIGNAL } from "./signal.ts";
import { type Writer, writeIndexed, writeNumber } from "./writer.ts";

/** What the writing needs to know of a module. */
export interface Place {
  /** Index of the signal memory. */
  readonly memory: number;
  /** Index of the fuel counter: a mutable i32, units left of the slice. */
  readonly fuel: number;
  /** Units of a slice. */
  readonly slice: number;
}

/** Bit 6 of the alignment says that a memory index follows. */
const WITH_MEMORY = 0x40;
const ALIGN_I32 = 2;
const ALIGN_I64 = 3;

/**
 * Writes the settling: what was used of the slice is taken off the call's fuel, the counter begins a new slice, and the guest traps when no
 * fuel is left or the host has stopped it.
 *
 * No call: one in a function, however seldom made, costs the engine registers wherever it is live around it. The store is in front of the
 * load, so that no engine may move the load out of a loop.
 */
export function writeSettle(out: Writer, { memory, fuel, slice }: Place): void {
  const access = (opcode: number, align: number, offset: number): void =>
    writeAccess(out, memory, [opcode, align, offset]);
  // fuelLeft -= slice - fuel
  writeNumber(out, Op.i32Const, 0);
  writeNumber(out, Op.i32Const, 0);
  access(Op.i64Load, ALIGN_I64, SIGNAL.fuelLeft);
  writeNumber(out, Op.i32Const, slice);
  writeIndexed(out, Op.globalGet, fuel);
  out.u8(Op.i32Sub);
  out.u8(Op.i64ExtendI32U);
  out.u8(Op.i64Sub);
  access(Op.i64Store, ALIGN_I64, SIGNAL.fuelLeft);
  // fuel = slice
  writeNumber(out, Op.i32Const, slice);
  writeIndexed(out, Op.globalSet, fuel);
  // if ((fuelLeft's upper half | interrupt) < 0) unreachable
  writeNumber(out, Op.i32Const, 0);
  access(Op.i32Load, ALIGN_I32, SIGNAL.fuelLeft + 4);
  writeNumber(out, Op.i32Const, 0);
  access(Op.i32Load, ALIGN_I32, SIGNAL.interrupt);
  out.u8(Op.i32Or);
  writeNumber(out, Op.i32Const, 0);
  out.u8(Op.i32LtS);
  writeIndexed(out, Op.if, EMPTY_BLOCK);
  out.u8(Op.unreachable);
  out.u8(Op.end);
}

/** Writes an access to the signal memory. */
function writeAccess(
  out: Writer,
  memory: number,
  [opcode, align, offset]: readonly [opcode: number, align: number, offset: number],
): void {
  out.u8(opcode);
  out.u8(align | WITH_MEMORY);
  out.u32(memory);
  out.u32(offset);
}

/** Writes a load of the stack that the call has left. */
export function writeLoadStack(out: Writer, { memory }: Place): void {
  writeNumber(out, Op.i32Const, 0);
  writeAccess(out, memory, [Op.i32Load, ALIGN_I32, SIGNAL.stackLeft]);
}

/** Writes a store of it. @param writeValue - Writes what is stored. */
export function writeStoreStack(out: Writer, { memory }: Place, writeValue: () => void): void {
  writeNumber(out, Op.i32Const, 0);
  writeValue();
  writeAccess(out, memory, [Op.i32Store, ALIGN_I32, SIGNAL.stackLeft]);
}

/** Writes what moves one of the counters. @param change - What is added, or taken off; nothing is written for 0. */
export function writeMove(out: Writer, global: number, change: number): void {
  if (change === 0) return;
  writeIndexed(out, Op.globalGet, global);
  writeNumber(out, Op.i32Const, Math.abs(change));
  out.u8(change < 0 ? Op.i32Sub : Op.i32Add);
  writeIndexed(out, Op.globalSet, global);
}

/** Writes `global < 0`: whether one of the counters is used up. */
export function writeIsNegative(out: Writer, global: number): void {
  writeIndexed(out, Op.globalGet, global);
  writeNumber(out, Op.i32Const, 0);
  out.u8(Op.i32LtS);
}

/** Writes `if (fuel < 0) settle`, without a call. */
export function writeLook(out: Writer, place: Place): void {
  writeIsNegative(out, place.fuel);
  writeIndexed(out, Op.if, EMPTY_BLOCK);
  writeSettle(out, place);
  out.u8(Op.end);
}

/** Writes `if (fuel < 0) check()`: shorter, for functions that are called seldom. @param check - Index of the helper that settles. */
export function writeCheck(out: Writer, place: Place, check: number): void {
  writeIsNegative(out, place.fuel);
  writeIndexed(out, Op.if, EMPTY_BLOCK);
  writeIndexed(out, Op.call, check);
  out.u8(Op.end);
}
