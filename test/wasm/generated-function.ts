/**
 * Test support: makes the functions of generated programs, with control flow of every kind in every place.
 *
 * They end because whatever may go round (a branch back to a loop, a throw, a call of a function that is not a later one) takes a step, and
 * a program has few.
 */
import type { GeneratedFunction, Part, Statement } from "./program.ts";
import {
  blockType,
  catchClauses,
  LOCALS,
  type Random,
  type Signature,
  SIGNATURES,
  UNARY,
  Values,
  type ValueType,
} from "./values.ts";

/** How a program throws: engines refuse a module that has both encodings. */
export type Exceptions = "none" | "modern" | "legacy";

interface Label {
  /** What a branch to it takes along. */
  readonly types: readonly ValueType[];
  readonly isLoop: boolean;
  /** Whether `delegate` may name it: the engine wants a `try` or the function. */
  readonly isDelegate?: boolean;
}

/** Makes one function of a program. */
export class FunctionGenerator {
  readonly #random: Random;
  readonly #values: Values;
  readonly #index: number;
  readonly #signature: Signature;
  readonly #exceptions: Exceptions;
  readonly #labels: Label[] = [];
  /** Statements that may still be made. */
  #left: number;
  /** Whether control cannot get here: the engine refuses some valid instructions inside blocks of dead code. */
  #isDead = false;

  constructor(random: Random, index: number, exceptions: Exceptions) {
    this.#random = random;
    this.#values = new Values(random);
    this.#index = index;
    this.#signature = SIGNATURES[index] ?? UNARY;
    this.#exceptions = exceptions;
    this.#left = 4 + random.below(16);
  }

