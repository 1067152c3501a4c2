/**
 * Test support: makes the functions of generated programs, with control flow of every kind in every place.
 *
 * They end because whatever may go round (a branch back to a loop, a throw, a call of a function that is not a later one) takes a step, and
 * a program has few.
 */
import { type Exceptions, type Frame, Jumps, type Label, type Place } from "./generated-jumps.ts";
import { type Counted, LOOP_SHAPES } from "./generated-loops.ts";
import type { GeneratedFunction, Part, Statement } from "./program.ts";
import { COUNTERS, LOCALS, type ValueType } from "./value-tables.ts";
import { blockType, catchClauses, type Random, SIGNATURES, UNARY, Values } from "./values.ts";

/** What a program has. */
export interface Features {
  readonly exceptions: Exceptions;
  /** Objects of the engine's heap. */
  readonly hasObjects: boolean;
}

/** Rounds of loops that have neither calls nor branches inside: around the powers of two that code may be unrolled by. */
const ROUNDS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40];
/** Makes one function of a program. */
export class FunctionGenerator {
  readonly #random: Random;
  readonly #values: Values;
  readonly #frame: Frame;
  readonly #place: Place = { labels: [], isDead: false };
  readonly #jumps: Jumps;
  /** Statements that may still be made. */
  #left: number;
  /** Counters that loops around this place use. */
  #counters = 0;

  constructor(random: Random, index: number, { exceptions, hasObjects }: Features) {
    this.#random = random;
    this.#values = new Values(random, hasObjects);
    this.#frame = { index, signature: SIGNATURES[index] ?? UNARY, exceptions };
    this.#jumps = new Jumps(random, this.#values, { place: this.#place, frame: this.#frame });
    this.#left = 4 + random.below(16);
  }

