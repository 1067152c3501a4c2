/**
 * The open blocks of a function body: where a run goes on behind a block, and where it cannot.
 */
import type { CallSites } from "./calls.ts";
import type { Charger, Check } from "./charge.ts";
import type { Frame } from "./frame.ts";
import type { IndexMap } from "./indices.ts";
import { checkLimit } from "./limits.ts";
import { EMPTY_BLOCK, Kind } from "./opcodes.ts";
import type { WritePatch } from "./patches.ts";
import type { HelperSet } from "./helper-set.ts";
import type { Reader } from "./reader.ts";
import { NONE, type Run } from "./refunds.ts";
import type { CallGraph } from "./stack.ts";
import type { Shape } from "./types.ts";

/** What the bodies of a module stand in. */
export interface BodyContext {
  /** For messages. */
  readonly module: string;
  readonly reader: Reader;
  readonly charger: Charger;
  readonly indices: IndexMap;
  readonly types: readonly Shape[];
  /** The types of the module's own functions, as indices. */
  readonly functionTypes: readonly number[];
  readonly graph: CallGraph;
  readonly sites: CallSites;
  /** Closed blocks, to use again. */
  readonly spare: Label[];
  /** Blocks, once metered, and locals of all bodies so far. */
  readonly totals: { blocks: number; locals: number };
  /** The types of the tags, as indices. */
  readonly tags: readonly number[];
  /** Data segments that are longer than a bulk operation does at once. */
  readonly largeData: ReadonlySet<number>;
  /** The functions that the code needs beside those that every module gets. */
  readonly helpers: HelperSet;
  /** Functions to which the code makes references, as indices in the output. */
  readonly referenced: Set<number>;
  /** Whether other modules may put functions into one of its tables. */
  readonly sharesTables: boolean;
  /** Whether a call may throw past the rest of its run, which then ends at the call. */
  readonly callsEndRuns: boolean;
}

/** What the handlers work on: one body after another. */
export interface Body extends BodyContext {
  readonly frame: Frame;
  /** The open blocks, innermost last. */
  readonly labels: Label[];
  /** Whether the body has a loop or a call: one that has neither ends soon, and needs no check. */
  mayLast: boolean;
  /** Blocks so far, once metered. */
  blocks: number;
  /** Patches: see the functions of these names of the frame; `writeRestore` is what a handler begins with. */
  readonly writeGroups: WritePatch;
  readonly writeEnter: WritePatch;
  readonly writeRestore: WritePatch;
  readonly writeTell: WritePatch;
  /** Writes the helper of a function to leave to, by its ordinal. */
  readonly writeStub: WritePatch;
}

/** An open block. */
export interface Label {
  kind: number;
  /** The run that the block was opened in. */
  run: Run;
  /** Its number in the output, counted from the outermost block, 0. */
  block: number;
  /** The look that was still to be taken when the block was opened. */
  check: Check;
  /** The most that is unlooked where control can come to its end by a branch. */
  unlookedAtJump: number;
  /** What was unlooked where the block was opened. */
  unlooked: number;
  /** Whether control cannot get to the block at all. */
  wasDead: boolean;
  /** Whether something may jump to its end. */
  isTargeted: boolean;
  /**
   * The outermost block that something inside may jump to, as a place in the open blocks; -1 when it may leave the function. When it
   * is further out than the block itself, control may leave the block other than through its end.
   */
  farthestJump: number;
  /** For a loop: input offset of what is in it. */
  loopAt: number | undefined;
  /** Whether a handler begins behind its end. */
  isHandler: boolean;
  /** The look that a `try` had still to take when its first handler began. */
  pending: Check | undefined;
  /** The first runs of the arms of an `if`. */
  arm: Run | undefined;
  otherArm: Run | undefined;
  /** The innermost loop that it is in, or itself, as a place in the open blocks; -1 when there is none. */
  loop: number;
  /** Whether a branch to its end takes no values. */
  isEmpty: boolean;
  /** The last conditional branch to its end that divided a run, or NONE. */
  division: number;
  /** The last branch to it that leaves blocks inside it, or NONE. */
  departure: number;
}

