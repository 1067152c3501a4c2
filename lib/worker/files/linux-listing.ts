/**
 * Lists a directory on Linux. The guest's side of the trust boundary.
 *
 * Source: getdents64(2), struct linux_dirent64.
 */
import { closeDescriptor } from "./close.ts";
import { decodeName } from "./memory.ts";
import { type ListedName, type Listing, typeOfEntry } from "./system.ts";

/** Bytes that are asked for at once: some hundred names. */
const PIECE_BYTES = 16_384;
const LENGTH_OFFSET = 16;
const TYPE_OFFSET = 18;
const NAME_OFFSET = 19;

/** A directory of Linux, being listed. */
export class LinuxListing implements Listing {
  readonly #fd: number;
  readonly #read: (buffer: Uint8Array) => number;
  readonly #buffer = new Uint8Array(PIECE_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);
  #isClosed = false;

  /** @param read - Fills a buffer with entries; gives the number of bytes. */
  constructor(fd: number, read: (buffer: Uint8Array) => number) {
    this.#fd = fd;
    this.#read = read;
  }

  next(): readonly ListedName[] {
    for (;;) {
      const length = this.#read(this.#buffer);
      if (length === 0) return [];
      const names = this.#parse(length);
      if (names.length > 0) return names;
    }
  }

  #parse(length: number): ListedName[] {
    const names: ListedName[] = [];
    for (let offset = 0; offset < length; offset += this.#view.getUint16(offset + LENGTH_OFFSET, true)) {
      const start = offset + NAME_OFFSET;
      const name = decodeName(this.#buffer.subarray(start, this.#buffer.indexOf(0, start)));
      if (name === "." || name === "..") continue;
      names.push({ name, type: typeOfEntry(this.#view.getUint8(offset + TYPE_OFFSET)) });
    }
    return names;
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeDescriptor(this.#fd);
  }
}