  /** Makes it. */
  generate(): GeneratedFunction {
    const { name, results } = this.#frame.signature;
    const caught = this.#frame.exceptions === "legacy" ? [] : ["(local $exnref exnref)"];
    const counters = COUNTERS.map((local) => `(local ${local} i32)`);
    const locals = [...LOCALS].map(([type, local]) => `(local ${local} ${type})`).concat(counters, caught);
    const body = this.#inside({ types: results, isLoop: false, isDelegate: true }, () => [
      ...this.#statements(1 + this.#random.below(5)),
      this.#values.push(results),
    ]);
    return {
      head: `  (func $f${this.#frame.index} (export "f${this.#frame.index}") (type ${name}) ${locals.join(" ")}`,
      body,
    };
  }

  #inside(label: Label, write: () => Statement[]): Statement[] {
    const wasDead = this.#place.isDead;
    this.#place.labels.push(label);
    const body = write();
    this.#place.labels.pop();
    this.#place.isDead = wasDead;
    return body;
  }

  #statements(depth: number): Statement[] {
    const body: Statement[] = [];
    let hasExit = false;
    for (let count = this.#random.below(6); count > 0 && this.#left > 0; count--) {
      this.#left -= 1;
      if (hasExit && this.#random.once(4)) body.push(this.#deadStatement(depth));
      else if (this.#random.once(7)) {
        body.push(this.#jumps.exit());
        hasExit = true;
        this.#place.isDead = true;
        if (!this.#random.once(3)) break;
      } else body.push(this.#statement(depth));
    }
    return body;
  }

  #statement(depth: number): Statement {
    const flat = [
      () => this.#values.effect(),
      () => this.#useValue(),
      () => this.#jumps.branchIf(),
      () => this.#jumps.branchOnNull(),
      () => this.#jumps.call(),
      () => this.#guarded(depth),
      () => this.#counted(0),
    ];
    if (this.#random.once(60)) return this.#random.once(2) ? this.#jumps.deep() : this.#jumps.trap();
    if (depth === 0) return this.#random.pick(flat)();
    const nested = [
      () => this.#block("block", depth),
      () => this.#block("loop", depth),
      () => this.#block("loop", depth),
      () => this.#if(depth),
      () => this.#if(depth),
      () => this.#aboveOperand(depth),
      () => this.#counted(depth),
      () => this.#counted(depth),
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

  /** A loop that counts; with nothing inside that jumps or calls when `depth` is 0, and half the time otherwise. */
  #counted(depth: number): Statement {
    const counter = COUNTERS[this.#counters];
    if (counter === undefined) return this.#values.effect();
    const isTiny = depth === 0 || this.#random.once(2);
    const rounds = this.#counters > 0 || !isTiny ? 1 + this.#random.below(isTiny ? 9 : 3) : this.#random.pick(ROUNDS);
    const effects = (): Statement[] => {
      const inner = this.#random.once(4) ? [this.#counted(0)] : [];
      return [...Array.from({ length: this.#random.below(3) }, () => this.#values.effect()), ...inner];
    };
    const loop: Counted = {
      counter,
      rounds,
      isTiny,
      effects,
      inside: (label, write) =>
        this.#inside({ types: label === "parameter" ? ["i32"] : [], isLoop: label !== "block" }, write),
      body: isTiny ? effects : () => this.#statements(depth - 1),
      condition: () => this.#values.condition(),
    };
    this.#counters += 1;
    const statement = this.#random.pick(LOOP_SHAPES)(loop);
    this.#counters -= 1;
    return statement;
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
    if (this.#frame.exceptions === "legacy") return this.#legacyTry(depth);
    const types = this.#random.pick<readonly ValueType[]>([[], ["i32"], ["exnref"], ["i32", "exnref"]]);
    const body = this.#inside({ types, isLoop: false }, () => [
      [this.#tryTable(), this.#inside({ types: [], isLoop: false }, () => this.#statements(depth - 1)), "end"],
      this.#values.push(types),
    ]);
    const isKept = types.at(-1) === "exnref" && this.#random.once(2);
    if (!isKept) return [`block${blockType([], types)}`, body, "end", ...this.#values.pop(types)];
    const again = [...this.#values.step(), "if", [["local.get $exnref", "throw_ref"]], "end"];
    return [
      `block${blockType([], types)}`,
      body,
      "end",
      "local.set $exnref",
      ...this.#values.pop(types.slice(0, -1)),
      ...again,
    ];
  }

  #tryTable(): string {
    const hasTags = this.#frame.exceptions !== "none";
    const clauses = this.#place.labels
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
    if (!this.#place.isDead && this.#random.once(4)) {
      const targets = [...this.#place.labels.keys()].filter((target) => this.#jumps.label(target).isDelegate);
      return [...head, `delegate ${this.#random.pick(targets)}`, ...this.#values.pop(results)];
    }
    const handler = (params: readonly ValueType[]): Part =>
      this.#inside({ ...label, isHandler: true }, () => {
        const filled = this.#filled(params, results, depth);
        if (this.#place.isDead || !this.#random.once(4)) return filled;
        const handlers = [...this.#place.labels.keys()].filter((target) => this.#jumps.label(target).isHandler);
        return [...filled, [`rethrow ${this.#random.pick(handlers)}`]];
      });
    const catches = this.#random.pick([["catch $empty"], ["catch $number"], ["catch $number", "catch $empty"], []]);
    const handlers = catches.flatMap((clause) => [clause, handler(clause === "catch $number" ? ["i32"] : [])]);
    const last = this.#random.once(2) ? ["catch_all", handler([])] : [];
    return [...head, ...handlers, ...last, "end", ...this.#values.pop(results)];
  }

  /** Something that must not happen too often, when there is a step left, and dead code behind it. */
  #guarded(depth: number): Statement {
    const body = this.#inside({ types: [], isLoop: false }, () => {
      const target = this.#random.below(this.#place.labels.length);
      const exits = [
        [...this.#values.push(this.#jumps.label(target).types), `br ${target}`],
        this.#jumps.tailCall(this.#random.pick([this.#frame.index, (this.#frame.index + 2) % SIGNATURES.length])),
        ...(this.#frame.exceptions === "none"
          ? []
          : [["throw $empty"], [...this.#values.push(["i32"]), "throw $number"]]),
      ];
      this.#place.isDead = true;
      return [this.#random.pick(exits), ...(this.#random.once(3) ? this.#statements(Math.max(depth - 1, 0)) : [])];
    });
    return [...this.#values.step(), ...this.#values.condition(), "i32.and", "if", body, "end"];
  }

  /** Dead code may take from the stack what nobody put there. */
  #deadStatement(depth: number): Statement {
    const target = this.#random.below(this.#place.labels.length);
    const body = (): Part => this.#inside({ types: [], isLoop: false }, () => this.#statements(Math.max(depth - 1, 0)));
    return this.#random.pick<() => Statement>([
      () => ["i32.add", "drop"],
      () => ["memory.copy"],
      () => ["memory.grow", "drop"],
      () => [`br_if ${target}`, ...this.#values.pop(this.#jumps.label(target).types)],
      () => ["if", body(), "else", body(), "end"],
      () => ["if", body(), "end"],
      () => ["loop", body(), "end"],
    ])();
  }
}
