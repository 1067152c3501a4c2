/**
 * Collects what is to be written into a function body, and writes it when the body has been read: a charge in front of each run of
 * instructions, and a look at what is left in every round of a loop.
 *
 * A run is what is executed together, as often: a straight piece of code, and what follows a block that control cannot leave but
 * through its end.
 */
import type { IndexMap } from "./indices.ts";
import { EMPTY_BLOCK, Op } from "./opcodes.ts";
import { Patches, type WritePatch } from "./patches.ts";
import { NOWHERE, Refunds, type Run } from "./refunds.ts";
import { writeIsNegative, writeLook, writeMove, writeSettle } from "./settle.ts";
import { encode, type Writer, writeCall, writeIndexed, writeNumber } from "./writer.ts";

/**
 * The most that a function without a check may cost. A module of 64 MiB has room for 2^25 calls in a row, so that 2^30 units at most burn
 * between two checks: the 32-bit counter cannot wrap.
 */
const UNCHECKED_COST = 32;
/**
 * The most that may be executed in a function from one look to the next, by any way, with what the functions without a check cost that it
 * calls. It is also what each frame may execute when a recursion returns, where nothing else looks.
 */
const UNLOOKED_COST = 256;

/** How a charge looks at what is left: not at all, in place, or by a branch to the block of that number. */
export type Check = "none" | "look" | number;

/** The output side of one body after another. */
export class Charger {
  /** Whether control cannot get to the next instruction: then nothing is charged. */
  isDead = false;
  /** Units that may have been executed in this function since it last looked, at most. */
  unlooked = 0;
  /** Blocks that are open in the output: more than in the input, because a loop is written as four. */
  depth = 0;
  readonly #indices: IndexMap;
  readonly #patches: Patches;
  /** What is written often, and always the same. */
  readonly #settle: Uint8Array;
  readonly #look: Uint8Array;
  readonly refunds: Refunds = new Refunds();
  /** The run that the next instruction belongs to. */
  #run: Run;
  /** Runs to use again: a large module has a million, and none is looked at after its body. */
  readonly #runs: Run[] = [];
  #used = 0;
  #check: Check = "none";
  /** Places of the body so far at which what is left is looked at, here or in a function that is called. */
  #looks = 0;
  /** Runs of this body that have a charge. */
  readonly #charged: Run[] = [];

  constructor(input: Uint8Array, out: Writer, indices: IndexMap) {
    this.#patches = new Patches(input, out);
    this.#indices = indices;
    this.#settle = encode((to) => writeSettle(to, indices.signal));
    this.#look = encode((to) => writeLook(to, indices.signal));
    this.#run = this.begin();
  }

  /** The run that the next instruction belongs to. */
  get run(): Run {
    return this.#run;
  }

  /** Begins a run. */
  begin(): Run {
    const run = this.#runs[this.#used] ?? this.#addRun();
    this.#used += 1;
    run.charge = NOWHERE;
    run.cost = 0;
    run.looks = this.#looks;
    run.parent = undefined;
    run.depth = 0;
    run.isSettled = false;
    this.#run = run;
    return run;
  }

  /** The look that the next charge takes. */
  get check(): Check {
    return this.#check;
  }

  /** Notes a place at which what is left is looked at: what is charged in front of it has to be right there. */
  noteLook(): void {
    this.#looks += 1;
  }

  /** How many such places there have been. */
  get looks(): number {
    return this.#looks;
  }

  /** Whether what is charged for a run can still be given back: not when there may have been a look since. */
  isOpen(run: Run): boolean {
    return run.looks === this.#looks;
  }

  /** Has a conditional branch give back what its division says; see {@link Refunds.divide}. */
  replaceBranch(at: number, next: number, division: number): void {
    this.#patches.insert(at, this.#writeRefund, division);
    this.#patches.cover(next);
  }

  /** Has a branch at an input offset give back what its departure says; see {@link Refunds.depart}. */
  insertDeparture(at: number, departure: number): void {
    this.#patches.insert(at, this.#writeDeparture, departure);
  }

  /** Begins a run whose charge looks at what is left. */
  beginChecked(check: Check): void {
    this.noteLook();
    this.begin();
    this.#check = check;
  }

