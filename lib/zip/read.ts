/**
 * Reads ZIP archives from anybody, in memory: nothing is ever written under a name that an archive chose. Strict: two readers that disagree
 * about what is in an archive are an attack, so whatever could be read in two ways is refused. Pure; untrusted input.
 *
 * Refused: names that are not plain relative paths, that come twice, or that differ in case alone; links and devices; encryption; gaps,
 * overlaps, comments and bytes around the archive; local records that say something else than the directory; entries that are larger
 * than they say, and more of everything than the limits allow.
 *
 * Source: PKWARE APPNOTE 6.3.10, §4.3 to §4.5.
 */
import { crc32, inflateRawSync } from "node:zlib";
import { refuse } from "../errors.ts";
import { FLAG, METHOD, RECORD_BYTES, SIGNATURE, type ZipFile } from "./format.ts";

/** The most that an archive may have. */
export interface ZipLimits {
  readonly entries: number;
  /** Bytes of all files together, unpacked. */
  readonly totalBytes: number;
}

const NAME_BYTES = 1024;
const TYPE_MASK = 0o170_000;
const REGULAR = 0o100_000;
const DIRECTORY = 0o040_000;

interface Entry {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly offset: number;
  /** Unix file type and permissions; 0 where the maker does not say. */
  readonly mode: number;
}

/**
 * Reads all files of an archive.
 *
 * @param archive - All of its bytes.
 * @param path - What messages call it.
 * @param limits - The most that it may have.
 * @returns Its files, in the archive's order; directories are left out.
 * @throws {Failure} `ZIP_REFUSED`
 */
export function readZip(archive: Uint8Array, path: string, limits: ZipLimits): readonly ZipFile[] {
  const fail: Fail = (reason) => {
    throw refuse("ZIP_REFUSED", { path, reason });
  };
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const { entries, start } = readDirectory(bytes, limits, fail);
  checkNames(entries, fail);
  const total = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  if (total > limits.totalBytes) fail(`its files have ${total} bytes together, the limit is ${limits.totalBytes}`);
  const files: ZipFile[] = [];
  let offset = 0;
  for (const entry of entries.toSorted((left, right) => left.offset - right.offset)) {
    if (entry.offset !== offset) fail(`${shown(entry)} does not follow the entry before it`);
    const packed = checkLocal(bytes.subarray(0, start), entry, fail);
    offset = packed.end;
    if (!entry.name.endsWith("/")) files.push({ name: entry.name, bytes: unpack(packed.bytes, entry, fail) });
  }
  if (offset !== start) fail("there are bytes between its files and its directory");
  return files;
}

type Fail = (reason: string) => never;

interface Directory {
  readonly entries: readonly Entry[];
  /** Where it begins: the files end there. */
  readonly start: number;
}

function readDirectory(bytes: Buffer, limits: ZipLimits, fail: Fail): Directory {
  const end = bytes.length - RECORD_BYTES.end;
  if (end < 0 || bytes.readUInt32LE(end) !== SIGNATURE.end) return fail("it does not end like a ZIP archive");
  const count = bytes.readUInt16LE(end + 10);
  const [size, start] = [bytes.readUInt32LE(end + 12), bytes.readUInt32LE(end + 16)];
  if (bytes.readUInt32LE(end + 4) !== 0 || bytes.readUInt16LE(end + 8) !== count) fail("it has several parts");
  if (bytes.readUInt16LE(end + 20) !== 0) fail("it has a comment");
  if (count > limits.entries) fail(`it has ${count} entries, the limit is ${limits.entries}`);
  if (start + size !== end) fail("its directory is not where it says");
  const entries: Entry[] = [];
  let at = start;
  for (let left = count; left > 0; left -= 1) {
    if (at + RECORD_BYTES.central > end || bytes.readUInt32LE(at) !== SIGNATURE.central)
      fail("its directory is broken");
    const nameLength = bytes.readUInt16LE(at + 28);
    const next = at + RECORD_BYTES.central + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
    if (next > end) fail("its directory is broken");
    entries.push(readEntry(bytes, at, fail));
    at = next;
  }
  if (at !== end) fail("its directory has more entries than it says");
  return { entries, start };
}

function readEntry(bytes: Buffer, at: number, fail: Fail): Entry {
  const nameBytes = bytes.subarray(at + RECORD_BYTES.central, at + RECORD_BYTES.central + bytes.readUInt16LE(at + 28));
  const entry = {
    name: decodeName(nameBytes, fail),
    nameBytes,
    flags: bytes.readUInt16LE(at + 8),
    method: bytes.readUInt16LE(at + 10),
    crc: bytes.readUInt32LE(at + 16),
    packedBytes: bytes.readUInt32LE(at + 20),
    bytes: bytes.readUInt32LE(at + 24),
    offset: bytes.readUInt32LE(at + 42),
    mode: bytes.readUInt32LE(at + 38) >>> 16,
  };
  checkEntry(entry, fail);
  return entry;
}