/** What an input loop becomes: `block loop block loop`, see {@link openLoop}. */
const OUTLINED_BLOCKS = 4;

/** Opens a block. @throws {Failure} COMPONENT_LIMIT when blocks are nested too deep, or there are too many. */
export function openLabel(body: Body, kind: number): Label {
  checkLimit("nesting", body.labels.length, "the nesting of a function");
  body.blocks += 1;
  checkLimit("blocks", body.blocks, "the number of blocks of a function, once metered");
  const { charger } = body;
  const label = body.spare.pop() ?? makeLabel(charger.run);
  label.kind = kind;
  label.run = charger.run;
  label.block = charger.depth;
  label.check = charger.check;
  label.wasDead = charger.isDead;
  label.unlooked = charger.unlooked;
  clearLabel(label);
  charger.depth += 1;
  const place = body.labels.length;
  const isLoop = kind === Kind.loop || kind === Kind.outlinedLoop;
  label.loop = isLoop ? place : (body.labels.at(-1)?.loop ?? -1);
  label.isEmpty = place > 0 && !isLoop && body.reader.bytes[body.reader.pos - 1] === EMPTY_BLOCK;
  body.labels.push(label);
  return label;
}

/**
 * Opens a loop, whose block type has just been read, and has what is left looked at in each of its rounds.
 *
 * A loop without parameters is written as `block $done (loop $again (block $settle (loop …) (br $done)) settle (br $again))`: the settling is
 * outside of the loop, and takes no registers in it.
 *
 * @param at - Input offset of the instruction.
 * @throws {Failure} COMPONENT_LIMIT when blocks are nested too deep.
 */
export function openLoop(body: Body, at: number): void {
  const { charger, reader } = body;
  const type = reader.bytes[at + 1] ?? 0;
  // One byte with bit 6: a value type or none. Anything else may be a function type with parameters.
  const isSimple = reader.pos === at + 2 && (type & 0xc0) === 0x40;
  body.mayLast = true;
  if (!isSimple) {
    openLabel(body, Kind.loop).loopAt = reader.pos;
    return charger.beginChecked("look");
  }
  charger.openLoop(at, reader.pos, type);
  charger.depth += OUTLINED_BLOCKS - 1;
  // And the trap in the settling.
  body.blocks += OUTLINED_BLOCKS;
  openLabel(body, Kind.outlinedLoop).loopAt = reader.pos;
  // The block around the loop.
  charger.beginChecked(charger.depth - 2);
}

/** Writes what follows an outlined loop, in place of its `end` at an input offset. */
function endOutlinedLoop(body: Body, label: Label, at: number): void {
  const { charger, reader } = body;
  charger.withdraw(label.block - 1, label.check);
  charger.endLoop(at, reader.pos);
  charger.depth -= OUTLINED_BLOCKS - 1;
}

/**
 * Closes the innermost block.
 *
 * When control can leave it only through its end, what follows is executed exactly when what is in front of it is: the run goes on.
 *
 * @param at - Input offset of the instruction that closes it.
 * @throws {Failure} COMPONENT_INVALID when no block is open.
 */
export function closeLabel(body: Body, at: number): void {
  const { charger } = body;
  const label = body.labels.pop();
  if (label === undefined) throw body.reader.malformed("an end without a block");
  charger.depth -= 1;
  if (label.kind === Kind.outlinedLoop) endOutlinedLoop(body, label, at);
  if (label.isHandler && body.labels.length > 0) restoreStack(body, body.reader.pos);
  charger.refunds.settle(label.division, label.departure, !charger.isDead);
  chargeArmsTogether(label);
  // Nobody jumps to the end of a loop, nor to that of a block that no branch names.
  const isLoop = label.kind === Kind.loop || label.kind === Kind.outlinedLoop;
  const isJoin = !isLoop && (label.kind !== Kind.block || label.isTargeted);
  if (isJoin) joinUnlooked(charger, label);
  if (isJoin) charger.isDead = label.wasDead;
  if (label.pending !== undefined) charger.withdraw("none", label.pending);
  const isEscaped = label.farthestJump < body.labels.length;
  noteJump(body, label.farthestJump);
  if (!isEscaped) charger.resume(label.run);
  else if (isJoin) charger.begin();
  body.spare.push(label);
}

