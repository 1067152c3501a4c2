/**
 * A bounded queue in which clients take turns: one that sends a thousand calls delays its own, not the others'.
 */

/** Waiting items by client, in turns. */
export class FairQueue<T> {
  readonly #limit: number;
  /** In order of turns: the first client is next. */
  readonly #lanes = new Map<string, T[]>();
  #size = 0;

  /** @param limit - Items that may wait, all clients together. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /** The item whose turn it is. */
  get first(): T | undefined {
    const [lane] = this.#lanes.values();
    return lane?.[0];
  }

  /**
   * Adds an item behind the client's others.
   *
   * When the queue is full, the client that has the most items in it makes room: a client that fills the queue keeps out itself, not
   * the others.
   *
   * @returns The item that found no room: this one, or the newest of another client's; undefined when there was room.
   */
  push(client: string, item: T): T | undefined {
    const isFull = this.#size >= this.#limit;
    const evicted = isFull ? this.#evict(client) : undefined;
    if (isFull && evicted === undefined) return item;
    const lane = this.#lanes.get(client);
    if (lane === undefined) this.#lanes.set(client, [item]);
    else lane.push(item);
    this.#size += 1;
    return evicted;
  }

  /**
   * Adds an item before the client's others, beyond the limit if it must be.
   *
   * @param wasBefore - Whether another one was put back before: this one comes behind those.
   */
  putBack(client: string, item: T, wasBefore: (other: T) => boolean): void {
    const lane = this.#lanes.get(client) ?? [];
    const at = lane.findIndex((other) => !wasBefore(other));
    this.#lanes.set(client, lane.toSpliced(at < 0 ? lane.length : at, 0, item));
    this.#size += 1;
  }

  /**
   * Takes the next item: the oldest of the client whose turn it is, which then goes to the end of the line.
   *
   * @param fits - Whether an item can be taken now; those that cannot let others pass. Default: all can.
   */
  shift(fits: (item: T) => boolean = () => true): T | undefined {
    for (const [client, lane] of this.#lanes) {
      const at = lane.findIndex(fits);
      if (at < 0) continue;
      const [item] = lane.splice(at, 1);
      this.#lanes.delete(client);
      if (lane.length > 0) this.#lanes.set(client, lane);
      this.#size -= 1;
      return item;
    }
    return undefined;
  }

  /** Takes an item out of line. Returns whether it was there. */
  remove(client: string, item: T): boolean {
    const lane = this.#lanes.get(client);
    const at = lane?.indexOf(item) ?? -1;
    if (lane === undefined || at < 0) return false;
    lane.splice(at, 1);
    if (lane.length === 0) this.#lanes.delete(client);
    this.#size -= 1;
    return true;
  }

  /** Takes out the newest item of the longest lane, when that is longer than the client's would become. */
  #evict(client: string): T | undefined {
    let longest: T[] = [];
    for (const lane of this.#lanes.values()) if (lane.length > longest.length) longest = lane;
    if (longest.length <= (this.#lanes.get(client)?.length ?? 0) + 1) return undefined;
    this.#size -= 1;
    return longest.pop();
  }
}
