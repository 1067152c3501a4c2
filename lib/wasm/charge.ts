/**
 * Writes a rewritten function body: copies what stays, and puts a charge in front of each run of instructions.
 *
 * A run is what is executed together, as often: a straight piece of code, and what follows a block that control cannot leave but
 * through its end. Its cost is known only later, so its charge leaves room for the number and is filled in when the body ends; a charge
 * or a check that turns out not to be needed becomes `nop`, which costs the engine nothing.
 */
import type { IndexMap } from "./indices.ts";
import type { Writer } from "./writer.ts";

const NOWHERE = -1;
/**
 * The most that a function without a check may cost. A module of 64 MiB has room for 2^25 calls in a row, so that 2^30 units at most burn
 * between two checks: the 32-bit counter cannot wrap.
 */
const UNCHECKED_COST = 32;
const NOP = 0x01;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const I32_CONST = 0x41;
const I32_LT_S = 0x48;
const I32_SUB = 0x6b;
const IF = 0x04;
const BRANCH_IF = 0x0d;
const EMPTY_BLOCK = 0x40;
const CALL = 0x10;
const END = 0x0b;

/** How a charge looks at what is left: not at all, by a call in place, or by a branch to the block of that number. */
export type Check = "none" | "call" | number;

/** A run of instructions that are executed together. */
export interface Run {
  /** Where its charge begins in the output; NOWHERE before its first instruction that costs something. */
  start: number;
  /** Where the charge's number is. */
  costAt: number;
  /** Where the charge ends. */
  end: number;
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
  #copied = 0;
  /** The run that the next instruction belongs to. */
  #run: Run = makeRun();
  #check: Check = "none";
  /** Runs of this body that have a charge. */
  readonly #charged: Run[] = [];
  /** Where this body's checks are in the output. */
  readonly #checks: { readonly start: number; readonly end: number }[] = [];

  constructor(input: Uint8Array, out: Writer, indices: IndexMap) {
    this.#input = input;
    this.#out = out;
    this.#indices = indices;
  }

  /** The run that the next instruction belongs to. */
  get run(): Run {
    return this.#run;
  }

  /** Starts copying at an input offset. */
  startAt(offset: number): void {
    this.#copied = offset;
  }

  /** Begins a run. */
  begin(): Run {
    this.#run = makeRun();
    return this.#run;
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

  /** Adds one unit for the instruction at an input offset; writes the run's charge in front of its first one. */
  add(at: number): void {
    if (this.isDead) return;
    if (this.#run.start === NOWHERE) this.#open(at);
    this.#run.cost += 1;
  }

  /**
   * Fills in what the body's runs cost.
   *
   * @param endsSoon - Whether the body neither loops nor calls: when it costs little as well, its check is taken out again.
   */
  finish(endsSoon: boolean): void {
    let total = 0;
    for (const run of this.#charged) {
      total += run.cost;
      if (run.cost === 0) this.#out.fill(run.start, run.end, NOP);
      else this.#out.patchU32(run.costAt, run.cost);
    }
    if (endsSoon && total <= UNCHECKED_COST) {
      for (const { start, end } of this.#checks) this.#out.fill(start, end, NOP);
    }
    this.#charged.length = 0;
    this.#checks.length = 0;
    this.#check = "none";
  }

  /** Copies the input up to an offset. */
  copyTo(offset: number): void {
    if (offset > this.#copied) this.#out.copyRange(this.#input, this.#copied, offset);
    this.#copied = offset;
  }

  /** Puts an index where the input from `at` to `next` was. */
  replaceIndex(at: number, next: number, index: number): void {
    this.copyTo(at);
    this.#out.u32(index);
    this.#copied = next;
  }

  /** Puts bytes where the input from `at` to `next` was. */
  replaceBytes(at: number, next: number, bytes: readonly number[]): void {
    this.copyTo(at);
    for (const byte of bytes) this.#out.u8(byte);
    this.#copied = next;
  }

  /** Puts `opcode index` where the input from `at` to `next` was. */
  replace(at: number, next: number, replacement: readonly [opcode: number, index: number]): void {
    this.copyTo(at);
    this.#out.u8(replacement[0]);
    this.#out.u32(replacement[1]);
    this.#copied = next;
  }

  /** Puts a call in front of the input at `at`. */
  insertCall(at: number, functionIndex: number): void {
    this.copyTo(at);
    this.#out.u8(CALL);
    this.#out.u32(functionIndex);
  }

  /** Puts `i32.const operand` and a call where the input from `at` to `next` was. `operand` is less than 64. */
  replaceByCall(at: number, next: number, call: { readonly operand: number; readonly functionIndex: number }): void {
    this.copyTo(at);
    this.#out.u8(I32_CONST);
    this.#out.u8(call.operand);
    this.#out.u8(CALL);
    this.#out.u32(call.functionIndex);
    this.#copied = next;
  }

  #open(at: number): void {
    this.copyTo(at);
    const out = this.#out;
    // A branch to a refill comes back to the head of its loop: what is in front of it must not be charged twice.
    if (typeof this.#check === "number") this.#writeBranch(this.#check);
    const fuel = this.#indices.fuelGlobal;
    this.#run.start = out.length;
    out.u8(GLOBAL_GET);
    out.u32(fuel);
    out.u8(I32_CONST);
    this.#run.costAt = out.padded();
    out.u8(I32_SUB);
    out.u8(GLOBAL_SET);
    out.u32(fuel);
    this.#run.end = out.length;
    this.#charged.push(this.#run);
    if (this.#check === "call") this.#writeCall();
    this.#check = "none";
  }

  #writeBranch(block: number): void {
    writeIsNegative(this.#out, this.#indices);
    this.#out.u8(BRANCH_IF);
    this.#out.u32(this.depth - 1 - block);
  }

  #writeCall(): void {
    const start = this.#out.length;
    writeCheck(this.#out, this.#indices);
    this.#checks.push({ start, end: this.#out.length });
  }
}

function makeRun(): Run {
  return { start: NOWHERE, costAt: NOWHERE, end: NOWHERE, cost: 0 };
}

/** Writes `fuel < 0`. */
function writeIsNegative(out: Writer, indices: IndexMap): void {
  out.u8(GLOBAL_GET);
  out.u32(indices.fuelGlobal);
  out.u8(I32_CONST);
  out.u8(0);
  out.u8(I32_LT_S);
}

/** Writes `if (fuel < 0) check()`. */
export function writeCheck(out: Writer, indices: IndexMap): void {
  writeIsNegative(out, indices);
  out.u8(IF);
  out.u8(EMPTY_BLOCK);
  out.u8(CALL);
  out.u32(indices.check);
  out.u8(END);
}
