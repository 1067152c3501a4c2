/**
 * `wasi:io/streams` and `wasi:io/error`: the functions on streams. The guest's side of the trust boundary.
 *
 * Source: wasi:io 0.2, wit/streams.wit, wit/error.wit.
 */
import { define, defineBlocking, ResultError } from "../../component/link/host.ts";
import { borrow, bytes, own, result, string, u64, type ValueType, variant } from "../../schema/value-type.ts";
import { type Functions, type Host, serve, type WasiInterface } from "./host.ts";
import { type Event, Pollable, waitFor } from "./poll.ts";
import { CHUNK_LIMIT, type InputStream, IoError, type OutputStream, StreamEnd, StreamFault } from "./streams.ts";

/** Most bytes of a `blocking-write-and-flush` and of a `blocking-write-zeroes-and-flush`. */
export const BLOCKING_WRITE_LIMIT: number = 4096;

const INPUT = "wasi:io/streams/input-stream";
const OUTPUT = "wasi:io/streams/output-stream";
const ERROR = "wasi:io/error/error";
const POLLABLE = "wasi:io/poll/pollable";

/** `stream-error`. */
const STREAM_ERROR: ValueType = variant({ "last-operation-failed": own(ERROR), closed: undefined });
const READ = [{ self: borrow(INPUT), len: u64 }, result(bytes, STREAM_ERROR)] as const;
const SKIP = [{ self: borrow(INPUT), len: u64 }, result(u64, STREAM_ERROR)] as const;
const WRITE = [{ self: borrow(OUTPUT), contents: bytes }, result(undefined, STREAM_ERROR)] as const;
const WRITE_ZEROES = [{ self: borrow(OUTPUT), len: u64 }, result(undefined, STREAM_ERROR)] as const;
const FLUSH = [{ self: borrow(OUTPUT) }, result(undefined, STREAM_ERROR)] as const;
const SPLICE = [{ self: borrow(OUTPUT), src: borrow(INPUT), len: u64 }, result(u64, STREAM_ERROR)] as const;

const INPUT_FUNCTIONS: Functions = {
  /** Reads the next bytes, without waiting. Source: `input-stream.read`: "may return a list of bytes less than `len` in size". */
  "[method]input-stream.read": define(READ, (host: Host, self: InputStream, len: bigint) => read(host, self, len)),

  /** Reads the next bytes, at least one. Source: `input-stream.blocking-read`. */
  "[method]input-stream.blocking-read": defineBlocking(READ, (host: Host, self: InputStream, len: bigint) =>
    whenReady(self.source, () => read(host, self, len)),
  ),

  /** Passes over the next bytes, without waiting. Source: `input-stream.skip`: "returns the number of bytes consumed from the stream". */
  "[method]input-stream.skip": define(SKIP, (host: Host, self: InputStream, len: bigint) =>
    BigInt(read(host, self, len).length),
  ),

  /** Passes over the next bytes, at least one. Source: `input-stream.blocking-skip`. */
  "[method]input-stream.blocking-skip": defineBlocking(SKIP, (host: Host, self: InputStream, len: bigint) =>
    whenReady(self.source, () => BigInt(read(host, self, len).length)),
  ),

  /** Makes a pollable for bytes, the end or a failure. Source: `input-stream.subscribe`: "a child resource of the input-stream". */
  "[method]input-stream.subscribe": define(
    [{ self: borrow(INPUT) }, own(POLLABLE)],
    (host: Host, self: InputStream) => new Pollable(host, self.source, self),
  ),
};

const OUTPUT_FUNCTIONS: Functions = {
  /** Permits a write. Source: `output-stream.check-write`: "returns the number of bytes permitted for the next call to `write`". */
  "[method]output-stream.check-write": define(
    [{ self: borrow(OUTPUT) }, result(u64, STREAM_ERROR)],
    (host: Host, self: OutputStream) => BigInt(checkWrite(host, self)),
  ),

  /** Writes bytes; traps when they are more than `check-write` permitted. Source: `output-stream.write`. */
  "[method]output-stream.write": define(WRITE, (host: Host, self: OutputStream, contents: Uint8Array) => {
    spend(host, self, BigInt(contents.length));
    write(host, self, contents);
  }),

  /** Writes up to 4096 bytes and flushes. Source: `output-stream.blocking-write-and-flush`. */
  "[method]output-stream.blocking-write-and-flush": defineBlocking(
    WRITE,
    (host: Host, self: OutputStream, contents: Uint8Array) => {
      limitBlockingWrite(host, BigInt(contents.length));
      return writeAll(host, self, contents);
    },
  ),

  /** Begins to flush. Source: `output-stream.flush`: "does not block". */
  "[method]output-stream.flush": define(FLUSH, (host: Host, self: OutputStream) => flush(host, self)),

  /** Flushes. Source: `output-stream.blocking-flush`. */
  "[method]output-stream.blocking-flush": defineBlocking(FLUSH, (host: Host, self: OutputStream) => {
    flush(host, self);
    return whenReady(self.sink, () => void checkWrite(host, self));
  }),

  /** Makes a pollable for a permit or a failure. Source: `output-stream.subscribe`. */
  "[method]output-stream.subscribe": define(
    [{ self: borrow(OUTPUT) }, own(POLLABLE)],
    (host: Host, self: OutputStream) => new Pollable(host, self.sink, self),
  ),

  /** Writes zeroes; traps when they are more than `check-write` permitted. Source: `output-stream.write-zeroes`. */
  "[method]output-stream.write-zeroes": define(WRITE_ZEROES, (host: Host, self: OutputStream, len: bigint) => {
    spend(host, self, len);
    host.chargeBytes(Number(len));
    write(host, self, new Uint8Array(Number(len)));
  }),

  /** Writes up to 4096 zeroes and flushes. Source: `output-stream.blocking-write-zeroes-and-flush`. */
  "[method]output-stream.blocking-write-zeroes-and-flush": defineBlocking(
    WRITE_ZEROES,
    (host: Host, self: OutputStream, len: bigint) => {
      limitBlockingWrite(host, len);
      host.chargeBytes(Number(len));
      return writeAll(host, self, new Uint8Array(Number(len)));
    },
  ),

  /** Moves bytes from an input stream to this one, without waiting. Source: `output-stream.splice`: `check-write`, then `read`, then `write`. */
  "[method]output-stream.splice": define(SPLICE, (host: Host, self: OutputStream, source: InputStream, len: bigint) =>
    splice(host, [self, source], len),
  ),

  /** Moves bytes once both streams are ready. Source: `output-stream.blocking-splice`. */
  "[method]output-stream.blocking-splice": defineBlocking(
    SPLICE,
    (host: Host, self: OutputStream, source: InputStream, len: bigint) =>
      whenReady(self.sink, () => whenReady(source.source, () => splice(host, [self, source], len))),
  ),
};

