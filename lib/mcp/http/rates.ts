/**
 * How often somebody may do something: one token bucket a key, in bounded memory.
 */

/** Most keys that are remembered. Beyond it the longest unused is forgotten, which gives that one a full bucket again. */
const KEYS_LIMIT = 10_000;

const MINUTE_MS = 60_000;

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** Buckets by key. */
export class Rates {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;

  /** @param now - The clock, in milliseconds; only differences count. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Takes one from a bucket.
   *
   * @param key - Whose bucket.
   * @param perMinute - What it holds, and what flows in within a minute; 1 or more.
   * @returns 0 when there was one, else the milliseconds until there is.
   */
  take(key: string, perMinute: number): number {
    const bucket = this.#fill(key, perMinute);
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) * MINUTE_MS) / perMinute);
    bucket.tokens -= 1;
    return 0;
  }

  /** Puts back what was taken. */
  giveBack(key: string): void {
    const bucket = this.#buckets.get(key);
    if (bucket !== undefined) bucket.tokens += 1;
  }

  #fill(key: string, perMinute: number): Bucket {
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { tokens: perMinute, filledAt: now };
    bucket.tokens = Math.min(perMinute, bucket.tokens + ((now - bucket.filledAt) * perMinute) / MINUTE_MS);
    bucket.filledAt = now;
    // Put in again, so that the map's order is the order of use.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= KEYS_LIMIT) break;
      this.#buckets.delete(oldest);
    }
    return bucket;
  }
}

/** The key of a client's address. An IPv6 host has a /64 to itself, and would have as many buckets. */
export function addressKey(address: string | undefined): string {
  if (address === undefined) return "local";
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (!plain.includes(":")) return plain;
  const [head = "", tail = ""] = plain.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === "" ? [] : tail.split(":");
  const zeros = plain.includes("::")
    ? Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => "0")
    : [];
  return [...front, ...zeros, ...back].slice(0, 4).join(":");
}
