/**
 * Meters function bodies: finds the runs of instructions that are executed together, has each charged where it begins, and has what is
 * left looked at on function entry and in every round of a loop.
 *
 * A run ends where control may leave or join it: at a branch, at the arms of an `if`, at the head of a loop. It goes on behind a block
 * that nothing in it leaves but through its end. Of the two arms of an `if`, what both cost is charged in front of it. The check
 * executes `unreachable` when the host refuses: a trap, which no guest handler can catch.
 *
 * Source: WebAssembly 3.0, 5.4 Instructions; costs are in docs/fuel.md.
 */
import { refuse } from "../errors.ts";
import { branchAway, branchIf, returnAway } from "./branches.ts";
import { copyMemory, fillMemory, initMemory } from "./bulk.ts";
import { branchOnCast, changeArray, chargeException, newArray, newFixedArray, newStruct } from "./gc.ts";
import { callFunction, callUnknown, tailCallFunction, tailCallUnknown } from "./call-handlers.ts";
import { mapFunction, requireGlobal, requireMemory } from "./indices.ts";
import { openFrame } from "./frame.ts";
import { type Body, closeLabel, copyLabel, escapeAll, openLabel, openLoop, restoreStack } from "./labels.ts";
import { describeOpcode, Kind, ONE_BYTE, Op, PREFIX_FB, PREFIX_FC, PREFIX_FD } from "./opcodes.ts";
import { isStraight, passBlockType, passMemoryArgument, passPair, passStraight, passValueTypes } from "./pass.ts";

type Handler = (body: Body, at: number) => void;

/**
 * Writes one function body, metered.
 *
 * @param ordinal - Which of the module's own functions it is.
 * @throws {Failure} INSTRUCTION_UNKNOWN, COMPONENT_INVALID, COMPONENT_LIMIT
 */
export function meterBody(body: Body, ordinal: number): void {
  const { charger, reader } = body;
  const start = reader.pos;
  const { frame } = body;
  openFrame(frame, body, ordinal);
  body.mayLast = false;
  body.blocks = 0;
  charger.isDead = false;
  charger.depth = 0;
  charger.begin();
  body.graph.enter(frame.locals);
  charger.insert(start, body.writeGroups);
  charger.cover(frame.groupsAt);
  charger.insert(reader.pos, body.writeEnter);
  openLabel(body, Kind.block);
  while (body.labels.length > 0) copyInstruction(body);
  frame.isChecked = body.mayLast || !charger.isCheap;
  charger.finish(start, reader.pos);
}

function copyInstruction(body: Body): void {
  const at = body.reader.pos;
  const opcode = body.reader.u8();
  // The most frequent ones, without the way through the table.
  if (isStraight(opcode)) return copyStraight(body, at);
  let kind = ONE_BYTE[opcode] ?? Kind.unknown;
  let sub: number | undefined;
  if (kind === Kind.prefix) {
    sub = body.reader.u32();
    kind = prefixedKind(opcode, sub);
  }
  const handle = HANDLERS[kind];
  if (handle === undefined) {
    throw refuse("INSTRUCTION_UNKNOWN", { module: body.module, offset: at, opcode: describeOpcode(opcode, sub) });
  }
  handle(body, at);
}

function copyStraight({ charger, indices, reader }: Body, at: number): void {
  const room = charger.reach(at);
  reader.pos = at;
  charger.addCost(passStraight(reader, indices, room));
}

function prefixedKind(opcode: number, sub: number): number {
  if (opcode === Op.prefixGc) return PREFIX_FB[sub] ?? Kind.unknown;
  if (opcode === Op.prefixBulk) return PREFIX_FC[sub] ?? Kind.unknown;
  if (opcode === Op.prefixSimd) return PREFIX_FD[sub] ?? Kind.unknown;
  return Kind.unknown;
}