  /** Makes it. */
  generate(): GeneratedFunction {
    const { name, results } = this.#signature;
    const exported = this.#index === 0 ? '(export "f") ' : "";
    const locals = [...LOCALS].map(([type, local]) => `(local ${local} ${type})`).join(" ");
    const body = this.#inside({ types: results, isLoop: false, isDelegate: true }, () => [
      ...this.#statements(1 + this.#random.below(5)),
      this.#values.push(results),
    ]);
    return { head: `  (func $f${this.#index} ${exported}(type ${name}) ${locals}`, body };
  }

  #inside(label: Label, write: () => Statement[]): Statement[] {
    const wasDead = this.#isDead;
    this.#labels.push(label);
    const body = write();
    this.#labels.pop();
    this.#isDead = wasDead;
    return body;
  }

  #statements(depth: number): Statement[] {
    const body: Statement[] = [];
    let hasExit = false;
    for (let count = this.#random.below(6); count > 0 && this.#left > 0; count--) {
      this.#left -= 1;
      if (hasExit && this.#random.once(4)) body.push(this.#deadStatement(depth));
      else if (this.#random.once(7)) {
        body.push(this.#exit());
        hasExit = true;
        this.#isDead = true;
        if (!this.#random.once(3)) break;
      } else body.push(this.#statement(depth));
    }
    return body;
  }

  #statement(depth: number): Statement {
    const flat = [
      () => this.#values.effect(),
      () => this.#useValue(),
      () => this.#branchIf(),
      () => this.#branchOnNull(),
      () => this.#call(),
      () => this.#guarded(depth),
    ];
    if (depth === 0) return this.#random.pick(flat)();
    const nested = [
      () => this.#block("block", depth),
      () => this.#block("loop", depth),
      () => this.#block("loop", depth),
      () => this.#if(depth),
      () => this.#if(depth),
      () => this.#aboveOperand(depth),
      () => this.#try(depth),
    ];
    return this.#random.pick([...flat, ...nested])();
  }

  #useValue(): Statement {
    const types = this.#values.types(3);
    return [...this.#values.push(types), ...this.#values.pop(types)];
  }

  /** Leaves an operand on the stack during other statements: branches out of them drop it. */
  #aboveOperand(depth: number): Statement {
    const types = this.#values.types(1);
    return [...this.#values.push(types), this.#statements(depth - 1), ...this.#values.pop(types)];
  }

  #block(opener: "block" | "loop", depth: number): Statement {
    const [params, results] = [this.#values.types(3), this.#values.types(3)];
    const label = { types: opener === "loop" ? params : results, isLoop: opener === "loop" };
    const body = this.#inside(label, () => this.#filled(params, results, depth));
    return [
      ...this.#values.push(params),
      opener + blockType(params, results),
      body,
      "end",
      ...this.#values.pop(results),
    ];
  }

  #if(depth: number): Statement {
    const params = this.#values.types(2);
    const results = this.#random.once(2) ? params : this.#values.types(2);
    const label = { types: results, isLoop: false };
    const arm = (): Part => this.#inside(label, () => this.#filled(params, results, depth));
    const hasElse = results !== params || this.#random.once(2);
    const arms = hasElse ? [arm(), "else", arm()] : [this.#inside(label, () => this.#statements(depth - 1))];
    const head = [...this.#values.push(params), ...this.#values.condition(), `if${blockType(params, results)}`];
    return [...head, ...arms, "end", ...this.#values.pop(results)];
  }

  /** What is inside a block: it turns the parameters into the results. */
  #filled(params: readonly ValueType[], results: readonly ValueType[], depth: number): Statement[] {
    const isPassedOn = params.join() === results.join() && this.#random.once(2);
    if (isPassedOn) return this.#statements(depth - 1);
    return [this.#values.pop(params), ...this.#statements(depth - 1), this.#values.push(results)];
  }

  #try(depth: number): Statement {
    if (this.#exceptions === "legacy") return this.#legacyTry(depth);
    const types = this.#random.pick<readonly ValueType[]>([[], ["i32"], ["exnref"], ["i32", "exnref"]]);
    const body = this.#inside({ types, isLoop: false }, () => [
      [this.#tryTable(), this.#inside({ types: [], isLoop: false }, () => this.#statements(depth - 1)), "end"],
      this.#values.push(types),
    ]);
    return [`block${blockType([], types)}`, body, "end", ...this.#values.pop(types)];
  }

  #tryTable(): string {
    const hasTags = this.#exceptions !== "none";
    const clauses = this.#labels
      .toReversed()
      .flatMap(({ types }, depth) => catchClauses(types, hasTags).map((clause) => `(${clause} ${depth})`));
    const chosen = Array.from({ length: this.#random.below(3) }, () => this.#random.pick(["", ...clauses]));
    return `try_table ${chosen.join(" ")}`;
  }

  #legacyTry(depth: number): Statement {
    const results = this.#values.types(2);
    const label = { types: results, isLoop: false };
    const body = this.#inside({ ...label, isDelegate: true }, () => this.#filled([], results, depth));
    const head = [`try${blockType([], results)}`, body];
    if (!this.#isDead && this.#random.once(4)) {
      const targets = [...this.#labels.keys()].filter((target) => this.#label(target).isDelegate);
      return [...head, `delegate ${this.#random.pick(targets)}`, ...this.#values.pop(results)];
    }
    const handler = (params: readonly ValueType[]): Part =>
      this.#inside(label, () => {
        const filled = this.#filled(params, results, depth);
        return !this.#isDead && this.#random.once(4) ? [...filled, ["rethrow 0"]] : filled;
      });
    const catches = this.#random.pick([["catch $empty"], ["catch $number"], ["catch $number", "catch $empty"], []]);
    const handlers = catches.flatMap((clause) => [clause, handler(clause === "catch $number" ? ["i32"] : [])]);
    const last = this.#random.once(2) ? ["catch_all", handler([])] : [];
    return [...head, ...handlers, ...last, "end", ...this.#values.pop(results)];
  }

  #branchIf(): Statement {
    const depth = this.#random.below(this.#labels.length);
    const { types, isLoop } = this.#label(depth);
    const step = isLoop ? [...this.#values.step(), "i32.and"] : [];
    const condition = [...this.#values.condition(), ...step];
    return [...this.#values.push(types), ...condition, `br_if ${depth}`, ...this.#values.pop(types)];
  }

  #branchOnNull(): Statement {
    if (this.#isDead) return this.#branchIf();
    const depth = this.#random.below(this.#labels.length);
    const { types, isLoop } = this.#label(depth);
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
  #call(): Statement {
    const later = this.#index + 1 + this.#random.below(SIGNATURES.length);
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

  /** Something that must not happen too often, when there is a step left, and dead code behind it. */
  #guarded(depth: number): Statement {
    const body = this.#inside({ types: [], isLoop: false }, () => {
      const target = this.#random.below(this.#labels.length);
      const exits = [
        [...this.#values.push(this.#label(target).types), `br ${target}`],
        this.#tailCall(this.#random.pick([this.#index, (this.#index + 2) % SIGNATURES.length])),
        ...(this.#exceptions === "none" ? [] : [["throw $empty"], [...this.#values.push(["i32"]), "throw $number"]]),
      ];
      this.#isDead = true;
      return [this.#random.pick(exits), ...(this.#random.once(3) ? this.#statements(Math.max(depth - 1, 0)) : [])];
    });
    return [...this.#values.step(), ...this.#values.condition(), "i32.and", "if", body, "end"];
  }

  #tailCall(callee: number): string[] {
    const { params } = SIGNATURES[callee] ?? UNARY;
    return [...this.#values.push(params), ...this.#callee("return_call", callee)];
  }

  /** Something behind which the code is dead. */
  #exit(): Statement {
    const forward = [...this.#labels.keys()].filter((depth) => !this.#label(depth).isLoop);
    const target = this.#random.pick(forward);
    const { types } = this.#label(target);
    const exits = [
      [...this.#values.push(types), `br ${target}`],
      [...this.#values.push(types), `br ${target}`],
      [...this.#values.push(types), ...this.#branchTable(target)],
      [...this.#values.push(types), ...this.#branchTable(target)],
      [...this.#values.push(this.#signature.results), "return"],
    ];
    if (this.#index + 2 < SIGNATURES.length) exits.push(this.#tailCall(this.#index + 2));
    return this.#random.once(30) ? ["unreachable"] : this.#random.pick(exits);
  }

  /** A table of labels that take the same along, back edges as well; `last` is not one, and taken when no step is left. */
  #branchTable(last: number): string[] {
    const shape = this.#label(last).types.join();
    const depths = [...this.#labels.keys()].filter((depth) => this.#label(depth).types.join() === shape);
    const table = Array.from({ length: this.#random.below(4) }, () => this.#random.pick(depths));
    const index = [...this.#values.index(table.length + 1), `i32.const ${table.length}`, ...this.#values.step()];
    return [...index, "select", `br_table ${[...table, last].join(" ")}`];
  }

  /** Dead code may take from the stack what nobody put there. */
  #deadStatement(depth: number): Statement {
    const target = this.#random.below(this.#labels.length);
    const body = (): Part => this.#inside({ types: [], isLoop: false }, () => this.#statements(Math.max(depth - 1, 0)));
    return this.#random.pick<() => Statement>([
      () => ["i32.add", "drop"],
      () => ["memory.copy"],
      () => ["memory.grow", "drop"],
      () => [`br_if ${target}`, ...this.#values.pop(this.#label(target).types)],
      () => ["if", body(), "else", body(), "end"],
      () => ["if", body(), "end"],
      () => ["loop", body(), "end"],
    ])();
  }

  #label(depth: number): Label {
    const label = this.#labels.at(-1 - depth);
    if (label === undefined) throw new Error(`no label ${depth}`);
    return label;
  }
}
