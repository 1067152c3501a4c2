/**
 * `wasi:io/streams`: bytes in from the call's stdin, bytes out to what the call captures. Nothing here ever waits, nor
 * reaches the process's own streams. The guest's side of the trust boundary.
 *
 * Source: wasi:io 0.2, wit/streams.wit.
 */
import {
  bytesParameter,
  type Signature,
  streamBytesResult,
  streamResult,
  streamU64Result,
  u64Parameter,
} from "./canonical.ts";
import type { Host } from "./host.ts";
import { Pollable } from "./poll.ts";
import { borrowParameter, ownResult, Resource, type ResourceType } from "./resource.ts";
import { ResultError } from "./result.ts";

/** Most bytes that one `read` or `splice` moves, 64 KiB, and what `check-write` permits. */
export const CHUNK_LIMIT: number = 65_536;

/** Most bytes of a `blocking-write-and-flush` and of a `blocking-write-zeroes-and-flush`. */
export const BLOCKING_WRITE_LIMIT: number = 4096;

const READ: Signature = [[u64Parameter], streamBytesResult];
const SKIP: Signature = [[u64Parameter], streamU64Result];
const SUBSCRIBE: Signature = [[], ownResult];
const WRITE: Signature = [[bytesParameter], streamResult];
const WRITE_ZEROES: Signature = [[u64Parameter], streamResult];
const FLUSH: Signature = [[], streamResult];

/** Bytes that several input streams of a call read in turn. */
export class Input {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * Takes the next bytes.
   *
   * @param limit - Most bytes to take, a `u64`.
   * @returns A copy: the glue copies as many bytes as the component's own types say, and those beyond a view are not the
   *   guest's to see.
   * @throws {ResultError} `closed`, at the end.
   */
  take(limit: bigint): Uint8Array {
    const start = this.#position;
    return this.#bytes.slice(start, start + this.skip(limit));
  }

  /**
   * Passes over the next bytes.
   *
   * @returns How many.
   * @throws {ResultError} `closed`, at the end.
   */
  skip(limit: bigint): number {
    const left = this.#bytes.length - this.#position;
    if (left === 0) throw new ResultError({ tag: "closed" });
    const count = limit < BigInt(left) ? Number(limit) : left;
    this.#position += count;
    return count;
  }
}

/** `wasi:io/streams` `input-stream`. All bytes are there from the start, so the blocking functions never block. */
export class InputStream extends Resource {
  static readonly type: ResourceType = {
    name: ["wasi:io/streams", "input-stream"],
    methods: { read: READ, blockingRead: READ, skip: SKIP, blockingSkip: SKIP, subscribe: SUBSCRIBE },
  };

  readonly #input: Input;

  constructor(host: Host, input: Input) {
    super(host, InputStream);
    this.#input = input;
  }

  /**
   * Reads the next bytes.
   *
   * @param len - Most bytes to read; at most {@link CHUNK_LIMIT} are.
   * @throws {ResultError} `closed`, at the end.
   *
   * Source: wit/streams.wit `input-stream.read`: "The callee may return a list of bytes less than `len` in size while more
   * bytes are available for reading".
   */
  read(len: unknown): Uint8Array {
    const limit = Resource.enter(this).takeU64(len, "wasi:io/streams input-stream.read");
    return this.#input.take(least(limit, BigInt(CHUNK_LIMIT)));
  }

  /** Reads the next bytes. Source: wit/streams.wit `input-stream.blocking-read`: "Except for blocking […] identical to `read`". */
  blockingRead(len: unknown): Uint8Array {
    return this.read(len);
  }

  /**
   * Passes over the next bytes.
   *
   * Source: wit/streams.wit `input-stream.skip`: "returns the number of bytes consumed from the stream".
   */
  skip(len: unknown): bigint {
    const limit = Resource.enter(this).takeU64(len, "wasi:io/streams input-stream.skip");
    return BigInt(this.#input.skip(limit));
  }

  /** Passes over the next bytes. Source: wit/streams.wit `input-stream.blocking-skip`. */
  blockingSkip(len: unknown): bigint {
    return this.skip(len);
  }

  /** Makes a pollable that is ready. Source: wit/streams.wit `input-stream.subscribe`. */
  subscribe(): Pollable {
    return new Pollable(Resource.enter(this));
  }

  /** The bytes behind an argument; `undefined` when it is not an input stream that the guest holds. */
  static input(value: unknown): Input | undefined {
    return value instanceof InputStream && Resource.isLive(value) ? value.#input : undefined;
  }
}

const SPLICE: Signature = [[borrowParameter(InputStream), u64Parameter], streamU64Result];

/** `wasi:io/streams` `output-stream`. The call captures every write at once, so that a flush has nothing to do. */
export class OutputStream extends Resource {
  static readonly type: ResourceType = {
    name: ["wasi:io/streams", "output-stream"],
    methods: {
      checkWrite: [[], streamU64Result],
      write: WRITE,
      blockingWriteAndFlush: WRITE,
      flush: FLUSH,
      blockingFlush: FLUSH,
      subscribe: SUBSCRIBE,
      writeZeroes: WRITE_ZEROES,
      blockingWriteZeroesAndFlush: WRITE_ZEROES,
      splice: SPLICE,
      blockingSplice: SPLICE,
    },
  };

