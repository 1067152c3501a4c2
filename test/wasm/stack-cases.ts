/**
 * Test support: programs that recurse, each in its own way, and how deep they get before KAMI's count of the stack ends them.
 */
import { parse } from "@bytecodealliance/jco";
import { METER_EXPORTS } from "../../lib/component/instantiate.ts";
import { SLICE } from "../../lib/protocol/control.ts";
import { type Compiled, compileMetered, exportedFunction, MeterHost } from "./meter-host.ts";

/** What can be seen of a run. */
export interface Depth {
  /** What it returned, or why it ended. */
  readonly outcome: string;
  /** How many calls of the program's functions were begun. */
  readonly depth: number;
  /** Fuel units. */
  readonly used: number;
  /** Whether KAMI's count ended it. */
  readonly ranOut: boolean;
}

interface Case {
  /** Fields of a module; `$f` is what is called. */
  readonly fields: string;
  /** A second module, whose `f` it calls through its table, and which imports its `f`. */
  readonly other?: string;
  /** How often it is run until it is hot, when not a thousand times. */
  readonly rounds?: number;
}

/** As deep as it goes. */
const ENDLESS = -1;
const FUEL = 1e12;
const ROUNDS = 1000;
const SHALLOW = 5;

const HEAD = `
  (type $deep (func (param i32) (result i32)))
  (import "env" "back" (func $back (type $deep)))
  (tag $bottom)
  (table (export "table") 1 funcref) (elem declare func $f)
  (global $depth (export "depth") (mut i32) (i32.const 0))`;
const NEXT = "(i32.sub (local.get 0) (i32.const 1))";

/** A function that counts, ends at 0, and otherwise goes on by `call`. */
function step(name: string, call: string, locals = 0): string {
  return `(func ${name} (type $deep) ${localsOf(locals)}
    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
    (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
    ${call})`;
}

function localsOf(count: number): string {
  return count === 0 ? "" : `(local ${"i64 ".repeat(count)})`;
}

function goOn(call: string): string {
  return `(i32.add (i32.const 1) ${call})`;
}

const self = (locals: number): Case => ({ fields: step("$f", goOn(`(call $f ${NEXT})`), locals) });

/** Functions in a row, each of which calls the next, and the last one the first. */
function circle(names: readonly string[], locals = 0): string {
  return names
    .map((name, index) => step(name, goOn(`(call ${names[(index + 1) % names.length] ?? ""} ${NEXT})`), locals))
    .join("\n");
}

const many = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => (index === 0 ? "$f" : `$f${index}`));

/** Throws past 20 counted frames and catches, 2,000 times, and then goes as deep as it can. */
const thrower = (caught: string): Case => ({
  rounds: 1,
  fields: `
    (func $down (type $deep) (if (i32.eqz (local.get 0)) (then (throw $bottom))) (call $down ${NEXT}))
    (func $once (type $deep) ${caught})
    (func $f (type $deep) (local $left i32)
      (local.set $left (i32.const 2000))
      (loop $again
        (drop (call $once (i32.const 20)))
        (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (call $deeper (local.get 0)))
    ${step("$deeper", goOn(`(call $deeper ${NEXT})`))}`,
});

function otherModule(call: string): string {
  return `(module (type $deep (func (param i32) (result i32))) (import "env" "f" (func $f (type $deep)))
    (func (export "f") (type $deep) ${localsOf(200)} ${goOn(call)}))`;
}

const INDIRECT = `(call_indirect (type $deep) ${NEXT} (i32.const 0))`;

