/**
 * Results that are too large for a conversation: kept for a while, so that whoever made the call can read them as a resource. Nobody else can: the name of
 * one is random, and it is its client's alone.
 */
import { randomBytes } from "node:crypto";

/** Bytes of UTF-8 that a result may have inline. Beyond it, most clients cut it, or fill the conversation with it. */
export const INLINE_LIMIT_BYTES = 262_144;

/** What is kept. */
export interface KeptLimits {
  /** Bytes of all clients together. */
  readonly totalBytes: number;
  /** Bytes of one client. */
  readonly clientBytes: number;
  readonly lifetimeMs: number;
}

/** The limits unless a test sets others. */
const LIMITS: KeptLimits = Object.freeze({
  totalBytes: 64 * 1_048_576,
  clientBytes: 8 * 1_048_576,
  lifetimeMs: 15 * 60_000,
});

/** In front of the names of kept results. */
const PREFIX = "kami://result/";

/** One result. */
export interface KeptResult {
  readonly uri: string;
  readonly text: string;
  readonly mimeType: "application/json" | "text/plain";
  /** Of the tool. */
  readonly toolId: string;
  readonly bytes: number;
}

interface Entry extends KeptResult {
  readonly client: string | undefined;
  readonly expiresAtMs: number;
}

/** The results that one server keeps. */
export class KeptResults {
  readonly #limits: KeptLimits;
  readonly #now: () => number;
  /** By their names, the oldest first. */
  readonly #entries = new Map<string, Entry>();

  constructor(limits: KeptLimits = LIMITS, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Keeps a result; the oldest ones make room. */
  keep(client: string | undefined, result: Pick<KeptResult, "text" | "mimeType" | "toolId" | "bytes">): KeptResult {
    this.#expire();
    this.#makeRoom(client, result.bytes);
    const uri = PREFIX + randomBytes(24).toString("base64url");
    const entry = { ...result, uri, client, expiresAtMs: this.#now() + this.#limits.lifetimeMs };
    this.#entries.set(uri, entry);
    return entry;
  }

  /** Finds a result of a client's. */
  find(client: string | undefined, uri: string): KeptResult | undefined {
    this.#expire();
    const entry = this.#entries.get(uri);
    return entry?.client === client ? entry : undefined;
  }

  /** Lists the results of a client. */
  of(client: string | undefined): readonly KeptResult[] {
    this.#expire();
    return [...this.#entries.values()].filter((entry) => entry.client === client);
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#sum(() => true);
  }

  #makeRoom(client: string | undefined, bytes: number): void {
    const { clientBytes, totalBytes } = this.#limits;
    for (const [uri, entry] of this.#entries) {
      const isOwn = entry.client === client;
      const isClientFull = this.#sum((each) => each.client === client) + bytes > clientBytes;
      if ((isClientFull && isOwn) || this.bytes + bytes > totalBytes) this.#entries.delete(uri);
    }
  }

  #sum(counts: (entry: Entry) => boolean): number {
    let sum = 0;
    for (const entry of this.#entries.values()) if (counts(entry)) sum += entry.bytes;
    return sum;
  }

  #expire(): void {
    const now = this.#now();
    for (const [uri, { expiresAtMs }] of this.#entries) {
      if (expiresAtMs > now) return;
      this.#entries.delete(uri);
    }
  }
}