/** `wasi:io/streams`. */
export const STREAMS: WasiInterface = serve("wasi:io/streams", { ...INPUT_FUNCTIONS, ...OUTPUT_FUNCTIONS }, [
  "input-stream",
  "output-stream",
]);

/** `wasi:io/error`. */
export const IO_ERROR: WasiInterface = serve(
  "wasi:io/error",
  {
    /** Describes the error. Source: `error.to-debug-string`: "suitable to assist humans in debugging". */
    "[method]error.to-debug-string": define(
      [{ self: borrow(ERROR) }, string],
      (_: Host, { fault }: IoError) => fault.message,
    ),
  },
  ["error"],
);

/** Does something when an event has happened: at once when it has already. */
function whenReady<T>(event: Event, act: () => T | Promise<T>): T | Promise<T> {
  const wait = waitFor(event);
  return wait === undefined ? act() : wait.then(act);
}

function read(host: Host, stream: InputStream, len: bigint): Uint8Array {
  return attempt(host, stream, () => {
    if (len === 0n) return new Uint8Array();
    const piece = stream.source.read(len < BigInt(CHUNK_LIMIT) ? Number(len) : CHUNK_LIMIT);
    host.chargeBytes(piece.length);
    return piece;
  });
}

function checkWrite(host: Host, stream: OutputStream): number {
  return attempt(host, stream, () => {
    stream.permit = Math.min(stream.sink.capacity(), CHUNK_LIMIT);
    return stream.permit;
  });
}

function write(host: Host, stream: OutputStream, contents: Uint8Array): void {
  attempt(host, stream, () => stream.sink.write(contents));
}

function flush(host: Host, stream: OutputStream): void {
  attempt(host, stream, () => stream.sink.flush());
  stream.permit = 0;
}

/** Writes bytes as they find room, and flushes. */
function writeAll(host: Host, stream: OutputStream, contents: Uint8Array): void | Promise<void> {
  const capacity = checkWrite(host, stream);
  if (capacity >= contents.length) {
    write(host, stream, contents);
    flush(host, stream);
    return whenReady(stream.sink, () => void checkWrite(host, stream));
  }
  // Copied: the guest's memory may move while it is suspended.
  const rest = contents.slice(capacity);
  if (capacity > 0) write(host, stream, contents.subarray(0, capacity));
  return whenReady(stream.sink, () => writeAll(host, stream, rest));
}

function splice(host: Host, [output, input]: readonly [OutputStream, InputStream], len: bigint): bigint {
  const room = checkWrite(host, output);
  const moved = read(host, input, len < BigInt(room) ? len : BigInt(room));
  if (moved.length > 0) write(host, output, moved);
  output.permit = 0;
  return BigInt(moved.length);
}

/** Does something with a stream, and tells the guest what went wrong in its own terms. */
function attempt<T>(host: Host, stream: InputStream | OutputStream, act: () => T): T {
  if (stream.isClosed) throw new ResultError({ tag: "closed" });
  try {
    return act();
  } catch (error) {
    stream.isClosed = error instanceof StreamEnd || error instanceof StreamFault;
    if (error instanceof StreamEnd) throw new ResultError({ tag: "closed" });
    if (error instanceof StreamFault)
      throw new ResultError({ tag: "last-operation-failed", value: new IoError(host, error) });
    throw error;
  }
}

function spend(host: Host, stream: OutputStream, count: bigint): void {
  const { permit } = stream;
  if (count > BigInt(permit)) host.context.trap(`it wrote ${count} bytes where check-write permitted ${permit}`);
  stream.permit = permit - Number(count);
}

function limitBlockingWrite(host: Host, count: bigint): void {
  if (count <= BigInt(BLOCKING_WRITE_LIMIT)) return;
  host.context.trap(`it wrote ${count} bytes in one blocking write, the limit is ${BLOCKING_WRITE_LIMIT}`);
}
