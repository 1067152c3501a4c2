/**
 * What a function does on entry: it looks at its fuel, and when there is none it leaves by a tail call to a stub, which settles and comes back
 * by another. That look costs next to nothing, because nothing has to be kept for after it.
 *
 * A function that catches remembers the stack it had, for what is thrown past other functions leaves their shares counted. So does one that calls
 * what may be another module, for that may come back to this one, and count on.
 */
import { type IndexMap, mapFunction } from "./indices.ts";
import type { Body, BodyContext } from "./labels.ts";
import { checkLimit } from "./limits.ts";
import { EMPTY_BLOCK, Op } from "./opcodes.ts";
import { writeIsNegative, writeMove, writeStoreStack } from "./settle.ts";
import { readValueType } from "./types.ts";
import { STACK_BYTES } from "./signal.ts";
import { type Writer, writeIndexed, writeNumber } from "./writer.ts";

/** What is known of a function while its body is read. */
export interface Frame {
  /** Input offset behind the number of groups of locals. */
  groupsAt: number;
  groups: number;
  parameters: number;
  /** Parameters and locals. */
  locals: number;
  /** Which of the module's own functions it is. */
  ordinal: number;
  /** Whether it remembers the stack that it had: it catches, or it calls what may be another module. */
  keepsStack: boolean;
  /** Whether it is looked at on entry. */
  isChecked: boolean;
}

/** Makes a frame for {@link openFrame}: one for all functions of a module, one after another. */
export function makeFrame(): Frame {
  return { groups: 0, groupsAt: 0, parameters: 0, locals: 0, ordinal: -1, keepsStack: false, isChecked: false };
}

/** Reads a body's locals into its frame. @param ordinal - Which of the module's own functions it is. */
export function openFrame(frame: Frame, context: BodyContext, ordinal: number): void {
  const { reader, types, functionTypes } = context;
  const type = functionTypes[ordinal] ?? 0;
  const shape = types[type];
  if (shape?.form !== "function") throw reader.malformed(`type ${type} is no function type`);
  const groups = reader.u32();
  const groupsAt = reader.pos;
  let locals = 0;
  for (let left = groups; left > 0; left--) {
    locals += reader.u32();
    checkLimit("locals", locals, "the number of locals of a function");
    readValueType(reader);
  }
  context.totals.locals += locals;
  checkLimit("allLocals", context.totals.locals, "the number of locals of all functions");
  frame.groups = groups;
  frame.groupsAt = groupsAt;
  frame.parameters = shape.parameters;
  frame.locals = shape.parameters + locals;
  frame.ordinal = ordinal;
  frame.keepsStack = false;
  frame.isChecked = false;
}

/**
 * Writes the number of groups of locals: one more where the stack is remembered.
 *
 * @throws {Failure} COMPONENT_LIMIT when that is one local too many.
 */
export function writeGroups(out: Writer, { groups, locals, keepsStack }: Frame): void {
  if (keepsStack) checkLimit("locals", locals + 1, "the number of locals of a function, once metered");
  out.u32(groups + (keepsStack ? 1 : 0));
}

/** Writes what comes behind the locals. */
export function writeEnter(out: Writer, body: Body): void {
  const { frame, functionTypes, helpers, indices } = body;
  if (frame.keepsStack) {
    out.u8(1);
    out.u8(I32);
  }
  if (frame.isChecked) {
    writeIsNegative(out, indices.fuelGlobal);
    writeIndexed(out, Op.if, EMPTY_BLOCK);
    writeParameters(out, frame.parameters);
    // The function to leave to when fuel is missing.
    const type = functionTypes[frame.ordinal] ?? 0;
    writeIndexed(out, Op.returnCall, helpers.addStub(type, body.writeStub, frame.ordinal));
    out.u8(Op.end);
  }
  if (!frame.keepsStack) return;
  writeIndexed(out, Op.globalGet, indices.stackGlobal);
  writeIndexed(out, Op.localSet, frame.locals);
}

/** Writes the function to leave to: it settles, and comes back. @param ordinal - Which of the module's own functions leaves. */
export function writeStub(out: Writer, { functionTypes, indices, types }: BodyContext, ordinal: number): void {
  const shape = types[functionTypes[ordinal] ?? 0];
  writeIndexed(out, Op.call, indices.check);
  writeParameters(out, shape?.form === "function" ? shape.parameters : 0);
  writeIndexed(out, Op.returnCall, mapFunction(indices, indices.importedFunctions + ordinal));
  out.u8(Op.end);
}

/** Writes what comes in front of a call that is counted. @param bytes - What it counts for. */
export function writeTake(out: Writer, { stackGlobal }: IndexMap, bytes: number): void {
  writeMove(out, stackGlobal, -bytes);
  writeIsNegative(out, stackGlobal);
  writeIndexed(out, Op.if, EMPTY_BLOCK);
  out.u8(Op.unreachable);
  out.u8(Op.end);
}

/** Writes what comes in front of a call that may leave the module, when it has been counted. */
export function writeTell(out: Writer, { signal, stackGlobal }: IndexMap): void {
  writeStoreStack(out, signal, () => writeIndexed(out, Op.globalGet, stackGlobal));
}

/** Writes what comes behind such a call, and where a handler begins: the function's own count again. @param local - The one that remembers the stack. */
export function writeComeBack(out: Writer, { signal, stackGlobal }: IndexMap, local: number): void {
  writeIndexed(out, Op.localGet, local);
  writeIndexed(out, Op.globalSet, stackGlobal);
  writeStoreStack(out, signal, () => writeNumber(out, Op.i32Const, STACK_BYTES));
}

/** Writes what comes behind a call that is counted. */
export function writeGiveBack(out: Writer, { stackGlobal }: IndexMap, bytes: number): void {
  writeMove(out, stackGlobal, bytes);
}

const I32 = 0x7f;

function writeParameters(out: Writer, parameters: number): void {
  for (let parameter = 0; parameter < parameters; parameter++) writeIndexed(out, Op.localGet, parameter);
}
