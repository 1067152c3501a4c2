/**
 * The stack that a call takes, counted in bytes, so that a recursion ends at the same depth in every tier of the engine: its own limit lies many
 * times deeper in optimized code than in unoptimized.
 *
 * Counting every call would cost a third of the speed of code that calls much. So only those calls are counted that can come back to a function
 * that is still running: indirect calls, calls of imports, and of the direct ones enough that no circle is without one. How much stack
 * the others take together is known from the graph of calls, and bounded here.
 */
import { IntegerList } from "./lists.ts";

/** Bytes of a frame without locals, and of each local, where the engine takes most: in its baseline compiler. */
const FRAME_BYTES = 600;
const LOCAL_BYTES = 18;
/** Bytes of the frames that may come between one counted call and the next. */
const CHAIN_BYTES = 4096;
/** Bytes of the frames that may come behind the last counted call. */
const TAIL_BYTES = 65_536;

const UNSEEN = 0;
const OPEN = 1;
const CLOSED = 2;

/** Computes a frame's bytes. @param locals - Parameters and locals. */
function frameBytes(locals: number): number {
  return FRAME_BYTES + LOCAL_BYTES * locals;
}

/** Bytes of the host's frames in a call of an import. */
const HOST_BYTES = 1024;

/** A function that is known only when it is called. */
export const UNKNOWN = -1;
/** A function of another module, or of the host. */
export const IMPORTED = -2;
/** A function that is known only when it is called, and may be another module's. */
export const FOREIGN = -3;

/** The calls between a module's functions, which are added in the order in which they stand. */
export class CallGraph {
  readonly #frames: Float64Array;
  /** Where each function's calls begin. */
  readonly #firsts: Uint32Array;
  /** The functions called. */
  readonly #targets = new IntegerList();
  /** 1 for each call that stands in the place of the caller's end. */
  readonly #areTail = new IntegerList();
  /** Whether each call is counted. */
  #areCounted = new Uint8Array();
  /** Bytes of the uncounted frames from a function to the one that makes the next counted call, without that one. */
  readonly #chains: Float64Array;
  /** Bytes of the deepest uncounted frames from a function on. */
  readonly #heights: Float64Array;
  /** Whether a counted call can follow. */
  readonly #reaches: Uint8Array;
  /** Whether it may end in a call of a function that comes back to it, or that is unknown. */
  readonly #jumps: Uint8Array;
  readonly #states: Uint8Array;
  #current = -1;

  /** @param functions - How many the module defines. */
  constructor(functions: number) {
    this.#frames = new Float64Array(functions);
    this.#firsts = new Uint32Array(functions + 1);
    this.#chains = new Float64Array(functions);
    this.#heights = new Float64Array(functions);
    this.#reaches = new Uint8Array(functions);
    this.#jumps = new Uint8Array(functions);
    this.#states = new Uint8Array(functions);
  }

  /** Begins the next function. @param locals - Its parameters and locals. */
  enter(locals: number): void {
    this.#current += 1;
    this.#frames[this.#current] = frameBytes(locals);
    this.#firsts[this.#current] = this.#targets.length;
  }

  /**
   * Notes a call.
   *
   * @param target - One of the module's own functions, {@link UNKNOWN}, {@link IMPORTED} or {@link FOREIGN}.
   * @param isTail - Whether it stands in the place of the function's end: the other's frame then takes the place of its own.
   * @returns The call's number, counted from 0.
   */
  call(target: number, isTail: boolean): number {
    this.#areTail.push(isTail ? 1 : 0);
    return this.#targets.push(target);
  }

  /** Whether a call may be one of another module. */
  mayLeave(call: number): boolean {
    const target = this.#targets.at(call);
    return target === IMPORTED || target === FOREIGN;
  }

