/**
 * The approvals that users were asked for and have not answered. Kept here and not in what goes through the client: it gets a random word, which is good
 * once, for a while, for the client that got it, and for exactly the call that the user was shown.
 *
 * Source: MCP 2026-07-28, "Patterns / Multi Round-Trip Requests": state that comes back through a client is not to be believed.
 */
import { randomBytes } from "node:crypto";

/** What a user is asked to approve. */
export interface Wanted {
  /** Whose call it is; undefined: the only client's. */
  readonly client: string | undefined;
  readonly toolId: string;
  /** Of the tool: another one that took its place meanwhile was not approved. */
  readonly packageDigest: string;
  readonly function: string | undefined;
  /** SHA-256 of the input, as the guest gets it. */
  readonly inputDigest: string;
}

/** What is open at most. */
export interface ApprovalLimits {
  readonly total: number;
  readonly perClient: number;
  readonly lifetimeMs: number;
}

/** The limits unless a test sets others. */
const LIMITS: ApprovalLimits = Object.freeze({ total: 1024, perClient: 64, lifetimeMs: 10 * 60_000 });

interface Open {
  readonly wanted: Wanted;
  /** Names of what the call gets beside what its tool has. */
  readonly names: readonly string[];
  readonly expiresAtMs: number;
}

/** The open approvals of one server. */
export class Approvals {
  readonly #limits: ApprovalLimits;
  readonly #now: () => number;
  /** By their words, the oldest first. */
  readonly #open = new Map<string, Open>();

  constructor(limits: ApprovalLimits = LIMITS, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Approvals that are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Opens one. Beyond the limits, the client's oldest is given up, or else the oldest of all.
   *
   * @param names - What the user is shown that the call gets.
   * @returns The word for it.
   */
  open(wanted: Wanted, names: readonly string[]): string {
    this.#expire();
    const own = [...this.#open].filter(([, open]) => open.wanted.client === wanted.client);
    const [oldest] =
      own.length >= this.#limits.perClient ? own : this.#open.size >= this.#limits.total ? this.#open : [];
    if (oldest !== undefined) this.#open.delete(oldest[0]);
    const word = randomBytes(24).toString("base64url");
    this.#open.set(word, { wanted, names, expiresAtMs: this.#now() + this.#limits.lifetimeMs });
    return word;
  }

  /**
   * Closes one, whatever the answer was: each is good once.
   *
   * @param wanted - The call that is made now.
   * @returns What the call gets; undefined when there is no such word, or it was for another call.
   */
  close(word: unknown, wanted: Wanted): readonly string[] | undefined {
    this.#expire();
    const open = typeof word === "string" ? this.#open.get(word) : undefined;
    if (open === undefined || open.wanted.client !== wanted.client) return undefined;
    this.#open.delete(String(word));
    return Bun.deepEquals(open.wanted, wanted) ? open.names : undefined;
  }

  #expire(): void {
    const now = this.#now();
    for (const [word, { expiresAtMs }] of this.#open) {
      if (expiresAtMs > now) return;
      this.#open.delete(word);
    }
  }
}
