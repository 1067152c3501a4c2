/**
 * The rehearsed requests of one call: which reply stands for the network's, and what the call has asked for. The guest's side of the trust boundary.
 */
import { type GivenReply, type MadeRequest, type Rehearsal, REHEARSAL_LIMITS } from "../../../policy/rehearsal.ts";
import { type Head, visibleFields } from "./head.ts";
import { latin1 } from "./syntax.ts";

/** What one request is told, and tells. */
export interface Part {
  /** What it gets; undefined: what the network gives. */
  readonly reply: GivenReply | undefined;
  /** Takes the head of the response. */
  readonly answered: (head: Head) => void;
  /** Takes what the guest has read of its body. */
  readonly read: (piece: Uint8Array) => void;
  /** Told that the body is broken or breaks off. */
  readonly failed: () => void;
}

/** A request, and what is kept of its reply. */
interface Made {
  readonly method: string;
  readonly url: string;
  outcome: MadeRequest["outcome"];
  head: Head | undefined;
  readonly pieces: Uint8Array[];
  bytes: number;
}

/** The requests of one call. */
export class Requests {
  readonly #rehearsal: Rehearsal;
  readonly #made: Made[] = [];
  /** How many replies each request has had. */
  readonly #given = new Map<string, number>();
  #bytes = 0;

  constructor(rehearsal: Rehearsal) {
    this.#rehearsal = rehearsal;
  }

  /** What was asked for, in order; at most as many as the limit. */
  get made(): readonly MadeRequest[] {
    return this.#made.map(({ method, url, outcome, head, pieces }) => ({
      method,
      url,
      outcome,
      ...(this.#rehearsal.kind === "record" && head !== undefined && outcome === "answered"
        ? { reply: { status: head.status, headers: headersOf(head), body: new Uint8Array(Buffer.concat(pieces)) } }
        : {}),
    }));
  }

  /** Notes a request that no rule covers. */
  deny(method: string, url: string): void {
    this.#note(method, url, "denied");
  }

  /** Begins a request that a rule covers. @returns Undefined when it is one that no reply is given for, or one too many. */
  begin(method: string, url: string): Part | undefined {
    const reply = this.#replyTo(method, url);
    const isServed = reply !== undefined || this.#rehearsal.kind === "record";
    const made = this.#note(method, url, isServed ? "failed" : "unknown");
    if (!isServed || made === undefined) return undefined;
    return {
      reply,
      answered: (head) => {
        made.outcome = "answered";
        made.head = head;
      },
      read: (piece) => this.#keep(made, piece),
      // A reply that was given is what it was meant to be.
      failed: () => {
        if (reply === undefined) made.outcome = "failed";
      },
    };
  }

  #replyTo(method: string, url: string): GivenReply | undefined {
    if (this.#rehearsal.kind === "record") return undefined;
    const replies = this.#rehearsal.replies.filter((each) => each.method === method && each.url === url);
    const key = `${method} ${url}`;
    const given = this.#given.get(key) ?? 0;
    this.#given.set(key, given + 1);
    return replies[Math.min(given, replies.length - 1)];
  }

  #note(method: string, url: string, outcome: Made["outcome"]): Made | undefined {
    if (this.#made.length >= REHEARSAL_LIMITS.requests) return undefined;
    const made: Made = { method, url, outcome, head: undefined, pieces: [], bytes: 0 };
    this.#made.push(made);
    return made;
  }

  #keep(made: Made, piece: Uint8Array): void {
    if (this.#rehearsal.kind !== "record" || made.outcome !== "answered") return;
    made.bytes += piece.length;
    this.#bytes += piece.length;
    if (made.bytes > REHEARSAL_LIMITS.bodyBytes || this.#bytes > REHEARSAL_LIMITS.totalBytes) {
      made.outcome = "failed";
      made.pieces.length = 0;
    } else made.pieces.push(piece.slice());
  }
}

/** What the guest sees. */
function headersOf({ fields }: Head): readonly (readonly [string, string])[] {
  return visibleFields(fields).map(([name, value]) => [name, latin1(value)]);
}
