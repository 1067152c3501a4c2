/**
 * Test support: loops that count down, in every shape that a compiler writes: checked at the end, at the head, in the middle, with several back
 * edges, with a parameter, by a table, and without any back edge.
 *
 * A body that holds other loops or calls may jump back by itself, past the place that counts: the counter is then compared, not only
 * looked at for zero.
 */
import type { Part, Statement } from "./program.ts";

/** What a loop is made of. */
export interface Counted {
  /** The local that counts. */
  readonly counter: string;
  /** Rounds, 1 or more. */
  readonly rounds: number;
  /** Whether the body cannot jump back by itself. */
  readonly isTiny: boolean;
  /** Writes what is inside a block: `loop` says what kind it is, for the branches in the body. */
  inside(label: "loop" | "block" | "parameter", write: () => Statement[]): Part;
  /** Writes a piece of the body. */
  body(): Statement[];
  /** Writes a piece that jumps nowhere. */
  effects(): Statement[];
  /** Pushes an i32 that is 0 or 1. */
  condition(): string[];
}

type Shape = (loop: Counted) => Statement;

/** Counts and pushes what is not 0 when there is another round. */
function next({ counter, isTiny }: Counted): string[] {
  const count = [`local.get ${counter}`, "i32.const 1", "i32.sub", `local.tee ${counter}`];
  return isTiny ? count : [...count, "i32.const 0", "i32.gt_s"];
}

function begin({ counter, rounds }: Counted): string[] {
  return [`i32.const ${rounds}`, `local.set ${counter}`];
}

/** The shapes. */
export const LOOP_SHAPES: readonly Shape[] = [
  checkedAtEnd,
  checkedAtHead,
  leftInMiddle,
  twice,
  byTable,
  parameter,
  once,
];

function checkedAtEnd(loop: Counted): Statement {
  return [...begin(loop), "loop", loop.inside("loop", () => [...loop.body(), [...next(loop), "br_if 0"]]), "end"];
}

function checkedAtHead(loop: Counted): Statement {
  const body = (): Statement[] => [[...next(loop), "i32.eqz", "br_if 1"], ...loop.body(), ["br 0"]];
  return [...begin(loop), "block", loop.inside("block", () => [["loop", loop.inside("loop", body), "end"]]), "end"];
}

function leftInMiddle(loop: Counted): Statement {
  const body = (): Statement[] => [
    ...loop.body(),
    [...loop.condition(), "br_if 1"],
    ...loop.body(),
    [...next(loop), "br_if 0"],
  ];
  return [...begin(loop), "block", loop.inside("block", () => [["loop", loop.inside("loop", body), "end"]]), "end"];
}

function twice(loop: Counted): Statement {
  const body = (): Statement[] => [
    ...loop.body(),
    [...next({ ...loop, isTiny: false }), ...loop.condition(), "i32.and", "br_if 0"],
    ...loop.body(),
    [...next({ ...loop, isTiny: false }), "br_if 0"],
  ];
  return [...begin(loop), "loop", loop.inside("loop", body), "end"];
}

function byTable(loop: Counted): Statement {
  const body = (): Statement[] => [...loop.body(), [...next({ ...loop, isTiny: false }), "br_table 1 0"]];
  return [...begin(loop), "block", loop.inside("block", () => [["loop", loop.inside("loop", body), "end"]]), "end"];
}

/** A jump from inside would take any number along: this one's body has none. */
function parameter(loop: Counted): Statement {
  const { counter, rounds } = loop;
  const compare = [`local.get ${counter}`, "i32.const 0", "i32.gt_s", "br_if 0", "drop"];
  const body = (): Statement[] => [["i32.const 1", "i32.sub", `local.tee ${counter}`, loop.effects(), ...compare]];
  return [`i32.const ${rounds}`, "loop (param i32)", loop.inside("parameter", body), "end"];
}

function once(loop: Counted): Statement {
  return ["loop", loop.inside("loop", () => loop.body()), "end"];
}
