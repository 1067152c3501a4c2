/**
 * Lists a directory on macOS. The guest's side of the trust boundary.
 *
 * Source: readdir(3), sys/dirent.h with 64-bit inodes.
 */
import { type Pointer, toArrayBuffer } from "bun:ffi";
import { decodeName } from "./memory.ts";
import { type ListedName, type Listing, typeOfEntry } from "./system.ts";

const NAMES_AT_ONCE = 256;
const NAME_LENGTH_OFFSET = 18;
const TYPE_OFFSET = 20;
const NAME_OFFSET = 21;

/** A directory of macOS, being listed. */
export class DarwinListing implements Listing {
  readonly #read: () => Pointer | bigint | null;
  readonly #close: () => void;
  #isClosed = false;

  /** @param read - Gives the address of the next entry, null at the end. */
  constructor(read: () => Pointer | bigint | null, close: () => void) {
    this.#read = read;
    this.#close = close;
  }

  next(): readonly ListedName[] {
    const names: ListedName[] = [];
    while (names.length < NAMES_AT_ONCE) {
      const entry = this.#read();
      if (entry === null) break;
      const head = new DataView(toArrayBuffer(entry, 0, NAME_OFFSET));
      const length = head.getUint16(NAME_LENGTH_OFFSET, true);
      const name = decodeName(new Uint8Array(toArrayBuffer(entry, NAME_OFFSET, length)));
      if (name === "." || name === "..") continue;
      names.push({ name, type: typeOfEntry(head.getUint8(TYPE_OFFSET)) });
    }
    return names;
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#close();
  }
}
