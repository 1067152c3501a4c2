/**
 * Collects what is to be written into a function body, and writes it when the body has been read: a charge in front of each run of
 * instructions, a look at what is left in every round of a loop, and on entry a look at fuel and stack.
 *
 * A run is what is executed together, as often: a straight piece of code, and what follows a block that control cannot leave but
 * through its end.
 */
import type { IndexMap } from "./indices.ts";
import { EMPTY_BLOCK, Op } from "./opcodes.ts";
import { Patches, type WritePatch } from "./patches.ts";
import { writeSettle } from "./settle.ts";
import { type Writer, writeIndexed, writeNumber } from "./writer.ts";

const NOWHERE = -1;
/**
 * The most that a function without a check may cost. A module of 64 MiB has room for 2^25 calls in a row, so that 2^30 units at most burn
 * between two checks: the 32-bit counter cannot wrap.
 */
const UNCHECKED_COST = 32;

/** How a charge looks at what is left: not at all, in place, or by a branch to the block of that number. */
export type Check = "none" | "look" | number;

/** A run of instructions that are executed together. */
export interface Run {
  /** Its place among the body's charges; NOWHERE before its first instruction that costs something. */
  charge: number;
  /** Fuel units. */
  cost: number;
}

/** The output side of one body after another. */
export class Charger {
  /** Whether control cannot get to the next instruction: then nothing is charged. */
  isDead = false;
  /** Blocks that are open in the output: more than in the input, because a loop is written as four. */
  depth = 0;
  readonly #input: Uint8Array;
  readonly #out: Writer;
  readonly #indices: IndexMap;
  readonly #patches = new Patches();
  /** The run that the next instruction belongs to. */
  #run: Run;
  /** Runs to use again: a large module has a million, and none is looked at after its body. */
  readonly #runs: Run[] = [];
  #used = 0;
  #check: Check = "none";
  /** Runs of this body that have a charge. */
  readonly #charged: Run[] = [];

  constructor(input: Uint8Array, out: Writer, indices: IndexMap) {
    this.#input = input;
    this.#out = out;
    this.#indices = indices;
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
    this.#run = run;
    return run;
  }

  /** The look that the next charge takes. */
  get check(): Check {
    return this.#check;
  }

  /** Begins a run whose charge looks at what is left. */
  beginChecked(check: Check): void {
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
    if (this.isDead) return;
    if (this.#run.charge === NOWHERE) this.#open(at);
    this.#run.cost += 1;
  }

  /** Adds a patch: `write` comes in place of the input from `at` to `next`. */
  patch(at: number, next: number, write: WritePatch, value = 0): void {
    this.#patches.add(at, next, write, value);
  }

  /** Puts an index where the input from `at` to `next` was. */
  replaceIndex(at: number, next: number, index: number): void {
    this.#patches.add(at, next, writeIndex, index);
  }

  /** Puts `opcode index` where the input from `at` to `next` was. */
  replace(at: number, next: number, [opcode, index]: readonly [opcode: number, index: number]): void {
    this.#patches.add(at, next, (out) => writeIndexed(out, opcode, index), 0);
  }

  /** Puts a call in front of the input at `at`. */
  insertCall(at: number, functionIndex: number): void {
    this.#patches.add(at, at, writeCall, functionIndex);
  }

  /** Puts `i32.const operand` and a call where the input from `at` to `next` was. */
  replaceByCall(at: number, next: number, call: { readonly operand: number; readonly functionIndex: number }): void {
    this.#patches.add(
      at,
      next,
      (out) => {
        writeNumber(out, Op.i32Const, call.operand);
        writeIndexed(out, Op.call, call.functionIndex);
      },
      0,
    );
  }

  /** Puts bytes where the input from `at` to `next` was. */
  replaceBytes(at: number, next: number, bytes: readonly number[]): void {
    const write = (out: Writer): void => {
      for (const byte of bytes) out.u8(byte);
    };
    this.#patches.add(at, next, write, 0);
  }

  /** Puts the three blocks around a loop where the input from `at` to `next` was: the loop's own beginning. */
  openLoop(at: number, next: number, type: number): void {
    this.#patches.add(at, next, writeLoopStart, type);
  }

  /** Ends a loop and the blocks around it. */
  endLoop(at: number, next: number): void {
    this.#patches.add(at, next, this.#writeLoopEnd, 0);
  }

  /** Writes the body: the input from `start` to `end` with all that was put in. */
  finish(start: number, end: number): void {
    this.#patches.apply(this.#input, [start, end], this.#out);
    this.#charged.length = 0;
    this.#used = 0;
    this.#check = "none";
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
    // A branch to a refill comes back to the head of its loop: what is in front of it must not be charged twice.
    if (typeof this.#check === "number") this.#patches.add(at, at, this.#writeBranch, this.depth - 1 - this.#check);
    else if (this.#check === "look") this.#patches.add(at, at, this.#writeLook, 0);
    this.#check = "none";
    this.#run.charge = this.#charged.length;
    this.#charged.push(this.#run);
    this.#patches.add(at, at, this.#writeCharge, this.#run.charge);
  }

  readonly #writeCharge = (out: Writer, charge: number): void => {
    const cost = this.#charged[charge]?.cost ?? 0;
    if (cost === 0) return;
    const { fuelGlobal } = this.#indices;
    writeIndexed(out, Op.globalGet, fuelGlobal);
    writeNumber(out, Op.i32Const, cost);
    out.u8(Op.i32Sub);
    writeIndexed(out, Op.globalSet, fuelGlobal);
  };

  readonly #writeBranch = (out: Writer, label: number): void => {
    writeIsNegative(out, this.#indices);
    writeIndexed(out, Op.brIf, label);
  };

  readonly #writeLoopEnd = (out: Writer): void => {
    out.u8(Op.end);
    writeIndexed(out, Op.br, 2);
    out.u8(Op.end);
    writeSettle(out, this.#indices.signal);
    writeIndexed(out, Op.br, 0);
    out.u8(Op.end);
    out.u8(Op.end);
  };

  readonly #writeLook = (out: Writer): void => writeLook(out, this.#indices);
}

function writeLoopStart(out: Writer, type: number): void {
  out.u8(Op.block);
  out.u8(type);
  out.u8(Op.loop);
  out.u8(type);
  out.u8(Op.block);
  out.u8(EMPTY_BLOCK);
  out.u8(Op.loop);
  out.u8(type);
}

function makeRun(): Run {
  return { charge: NOWHERE, cost: 0 };
}

function writeIndex(out: Writer, index: number): void {
  out.u32(index);
}

function writeCall(out: Writer, functionIndex: number): void {
  writeIndexed(out, Op.call, functionIndex);
}

/** Writes `fuel < 0`. */
function writeIsNegative(out: Writer, { fuelGlobal }: IndexMap): void {
  writeIndexed(out, Op.globalGet, fuelGlobal);
  writeNumber(out, Op.i32Const, 0);
  out.u8(Op.i32LtS);
}

/** Writes `if (fuel < 0) settle`, without a call. */
function writeLook(out: Writer, indices: IndexMap): void {
  writeIsNegative(out, indices);
  writeIndexed(out, Op.if, EMPTY_BLOCK);
  writeSettle(out, indices.signal);
  out.u8(Op.end);
}

/** Writes `if (fuel < 0) check()`: shorter, for functions that are called seldom. */
export function writeCheck(out: Writer, indices: IndexMap): void {
  writeIsNegative(out, indices);
  writeIndexed(out, Op.if, EMPTY_BLOCK);
  writeIndexed(out, Op.call, indices.check);
  out.u8(Op.end);
}
