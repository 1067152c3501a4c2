/**
 * The requests that are under way, and the answers that clients have not read yet: both are bounded, together and for each client.
 */
import { refuse } from "../../errors.ts";
import type { Principal } from "./principal.ts";

/** What may be under way. */
export interface ExchangeLimits {
  /** Requests at once, streams among them. */
  readonly total: number;
  /** Requests at once of one client. */
  readonly perClient: number;
  /** Bytes of answers that wait to be read, beyond which no request is taken. Beyond twice as many, answers are given up. */
  readonly waitingBytes: number;
  /** Bytes of bodies at once, without the first 64 KiB of each. */
  readonly bodyBytes: number;
}

/** The limits unless a test sets others. */
const EXCHANGE_LIMITS: ExchangeLimits = Object.freeze({
  total: 1024,
  perClient: 256,
  waitingBytes: 32 * 1_048_576,
  bodyBytes: 12 * 1_048_576,
});

const RETRY_MS = 1000;

/** Bytes that are handed on at once: what a client that does not read keeps the system from taking is at most this much more. */
const PIECE_BYTES = 65_536;

/** Bytes of a body that are not counted: clients with small requests must not suffer from one with large ones. */
const FREE_BODY_BYTES = 65_536;

/** One request, from its acceptance to the end of its answer. */
export interface Exchange extends Disposable {
  /**
   * Counts bytes of its body, which are held until it ends.
   *
   * @throws {Failure} `HTTP_OVERLOADED`
   */
  hold(bytes: number): void;
  /** Says that the request is a stream without end: nobody waits for it when the server ends. */
  markStream(): void;
}

/** How an answer goes out. */
interface Delivery {
  readonly exchange: Exchange;
  readonly signal: AbortSignal;
  readonly isEvents: boolean;
}

/** A comment: Bun sends the head of an answer with the first bytes of its body, which may be long in coming. */
const OPENING: Uint8Array = new TextEncoder().encode(": open\n\n");

/** All exchanges of a server. */
export class Exchanges {
  readonly #limits: ExchangeLimits;
  readonly #perClient = new Map<string, number>();
  readonly #onIdle = new Set<() => void>();
  #total = 0;
  #streams = 0;
  #waitingBytes = 0;
  #bodyBytes = 0;

  constructor(limits: ExchangeLimits = EXCHANGE_LIMITS) {
    this.#limits = limits;
  }

  /** Requests under way, without streams. */
  get pending(): number {
    return this.#total - this.#streams;
  }

