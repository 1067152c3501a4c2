/**
 * The body of a response, out of its framing, as fast as the guest reads it. The guest's side of the trust boundary: every byte may be hostile.
 *
 * Nothing is decompressed: a gzip bomb is as large as what was sent.
 *
 * Source: RFC 9112 §6.3, §7.1.
 */
import { CHUNK_LIMIT, type Source, StreamEnd, StreamFault } from "../../wasi/streams.ts";
import { HttpFailure, httpFailure } from "./failure.ts";
import { type Head, protocolError, readLine, SectionReader, visibleFields } from "./head.ts";
import type { Inflow } from "./inflow.ts";
import { contentLength, type Field, valuesOf } from "./syntax.ts";

/** How the end of a body is found. */
export type Framing =
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  /** It ends where the connection does. */
  | { readonly kind: "close" };

/** Chunk sizes have at most 12 digits, 256 TiB; extensions are passed over. */
const CHUNK_SIZE = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i;
const CHUNK_LINE_LIMIT = 1024;
const NOTHING: Uint8Array = new Uint8Array();

/**
 * Finds out how a body is framed.
 *
 * @throws {HttpFailure}
 *
 * Source: RFC 9112 §6.3: no body after HEAD, 1xx, 204, 304; else `Transfer-Encoding` before `Content-Length`. A server that says both may
 * be trying to smuggle a response past a proxy; here nothing else is read from the connection.
 */
export function framingOf(method: string, { status, fields }: Head): Framing {
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return { kind: "length", length: 0 };
  const codings = valuesOf(fields, "transfer-encoding");
  const length = contentLength(fields);
  if (length === "invalid") throw protocolError();
  if (codings.length === 0) return length === undefined ? { kind: "close" } : { kind: "length", length };
  const coding = codings.join(", ").toLowerCase();
  if (coding !== "chunked") throw new HttpFailure({ tag: "HTTP-response-transfer-coding", value: coding.slice(0, 64) });
  return { kind: "chunked" };
}

/** What a body is told, and tells. */
export interface BodyOptions {
  readonly framing: Framing;
  /** Milliseconds that may pass between two pieces while somebody waits. */
  readonly betweenBytesMs: number;
  /** It was read, failed or was given up: called once. */
  readonly ended: () => void;
  /** Told of each piece that somebody has read. */
  readonly wasRead?: ((piece: Uint8Array) => void) | undefined;
  /** Told when what comes is broken or breaks off; not when it is given up. */
  readonly hasFailed?: (() => void) | undefined;
}

