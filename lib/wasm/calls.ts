/**
 * Where a module's calls are in its rewritten code: what counts the stack is put around some of them when the graph of calls is known,
 * which is when all code has been written.
 */
import { writeGiveBack, writeTake } from "./frame.ts";
import type { IndexMap } from "./indices.ts";
import { checkLimit } from "./limits.ts";
import { IntegerList } from "./lists.ts";
import { encode, type Writer, writeCall } from "./writer.ts";

/** Writes into the output as it is at that moment. */
type Mark = (out: Writer, call: number) => void;

/** Places in the output, in order, and what is put there. */
interface Gaps {
  readonly places: Uint32Array;
  readonly pieces: readonly Uint8Array[];
}

/** The places of the calls of one module, by their numbers in its {@link CallGraph}. */
export class CallSites {
  readonly #starts = new IntegerList();
  readonly #ends = new IntegerList();
  readonly #callees = new IntegerList();
  /** Where each body's size is. */
  readonly #bodies = new IntegerList();

  /** Notes that a body begins, behind its size. */
  enter(at: number): void {
    this.#bodies.push(at);
  }

  /** Notes which function a direct call calls, as its index in the output. */
  note(call: number, callee: number): void {
    this.#callees.set(call, callee);
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
   * Puts what counts the stack around calls.
   *
   * @param counts - What each call counts for, in bytes; 0 for those that are left as they are.
   */
  count(out: Writer, indices: IndexMap, counts: Uint32Array): void {
    const gaps = this.#findGaps(indices, counts);
    out.insertAll(gaps.places, gaps.pieces);
    this.#growBodies(out, gaps);
  }

  #findGaps(indices: IndexMap, counts: Uint32Array): Gaps {
    const counted = counts.reduce((sum, bytes) => sum + (bytes > 0 ? 1 : 0), 0);
    const places = new Uint32Array(2 * counted);
    const pieces: Uint8Array[] = [];
    // Few frames differ in size: many calls have the same pieces.
    const pairs = new Map<number, readonly [take: Uint8Array, giveBack: Uint8Array]>();
    // Not by entries(): two objects for each of a hundred thousand.
    for (let call = 0; call < counts.length; call++) {
      const bytes = counts[call] ?? 0;
      if (bytes === 0) continue;
      const pair = pairs.get(bytes) ?? makePair(indices, bytes);
      pairs.set(bytes, pair);
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

function makePair(indices: IndexMap, bytes: number): readonly [take: Uint8Array, giveBack: Uint8Array] {
  return [encode((to) => writeTake(to, indices, bytes)), encode((to) => writeGiveBack(to, indices, bytes))];
}
