/**
 * What users were asked and have not answered: KAMI's questions, whether a call may be made, and those of tools. Kept here and not in what goes through the
 * client: it gets a random word, which is good once, for a while, for the client that got it, and for exactly the call that asked.
 *
 * Source: MCP 2026-07-28, "Patterns / Multi Round-Trip Requests": state that comes back through a client is not to be believed.
 */
import { randomBytes } from "node:crypto";
import type { Capability } from "../policy/capability.ts";

/** The call that its user is asked about. */
export interface Wanted {
  /** Whose call it is; undefined: the only client's. */
  readonly client: string | undefined;
  readonly toolId: string;
  /** Of the tool: another one that took its place meanwhile did not ask, and was not approved. */
  readonly packageDigest: string;
  readonly function: string | undefined;
  /** SHA-256 of the input, as the guest gets it. */
  readonly inputDigest: string;
  /** The URI whose reading is the call: that is another question than the call itself. */
  readonly uri?: string | undefined;
}

/** What is open at most. */
export interface QuestionLimits {
  readonly total: number;
  readonly perClient: number;
  readonly lifetimeMs: number;
}

/** The limits unless a test sets others. */
const LIMITS: QuestionLimits = Object.freeze({ total: 1024, perClient: 64, lifetimeMs: 10 * 60_000 });

/** KAMI's own question: whether the call may be made. */
export interface Approval {
  readonly kind: "approval";
  /** Names of what the call gets beside what its tool has. */
  readonly names: readonly string[];
}

/** A tool's question. */
export interface Round {
  readonly kind: "round";
  /** What the tool wrote: many may be open. */
  readonly text: string;
  /** How often the call has asked, this time included. */
  readonly number: number;
  /** What its user granted for this call. */
  readonly grants: readonly Capability[];
}

interface Open {
  readonly wanted: Wanted;
  readonly asked: Approval | Round;
  readonly expiresAtMs: number;
}

/** The open questions of one server. */
export class Questions {
  readonly #limits: QuestionLimits;
  readonly #now: () => number;
  /** By their words, the oldest first. */
  readonly #open = new Map<string, Open>();

  constructor(limits: QuestionLimits = LIMITS, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Questions that are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Opens one. Beyond the limits, the client's oldest is given up, or else the oldest of all.
   *
   * @returns The word for it.
   */
  open(wanted: Wanted, asked: Approval | Round): string {
    this.#expire();
    const own = [...this.#open].filter(([, open]) => open.wanted.client === wanted.client);
    const [oldest] =
      own.length >= this.#limits.perClient ? own : this.#open.size >= this.#limits.total ? this.#open : [];
    if (oldest !== undefined) this.#open.delete(oldest[0]);
    const word = randomBytes(24).toString("base64url");
    this.#open.set(word, { wanted, asked, expiresAtMs: this.#now() + this.#limits.lifetimeMs });
    return word;
  }

  /**
   * Closes one, whatever the answer was: each is good once.
   *
   * @param wanted - The call that is made now.
   * @returns What was asked; undefined when there is no such word, or it was for another call.
   */
  close(word: unknown, wanted: Wanted): Approval | Round | undefined {
    this.#expire();
    const open = typeof word === "string" ? this.#open.get(word) : undefined;
    if (open === undefined || open.wanted.client !== wanted.client) return undefined;
    this.#open.delete(String(word));
    return Bun.deepEquals(open.wanted, wanted) ? open.asked : undefined;
  }

  #expire(): void {
    const now = this.#now();
    for (const [word, { expiresAtMs }] of this.#open) {
      if (expiresAtMs > now) return;
      this.#open.delete(word);
    }
  }
}
