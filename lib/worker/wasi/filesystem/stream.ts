/**
 * The streams of open files: always ready, for the system has no other way to read and write files. The guest's side of the trust boundary.
 *
 * Source: wasi:filesystem 0.2, wit/types.wit, `read-via-stream`, `write-via-stream`, `append-via-stream`.
 */
import { appendContent, readContent, WRITE_LIMIT_BYTES, writeContent } from "../../files/content.ts";
import { FileError } from "../../files/error.ts";
import type { OpenFile } from "../../files/open-file.ts";
import { READY } from "../poll.ts";
import { type Sink, type Source, StreamEnd, StreamFault } from "../streams.ts";

/** Makes a stream of what a file holds. Several have their own positions. @param offset - Where it begins. */
export function makeSource(file: OpenFile, offset: bigint): Source {
  file.requireFile("canRead");
  file.retain();
  let position = offset;
  return {
    ...READY,
    read: (limit) => {
      const piece = guard("read", () => readContent(file, limit, position));
      if (piece.length === 0) throw new StreamEnd();
      position += BigInt(piece.length);
      return piece;
    },
    close: () => file.release(),
  };
}

/** Makes a stream that writes over what a file holds, and beyond it. @param offset - Where it begins. */
export function makeSink(file: OpenFile, offset: bigint): Sink {
  let position = offset;
  return makeWriter(file, (piece) => {
    const count = writeContent(file, piece, position);
    position += BigInt(count);
    return count;
  });
}

/** Makes a stream that writes to the end of a file, wherever that is by then. */
export function makeAppender(file: OpenFile): Sink {
  return makeWriter(file, (piece) => appendContent(file, piece));
}

function makeWriter(file: OpenFile, write: (piece: Uint8Array) => number): Sink {
  file.requireFile("canWrite");
  file.retain();
  return {
    ...READY,
    capacity: () => WRITE_LIMIT_BYTES,
    write: (piece) => {
      for (let rest = piece; rest.length > 0;) {
        rest = rest.subarray(guard("write", () => write(rest)));
      }
    },
    // What was written is in the file already. That it is on the disk is a matter of `sync`.
    flush: () => undefined,
    close: () => file.release(),
  };
}

function guard<T>(verb: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new StreamFault(`cannot ${verb} the file: ${error.code}`, { filesystem: error.code });
  }
}
