/**
 * Bulk operations on memories: charged by their length, and done piece by piece, so that a call can be ended in between.
 *
 * Each operation becomes a call of a function that the meter adds for it and its memories. That function charges, and executes the instruction
 * itself when its length is at most one piece. Otherwise another one checks the bounds first, since nothing may be written when the
 * instruction traps, and looks at the interrupt after each piece.
 *
 * Source: WebAssembly 3.0, 4.6.9 Memory Instructions.
 */
import { writeCheck } from "./settle.ts";
import type { Helper } from "./helper-set.ts";
import { type IndexMap, requireMemory } from "./indices.ts";
import type { Body } from "./labels.ts";
import { BulkOp, EMPTY_BLOCK, Op } from "./opcodes.ts";
import { type Writer, writeCall, writeIndexed, writeNumber } from "./writer.ts";

/** Bytes of a piece: the first touch of as many took 0.8 ms where a page fault is slowest. */
export const PIECE_BYTES = 262_144;

const BYTES_SHIFT = 4;
const PAGE_SHIFT = 16;
const TARGET = 0;
const SOURCE = 1;
const LENGTH = 2;

/** One operation on certain memories. */
interface Operation {
  readonly sub: number;
  /** What follows the sub-opcode. */
  readonly immediates: readonly number[];
  /** Memories, by the parameter that holds the address. */
  readonly memories: readonly (readonly [parameter: number, memory: number])[];
  /** Parameters that move on with the pieces. */
  readonly moving: readonly number[];
}

/** `memory.fill` */
export function fillMemory(body: Body, at: number): void {
  const memory = requireMemory(body.indices, body.reader.u32());
  replace(body, at, {
    sub: BulkOp.memoryFill,
    immediates: [memory],
    memories: [[TARGET, memory]],
    moving: [TARGET],
  });
}

/** `memory.copy` */
export function copyMemory(body: Body, at: number): void {
  const target = requireMemory(body.indices, body.reader.u32());
  const source = requireMemory(body.indices, body.reader.u32());
  replace(body, at, {
    sub: BulkOp.memoryCopy,
    immediates: [target, source],
    memories: [
      [TARGET, target],
      [SOURCE, source],
    ],
    moving: [TARGET, SOURCE],
  });
}

/** `memory.init`. A segment that is no longer than a piece needs no pieces: what is longer traps at once. */
export function initMemory(body: Body, at: number): void {
  const segment = body.reader.u32();
  const memory = requireMemory(body.indices, body.reader.u32());
  if (body.largeData.has(segment)) {
    return replace(body, at, {
      sub: BulkOp.memoryInit,
      immediates: [segment, memory],
      memories: [[TARGET, memory]],
      moving: [TARGET, SOURCE],
    });
  }
  body.charger.add(at);
  body.charger.insertCall(at, body.indices.chargeBytes);
}

function replace(body: Body, at: number, operation: Operation): void {
  const { charger, helpers, indices } = body;
  const key = [operation.sub, ...operation.immediates].join(" ");
  charger.add(at);
  const helper = helpers.use(key, () => {
    const inPieces = helpers.use(`${key} in pieces`, () => pieceHelper(operation, indices));
    return bulkHelper(operation, indices, inPieces);
  });
  charger.noteLook();
  charger.insert(at, writeCall, helper);
  charger.cover(body.reader.pos);
}

/** Charges, and does at most one piece. */
function bulkHelper(operation: Operation, indices: IndexMap, inPieces: number): Helper {
  return {
    type: "bulk",
    write(out) {
      writeIndexed(out, Op.globalGet, indices.fuelGlobal);
      writeIndexed(out, Op.localGet, LENGTH);
      writeNumber(out, Op.i32Const, BYTES_SHIFT);
      out.u8(Op.i32ShrU);
      out.u8(Op.i32Sub);
      writeIndexed(out, Op.globalSet, indices.fuelGlobal);
      writeCheck(out, indices.signal, indices.check);
      writeIsLonger(out);
      writeIndexed(out, Op.if, EMPTY_BLOCK);
      for (const parameter of [TARGET, SOURCE, LENGTH]) writeIndexed(out, Op.localGet, parameter);
      writeIndexed(out, Op.call, inPieces);
      out.u8(Op.return);
      out.u8(Op.end);
      writeWhole(out, operation);
      out.u8(Op.end);
    },
  };
}

/** Does more than one piece: from the end when that is where the target overlaps the source. */
function pieceHelper(operation: Operation, indices: IndexMap): Helper {
  return {
    type: "bulk",
    write(out) {
      for (const [parameter, memory] of operation.memories) writeBounds(out, operation, { parameter, memory });
      if (operation.sub === BulkOp.memoryInit) writeSegmentBounds(out, operation);
      if (operation.sub === BulkOp.memoryCopy) writeBackwards(out, operation, indices);
      writeForwards(out, operation, indices);
      writeWhole(out, operation);
      out.u8(Op.end);
    },
  };
}