/** What is unlooked behind a block is the most of all ways to there. */
function joinUnlooked(charger: Charger, { kind, otherArm, unlooked, unlookedAtJump }: Label): void {
  const fallen = charger.isDead ? 0 : charger.unlooked;
  const skipped = kind === Kind.if && otherArm === undefined ? unlooked : 0;
  charger.unlooked = Math.max(fallen, skipped, unlookedAtJump);
}

function makeLabel(run: Run): Label {
  const label: Label = {
    kind: 0,
    run,
    block: 0,
    check: "none",
    wasDead: false,
    unlooked: 0,
    unlookedAtJump: 0,
    isTargeted: false,
    farthestJump: Infinity,
    loopAt: undefined,
    isHandler: false,
    pending: undefined,
    arm: undefined,
    otherArm: undefined,
    loop: -1,
    isEmpty: false,
    division: NONE,
    departure: NONE,
  };
  return label;
}

function clearLabel(label: Label): void {
  label.isTargeted = false;
  label.unlookedAtJump = 0;
  label.farthestJump = Infinity;
  label.loopAt = undefined;
  label.isHandler = false;
  label.pending = undefined;
  label.arm = undefined;
  label.otherArm = undefined;
  label.division = NONE;
  label.departure = NONE;
}

/** Moves what both arms of an `if` cost in front of it: one of them is executed, whichever it is. */
function chargeArmsTogether({ run, arm, otherArm }: Label): void {
  if (arm === undefined || otherArm === undefined) return;
  const shared = Math.min(arm.cost, otherArm.cost);
  arm.cost -= shared;
  otherArm.cost -= shared;
  run.cost += shared;
}

/**
 * Reads a label, and writes it as it counts in the output.
 *
 * @param outside - 1 when the label counts from outside the innermost block, as in the clauses of `try_table`.
 * @throws {Failure} COMPONENT_INVALID when no such block is open.
 */
export function copyLabel(body: Body, outside: 0 | 1 = 0): Label {
  const { charger, reader } = body;
  const at = reader.pos;
  const depth = reader.u32();
  const label = target(body, depth + outside);
  const moved = charger.depth - 1 - label.block - outside;
  if (moved !== depth) charger.replaceIndex(at, reader.pos, moved);
  return label;
}

/** Finds the label of a branch, and notes that one goes there. @throws {Failure} COMPONENT_INVALID when no such block is open. */
export function findTarget({ charger, labels, reader }: Body, depth: number): Label {
  const label = labels[labels.length - 1 - depth];
  if (label === undefined) throw reader.malformed("a branch to a block that is not open");
  label.isTargeted = true;
  label.unlookedAtJump = Math.max(label.unlookedAtJump, charger.unlooked);
  return label;
}

/** The same for a branch whose blocks do not go on with their runs. */
export function target(body: Body, depth: number): Label {
  const label = findTarget(body, depth);
  noteJump(body, body.labels.length - 1 - depth);
  return label;
}

/** Has a handler that begins at an input offset forget the frames that were thrown past. */
export function restoreStack({ charger, writeRestore }: Body, at: number): void {
  charger.insert(at, writeRestore);
}

/** Notes that control may leave the function. */
export function escapeAll(body: Body): void {
  noteJump(body, -1);
}

function noteJump(body: Body, index: number): void {
  const innermost = body.labels.at(-1);
  if (innermost !== undefined) innermost.farthestJump = Math.min(innermost.farthestJump, index);
}
