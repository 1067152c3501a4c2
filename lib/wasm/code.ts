/**
 * Meters function bodies: finds the straight runs of instructions, has each charged where it begins, and has what is left
 * looked at on function entry and in every round of a loop.
 *
 * A run ends where control may leave or join it: at a branch, at the arms of an `if`, at the end of a block that something
 * jumps to. The refill helper executes `unreachable` when the host refuses: a trap, which no guest handler can catch.
 *
 * Source: WebAssembly 3.0, 5.4 Instructions; costs are in docs/fuel.md.
 */
import { refuse } from "../errors.ts";
import type { Charger } from "./charge.ts";
import { type IndexMap, mapFunction, mapGlobal } from "./indices.ts";
import { skipValueType } from "./layout.ts";
import { checkLimit } from "./limits.ts";
import { describeOpcode, Kind, ONE_BYTE, PREFIX_FC, PREFIX_FD } from "./opcodes.ts";
import type { Reader } from "./reader.ts";

/** What the handlers work on: one module's bodies, one after another. */
export interface Body {
  /** For messages. */
  readonly module: string;
  readonly reader: Reader;
  readonly charger: Charger;
  readonly indices: IndexMap;
  /** Whether a call may throw past the rest of its run, which then ends at the call. */
  readonly callsEndRuns: boolean;
  /** The open blocks, innermost last. */
  readonly labels: Label[];
}

interface Label {
  readonly kind: number;
  /** Whether something may jump to its end. */
  isTargeted: boolean;
}

type Handler = (body: Body, at: number) => void;

/**
 * Copies one function body, metered.
 *
 * @throws {Failure} INSTRUCTION_UNKNOWN, COMPONENT_INVALID, COMPONENT_LIMIT
 */
export function meterBody(body: Body): void {
  skipLocals(body.reader);
  body.charger.isDead = false;
  body.charger.begin(true);
  copyInstructions(body);
}

/** Copies a constant expression: indices move, nothing is charged. */
export function copyExpression(body: Body): void {
  body.charger.isDead = true;
  copyInstructions(body);
}

function copyInstructions(body: Body): void {
  body.labels.length = 0;
  open(body, Kind.block);
  while (body.labels.length > 0) copyInstruction(body);
  body.charger.close();
  body.charger.copyTo(body.reader.pos);
}

