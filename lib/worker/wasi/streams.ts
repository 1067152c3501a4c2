/**
 * The streams of `wasi:io`: bytes in from a source, bytes out to a sink, with back-pressure. What a source or a sink is (the call's stdin, a
 * file, a socket, a body) is somebody else's business. The guest's side of the trust boundary.
 *
 * Source: wasi:io 0.2, wit/streams.wit, wit/error.wit.
 */
import type { Host } from "./host.ts";
import type { Event } from "./poll.ts";
import { Resource } from "./resource.ts";

/** Most bytes that one `read` or `splice` moves, 64 KiB. */
export const CHUNK_LIMIT: number = 65_536;

/** What a stream's operation failed of, in the terms of the interfaces that can ask for it. */
export interface FaultCodes {
  /** `wasi:filesystem/types` `error-code`. */
  readonly filesystem?: string;
  /** `wasi:sockets/network` `error-code`. */
  readonly network?: string;
  /** `wasi:http/types` `error-code`: `{ tag, value }`. */
  readonly http?: unknown;
}

/** Thrown by a source or a sink: `last-operation-failed`. The stream is closed afterwards. */
export class StreamFault extends Error {
  readonly codes: FaultCodes;

  /** @param message - For the tool's author; never names anything of the host's. */
  constructor(message: string, codes: FaultCodes = {}) {
    super(message);
    this.name = "StreamFault";
    this.codes = codes;
  }
}

/** Thrown by a source at its end, and by a sink that takes no more: `closed`. */
export class StreamEnd extends Error {}

/** Where an input stream's bytes come from. The event is that bytes, the end or a fault are there. */
export interface Source extends Event {
  /**
   * Takes the next bytes without waiting.
   *
   * @param limit - Most bytes, 1 to {@link CHUNK_LIMIT}.
   * @returns A piece that nobody changes any more; empty when none is there yet.
   * @throws {StreamEnd | StreamFault}
   */
  read(limit: number): Uint8Array;
  /** The stream was dropped, or the call ended. */
  close?(): void;
}

/** Where an output stream's bytes go. The event is that `capacity` is not 0, or throws. */
export interface Sink extends Event {
  /** Bytes that may be written now; 0 while it must be waited for, also for a flush. @throws {StreamEnd | StreamFault} */
  capacity(): number;
  /**
   * Takes bytes, at most {@link capacity}.
   *
   * @param piece - A view of the guest's memory: copied, if it is kept.
   * @throws {StreamEnd | StreamFault}
   */
  write(piece: Uint8Array): void;
  /** Begins to flush: `capacity` is 0 until that is done. @throws {StreamEnd | StreamFault} */
  flush(): void;
  /** The stream was dropped, or the call ended. */
  close?(): void;
}

/** `wasi:io/error` `error`. */
export class IoError extends Resource {
  readonly fault: StreamFault;

  constructor(host: Host, fault: StreamFault) {
    super(host);
    this.fault = fault;
  }
}

/** `wasi:io/streams` `input-stream`. */
export class InputStream extends Resource {
  readonly source: Source;
  /** A stream that failed is closed. */
  isClosed = false;

  constructor(host: Host, source: Source, parent?: Resource) {
    super(host, parent);
    this.source = source;
  }

  protected override close(): void {
    this.source.close?.();
  }
}

/** `wasi:io/streams` `output-stream`. */
export class OutputStream extends Resource {
  readonly sink: Sink;
  isClosed = false;
  /** Bytes that may be written before the next `check-write`. */
  permit = 0;

  constructor(host: Host, sink: Sink, parent?: Resource) {
    super(host, parent);
    this.sink = sink;
  }

  protected override close(): void {
    this.sink.close?.();
  }
}