/** Handlers by kind. Each is called with the reader behind the opcode and `at` in front of it. */
const HANDLERS: readonly (Handler | undefined)[] = indexByKind([
  [Kind.plain, (body, at) => body.charger.add(at)],
  [Kind.free, () => undefined],
  [Kind.index, costing((reader) => reader.u32())],
  [Kind.memorySize, (body, at) => (body.charger.add(at), requireMemory(body.indices, body.reader.u32()))],
  [Kind.indexPair, costing(passPair)],
  [Kind.memoryArgument, accessMemory],
  [Kind.memoryArgumentLane, (body, at) => (accessMemory(body, at), body.reader.skip(1))],
  [Kind.i32, costing((reader) => reader.skipLeb(32))],
  [Kind.i64, costing((reader) => reader.skipLeb(64))],
  [Kind.f32, costing((reader) => reader.skip(4))],
  [Kind.f64, costing((reader) => reader.skip(8))],
  [Kind.heapType, costing((reader) => reader.skipLeb(33))],
  [Kind.bytes16, costing((reader) => reader.skip(16))],
  [Kind.lane, costing((reader) => reader.skip(1))],
  [Kind.valueTypes, costing(passValueTypes)],
  [Kind.block, opening(Kind.block)],
  [Kind.try, opening(Kind.try)],
  [Kind.loop, (body, at) => (passBlockType(body.reader), openLoop(body, at))],
  [Kind.if, openIf],
  [Kind.else, enterElse],
  [Kind.catch, (body) => (body.reader.u32(), enterHandler(body))],
  [Kind.catchAll, enterHandler],
  [Kind.end, closeLabel],
  [Kind.delegate, (body, at) => (copyLabel(body, 1), escapeAll(body), closeLabel(body, at))],
  [Kind.rethrow, leaving((body) => (escapeAll(body), copyLabel(body)))],
  [Kind.tryTable, openTryTable],
  [Kind.stop, leaving(() => undefined)],
  [Kind.leave, leaving((body, at) => (body.reader.bytes[at] === Op.return ? returnAway(body, at) : escapeAll(body)))],
  [Kind.throw, leaving((body, at) => (escapeAll(body), chargeException(body, at)))],
  [Kind.branch, leaving(branchAway)],
  [Kind.branchTable, leaving(targetTable)],
  [Kind.tailCall, tailCallFunction],
  [Kind.tailCallIndex, (body, at) => (body.reader.u32(), tailCallUnknown(body, at))],
  [Kind.tailCallPair, (body, at) => (passPair(body.reader), tailCallUnknown(body, at))],
  [Kind.branchMaybe, branchMaybe],
  [Kind.call, callFunction],
  [Kind.callIndex, (body, at) => (body.reader.u32(), callUnknown(body, at))],
  [Kind.callPair, (body, at) => (passPair(body.reader), callUnknown(body, at))],
  [Kind.functionIndex, referFunction],
  [Kind.globalIndex, (body, at) => (body.charger.add(at), requireGlobal(body.indices, body.reader.u32()))],
  [Kind.memoryGrow, growMemory],
  [Kind.tableGrow, growTable],
  [Kind.memoryFill, fillMemory],
  [Kind.memoryCopy, copyMemory],
  [Kind.memoryInit, initMemory],
  [Kind.bulkElements, (body, at) => chargeLength(body, at, body.indices.chargeElements)],
  [Kind.bulkElementsPair, (body, at) => (chargeLength(body, at, body.indices.chargeElements), body.reader.u32())],
  [Kind.structNew, newStruct],
  [Kind.arrayNew, newArray],
  [Kind.arrayNewPair, (body, at) => (newArray(body, at), body.reader.u32())],
  [Kind.arrayNewFixed, newFixedArray],
  [Kind.arrayBulk, changeArray],
  [Kind.arrayBulkPair, (body, at) => (changeArray(body, at), body.reader.u32())],
  [Kind.branchOnCast, branchOnCast],
]);

function indexByKind(
  entries: readonly (readonly [kind: number, handler: Handler])[],
): readonly (Handler | undefined)[] {
  const handlers: (Handler | undefined)[] = Array.from({ length: Kind.prefix + 1 });
  for (const [kind, handler] of entries) handlers[kind] = handler;
  return handlers;
}