  /**
   * Decides, once all functions have been added.
   *
   * @returns What each call counts for, in bytes, by its number; 0 when it is not counted.
   */
  decide(): Uint32Array {
    const functions = this.#current + 1;
    this.#firsts[functions] = this.#targets.length;
    this.#areCounted = new Uint8Array(this.#targets.length);
    for (const root of this.#roots(functions)) if (this.#states[root] === UNSEEN) this.#visit(root);
    return this.#weigh(functions);
  }

  /** The functions with the largest frames first: of the calls in a circle it is then more likely one of theirs that is counted, and they take long anyway. */
  #roots(functions: number): Uint32Array {
    const frame = (index: number): number => this.#frames[index] ?? 0;
    return Uint32Array.from({ length: functions }, (_, index) => index).toSorted(
      (a, b) => frame(b) - frame(a) || a - b,
    );
  }

  /** Goes through what can be reached from a function, the functions called before those that call. */
  #visit(root: number): void {
    const path = [root];
    const cursors = [this.#open(root)];
    for (let caller = path.at(-1); caller !== undefined; caller = path.at(-1)) {
      const call = cursors.at(-1) ?? 0;
      if (call === this.#firsts[caller + 1]) {
        this.#states[caller] = CLOSED;
        path.pop();
        cursors.pop();
        continue;
      }
      const callee = this.#targets.at(call);
      if (this.#states[callee] === UNSEEN) {
        path.push(callee);
        cursors.push(this.#open(callee));
        continue;
      }
      this.#note(caller, call);
      cursors[cursors.length - 1] = call + 1;
    }
  }

  #open(index: number): number {
    this.#states[index] = OPEN;
    this.#heights[index] = this.#frames[index] ?? 0;
    return this.#firsts[index] ?? 0;
  }

  /** Takes a call into account, when its callee is unknown, still open, or has been gone through. */
  #note(caller: number, call: number): void {
    const callee = this.#targets.at(call);
    const comesBack = callee < 0 || this.#states[callee] === OPEN || this.#jumps[callee] === 1;
    if (this.#areTail.at(call) === 1) {
      if (comesBack) this.#jumps[caller] = 1;
      else this.#extend(caller, callee, 0);
      return;
    }
    const frame = this.#frames[caller] ?? 0;
    if (comesBack || this.#isTooLong(callee, frame)) {
      this.#areCounted[call] = 1;
      this.#reaches[caller] = 1;
    } else this.#extend(caller, callee, frame);
  }

  #isTooLong(callee: number, frame: number): boolean {
    if (this.#reaches[callee] === 1) return frame + (this.#chains[callee] ?? 0) > CHAIN_BYTES;
    return frame + (this.#heights[callee] ?? 0) > TAIL_BYTES;
  }

  /** Puts a frame in front of what can follow a function, for one that calls it uncounted. */
  #extend(caller: number, callee: number, frame: number): void {
    raise(this.#heights, caller, frame + (this.#heights[callee] ?? 0));
    if (this.#reaches[callee] !== 1) return;
    this.#reaches[caller] = 1;
    raise(this.#chains, caller, frame + (this.#chains[callee] ?? 0));
  }

  /** Computes what each counted call counts for: the frame that calls, and what can come uncounted before the next. */
  #weigh(functions: number): Uint32Array {
    const longest = this.#chains.reduce((most, chain) => Math.max(most, chain), 0);
    const bytes = new Uint32Array(this.#targets.length);
    for (let caller = 0; caller < functions; caller++) {
      const next = this.#firsts[caller + 1] ?? 0;
      for (let call = this.#firsts[caller] ?? 0; call < next; call++) {
        if (this.#areCounted[call] === 0) continue;
        const callee = this.#targets.at(call);
        const isKnown = callee >= 0 && this.#jumps[callee] === 0;
        const host = callee === IMPORTED ? HOST_BYTES : 0;
        bytes[call] = (this.#frames[caller] ?? 0) + host + (isKnown ? this.#follows(callee) : longest);
      }
    }
    return bytes;
  }

  #follows(callee: number): number {
    return (this.#reaches[callee] === 1 ? this.#chains[callee] : this.#heights[callee]) ?? 0;
  }
}

function raise(values: Float64Array, index: number, value: number): void {
  values[index] = Math.max(values[index] ?? 0, value);
}
