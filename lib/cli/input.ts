/**
 * The input of a call: from the command line, a file or standard input; JSON text, bounded while it is read.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { refuse } from "../errors.ts";
import { fileFailure } from "../registry/files.ts";
import { parseJson } from "../schema/json.ts";
import type { Host } from "./host.ts";
import type { Session } from "./session.ts";

/** Milliseconds that piped input gets to show itself. */
const PEEK_MS = 50;

/** Where the input is. Both undefined: the input is `{}`. */
export interface InputFlags {
  /** The JSON text itself. */
  readonly text: string | undefined;
  /** A path, or `-` for standard input. */
  readonly file: string | undefined;
}

/**
 * Reads the input of a call.
 *
 * @param session - Standard input and the signal that ends the reading.
 * @param flags - At most one of them given.
 * @param limitBytes - Most bytes of UTF-8.
 * @returns JSON text, without byte order mark.
 * @throws {Failure} USAGE when both are given, INPUT_TOO_LARGE, INPUT_NOT_JSON, FILE_NOT_FOUND, FILE_UNREADABLE.
 */
export async function readInput(session: Session, flags: InputFlags, limitBytes: number): Promise<string> {
  if (flags.text !== undefined && flags.file !== undefined) {
    const problem = "Cannot use --input and --input-file at once";
    throw refuse("USAGE", { problem, hint: "give one of them, or none for the input {}" });
  }
  if (flags.file !== undefined) return readInputFile(session, flags.file, limitBytes);
  const text = flags.text ?? "{}";
  const bytes = Buffer.byteLength(text);
  if (bytes > limitBytes) throw refuse("INPUT_TOO_LARGE", { bytes, limitBytes });
  return checked(text, "--input");
}

/**
 * Looks whether something has been piped in, for a hint. Waits for it for an instant only: a pipe that nobody writes to may stay open.
 */
export async function hasPipedInput(host: Host): Promise<boolean> {
  if (host.stdinIsTerminal) return false;
  const stream = host.stdin();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), PEEK_MS);
  stream.once("data", () => resolve(true));
  stream.once("end", () => resolve(false));
  stream.once("error", () => resolve(false));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    stream.pause();
  }
}

async function readInputFile(session: Session, path: string, limitBytes: number): Promise<string> {
  const isStdin = path === "-";
  if (isStdin && session.host.stdinIsTerminal) {
    await session.note("reading the input from the terminal: end it with Ctrl-D");
  }
  const bytes = isStdin
    ? await collect(session, session.host.stdin(), limitBytes)
    : await collectFile(session, path, limitBytes);
  const source = isStdin ? "standard input" : path;
  try {
    return checked(new TextDecoder("utf-8", { fatal: true }).decode(bytes), source);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw refuse("INPUT_NOT_JSON", { source, problem: "it is not UTF-8 text" }, error);
  }
}

async function collectFile(session: Session, path: string, limitBytes: number): Promise<Uint8Array> {
  try {
    // Process substitution gives a FIFO, which is read like standard input; for a file the exact size makes the better message.
    const status = await stat(path);
    if (status.isFile() && status.size > limitBytes)
      throw refuse("INPUT_TOO_LARGE", { bytes: status.size, limitBytes });
    if (status.isDirectory()) throw refuse("FILE_UNREADABLE", { path, reason: "it is a directory" });
  } catch (error) {
    throw fileFailure(error, path);
  }
  try {
    return await collect(session, createReadStream(path), limitBytes);
  } catch (error) {
    throw fileFailure(error, path);
  }
}

async function collect(session: Session, source: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Uint8Array> {
  const read = async (): Promise<Uint8Array> => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of source) {
      length += chunk.byteLength;
      if (length > limitBytes) throw refuse("INPUT_TOO_LARGE", { bytes: undefined, limitBytes });
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  };
  return session.end.interruptible(read());
}

function checked(text: string, source: string): string {
  parseJson(text, source);
  return text;
}
