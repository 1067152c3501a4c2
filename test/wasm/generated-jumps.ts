/**
 * Test support: branches, calls, exits and traps of generated functions.
 */
import type { Statement } from "./program.ts";
import type { ValueType } from "./value-tables.ts";
import { type Random, type Signature, SIGNATURES, UNARY, type Values } from "./values.ts";

/** How a program throws: engines refuse a module that has both encodings. */
export type Exceptions = "none" | "modern" | "legacy";

/** An open block. */
export interface Label {
  /** What a branch to it takes along. */
  readonly types: readonly ValueType[];
  readonly isLoop: boolean;
  /** Whether `delegate` may name it: the engine wants a `try` or the function. */
  readonly isDelegate?: boolean;
  /** Whether it is a legacy handler: `rethrow` may name it. */
  readonly isHandler?: boolean;
}

/** Where in a function the next statement goes. */
export interface Place {
  /** The open blocks, innermost last. */
  readonly labels: Label[];
  /** Whether control cannot get here: the engine refuses some valid instructions inside blocks of dead code. */
  isDead: boolean;
}

/** The function that is being made. */
export interface Frame {
  readonly index: number;
  readonly signature: Signature;
  readonly exceptions: Exceptions;
}

/** Blocks inside each other. */
const DEPTHS = [20, 63, 64, 65, 130];

/** Makes what moves control. */
export class Jumps {
  readonly #random: Random;
  readonly #values: Values;
  readonly #place: Place;
  readonly #frame: Frame;

  constructor(random: Random, values: Values, at: { readonly place: Place; readonly frame: Frame }) {
    this.#random = random;
    this.#values = values;
    this.#place = at.place;
    this.#frame = at.frame;
  }

  /** Branches to any block, or not. */
  branchIf(): Statement {
    const depth = this.#random.below(this.#place.labels.length);
    const { types, isLoop } = this.label(depth);
    const step = isLoop ? [...this.#values.step(), "i32.and"] : [];
    const condition = [...this.#values.condition(), ...step];
    return [...this.#values.push(types), ...condition, `br_if ${depth}`, ...this.#values.pop(types)];
  }

  /** Branches on a reference that is null, or on one that is not. */
  branchOnNull(): Statement {
    if (this.#place.isDead) return this.branchIf();
    const depth = this.#random.below(this.#place.labels.length);
    const { types, isLoop } = this.label(depth);
    const isNonNull = types.at(-1) === "(ref $unary)";
    const step = isLoop ? this.#values.step() : this.#values.condition();
    const [taken, other] = isNonNull ? ["ref.func $f0", "ref.null $unary"] : ["ref.null $unary", "ref.func $f0"];
    const reference = [taken, other, ...step, "select (result (ref null $unary))"];
    if (!isNonNull) {
      return [...this.#values.push(types), ...reference, `br_on_null ${depth}`, "drop", ...this.#values.pop(types)];
    }
    const beside = types.slice(0, -1);
    return [...this.#values.push(beside), ...reference, `br_on_non_null ${depth}`, ...this.#values.pop(beside)];
  }

  /** A call of a later function, or of any when there is a step left. */
  call(): Statement {
    const later = this.#frame.index + 1 + this.#random.below(SIGNATURES.length);
    const isLater = later < SIGNATURES.length;
    const callee = isLater ? later : this.#random.below(SIGNATURES.length);
    const { params, results } = SIGNATURES[callee] ?? UNARY;
    const call = [...this.#values.push(params), ...this.#callee("call", callee), ...this.#values.pop(results)];
    return isLater ? call : [...this.#values.step(), "if", [call], "end"];
  }

  #callee(call: "call" | "return_call", index: number): string[] {
    const { name } = SIGNATURES[index] ?? UNARY;
    return this.#random.pick([
      [`${call} $f${index}`],
      [`i32.const ${index}`, `${call}_indirect $table (type ${name})`],
      [`ref.func $f${index}`, `${call}_ref ${name}`],
    ]);
  }

  /** Calls in the place of the rest of the function. */
  tailCall(callee: number): string[] {
    const { params } = SIGNATURES[callee] ?? UNARY;
    return [...this.#values.push(params), ...this.#callee("return_call", callee)];
  }

  /** Something behind which the code is dead. */
  exit(): Statement {
    const forward = [...this.#place.labels.keys()].filter((depth) => !this.label(depth).isLoop);
    const target = this.#random.pick(forward);
    const { types } = this.label(target);
    const exits = [
      [...this.#values.push(types), `br ${target}`],
      [...this.#values.push(types), `br ${target}`],
      [...this.#values.push(types), ...this.#branchTable(target)],
      [...this.#values.push(types), ...this.#branchTable(target)],
      [...this.#values.push(this.#frame.signature.results), "return"],
    ];
    if (this.#frame.index + 2 < SIGNATURES.length) exits.push(this.tailCall(this.#frame.index + 2));
    return this.#random.once(30) ? ["unreachable"] : this.#random.pick(exits);
  }

  /** A table of labels that take the same along, back edges as well; `last` is not one, and taken when no step is left. */
  #branchTable(last: number): string[] {
    const shape = this.label(last).types.join();
    const depths = [...this.#place.labels.keys()].filter((depth) => this.label(depth).types.join() === shape);
    const table = Array.from({ length: this.#random.below(4) }, () => this.#random.pick(depths));
    const index = [...this.#values.index(table.length + 1), `i32.const ${table.length}`, ...this.#values.step()];
    return [...index, "select", `br_table ${[...table, last].join(" ")}`];
  }

  /** Many blocks inside each other, with a branch out of the innermost to any of them. */
  deep(): Statement {
    const count = this.#random.pick(DEPTHS);
    const opens = Array.from({ length: count }, () =>
      this.#random.once(9) ? [...this.#values.effect(), "block"] : "block",
    );
    const closes = Array.from({ length: count }, () =>
      this.#random.once(9) ? ["end", ...this.#values.effect()] : "end",
    );
    const branch = [...this.#values.condition(), `br_if ${this.#random.below(count)}`];
    const table = [
      ...this.#values.index(count),
      `br_table ${Array.from({ length: 9 }, () => this.#random.below(count)).join(" ")}`,
    ];
    return [...opens.flat(), ...branch, ...table, ...closes.flat()];
  }

  /** Traps, now and then. */
  trap(): Statement {
    return [...this.#values.step(), ...this.#values.condition(), "i32.and", "if", [this.#values.trap()], "end"];
  }

  /** Returns an open block, counted from the innermost. @throws {Error} when there is none. */
  label(depth: number): Label {
    const label = this.#place.labels.at(-1 - depth);
    if (label === undefined) throw new Error(`no label ${depth}`);
    return label;
  }
}