/** The programs, by name. */
export const CASES: Readonly<Record<string, Case>> = {
  "itself, without locals": self(0),
  "itself, with 10 locals": self(10),
  "itself, with 200 locals": self(200),
  "itself, with 5,000 locals": self(5000),
  "two functions": { fields: circle(many(2)) },
  "three functions": { fields: circle(many(3), 7) },
  "forty functions": { fields: circle(many(40)) },
  "a long chain that is not counted": { fields: circle(many(6), 2) },
  "indirect calls": { fields: step("$f", goOn(INDIRECT)) },
  "calls of references": { fields: step("$f", goOn(`(call_ref $deep ${NEXT} (ref.func $f))`)) },
  "an import that calls back": { fields: step("$f", goOn(`(call $back ${NEXT})`)) },
  "a loop in each call": {
    fields: step("$f", `(loop $once (result i32) ${goOn(`(call $f ${NEXT})`)})`),
  },
  "a leaf chain at each depth": {
    fields: `
      (func $leaf (type $deep) ${localsOf(1500)} (local.get 0))
      (func $twig (type $deep) ${localsOf(1500)} (call $leaf (local.get 0)))
      ${step("$f", `(drop (call $twig (local.get 0))) ${goOn(`(call $f ${NEXT})`)}`)}`,
  },
  "a leaf with 50,000 locals, called indirectly": {
    fields: `
      (func $leaf (type $deep) ${localsOf(49_999)} (local.get 0))
      (table $leaves funcref (elem $leaf))
      ${step("$f", `(drop (call_indirect $leaves (type $deep) (local.get 0) (i32.const 0))) ${goOn(`(call $f ${NEXT})`)}`, 1000)}`,
  },
  "a tail call that comes back": {
    fields: `
      (func $jump (type $deep) (return_call_indirect (type $deep) (local.get 0) (i32.const 0)))
      ${step("$f", goOn(`(call $jump ${NEXT})`))}`,
  },
  "exceptions caught by try_table": thrower(
    `(block $caught (try_table (catch_all $caught) (return (call $down (local.get 0))))) (i32.const 0)`,
  ),
  "exceptions caught in a loop": thrower(`(local $left i32)
    (local.set $left (i32.const 3))
    (loop $caught
      (if (i32.eqz (local.get $left)) (then (return (i32.const 0))))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (try_table (catch_all $caught) (return (call $down (local.get 0)))))
    (i32.const 0)`),
  "exceptions caught by try": thrower("try (result i32) local.get 0 call $down catch_all i32.const 0 end"),
  "exceptions of another module": {
    ...thrower(`(block $caught (try_table (catch_all $caught)
      (return (call_indirect (type $deep) (local.get 0) (i32.const 0))))) (i32.const 0)`),
    other: `(module (type $deep (func (param i32) (result i32))) (tag $bottom)
      (func $down (export "f") (type $deep) (if (i32.eqz (local.get 0)) (then (throw $bottom))) (call $down ${NEXT})))`,
  },
  "a call where a handler may begin": {
    fields: `
      (global $left (mut i32) (i32.const 0)) (global $never (mut i32) (i32.const 0))
      (func $next
        (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
        (if (i32.eqz (global.get $left)) (then (return)))
        (global.set $left (i32.sub (global.get $left) (i32.const 1)))
        (loop $caught
          (call $next)
          (if (global.get $never) (then (try_table (catch_all $caught) (throw $bottom))))))
      (func $f (type $deep) (global.set $left (local.get 0)) (call $next) (i32.const 0))`,
  },
  "another module": {
    fields: step("$f", goOn(INDIRECT)),
    other: otherModule("(call $f (local.get 0))"),
  },
  // Each has stack for nearly twice as deep.
  "another module, with frames as large": {
    fields: step("$f", goOn(INDIRECT), 200),
    other: otherModule("(call $f (local.get 0))"),
  },
  "another module, by tail calls to and fro": {
    fields:
      step("$f", goOn("(call $jump (local.get 0))"), 200) +
      `(func $jump (type $deep) (return_call_indirect (type $deep) ${NEXT} (i32.const 0)))`,
    other: `(module (type $deep (func (param i32) (result i32))) (import "env" "f" (func $f (type $deep)))
      (func (export "f") (type $deep) ${localsOf(200)} (return_call $f (local.get 0))))`,
  },
};

/** The programs that need no stack, by name. */
export const TAIL_CASES: Readonly<Record<string, Case>> = {
  "tail calls": { fields: step("$f", `(return_call $f ${NEXT})`, 100) },
  "tail calls of each other": {
    fields: `${step("$f", `(return_call $g ${NEXT})`)} ${step("$g", `(return_call $f ${NEXT})`, 100)}`,
  },
  "tail calls of another module": {
    fields: step("$f", `(return_call_indirect (type $deep) ${NEXT} (i32.const 0))`, 100),
    other: `(module (type $deep (func (param i32) (result i32))) (import "env" "f" (func $f (type $deep)))
      (func (export "f") (type $deep) ${localsOf(200)} (return_call $f (local.get 0))))`,
  },
  "indirect tail calls": { fields: step("$f", `(return_call_indirect (type $deep) ${NEXT} (i32.const 0))`) },
  "tail calls of references": { fields: step("$f", `(return_call_ref $deep ${NEXT} (ref.func $f))`) },
};