  /** Takes back a look that no charge took, because the loop that it is for costs nothing: what was to be done before it still is. */
  withdraw(check: Check, before: Check): void {
    if (this.#check === check) this.#check = before;
  }

  /** Goes on with an earlier run: the next instruction is executed exactly when that one is. */
  resume(run: Run): void {
    this.#run = run;
  }

  /** Adds one unit for the instruction at an input offset; puts the run's charge in front of its first one. */
  add(at: number): void {
    this.reach(at);
    this.addCost(1);
  }

  /**
   * Comes to the instruction at an input offset, for which nothing is added yet; puts the run's charge in front of its first one.
   *
   * @returns For how many units from there on nothing is to be put in front of another instruction; at least 1.
   */
  reach(at: number): number {
    if (this.isDead) return Infinity;
    if (this.unlooked >= UNLOOKED_COST && this.#check === "none") this.beginChecked("look");
    if (this.#run.charge === NOWHERE) this.#open(at);
    return Math.max(UNLOOKED_COST - this.unlooked, 1);
  }

  /** Adds units for what was reached last. */
  addCost(units: number): void {
    if (this.isDead) return;
    this.#run.cost += units;
    this.unlooked += units;
  }

  /** Notes a call: what it calls may be a function without a check. */
  noteCall(): void {
    this.unlooked += UNCHECKED_COST;
  }

  /** Has the next instruction look: nobody knows what was executed before it. */
  lookNext(): void {
    this.unlooked = UNLOOKED_COST;
  }

  /** Puts in front of the input at `at` what `write` writes of `value`, once the body has been read. */
  insert(at: number, write: WritePatch, value = 0): void {
    this.#patches.insert(at, write, value);
  }

  /** Puts a call in front of the input at `at`. */
  insertCall(at: number, functionIndex: number): void {
    this.noteLook();
    this.#patches.insert(at, writeCall, functionIndex);
  }

  /** Puts bytes in front of the input at `at`. */
  insertBytes(at: number, bytes: readonly number[]): void {
    this.#patches.insert(at, (out) => {
      for (const byte of bytes) out.u8(byte);
    });
  }

  /** Has what was put in last take the place of the input up to `next`. */
  cover(next: number): void {
    this.#patches.cover(next);
  }

  /** Puts `i32.const operand` and a call where the input from `at` to `next` was. */
  replaceByCall(at: number, next: number, call: { readonly operand: number; readonly functionIndex: number }): void {
    this.noteLook();
    this.#patches.insert(at, (out) => {
      writeNumber(out, Op.i32Const, call.operand);
      writeIndexed(out, Op.call, call.functionIndex);
    });
    this.#patches.cover(next);
  }

  /** Puts an index where the input from `at` to `next` was. */
  replaceIndex(at: number, next: number, index: number): void {
    this.#patches.insert(at, writeIndex, index);
    this.#patches.cover(next);
  }

  /** Puts the three blocks around a loop where the input from `at` to `next` was: the loop's own beginning. */
  openLoop(at: number, next: number, type: number): void {
    this.#patches.insert(at, writeLoopStart, type);
    this.#patches.cover(next);
  }

  /** Ends a loop and the blocks around it. */
  endLoop(at: number, next: number): void {
    this.#patches.insert(at, this.#writeLoopEnd);
    this.#patches.cover(next);
  }

  /** Writes the body: the input from `start` to `end` with all that was put in. */
  finish(start: number, end: number): void {
    this.#patches.apply(start, end);
    this.#charged.length = 0;
    this.refunds.clear();
    this.#used = 0;
    this.#check = "none";
    this.unlooked = 0;
  }

  /** Whether a function that neither loops nor calls needs no look on entry. */
  get isCheap(): boolean {
    let total = 0;
    for (const run of this.#charged) total += run.cost;
    return total <= UNCHECKED_COST;
  }

  #addRun(): Run {
    const run = makeRun();
    this.#runs.push(run);
    return run;
  }

  #open(at: number): void {
    // A branch to the settling comes back to the head of its loop: what is in front of it must not be charged twice.
    if (typeof this.#check === "number") this.#patches.insert(at, this.#writeBranch, this.depth - 1 - this.#check);
    else if (this.#check === "look") this.#patches.insert(at, this.#writeLook);
    if (this.#check !== "none") this.unlooked = 0;
    this.#check = "none";
    this.#run.charge = this.#charged.length;
    this.#charged.push(this.#run);
    this.#patches.insert(at, this.#writeCharge, this.#run.charge);
  }

  readonly #writeCharge = (out: Writer, charge: number): void =>
    writeMove(out, this.#indices.fuelGlobal, -(this.#charged[charge]?.cost ?? 0));

  readonly #writeRefund = (out: Writer, number: number): void => {
    const division = this.refunds.division(number);
    if (division === undefined) return;
    if (division.units === 0) return writeIndexed(out, Op.brIf, division.label);
    writeIndexed(out, Op.if, EMPTY_BLOCK);
    writeMove(out, this.#indices.fuelGlobal, division.units);
    writeIndexed(out, Op.br, division.label + 1);
    out.u8(Op.end);
  };

  readonly #writeDeparture = (out: Writer, number: number): void =>
    writeMove(out, this.#indices.fuelGlobal, this.refunds.departure(number));

  readonly #writeBranch = (out: Writer, label: number): void => {
    writeIsNegative(out, this.#indices.fuelGlobal);
    writeIndexed(out, Op.brIf, label);
  };

  readonly #writeLoopEnd = (out: Writer): void => {
    out.u8(Op.end);
    writeIndexed(out, Op.br, 2);
    out.u8(Op.end);
    out.copyRange(this.#settle, 0, this.#settle.length);
    writeIndexed(out, Op.br, 0);
    out.u8(Op.end);
    out.u8(Op.end);
  };

  readonly #writeLook = (out: Writer): void => out.copyRange(this.#look, 0, this.#look.length);
}

function writeLoopStart(out: Writer, type: number): void {
  writeIndexed(out, Op.block, type);
  writeIndexed(out, Op.loop, type);
  writeIndexed(out, Op.block, EMPTY_BLOCK);
  writeIndexed(out, Op.loop, type);
}

function makeRun(): Run {
  return { charge: NOWHERE, cost: 0, looks: 0, parent: undefined, depth: 0, isSettled: false };
}

function writeIndex(out: Writer, index: number): void {
  out.u32(index);
}