function copyInstruction(body: Body): void {
  const at = body.reader.pos;
  const opcode = body.reader.u8();
  let kind = ONE_BYTE[opcode] ?? Kind.unknown;
  if (kind === Kind.plain) return body.charger.add(at);
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

function prefixedKind(opcode: number, sub: number): number {
  if (opcode === 0xfc) return PREFIX_FC[sub] ?? Kind.unknown;
  if (opcode === 0xfd) return PREFIX_FD[sub] ?? Kind.unknown;
  return Kind.unknown;
}

/** Handlers by kind. Each is called with the reader behind the opcode and `at` in front of it. */
const HANDLERS: readonly (Handler | undefined)[] = indexByKind([
  [Kind.plain, (body, at) => body.charger.add(at)],
  [Kind.free, () => undefined],
  [Kind.index, costing((reader) => reader.u32())],
  [Kind.indexPair, costing(skipPair)],
  [Kind.memoryArgument, costing(skipMemoryArgument)],
  [Kind.memoryArgumentLane, costing((reader) => (skipMemoryArgument(reader), reader.skip(1)))],
  [Kind.i32, costing((reader) => reader.skipLeb(32))],
  [Kind.i64, costing((reader) => reader.skipLeb(64))],
  [Kind.f32, costing((reader) => reader.skip(4))],
  [Kind.f64, costing((reader) => reader.skip(8))],
  [Kind.heapType, costing((reader) => reader.skipLeb(33))],
  [Kind.bytes16, costing((reader) => reader.skip(16))],
  [Kind.lane, costing((reader) => reader.skip(1))],
  [Kind.valueTypes, costing(skipValueTypes)],
  [Kind.block, opening(Kind.block)],
  [Kind.try, opening(Kind.try)],
  [Kind.loop, (body) => (opening(Kind.loop)(body, 0), body.charger.begin(true))],
  [Kind.if, (body, at) => (body.charger.add(at), opening(Kind.if)(body, at), body.charger.begin(false))],
  [Kind.else, enterArm],
  [Kind.catch, (body) => (body.reader.u32(), enterArm(body))],
  [Kind.catchAll, enterArm],
  [Kind.end, closeLabel],
  [Kind.delegate, (body) => (target(body, body.reader.u32()), closeLabel(body))],
  [Kind.tryTable, openTryTable],
  [Kind.leave, leaving(() => undefined)],
  [Kind.leaveIndex, leaving((body) => body.reader.u32())],
  [Kind.leaveIndexPair, leaving((body) => skipPair(body.reader))],
  [Kind.branch, leaving((body) => target(body, body.reader.u32()))],
  [Kind.branchTable, leaving(targetTable)],
  [Kind.tailCall, leaving((body, at) => moveIndex(body, at, mapFunction))],
  [Kind.branchMaybe, branchMaybe],
  [Kind.call, calling((body, at) => moveIndex(body, at, mapFunction))],
  [Kind.callIndex, calling((body) => body.reader.u32())],
  [Kind.callPair, calling((body) => skipPair(body.reader))],
  [Kind.functionIndex, (body, at) => (body.charger.add(at), moveIndex(body, at, mapFunction))],
  [Kind.globalIndex, (body, at) => (body.charger.add(at), moveIndex(body, at, mapGlobal))],
  [Kind.memoryGrow, growMemory],
  [Kind.tableGrow, (body, at) => chargeLength(body, at, body.indices.growTable)],
  [Kind.bulkBytes, (body, at) => chargeLength(body, at, body.indices.chargeBytes)],
  [Kind.bulkBytesPair, (body, at) => (chargeLength(body, at, body.indices.chargeBytes), body.reader.u32())],
  [Kind.bulkElements, (body, at) => chargeLength(body, at, body.indices.chargeElements)],
  [Kind.bulkElementsPair, (body, at) => (chargeLength(body, at, body.indices.chargeElements), body.reader.u32())],
]);

function indexByKind(
  entries: readonly (readonly [kind: number, handler: Handler])[],
): readonly (Handler | undefined)[] {
  const handlers: (Handler | undefined)[] = Array.from({ length: Kind.prefix + 1 });
  for (const [kind, handler] of entries) handlers[kind] = handler;
  return handlers;
}

function costing(skip: (reader: Reader) => unknown): Handler {
  return (body, at) => {
    body.charger.add(at);
    skip(body.reader);
  };
}

function leaving(read: (body: Body, at: number) => unknown): Handler {
  return (body, at) => {
    body.charger.add(at);
    read(body, at);
    body.charger.close();
    body.charger.isDead = true;
  };
}

function calling(read: (body: Body, at: number) => unknown): Handler {
  return (body, at) => {
    body.charger.add(at);
    read(body, at);
    if (body.callsEndRuns) body.charger.begin(false);
  };
}

function opening(kind: number): Handler {
  return (body) => {
    // A block type is a value type, empty, or a type index: each one signed 33-bit LEB128, a typed reference two.
    const { reader } = body;
    const first = reader.bytes[reader.pos];
    if (first === 0x63 || first === 0x64) skipValueType(reader);
    else reader.skipLeb(33);
    open(body, kind);
  };
}

function open(body: Body, kind: number): void {
  checkLimit("nesting", body.labels.length, "the nesting of a function");
  body.labels.push({ kind, isTargeted: false });
}

function enterArm(body: Body): void {
  body.charger.begin(false);
  body.charger.isDead = false;
}

function closeLabel(body: Body): void {
  const label = body.labels.pop();
  if (label === undefined) throw body.reader.malformed("an end without a block");
  // Nobody jumps to the end of a loop, nor to that of a block that no branch names: the run goes on.
  if (label.kind === Kind.loop || (label.kind === Kind.block && !label.isTargeted)) return;
  enterArm(body);
}

function target(body: Body, depth: number): void {
  const label = body.labels[body.labels.length - 1 - depth];
  if (label === undefined) throw body.reader.malformed("a branch to a block that is not open");
  label.isTargeted = true;
}

function targetTable(body: Body): void {
  for (let left = body.reader.u32() + 1; left > 0; left--) target(body, body.reader.u32());
}

function openTryTable(body: Body): void {
  const { reader } = body;
  // The handlers' labels count from outside the block that is being opened; opening first makes them one deeper.
  opening(Kind.block)(body, 0);
  for (let clauses = reader.u32(); clauses > 0; clauses--) {
    const kind = reader.u8();
    if (kind > 3) throw reader.malformed("a catch clause");
    if (kind < 2) reader.u32();
    target(body, reader.u32() + 1);
  }
}

function branchMaybe(body: Body, at: number): void {
  body.charger.add(at);
  target(body, body.reader.u32());
  body.charger.begin(false);
}

function moveIndex(body: Body, at: number, move: (map: IndexMap, index: number) => number): void {
  const { reader, charger } = body;
  const opcode = reader.bytes[at] ?? 0;
  const index = reader.u32();
  const moved = move(body.indices, index);
  if (moved !== index) charger.replace(at, reader.pos, [opcode, moved]);
}

function growMemory(body: Body, at: number): void {
  body.charger.add(at);
  const memory = body.reader.u32();
  body.charger.replaceByCall(at, body.reader.pos, { operand: memory, functionIndex: body.indices.growMemory });
}

function chargeLength(body: Body, at: number, helper: number): void {
  body.charger.add(at);
  body.reader.u32();
  body.charger.insertCall(at, helper);
}

function skipPair(reader: Reader): void {
  reader.u32();
  reader.u32();
}

function skipMemoryArgument(reader: Reader): void {
  // Bit 6 of the alignment says that a memory index follows.
  if ((reader.u32() & 0x40) !== 0) reader.u32();
  reader.u32();
}

function skipValueTypes(reader: Reader): void {
  for (let count = reader.u32(); count > 0; count--) skipValueType(reader);
}

function skipLocals(reader: Reader): void {
  let locals = 0;
  for (let groups = reader.u32(); groups > 0; groups--) {
    locals += reader.u32();
    checkLimit("locals", locals, "the number of locals of a function");
    skipValueType(reader);
  }
}
