/**
 * Where a module's direct calls are in its rewritten code: what counts the stack is put around some of them when the graph of calls is known,
 * which is when all code has been written.
 */
import { writeGiveBack, writeTake } from "./frame.ts";
import type { IndexMap } from "./indices.ts";
import { checkLimit } from "./limits.ts";
import { Writer } from "./writer.ts";

/** Writes into the output as it is at that moment. */
type Mark = (out: Writer, call: number) => void;

/** The places of the calls of one module, by their numbers in its {@link CallGraph}. */
export class CallSites {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  /** Where each body's size is. */
  readonly #bodies: number[] = [];

  /** Notes that a body begins, behind its size. */
  enter(at: number): void {
    this.#bodies.push(at);
  }

  /** Notes where a call begins. */
  readonly markStart: Mark = (out, call) => {
    this.#starts[call] = out.length;
  };

  /** Notes where it ends. */
  readonly markEnd: Mark = (out, call) => {
    this.#ends[call] = out.length;
  };

  /**
   * Puts what counts the stack around calls.
   *
   * @param counts - What each call counts for, in bytes; 0 for those that are left as they are.
   */
  count(out: Writer, indices: IndexMap, counts: Float64Array): void {
    const places: number[] = [];
    const pieces: Uint8Array[] = [];
    // Few frames differ in size: many calls have the same pieces.
    const pairs = new Map<number, readonly [take: Uint8Array, giveBack: Uint8Array]>();
    // Not by entries(): two objects for each of a hundred thousand.
    for (let call = 0; call < counts.length; call++) {
      const bytes = counts[call] ?? 0;
      const start = this.#starts[call];
      const end = this.#ends[call];
      if (bytes === 0 || start === undefined || end === undefined) continue;
      places.push(start, end);
      const pair = pairs.get(bytes) ?? makePair(indices, bytes);
      pairs.set(bytes, pair);
      pieces.push(pair[0], pair[1]);
    }
    out.insertAll(places, pieces);
    this.#growBodies(out, places, pieces);
  }

  #growBodies(out: Writer, places: readonly number[], pieces: readonly Uint8Array[]): void {
    let place = 0;
    let moved = 0;
    for (let index = 0; index < this.#bodies.length; index++) {
      const start = this.#bodies[index] ?? 0;
      const next = this.#bodies[index + 1] ?? Infinity;
      let added = 0;
      for (; (places[place] ?? Infinity) < next; place++) added += pieces[place]?.length ?? 0;
      const size = added > 0 ? out.growSize(start + moved, added) : 0;
      checkLimit("functionBytes", size, "the size of a function in bytes, once metered");
      moved += added;
    }
  }
}

function makePair(indices: IndexMap, bytes: number): readonly [take: Uint8Array, giveBack: Uint8Array] {
  return [piece((to) => writeTake(to, indices, bytes)), piece((to) => writeGiveBack(to, indices, bytes))];
}

function piece(write: (to: Writer) => void): Uint8Array {
  const to = new Writer(32);
  write(to);
  return to.finish();
}
