/**
 * Where a module's calls are in its rewritten code: what counts the stack is put around some of them when the graph of calls is known,
 * which is when all code has been written.
 */
import { writeComeBack, writeGiveBack, writeTake, writeTell } from "./frame.ts";
import type { IndexMap } from "./indices.ts";
import { checkLimit } from "./limits.ts";
import { IntegerList } from "./lists.ts";
import type { CallGraph } from "./stack.ts";
import { encode, type Writer, writeCall } from "./writer.ts";

/** Writes into the output as it is at that moment. */
type Mark = (out: Writer, call: number) => void;

/** Places in the output, in order, and what is put there. */
interface Gaps {
  readonly places: Uint32Array;
  readonly pieces: readonly Uint8Array[];
}

const NO_LOCAL = -1;
/** More than the index of any local. */
const LOCALS_END = 2 ** 20;

/** What is put in front of a call, and behind it. */
type Pair = readonly [take: Uint8Array, giveBack: Uint8Array];

/** The places of the calls of one module, by their numbers in its {@link CallGraph}. */
export class CallSites {
  readonly #starts = new IntegerList();
  readonly #ends = new IntegerList();
  readonly #callees = new IntegerList();
  readonly #locals = new IntegerList();
  /** Where each body's size is. */
  readonly #bodies = new IntegerList();

  /** Notes that a body begins, behind its size. */
  enter(at: number): void {
    this.#bodies.push(at);
  }

  /** Notes which function a direct call calls, as its index in the output. */
  noteCallee(call: number, callee: number): void {
    this.#callees.set(call, callee);
  }

  /** Notes that a call may leave the module, and the local that remembers the stack meanwhile. */
  noteLocal(call: number, local: number): void {
    this.#locals.set(call, local);
  }

  /** Writes a direct call. */
  readonly writeCall: Mark = (out, call) => {
    this.markStart(out, call);
    writeCall(out, this.#callees.at(call));
    this.markEnd(out, call);
  };

  /** Notes where a call begins. */
  readonly markStart: Mark = (out, call) => this.#starts.set(call, out.length);

  /** Notes where it ends. */
  readonly markEnd: Mark = (out, call) => this.#ends.set(call, out.length);

  /**
   * Puts what counts the stack around calls, and in front of those that may leave the module also what tells the count to others.
   *
   * @param graph - All calls of the module.
   */
  count(out: Writer, indices: IndexMap, graph: CallGraph): void {
    const gaps = this.#findGaps(indices, graph);
    out.insertAll(gaps.places, gaps.pieces);
    this.#growBodies(out, gaps);
  }

  #findGaps(indices: IndexMap, graph: CallGraph): Gaps {
    const counts = graph.decide();
    const counted = counts.reduce((sum, bytes) => sum + (bytes > 0 ? 1 : 0), 0);
    const places = new Uint32Array(2 * counted);
    const pieces: Uint8Array[] = [];
    // Few frames differ in size: many calls have the same pieces.
    const pairs = new Map<number, Pair>();
    // Not by entries(): two objects for each of a hundred thousand.
    for (let call = 0; call < counts.length; call++) {
      const bytes = counts[call] ?? 0;
      if (bytes === 0) continue;
      const local = graph.mayLeave(call) ? this.#locals.at(call) : NO_LOCAL;
      const key = bytes * LOCALS_END + local + 1;
      const pair = pairs.get(key) ?? makePair(indices, bytes, local);
      pairs.set(key, pair);
      places[pieces.length] = this.#starts.at(call);
      places[pieces.length + 1] = this.#ends.at(call);
      pieces.push(pair[0], pair[1]);
    }
    return { places, pieces };
  }

  #growBodies(out: Writer, { places, pieces }: Gaps): void {
    let place = 0;
    let moved = 0;
    for (let index = 0; index < this.#bodies.length; index++) {
      const start = this.#bodies.at(index);
      const next = index + 1 < this.#bodies.length ? this.#bodies.at(index + 1) : Infinity;
      let added = 0;
      for (; (places[place] ?? Infinity) < next; place++) added += pieces[place]?.length ?? 0;
      const size = added > 0 ? out.growSize(start + moved, added) : 0;
      checkLimit("functionBytes", size, "the size of a function in bytes, once metered");
      moved += added;
    }
  }
}

function makePair(indices: IndexMap, bytes: number, local: number): Pair {
  const take = encode((to) => {
    writeTake(to, indices, bytes);
    if (local !== NO_LOCAL) writeTell(to, indices);
  });
  const giveBack = encode((to) => {
    if (local === NO_LOCAL) writeGiveBack(to, indices, bytes);
    else writeComeBack(to, indices, local);
  });
  return [take, giveBack];
}