  readonly #stream: "stdout" | "stderr";
  /** Bytes that may be written before the next `check-write`. */
  #permit = 0;

  constructor(host: Host, stream: "stdout" | "stderr") {
    super(host, OutputStream);
    this.#stream = stream;
  }

  /**
   * Permits a write.
   *
   * @returns {@link CHUNK_LIMIT}, always.
   *
   * Source: wit/streams.wit `output-stream.check-write`.
   */
  checkWrite(): bigint {
    Resource.enter(this);
    this.#permit = CHUNK_LIMIT;
    return BigInt(CHUNK_LIMIT);
  }

  /**
   * Writes bytes. Traps when they are more than `check-write` permitted.
   *
   * Source: wit/streams.wit `output-stream.write`: "Precondition: check-write gave permit of Ok(n) and contents has a length
   * of less than or equal to n. Otherwise, this function will trap".
   */
  write(contents: unknown): void {
    const host = Resource.enter(this);
    if (!(contents instanceof Uint8Array)) return host.trapType("wasi:io/streams output-stream.write");
    this.#spend(host, BigInt(contents.length));
    host.context.capture(this.#stream, contents);
  }

  /**
   * Writes bytes. Traps when they are more than {@link BLOCKING_WRITE_LIMIT}.
   *
   * Source: wit/streams.wit `output-stream.blocking-write-and-flush`: "Perform a write of up to 4096 bytes".
   */
  blockingWriteAndFlush(contents: unknown): void {
    const host = Resource.enter(this);
    const name = "wasi:io/streams output-stream.blocking-write-and-flush";
    if (!(contents instanceof Uint8Array)) return host.trapType(name);
    limitBlockingWrite(host, BigInt(contents.length));
    host.context.capture(this.#stream, contents);
  }

  /** Does nothing: nothing is buffered. Source: wit/streams.wit `output-stream.flush`. */
  flush(): void {
    Resource.enter(this);
  }

  /** Does nothing: nothing is buffered. Source: wit/streams.wit `output-stream.blocking-flush`. */
  blockingFlush(): void {
    Resource.enter(this);
  }

  /** Makes a pollable that is ready. Source: wit/streams.wit `output-stream.subscribe`. */
  subscribe(): Pollable {
    return new Pollable(Resource.enter(this));
  }

  /**
   * Writes zeroes. Traps when they are more than `check-write` permitted.
   *
   * Source: wit/streams.wit `output-stream.write-zeroes`: "precisely like `write` with the exact same preconditions".
   */
  writeZeroes(len: unknown): void {
    const host = Resource.enter(this);
    const count = host.takeU64(len, "wasi:io/streams output-stream.write-zeroes");
    this.#spend(host, count);
    host.chargeBytes(Number(count));
    host.context.capture(this.#stream, new Uint8Array(Number(count)));
  }

  /**
   * Writes zeroes. Traps when they are more than {@link BLOCKING_WRITE_LIMIT}.
   *
   * Source: wit/streams.wit `output-stream.blocking-write-zeroes-and-flush`: "Perform a write of up to 4096 zeroes".
   */
  blockingWriteZeroesAndFlush(len: unknown): void {
    const host = Resource.enter(this);
    const count = host.takeU64(len, "wasi:io/streams output-stream.blocking-write-zeroes-and-flush");
    limitBlockingWrite(host, count);
    host.chargeBytes(Number(count));
    host.context.capture(this.#stream, new Uint8Array(Number(count)));
  }

  /**
   * Moves bytes from an input stream to this one.
   *
   * @param len - Most bytes to move; at most {@link CHUNK_LIMIT} are.
   * @returns How many were moved.
   * @throws {ResultError} `closed`, when the input is at its end.
   *
   * Source: wit/streams.wit `output-stream.splice`: `check-write`, then `read`, then `write`.
   */
  splice(src: unknown, len: unknown): bigint {
    const host = Resource.enter(this);
    const name = "wasi:io/streams output-stream.splice";
    const input = InputStream.input(src) ?? host.trapType(name);
    const moved = input.take(least(host.takeU64(len, name), BigInt(CHUNK_LIMIT)));
    host.chargeBytes(moved.length);
    host.context.capture(this.#stream, moved);
    return BigInt(moved.length);
  }

  /** Moves bytes. Source: wit/streams.wit `output-stream.blocking-splice`: as `splice`, once both streams are ready. */
  blockingSplice(src: unknown, len: unknown): bigint {
    return this.splice(src, len);
  }

  #spend(host: Host, count: bigint): void {
    const permit = this.#permit;
    if (count > BigInt(permit)) host.context.trap(`it wrote ${count} bytes where check-write permitted ${permit}`);
    this.#permit = permit - Number(count);
  }
}

function limitBlockingWrite(host: Host, count: bigint): void {
  if (count <= BigInt(BLOCKING_WRITE_LIMIT)) return;
  host.context.trap(`it wrote ${count} bytes in one blocking write, the limit is ${BLOCKING_WRITE_LIMIT}`);
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
