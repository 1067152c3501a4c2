/**
 * Methods of `descriptor` about what files hold. The guest's side of the trust boundary.
 *
 * Source: wasi:filesystem 0.2, wit/types.wit; each function names its clause.
 */
import { define, defineBlocking } from "../../../component/link/host.ts";
import { bool, bytes, own, tuple, u64 } from "../../../schema/value-type.ts";
import {
  adviseContent,
  flushContent,
  READ_LIMIT_BYTES,
  readContent,
  resizeContent,
  writeContent,
} from "../../files/content.ts";
import { FileError } from "../../files/error.ts";
import type { Advice } from "../../files/system.ts";
import type { Functions, Host } from "../host.ts";
import { InputStream, OutputStream } from "../streams.ts";
import { attempt, type Descriptor, outcome } from "./descriptor.ts";
import { ADVICE, orError, SELF } from "./shape.ts";
import { makeAppender, makeSink, makeSource } from "./stream.ts";

const INPUT = own("wasi:io/streams/input-stream");
const OUTPUT = own("wasi:io/streams/output-stream");
/** Source: POSIX.1-2024, `off_t`. */
const OFFSET_END = 2n ** 63n;

export const DATA_FUNCTIONS: Functions = {
  /** Makes a stream that reads. Source: `read-via-stream`: "Multiple read, write, and append streams may be active on the same open file". */
  "[method]descriptor.read-via-stream": define(
    [{ ...SELF, offset: u64 }, orError(INPUT)],
    (host: Host, self: Descriptor, offset: bigint) =>
      attempt(self, () => new InputStream(host, makeSource(self.file, offset))),
  ),

  /** Makes a stream that writes. Source: `write-via-stream`: "May fail with an error-code describing why the file cannot be written". */
  "[method]descriptor.write-via-stream": define(
    [{ ...SELF, offset: u64 }, orError(OUTPUT)],
    (host: Host, self: Descriptor, offset: bigint) =>
      attempt(self, () => new OutputStream(host, makeSink(self.file, offset))),
  ),

  /** Makes a stream that appends. Source: `append-via-stream`: "similar to `O_APPEND` in POSIX". */
  "[method]descriptor.append-via-stream": define([SELF, orError(OUTPUT)], (host: Host, self: Descriptor) =>
    attempt(self, () => new OutputStream(host, makeAppender(self.file))),
  ),

  /** Tells how the file will be used. Source: `advise`: "similar to `posix_fadvise` in POSIX". */
  "[method]descriptor.advise": define(
    [{ ...SELF, offset: u64, length: u64, advice: ADVICE }, orError()],
    (_: Host, self: Descriptor, ...[offset, length, advice]: readonly [bigint, bigint, Advice]) =>
      attempt(self, () => advise(self, [offset, length], advice)),
  ),

  /** Waits until the file's bytes are on the disk. Source: `sync-data`: "similar to `fdatasync` in POSIX". */
  "[method]descriptor.sync-data": defineBlocking([SELF, orError()], (_: Host, self: Descriptor) => flush(self, "data")),

  /** Waits until the file's bytes and times are on the disk. Source: `sync`: "similar to `fsync` in POSIX". */
  "[method]descriptor.sync": defineBlocking([SELF, orError()], (_: Host, self: Descriptor) => flush(self, "all")),

  /** Makes the file longer, with zeroes, or shorter. Source: `set-size`: "similar to `ftruncate` in POSIX". */
  "[method]descriptor.set-size": define(
    [{ ...SELF, size: u64 }, orError()],
    (_: Host, self: Descriptor, size: bigint) => attempt(self, () => resizeContent(self.file, size)),
  ),

  /**
   * Reads at an offset, at most 64 KiB.
   *
   * Source: `read`: "along with a bool which, when true, indicates that the end of the file was reached".
   */
  "[method]descriptor.read": define(
    [{ ...SELF, length: u64, offset: u64 }, orError(tuple(bytes, bool))],
    (host: Host, self: Descriptor, ...[length, offset]: readonly [bigint, bigint]) =>
      attempt(self, () => read(host, self, [length, offset])),
  ),

  /** Writes at an offset, at most 64 KiB. Source: `write`: "It is valid to write past the end of a file". */
  "[method]descriptor.write": define(
    [{ ...SELF, buffer: bytes, offset: u64 }, orError(u64)],
    (host: Host, self: Descriptor, ...[buffer, offset]: readonly [Uint8Array, bigint]) => {
      host.chargeBytes(Math.min(buffer.length, READ_LIMIT_BYTES));
      return attempt(self, () => BigInt(writeContent(self.file, buffer, offset)));
    },
  ),
};

function read(host: Host, self: Descriptor, [length, offset]: readonly [bigint, bigint]): [Uint8Array, boolean] {
  const limit = length < BigInt(READ_LIMIT_BYTES) ? Number(length) : READ_LIMIT_BYTES;
  const piece = readContent(self.file, limit, offset);
  host.chargeBytes(piece.length);
  return [piece, piece.length < limit];
}

function advise(self: Descriptor, [offset, length]: readonly [bigint, bigint], advice: Advice): void {
  if (offset >= OFFSET_END || length >= OFFSET_END) throw new FileError("invalid");
  adviseContent(self.file, { offset: Number(offset), length: Number(length), advice });
}

async function flush(self: Descriptor, part: "data" | "all"): Promise<void> {
  try {
    await flushContent(self.file, part);
  } catch (error) {
    throw outcome(self, error);
  }
}
