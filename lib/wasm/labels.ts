/**
 * The open blocks of a function body: where a run goes on behind a block, and where it cannot.
 */
import type { Charger, Run } from "./charge.ts";
import type { IndexMap } from "./indices.ts";
import { checkLimit } from "./limits.ts";
import { Kind } from "./opcodes.ts";
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
  /** Whether the body has a loop or a call: one that has neither ends soon, and needs no check. */
  mayLast: boolean;
}

/** An open block. */
export interface Label {
  readonly kind: number;
  /** The run that the block was opened in. */
  readonly run: Run;
  /** Whether something may jump to its end. */
  isTargeted: boolean;
  /** Whether control may leave it other than through its end. */
  isEscaped: boolean;
  /** The first runs of the arms of an `if`. */
  arm?: Run;
  otherArm?: Run;
}

/** Opens a block. @throws {Failure} COMPONENT_LIMIT when blocks are nested too deep. */
export function openLabel(body: Body, kind: number): Label {
  checkLimit("nesting", body.labels.length, "the nesting of a function");
  const label: Label = { kind, run: body.charger.run, isTargeted: false, isEscaped: false };
  body.labels.push(label);
  return label;
}

/**
 * Closes the innermost block.
 *
 * When control can leave it only through its end, what follows is executed exactly when what is in front of it is: the run goes on.
 *
 * @throws {Failure} COMPONENT_INVALID when no block is open.
 */
export function closeLabel(body: Body): void {
  const { charger } = body;
  const label = body.labels.pop();
  if (label === undefined) throw body.reader.malformed("an end without a block");
  chargeArmsTogether(label);
  // Nobody jumps to the end of a loop, nor to that of a block that no branch names.
  const isJoin = label.kind !== Kind.loop && (label.kind !== Kind.block || label.isTargeted);
  if (isJoin) charger.isDead = false;
  if (!label.isEscaped) charger.resume(label.run);
  else if (isJoin) charger.begin(false);
}

/** Moves what both arms of an `if` cost in front of it: one of them is executed, whichever it is. */
function chargeArmsTogether({ run, arm, otherArm }: Label): void {
  if (arm === undefined || otherArm === undefined) return;
  const shared = Math.min(arm.cost, otherArm.cost);
  arm.cost -= shared;
  otherArm.cost -= shared;
  run.cost += shared;
}

/** Notes that control may jump to a label: out of all blocks inside it. @throws {Failure} COMPONENT_INVALID when it is not open. */
export function target(body: Body, depth: number): void {
  const { labels } = body;
  const index = labels.length - 1 - depth;
  const label = labels[index];
  if (label === undefined) throw body.reader.malformed("a branch to a block that is not open");
  label.isTargeted = true;
  for (let inner = index + 1; inner < labels.length; inner++) escape(labels[inner]);
}

/** Notes that control may leave the function. */
export function escapeAll(body: Body): void {
  for (const label of body.labels) escape(label);
}

function escape(label: Label | undefined): void {
  if (label !== undefined) label.isEscaped = true;
}
