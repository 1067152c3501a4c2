/**
 * The protocol stream over a pair of byte streams: a transport for the MCP SDK. Unlike the SDK's own it answers what it cannot read, survives
 * a line that is too long, and stops reading while the client does not read.
 *
 * Source: MCP 2026-07-28, "Transports / stdio".
 */
import type { Readable, Writable } from "node:stream";
import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/server";
import { LineSplitter } from "./lines.ts";
import { MESSAGE_LIMIT_BYTES, type Reading, readMessage, refuseLongLine } from "./message.ts";

/** Bytes of unread answers at which the transport stops reading requests until the client has caught up. */
export const BACKLOG_LIMIT_BYTES: number = 16 * 1_048_576;

/** The streams of one connection. */
export interface Streams {
  readonly stdin: Readable;
  readonly stdout: Writable;
}

/** A transport over two streams. It ends them never: they belong to the process. */
export class LineTransport implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: Transport["onmessage"];

  /** Resolves when nothing more can come in, or nothing more can go out. */
  readonly ended: Promise<void>;

  readonly #streams: Streams;
  readonly #lines = new LineSplitter(MESSAGE_LIMIT_BYTES);
  readonly #end: () => void;
  readonly #drained = new Set<() => void>();
  #backlogBytes = 0;
  #isBroken = false;
  #isClosed = false;

  constructor(streams: Streams) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#streams = streams;
    this.ended = promise;
    this.#end = resolve;
  }

  /** Starts to read. The listeners on stdout stay for good: a late write to a closed pipe must not end the process. */
  start(): Promise<void> {
    const { stdin, stdout } = this.#streams;
    stdout.on("error", this.#onBroken);
    stdin.on("error", this.#onStdinError);
    stdin.on("end", this.#onEnd);
    stdin.on("close", this.#end);
    stdin.on("data", this.#onData);
    if (stdin.readableEnded || stdin.destroyed) this.#end();
    return Promise.resolve();
  }

  /** Writes a message as one line. Resolves when the stream has taken it, which is before the client has read it. */
  send(message: JSONRPCMessage): Promise<void> {
    if (this.#isClosed || this.#isBroken) return Promise.resolve();
    const line = Buffer.from(`${JSON.stringify(message)}\n`);
    this.#backlogBytes += line.length;
    this.#streams.stdout.write(line, () => this.#onWritten(line.length));
    if (this.#backlogBytes > BACKLOG_LIMIT_BYTES) this.#streams.stdin.pause();
    return Promise.resolve();
  }

  /** Stops reading and tells the SDK. */
  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    const { stdin } = this.#streams;
    stdin.off("data", this.#onData);
    stdin.off("end", this.#onEnd);
    stdin.off("close", this.#end);
    stdin.pause();
    this.#end();
    this.onclose?.();
    return Promise.resolve();
  }

  /** Resolves when everything that was sent has left the process, or cannot. */
  flushed(): Promise<void> {
    if (this.#isBroken || this.#backlogBytes === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#drained.add(resolve);
    return promise;
  }

  readonly #onData = (chunk: Uint8Array): void => {
    for (const line of this.#lines.push(chunk)) {
      this.#take(line.kind === "line" ? readMessage(line.bytes) : refuseLongLine());
    }
  };

  readonly #onEnd = (): void => {
    for (const line of this.#lines.end()) if (line.kind === "line") this.#take(readMessage(line.bytes));
    this.#end();
  };

  readonly #onStdinError = (error: Error): void => {
    this.onerror?.(error);
    this.#end();
  };

  readonly #onBroken = (error: Error): void => {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.onerror?.(error);
    this.#end();
    this.#release();
  };

  #take(reading: Reading): void {
    if (reading.kind === "blank") return;
    if (reading.kind === "message") {
      this.onmessage?.(reading.message);
      return;
    }
    this.onerror?.(new Error(reading.problem));
    if (reading.answer !== undefined) void this.send(reading.answer);
  }

  #onWritten(bytes: number): void {
    this.#backlogBytes -= bytes;
    if (this.#backlogBytes <= BACKLOG_LIMIT_BYTES && !this.#isClosed) this.#streams.stdin.resume();
    if (this.#backlogBytes === 0) this.#release();
  }

  #release(): void {
    for (const release of this.#drained) release();
    this.#drained.clear();
  }
}