function costing(skip: (reader: Body["reader"]) => unknown): Handler {
  return (body, at) => {
    body.charger.add(at);
    skip(body.reader);
  };
}

function leaving(read: (body: Body, at: number) => unknown): Handler {
  return (body, at) => {
    body.charger.add(at);
    read(body, at);
    body.charger.isDead = true;
  };
}

function opening(kind: number): Handler {
  return (body) => {
    passBlockType(body.reader);
    openLabel(body, kind);
  };
}

function openIf(body: Body, at: number): void {
  body.charger.add(at);
  passBlockType(body.reader);
  openLabel(body, Kind.if);
  const label = body.labels.at(-1);
  const arm = body.charger.begin();
  if (label !== undefined) label.arm = arm;
}

function enterElse(body: Body): void {
  const label = body.labels.at(-1);
  if (label?.kind !== Kind.if || label.otherArm !== undefined) throw body.reader.malformed("an else without an if");
  label.otherArm = body.charger.begin();
  if (!body.charger.isDead) label.unlookedAtJump = Math.max(label.unlookedAtJump, body.charger.unlooked);
  body.charger.unlooked = label.unlooked;
  body.charger.isDead = label.wasDead;
}

/** A handler runs when something in its block throws: nothing behind the block goes with what is in front of it. */
function enterHandler(body: Body): void {
  const { charger, labels } = body;
  escapeAll(body);
  const label = labels.at(-1);
  if (label?.kind !== Kind.try) throw body.reader.malformed("a handler without a try");
  // A look that the block has not taken is not taken by its handlers either, which may never run: it waits for what follows.
  if (label.pending === undefined) label.pending = charger.check;
  if (!charger.isDead) label.unlookedAtJump = Math.max(label.unlookedAtJump, charger.unlooked);
  charger.beginChecked("none");
  charger.lookNext();
  charger.isDead = label.wasDead;
  body.frame.keepsStack = true;
  restoreStack(body, body.reader.pos);
}

function targetTable(body: Body): void {
  for (let left = body.reader.u32() + 1; left > 0; left--) copyLabel(body);
}

function openTryTable(body: Body): void {
  const { reader } = body;
  // The handlers' labels count from outside the block that is being opened; opening first makes them one deeper.
  opening(Kind.block)(body, 0);
  for (let clauses = reader.u32(); clauses > 0; clauses--) {
    const kind = reader.u8();
    if (kind > 3) throw reader.malformed("a catch clause");
    if (kind < 2) reader.u32();
    const label = copyLabel(body, 1);
    label.isHandler = true;
    label.unlookedAtJump = Infinity;
    if (label.loopAt !== undefined) restoreStack(body, label.loopAt);
  }
  body.frame.keepsStack = true;
}

function branchMaybe(body: Body, at: number): void {
  if (body.reader.bytes[at] === Op.brIf) return branchIf(body, at);
  body.charger.add(at);
  copyLabel(body);
  body.charger.begin();
}

/** `ref.func` */
function referFunction({ charger, indices, reader, referenced }: Body, at: number): void {
  charger.add(at);
  const callee = mapFunction(indices, reader.u32());
  referenced.add(callee);
  charger.replaceIndex(at + 1, reader.pos, callee);
}

function growMemory({ charger, indices, reader }: Body, at: number): void {
  charger.add(at);
  const memory = requireMemory(indices, reader.u32());
  charger.replaceByCall(at, reader.pos, { operand: memory, functionIndex: indices.growMemory });
}

function growTable(body: Body, at: number): void {
  chargeLength(body, at, body.indices.growTable);
  body.charger.insertCall(body.reader.pos, body.indices.grewTable);
}

function chargeLength(body: Body, at: number, helper: number): void {
  body.charger.add(at);
  body.reader.u32();
  body.charger.insertCall(at, helper);
}

function accessMemory({ charger, reader, indices }: Body, at: number): void {
  charger.add(at);
  passMemoryArgument(reader, indices);
}