/** The body of a response. */
export class ResponseBody implements Source {
  readonly #inflow: Inflow;
  readonly #options: BodyOptions;
  readonly #section = new SectionReader("trailer");
  #state: "size" | "data" | "data-end" | "trailers" | "over";
  /** Bytes of the chunk or body that have not come yet; Infinity when only the connection's end tells. */
  #remaining: number;
  /** Taken out of the framing, and not read yet. */
  #next: Uint8Array = NOTHING;
  #trailers: readonly Field[] = [];
  #failure: HttpFailure | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(inflow: Inflow, options: BodyOptions) {
    const { framing } = options;
    this.#inflow = inflow;
    this.#options = options;
    this.#state = framing.kind === "chunked" ? "size" : "data";
    this.#remaining = framing.kind === "length" ? framing.length : framing.kind === "close" ? Infinity : 0;
    if (framing.kind === "length" && framing.length === 0) this.#finish();
  }

  /** Whether all of it was received and read, or it failed. */
  get isOver(): boolean {
    return this.#state === "over" && this.#next.length === 0;
  }

  /** Why it failed. */
  get failure(): HttpFailure | undefined {
    return this.#failure;
  }

  /** The trailers, once it is over. */
  get trailers(): readonly Field[] {
    return this.#trailers;
  }

  isReady(): boolean {
    if (this.#next.length === 0) this.#advance();
    return this.#next.length > 0 || this.#state === "over";
  }

  whenReady(wake: () => void): () => void {
    if (this.#state !== "over") this.#timer ??= setTimeout(() => this.#timeOut(), this.#options.betweenBytesMs);
    return this.#inflow.connection.changed.whenReady(wake);
  }

  read(limit: number): Uint8Array {
    if (!this.isReady()) return NOTHING;
    if (this.#next.length > 0) {
      const piece = this.#next.subarray(0, limit);
      this.#next = this.#next.subarray(piece.length);
      this.#options.wasRead?.(piece);
      return piece;
    }
    if (this.#failure !== undefined) throw new StreamFault(this.#failure.message, { http: this.#failure.code });
    throw new StreamEnd();
  }

  /** Passes over what has come. @returns Whether it is over. */
  drain(): boolean {
    while (this.isReady() && this.#state !== "over") this.#next = NOTHING;
    this.#next = NOTHING;
    return this.#state === "over";
  }

  /** Gives it up. */
  abort(): void {
    if (this.#state !== "over") this.#fail(new HttpFailure({ tag: "connection-terminated" }));
  }

  /** Goes on until there is a piece, or nothing more has come. */
  #advance(): void {
    try {
      while (this.#next.length === 0 && this.#state !== "over") {
        if (this.#step()) this.#stopTimer();
        else return this.#lookForEnd();
      }
    } catch (error) {
      this.#options.hasFailed?.();
      this.#fail(httpFailure(error));
    }
  }

  /** @returns False when nothing has come to go on with. */
  #step(): boolean {
    if (this.#state === "data") return this.#readData();
    if (this.#state === "size") return this.#readSize();
    if (this.#state === "data-end") return this.#readDataEnd();
    return this.#state === "trailers" && this.#readTrailers();
  }

  #readSize(): boolean {
    const line = readLine(this.#inflow, CHUNK_LINE_LIMIT, protocolError);
    if (line === undefined) return false;
    const digits = CHUNK_SIZE.exec(line)?.[1];
    if (digits === undefined) throw protocolError();
    this.#remaining = Number.parseInt(digits, 16);
    this.#state = this.#remaining === 0 ? "trailers" : "data";
    return true;
  }

  #readData(): boolean {
    const piece = this.#inflow.bytes(Math.min(this.#remaining, CHUNK_LIMIT));
    if (piece.length === 0) return false;
    this.#next = piece;
    this.#remaining -= piece.length;
    if (this.#remaining > 0) return true;
    if (this.#options.framing.kind === "chunked") this.#state = "data-end";
    else this.#finish();
    return true;
  }

  #readDataEnd(): boolean {
    const line = readLine(this.#inflow, 0, protocolError);
    if (line === undefined) return false;
    this.#state = "size";
    return true;
  }

  #readTrailers(): boolean {
    const fields = this.#section.read(this.#inflow);
    if (fields === undefined) return false;
    this.#trailers = visibleFields(fields);
    this.#finish();
    return true;
  }

  /** Source: RFC 9112 §8: a body that ends before its framing does is incomplete. */
  #lookForEnd(): void {
    const { failure, isEnded } = this.#inflow.connection;
    if (!isEnded) return;
    if (failure?.kind === "too-many-bytes") throw failure;
    if (this.#remaining === Infinity && failure === undefined) return this.#finish();
    throw new HttpFailure({ tag: "HTTP-response-incomplete" });
  }

  #timeOut(): void {
    // What has come meanwhile, and was not asked for, counts.
    if (this.isReady()) return;
    this.#options.hasFailed?.();
    this.#fail(new HttpFailure({ tag: "connection-read-timeout" }));
    this.#inflow.connection.changed.notify();
  }

  #fail(failure: HttpFailure): void {
    if (this.#state === "over") return;
    this.#failure = failure;
    this.#finish();
  }

  #finish(): void {
    this.#state = "over";
    this.#stopTimer();
    this.#options.ended();
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