  /** Bytes of answers that wait to be read. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Takes a request on.
   *
   * @throws {Failure} `HTTP_OVERLOADED`, `HTTP_RATE_LIMITED`
   */
  begin({ id }: Principal): Exchange {
    const own = this.#perClient.get(id) ?? 0;
    if (this.#total >= this.#limits.total) throw overloaded("too many requests are under way");
    if (this.#waitingBytes > this.#limits.waitingBytes) throw overloaded("too many answers have not been read");
    if (own >= this.#limits.perClient) {
      throw refuse("HTTP_RATE_LIMITED", { what: "requests at once", retryAfterMs: RETRY_MS });
    }
    this.#total += 1;
    this.#perClient.set(id, own + 1);
    return this.#exchange(id);
  }

  /** Resolves when no request but streams is under way. */
  async idle(): Promise<void> {
    while (this.pending > 0) await new Promise<void>((resolve) => this.#onIdle.add(resolve));
  }

  /**
   * Makes an answer count until it is read to its end or given up; then the exchange ends.
   *
   * @param response - Whose body is taken over.
   * @param signal - Aborted when the client has gone, which may be before the answer is there.
   */
  deliver(response: Response, exchange: Exchange, signal: AbortSignal): Response {
    const { body, status, headers } = response;
    if (body === null) {
      exchange[Symbol.dispose]();
      return response;
    }
    const isEvents = headers.get("content-type")?.startsWith("text/event-stream") === true;
    return new Response(this.#account(body, { exchange, signal, isEvents }), { status, headers });
  }

  /** Reads as fast as bytes come, so that they are counted at once, and hands them on as fast as the client reads. */
  #account(body: ReadableStream<Uint8Array>, { exchange, signal, isEvents }: Delivery): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    const backlog = new Backlog((bytes) => (this.#waitingBytes += bytes));
    if (isEvents) backlog.put(OPENING);
    const finish = (): void => {
      signal.removeEventListener("abort", giveUp);
      backlog.drop();
      exchange[Symbol.dispose]();
    };
    const giveUp = (): void => {
      finish();
      void reader.cancel().catch(() => undefined);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    const end = (): void => backlog.end();
    void this.#pump(reader, backlog).then(end, end);
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const piece = await backlog.next();
          if (piece !== undefined) {
            controller.enqueue(piece);
            return;
          }
          controller.close();
          finish();
        },
        cancel: giveUp,
      },
      { highWaterMark: 0 },
    );
  }

  async #pump(reader: ReadableStreamDefaultReader<Uint8Array>, backlog: Backlog): Promise<void> {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (this.#waitingBytes + part.value.length > 2 * this.#limits.waitingBytes) {
        await reader.cancel();
        return;
      }
      backlog.put(part.value);
    }
  }

  #exchange(id: string): Exchange {
    let isStream = false;
    let isOver = false;
    let received = 0;
    const counted = (): number => Math.max(0, received - FREE_BODY_BYTES);
    return {
      hold: (bytes) => {
        const before = counted();
        received += bytes;
        this.#bodyBytes += counted() - before;
        if (this.#bodyBytes > this.#limits.bodyBytes) throw overloaded("too many large requests are under way");
      },
      markStream: () => {
        if (isStream || isOver) return;
        isStream = true;
        this.#streams += 1;
        this.#settle();
      },
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        this.#bodyBytes -= counted();
        this.#total -= 1;
        if (isStream) this.#streams -= 1;
        const left = (this.#perClient.get(id) ?? 1) - 1;
        if (left > 0) this.#perClient.set(id, left);
        else this.#perClient.delete(id);
        this.#settle();
      },
    };
  }

  #settle(): void {
    if (this.pending > 0) return;
    for (const resolve of this.#onIdle) resolve();
    this.#onIdle.clear();
  }
}

/** A part of what has come, and how many bytes of memory are free when it is gone: a part keeps the whole that it is cut from. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly releases: number;
}

/** What has come of one answer and was not read yet. */
class Backlog {
  readonly #count: (bytes: number) => void;
  #pieces: Piece[] = [];
  #isEnded = false;
  #wake: (() => void) | undefined;

  /** @param count - Takes how many bytes more, or fewer, are waiting. */
  constructor(count: (bytes: number) => void) {
    this.#count = count;
  }

  /** Adds what has come. After the end it is dropped. */
  put(bytes: Uint8Array): void {
    if (this.#isEnded) return;
    this.#count(bytes.length);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const isLast = at + PIECE_BYTES >= bytes.length;
      this.#pieces.push({ bytes: bytes.subarray(at, at + PIECE_BYTES), releases: isLast ? bytes.length : 0 });
    }
    this.#wake?.();
  }

  /** Says that nothing more comes. */
  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  /** Takes the next piece, when there is one; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.#pieces.length === 0 && !this.#isEnded) await new Promise<void>((resolve) => (this.#wake = resolve));
    const piece = this.#pieces.shift();
    if (piece !== undefined) this.#count(-piece.releases);
    return piece?.bytes;
  }

  /** Ends, and forgets what is waiting. */
  drop(): void {
    for (const piece of this.#pieces.splice(0)) this.#count(-piece.releases);
    this.end();
  }
}

function overloaded(what: string): Error {
  return refuse("HTTP_OVERLOADED", { what, retryAfterMs: RETRY_MS });
}
