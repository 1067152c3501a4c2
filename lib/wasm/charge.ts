/**
 * Writes a rewritten function body: copies what stays, and puts a charge in front of each straight run of instructions.
 *
 * A run's cost is known only at its end, so its charge leaves room for the number and is filled in when the run closes.
 */
import type { IndexMap } from "./indices.ts";
import type { Writer } from "./writer.ts";

const NO_CHARGE = -1;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const I32_CONST = 0x41;
const I32_LT_S = 0x48;
const I32_SUB = 0x6b;
const IF = 0x04;
const EMPTY_BLOCK = 0x40;
const CALL = 0x10;
const END = 0x0b;

/** The output side of one body after another. */
export class Charger {
  /** Whether control cannot get to the next instruction: then nothing is charged. */
  isDead = false;
  readonly #input: Uint8Array;
  readonly #out: Writer;
  readonly #indices: IndexMap;
  #copied = 0;
  #chargeAt: number = NO_CHARGE;
  #cost = 0;
  #mustCheck = false;

  constructor(input: Uint8Array, out: Writer, indices: IndexMap) {
    this.#input = input;
    this.#out = out;
    this.#indices = indices;
  }

  /** Starts copying at an input offset. */
  startAt(offset: number): void {
    this.#copied = offset;
  }

  /** Begins a run; with `check`, what is left of the fuel is looked at as well. */
  begin(check: boolean): void {
    this.close();
    this.#mustCheck ||= check;
  }

  /** Adds one unit for the instruction at an input offset; writes the run's charge in front of its first one. */
  add(at: number): void {
    if (this.isDead) return;
    if (this.#chargeAt === NO_CHARGE) this.#open(at);
    this.#cost += 1;
  }

  /** Ends the open run. */
  close(): void {
    if (this.#chargeAt === NO_CHARGE) return;
    this.#out.patchU32(this.#chargeAt, this.#cost);
    this.#chargeAt = NO_CHARGE;
    this.#cost = 0;
  }

  /** Copies the input up to an offset. */
  copyTo(offset: number): void {
    if (offset > this.#copied) this.#out.copyRange(this.#input, this.#copied, offset);
    this.#copied = offset;
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
    const fuel = this.#indices.fuelGlobal;
    out.u8(GLOBAL_GET);
    out.u32(fuel);
    out.u8(I32_CONST);
    this.#chargeAt = out.padded();
    out.u8(I32_SUB);
    out.u8(GLOBAL_SET);
    out.u32(fuel);
    if (this.#mustCheck) writeCheck(out, this.#indices);
    this.#mustCheck = false;
  }
}

/** Writes `if (fuel < 0) check()`. */
export function writeCheck(out: Writer, indices: IndexMap): void {
  out.u8(GLOBAL_GET);
  out.u32(indices.fuelGlobal);
  out.u8(I32_CONST);
  out.u8(0);
  out.u8(I32_LT_S);
  out.u8(IF);
  out.u8(EMPTY_BLOCK);
  out.u8(CALL);
  out.u32(indices.check);
  out.u8(END);
}
