/**
 * The body of a request, between the guest that writes it and the connection that takes it. The guest's side of the trust boundary.
 *
 * What is written before the connection is there waits here, so that the body of most requests is known when they are sent: it goes out
 * with its length, which more servers take than chunks.
 */
import { type Sink, StreamEnd, StreamFault } from "../../wasi/streams.ts";
import { ByteQueue } from "../byte-queue.ts";
import { Signal } from "../signal.ts";
import type { ErrorCode } from "./failure.ts";
import type { Field } from "./syntax.ts";

/** Bytes of a body that may wait to be sent, 64 KiB. */
export const BODY_BUFFER_BYTES: number = 65_536;

/** The body of a request. */
export class RequestBody implements Sink {
  /** Something was written or taken, or it ended. */
  readonly changed: Signal = new Signal();
  readonly #declaredLength: number | undefined;
  readonly #waiting = new ByteQueue();
  #writtenBytes = 0;
  #trailers: readonly Field[] = [];
  #state: "open" | "finished" | "corrupted" | "taken no more" = "open";
  #isConnected = false;
  #isFlushing = false;

  /** @param declaredLength - What `Content-Length` says, in bytes; undefined when it says nothing. */
  constructor(declaredLength: number | undefined) {
    this.#declaredLength = declaredLength;
  }

  /** Bytes of the whole body, once they are known. */
  get length(): number | undefined {
    return this.#declaredLength ?? (this.#state === "finished" ? this.#writtenBytes : undefined);
  }

  get trailers(): readonly Field[] {
    return this.#trailers;
  }

  /** Whether nothing more is to be sent. */
  get isSent(): boolean {
    return this.#state === "finished" && this.#waiting.length === 0;
  }

  /** Whether the guest dropped it before its end: the request must not look complete. */
  get isCorrupted(): boolean {
    return this.#state === "corrupted";
  }

  isReady(): boolean {
    return this.#state !== "open" || this.#room() > 0;
  }

  whenReady(wake: () => void): () => void {
    return this.changed.whenReady(wake);
  }

  capacity(): number {
    this.#checkOpen();
    return this.#room();
  }

  /**
   * Source: `HTTP-request-body-size`; wasi:http `outgoing-body.finish`: "contents written to the body (via `write`)" have to match the length.
   */
  write(piece: Uint8Array): void {
    this.#checkOpen();
    this.#writtenBytes += piece.length;
    if (this.#declaredLength !== undefined && this.#writtenBytes > this.#declaredLength) {
      const code = this.#sizeError();
      this.corrupt();
      throw new StreamFault("the body is longer than its Content-Length", { http: code });
    }
    this.#waiting.push(piece, false);
    this.changed.notify();
  }

  /** Done at once as long as there is no connection to flush to. */
  flush(): void {
    this.#checkOpen();
    this.#isFlushing = this.#isConnected && this.#waiting.length > 0;
  }

  /**
   * The guest has written all.
   *
   * @returns What is wrong with it; undefined when it is complete.
   */
  finish(trailers: readonly Field[]): ErrorCode | undefined {
    if (this.#state === "corrupted" || this.#writtenBytes !== (this.#declaredLength ?? this.#writtenBytes)) {
      const code = this.#sizeError();
      this.corrupt();
      return code;
    }
    if (this.#state !== "open") return undefined;
    if (trailers.length > 0 && this.#declaredLength !== undefined)
      return { tag: "internal-error", value: "trailers need a body without Content-Length" };
    this.#trailers = trailers;
    this.#state = "finished";
    this.changed.notify();
    return undefined;
  }

  /** The guest dropped it before its end. */
  corrupt(): void {
    if (this.#state === "open") this.#end("corrupted");
  }

  /** Nobody takes it any more. */
  refuse(): void {
    if (this.#state === "open") this.#end("taken no more");
  }

  /** The connection is there: from now on a flush waits for it. */
  connect(): void {
    this.#isConnected = true;
  }

  /** Takes what is to be sent next. @param limit - Most bytes. @returns Undefined when nothing waits. */
  take(limit: number): Uint8Array | undefined {
    const taken = this.#waiting.take(limit);
    if (taken.length === 0) return undefined;
    if (this.#waiting.length === 0) this.#isFlushing = false;
    this.changed.notify();
    return taken;
  }

  #room(): number {
    return this.#isFlushing ? 0 : BODY_BUFFER_BYTES - this.#waiting.length;
  }

  #checkOpen(): void {
    if (this.#state !== "open") throw new StreamEnd();
  }

  #sizeError(): ErrorCode {
    return { tag: "HTTP-request-body-size", value: BigInt(this.#writtenBytes) };
  }

  #end(state: "corrupted" | "taken no more"): void {
    this.#state = state;
    this.#waiting.clear();
    this.changed.notify();
  }
}
