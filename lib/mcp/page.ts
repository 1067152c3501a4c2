/**
 * Lists in pages. A cursor says behind which entry a page begins, in the list's own order: none is missed or told twice when others come and go between
 * two pages.
 *
 * Source: MCP 2026-07-28, "Utilities / Pagination".
 */
import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { quote } from "../errors.ts";

/** Entries of one page. */
export const PAGE_SIZE = 200;

/** Most code units of a cursor. */
const CURSOR_LIMIT = 4000;

/** One page. */
export interface Page<T> {
  readonly entries: readonly T[];
  /** For the next one; undefined on the last. */
  readonly nextCursor: string | undefined;
}

/** What is listed. */
export interface Listing<T> {
  readonly entries: readonly T[];
  /** By which entries are ordered; each has its own. */
  readonly keyOf: (entry: T) => string;
  /** In front of every cursor, so that one of another kind of list is known for what it is. */
  readonly mark: string;
}

/**
 * Takes a page.
 *
 * @param cursor - From the page before; undefined for the first one.
 * @throws {ProtocolError} -32602 for a cursor that is none.
 */
export function takePage<T>({ entries, keyOf, mark }: Listing<T>, cursor: string | undefined): Page<T> {
  const all = entries.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const after = cursor === undefined ? undefined : readCursor(cursor, mark);
  const start = after === undefined ? 0 : all.findIndex((entry) => keyOf(entry) > after);
  const page = start === -1 ? [] : all.slice(start, start + PAGE_SIZE);
  const last = page.at(-1);
  const hasMore = last !== undefined && last !== all.at(-1);
  return { entries: page, nextCursor: hasMore ? writeCursor(keyOf(last), mark) : undefined };
}

function writeCursor(key: string, mark: string): string {
  return `${mark}.${Buffer.from(key).toString("base64url")}`;
}

function readCursor(cursor: string, mark: string): string {
  const isMarked = cursor.length <= CURSOR_LIMIT && cursor.startsWith(`${mark}.`);
  const key = isMarked ? Buffer.from(cursor.slice(mark.length + 1), "base64url").toString() : "";
  if (key !== "" && writeCursor(key, mark) === cursor) return key;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown cursor: ${quote(cursor)}`);
}