/** A program, compiled: each run has an instance of its own. */
export class Recursion {
  readonly #module: Compiled;
  readonly #other: Compiled | undefined;
  readonly #rounds: number;

  private constructor(modules: readonly [module: Compiled, other: Compiled | undefined], rounds: number) {
    [this.#module, this.#other] = modules;
    this.#rounds = rounds;
  }

  /** Compiles a program. */
  static async compile({ fields, other, rounds = ROUNDS }: Case): Promise<Recursion> {
    const module = compileMetered(await parse(`(module ${HEAD} ${fields} (export "f" (func $f)))`), "recursion");
    return new Recursion(
      [module, other === undefined ? undefined : compileMetered(await parse(other), "other")],
      rounds,
    );
  }

  /** Goes `depth` deep. */
  run(depth: number): Depth {
    using running = new Running(this.#module, this.#other);
    return running.call(depth);
  }

  /** Goes `depth` deep in one instance, again and again. @returns How it ended, each time. */
  repeat(depth: number, times: number): readonly string[] {
    using running = new Running(this.#module, this.#other);
    return Array.from({ length: times }, () => running.call(depth).outcome);
  }

  /** Goes a little way thousands of times, so that the engine compiles it as well as it may. */
  heat(): void {
    using running = new Running(this.#module, this.#other);
    for (let round = 0; round < this.#rounds; round++) running.call(SHALLOW);
  }
}

/** Instances of a program. */
class Running implements Disposable {
  readonly #meter = new MeterHost({ fuel: FUEL, slice: SLICE });
  readonly #instance: WebAssembly.Instance;
  readonly #readers: (() => unknown)[];

  constructor(module: Compiled, other: Compiled | undefined) {
    const instance = this.#meter.instantiate(module, { env: { back: (left: number) => this.#f(left) } });
    this.#instance = instance;
    const { table, f } = instance.exports;
    if (!(table instanceof WebAssembly.Table) || typeof f !== "function") throw new Error("no table, or no function");
    const second = other && this.#meter.instantiate(other, { env: { f } });
    table.set(0, second === undefined ? f : second.exports["f"]);
    const instances = second === undefined ? [instance] : [instance, second];
    this.#readers = instances.map((one) => exportedFunction(one, METER_EXPORTS.stack));
  }

  call(depth: number): Depth {
    const outcome = outcomeOf(() => this.#f(depth));
    const reached = this.#instance.exports["depth"];
    if (!(reached instanceof WebAssembly.Global)) throw new Error("no global");
    const left = Math.min(...this.#readers.map((read) => Number(read())));
    return { outcome, depth: Number(reached.value), used: this.#meter.used, ranOut: left < 0 };
  }

  [Symbol.dispose](): void {
    this.#meter[Symbol.dispose]();
  }

  #f(depth: number): unknown {
    return exportedFunction(this.#instance, "f")(depth);
  }
}

/** What a program does the first time, and what it does when the engine has seen it go a little way thousands of times. */
export interface ColdAndHot {
  readonly cold: Depth;
  readonly hot: Depth;
}

/** Runs all programs of {@link CASES}. */
export async function runAll(): Promise<Record<string, ColdAndHot>> {
  const runs: Record<string, ColdAndHot> = {};
  for (const [name, program] of Object.entries(CASES)) {
    const recursion = await Recursion.compile(program);
    const cold = recursion.run(ENDLESS);
    recursion.heat();
    runs[name] = { cold, hot: recursion.run(ENDLESS) };
  }
  return runs;
}

function outcomeOf(run: () => unknown): string {
  try {
    return `returned ${String(run())}`;
  } catch (error) {
    if (!(error instanceof Error)) return "threw an exception";
    return `${error.name}: ${error.message.replace(/ \(evaluating .*$/s, "")}`;
  }
}
