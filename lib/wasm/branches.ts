/**
 * Branches behind which runs go on, see {@link Refunds}: not if there may have been a look at what is left since they were charged, which would
 * find less than there is.
 */
import { type Body, findTarget, type Label, target } from "./labels.ts";

/** `br_if`. What leaves a loop is left out once, however many rounds there are. */
export function branchIf(body: Body, at: number): void {
  const { charger, reader, labels } = body;
  charger.add(at);
  const loop = labels.at(-1)?.loop ?? -1;
  const depth = reader.u32();
  const isSure = labels.length - 1 - depth < loop;
  const label = target(body, depth);
  const moved = charger.depth - 1 - label.block;
  if (label.isEmpty && mayDivide(body)) {
    const { refunds, run } = charger;
    const division = refunds.divide(run, charger.begin(), moved);
    refunds.chain(division, label.division, isSure);
    label.division = division;
    charger.replaceBranch(at, reader.pos, label.division);
    body.blocks += 1;
    return;
  }
  if (moved !== depth) charger.replaceIndex(at + 1, reader.pos, moved);
  charger.begin();
}

function mayDivide({ charger }: Body): boolean {
  const { isDead, run, refunds } = charger;
  return !isDead && charger.isOpen(run) && refunds.mayDivide(run);
}

/** `br`: blocks that it leaves go on with the run that they were opened in. */
export function branchAway(body: Body, at: number): void {
  const { charger, reader, labels } = body;
  const labelAt = reader.pos;
  const depth = reader.u32();
  const index = labels.length - 1 - depth;
  const label = findTarget(body, depth);
  if (leaveBlocks(body, index, index)) depart(body, at, label);
  const moved = charger.depth - 1 - label.block;
  if (moved !== depth) charger.replaceIndex(labelAt, reader.pos, moved);
}

/** `return` */
export function returnAway(body: Body, at: number): void {
  const [label] = body.labels;
  if (label !== undefined && leaveBlocks(body, 0, -1)) depart(body, at, label);
}

function depart({ charger }: Body, at: number, label: Label): void {
  label.departure = charger.refunds.depart(label.departure);
  charger.insertDeparture(at, label.departure);
}

/**
 * Leaves blocks by a branch.
 *
 * @param index - Its label's place in the open blocks.
 * @param farthest - The farthest jump that it is for blocks that do not go on with their runs.
 * @returns Whether it gives anything back.
 */
function leaveBlocks(body: Body, index: number, farthest: number): boolean {
  const { charger, labels } = body;
  const { refunds } = charger;
  const innermost = labels.length - 1;
  const place = collectRuns(body, index);
  const rest = labels[place];
  const isRefunded = place < innermost || refunds.leaving > 1;
  if (rest !== undefined && place > index) {
    rest.farthestJump = Math.min(rest.farthestJump, farthest);
    // What is given back is counted in the arm: nothing of that may be charged elsewhere.
    if (isRefunded) rest.arm = undefined;
  }
  // A branch out of a single run leaves out nothing: what is behind it cannot be reached.
  if (!isRefunded) refunds.stay();
  return isRefunded;
}

/** Collects the runs of the blocks that a branch leaves. @returns The place of the first block whose run cannot go on. */
function collectRuns({ charger, labels }: Body, index: number): number {
  const { isDead, run, refunds, looks } = charger;
  const innermost = labels.length - 1;
  if (isDead || !charger.isOpen(run) || !refunds.leave(run, looks)) return forget(refunds, innermost);
  let place = innermost;
  for (; place > index; place--) {
    const left = labels[place];
    if (left === undefined || !charger.isOpen(left.run)) return place;
    // A part of what an arm costs may come to be charged in front of its `if`.
    const arm = left.otherArm ?? left.arm ?? left.run;
    if (!refunds.leave(left.run, looks) || !refunds.leave(arm, looks)) return forget(refunds, innermost);
  }
  return place;
}

function forget(refunds: { stay(): void }, place: number): number {
  refunds.stay();
  return place;
}