/** Writes `if (address + length > size) the whole operation`: it traps. */
function writeBounds(
  out: Writer,
  operation: Operation,
  { parameter, memory }: { readonly parameter: number; readonly memory: number },
): void {
  writeEnd(out, parameter);
  writeIndexed(out, Op.memorySize, memory);
  out.u8(Op.i64ExtendI32U);
  writeNumber(out, Op.i64Const, PAGE_SHIFT);
  out.u8(Op.i64Shl);
  writeTrapWhenAbove(out, operation);
}

/**
 * Writes `if (source + length > 2^32 - 1) the whole operation`, and the same operation with no bytes at the end of the source: both trap
 * when the source is too short. How long a segment still is only such an instruction tells.
 */
function writeSegmentBounds(out: Writer, operation: Operation): void {
  writeEnd(out, SOURCE);
  writeNumber(out, Op.i32Const, -1);
  out.u8(Op.i64ExtendI32U);
  writeTrapWhenAbove(out, operation);
  writeIndexed(out, Op.localGet, TARGET);
  writeIndexed(out, Op.localGet, SOURCE);
  writeIndexed(out, Op.localGet, LENGTH);
  out.u8(Op.i32Add);
  writeNumber(out, Op.i32Const, 0);
  writeOperation(out, operation);
}

function writeTrapWhenAbove(out: Writer, operation: Operation): void {
  out.u8(Op.i64GtU);
  writeIndexed(out, Op.if, EMPTY_BLOCK);
  writeWhole(out, operation);
  out.u8(Op.unreachable);
  out.u8(Op.end);
}

/** Writes `address + length`, in 64 bits. */
function writeEnd(out: Writer, parameter: number): void {
  writeIndexed(out, Op.localGet, parameter);
  out.u8(Op.i64ExtendI32U);
  writeIndexed(out, Op.localGet, LENGTH);
  out.u8(Op.i64ExtendI32U);
  out.u8(Op.i64Add);
}

/** Writes a loop that does pieces from the end, when the target is behind the source, until one is left. */
function writeBackwards(out: Writer, operation: Operation, indices: IndexMap): void {
  // Memories with different indices may be one: what counts is the addresses alone.
  writeIndexed(out, Op.localGet, TARGET);
  writeIndexed(out, Op.localGet, SOURCE);
  out.u8(Op.i32GtU);
  writeIndexed(out, Op.if, EMPTY_BLOCK);
  writePieces(out, indices, () => {
    writeMove(out, LENGTH, Op.i32Sub);
    for (const parameter of [TARGET, SOURCE]) {
      writeIndexed(out, Op.localGet, parameter);
      writeIndexed(out, Op.localGet, LENGTH);
      out.u8(Op.i32Add);
    }
    writeNumber(out, Op.i32Const, PIECE_BYTES);
    writeOperation(out, operation);
  });
  out.u8(Op.end);
}

/** Writes a loop that does pieces from the start, until one is left. */
function writeForwards(out: Writer, operation: Operation, indices: IndexMap): void {
  writePieces(out, indices, () => {
    writeIndexed(out, Op.localGet, TARGET);
    writeIndexed(out, Op.localGet, SOURCE);
    writeNumber(out, Op.i32Const, PIECE_BYTES);
    writeOperation(out, operation);
    for (const parameter of operation.moving) writeMove(out, parameter, Op.i32Add);
    writeMove(out, LENGTH, Op.i32Sub);
  });
}

/** Writes `while (length > piece) { one; look }`. */
function writePieces(out: Writer, indices: IndexMap, writeOne: () => void): void {
  writeIndexed(out, Op.block, EMPTY_BLOCK);
  writeIndexed(out, Op.loop, EMPTY_BLOCK);
  writeIsLonger(out);
  out.u8(Op.i32Eqz);
  writeIndexed(out, Op.brIf, 1);
  writeOne();
  writeIndexed(out, Op.call, indices.check);
  writeIndexed(out, Op.br, 0);
  out.u8(Op.end);
  out.u8(Op.end);
}

/** Writes `length > piece`. */
function writeIsLonger(out: Writer): void {
  writeIndexed(out, Op.localGet, LENGTH);
  writeNumber(out, Op.i32Const, PIECE_BYTES);
  out.u8(Op.i32GtU);
}

/** Writes `parameter = parameter + piece`, or minus. */
function writeMove(out: Writer, parameter: number, opcode: number): void {
  writeIndexed(out, Op.localGet, parameter);
  writeNumber(out, Op.i32Const, PIECE_BYTES);
  out.u8(opcode);
  writeIndexed(out, Op.localSet, parameter);
}

/** Writes the operation with the parameters as they are. */
function writeWhole(out: Writer, operation: Operation): void {
  for (const parameter of [TARGET, SOURCE, LENGTH]) writeIndexed(out, Op.localGet, parameter);
  writeOperation(out, operation);
}

function writeOperation(out: Writer, { sub, immediates }: Operation): void {
  writeIndexed(out, Op.prefixBulk, sub);
  for (const index of immediates) out.u32(index);
}