function decodeName(bytes: Uint8Array, fail: Fail): string {
  if (bytes.length > NAME_BYTES) fail(`a name in it has ${bytes.length} bytes, the limit is ${NAME_BYTES}`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail("a name in it is not UTF-8");
  }
}

function checkEntry(entry: Entry, fail: Fail): void {
  const segments = entry.name.replace(/\/$/, "").split("/");
  const isPlain = segments.every((segment) => !["", ".", ".."].includes(segment));
  if (!isPlain || /[\\:\p{Cc}]/u.test(entry.name)) fail(`${shown(entry)} is not a plain relative path`);
  const type = entry.mode & TYPE_MASK;
  const wanted = entry.name.endsWith("/") ? DIRECTORY : REGULAR;
  if (type !== 0 && type !== wanted) fail(`${shown(entry)} is not a regular file: no links or devices`);
  if (entry.name.endsWith("/") && entry.bytes !== 0) fail(`${shown(entry)} is a directory with content`);
  if ((entry.flags & FLAG.encrypted) !== 0) fail(`${shown(entry)} is encrypted`);
  if ((entry.flags & FLAG.descriptor) !== 0) fail(`${shown(entry)} has its size behind it`);
  if (entry.method !== METHOD.stored && entry.method !== METHOD.deflated)
    fail(`${shown(entry)} is compressed by method ${entry.method}`);
  if (entry.method === METHOD.stored && entry.bytes !== entry.packedBytes) fail(`${shown(entry)} has two sizes`);
}

/** On some file systems, names that differ in case or in how accents are written are the same file. */
function checkNames(entries: readonly Entry[], fail: Fail): void {
  const seen = new Map<string, string>();
  for (const { name } of entries) {
    const folded = name.replace(/\/$/, "").normalize("NFKC").toLowerCase();
    const other = seen.get(folded);
    if (other !== undefined) fail(other === name ? `"${name}" is there twice` : `"${other}" and "${name}" collide`);
    seen.set(folded, name);
  }
}

interface Packed {
  readonly bytes: Uint8Array;
  readonly end: number;
}

/** The record before a file's bytes must say what the directory says. */
function checkLocal(bytes: Buffer, entry: Entry, fail: Fail): Packed {
  const at = entry.offset;
  const isThere = at + RECORD_BYTES.local <= bytes.length && bytes.readUInt32LE(at) === SIGNATURE.local;
  if (!isThere) fail(`${shown(entry)} is not where the directory says`);
  const nameStart = at + RECORD_BYTES.local;
  const nameEnd = nameStart + bytes.readUInt16LE(at + 26);
  const isSame =
    Buffer.compare(bytes.subarray(nameStart, nameEnd), entry.nameBytes) === 0 &&
    bytes.readUInt16LE(at + 6) === entry.flags &&
    bytes.readUInt16LE(at + 8) === entry.method &&
    bytes.readUInt32LE(at + 14) === entry.crc &&
    bytes.readUInt32LE(at + 18) === entry.packedBytes &&
    bytes.readUInt32LE(at + 22) === entry.bytes;
  if (!isSame) fail(`${shown(entry)} is described in two ways`);
  const start = nameEnd + bytes.readUInt16LE(at + 28);
  const end = start + entry.packedBytes;
  if (end > bytes.length) fail(`${shown(entry)} is cut off`);
  return { bytes: bytes.subarray(start, end), end };
}

/** What unpacks to more than it says ends there: the memory it takes is bounded by what the limits let it say. */
function unpack(packed: Uint8Array, entry: Entry, fail: Fail): Uint8Array<ArrayBuffer> {
  const bytes = entry.method === METHOD.stored ? new Uint8Array(packed) : inflate(packed, entry, fail);
  if (bytes.length !== entry.bytes) fail(`${shown(entry)} has another size than it says`);
  if (crc32(bytes) !== entry.crc) fail(`${shown(entry)} is damaged`);
  return bytes;
}

function inflate(packed: Uint8Array, entry: Entry, fail: Fail): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.bytes) }));
  } catch {
    return fail(`${shown(entry)} cannot be unpacked to the size that it says`);
  }
}

function shown({ name }: Pick<Entry, "name">): string {
  return `"${name.slice(0, 100)}"`;
}
