/**
 * Writes ZIP archives: the same files give the same bytes, on every machine and at every time. Pure.
 *
 * Source: PKWARE APPNOTE 6.3.10.
 */
import { crc32, deflateRawSync } from "node:zlib";
import { FLAG, METHOD, RECORD_BYTES, SIGNATURE, type ZipFile } from "./format.ts";

const VERSION = 20;
/** 1980-01-01 00:00, the first time that the format can say. */
const DATE = 0x0021;
/** A regular file that everybody may read, made on Unix. */
const MADE_BY = (3 << 8) | VERSION;
const ATTRIBUTES = 0o100_644 * 0x1_0000;
const LEVEL = 9;

/**
 * Writes an archive.
 *
 * @param files - Names have to be different. Their order does not matter: they are written by name.
 */
export function writeZip(files: readonly ZipFile[]): Uint8Array<ArrayBuffer> {
  const sorted = files.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const file of sorted) {
    const entry = packEntry(file);
    const local = localRecord(entry);
    directory.push(centralRecord(entry, offset));
    parts.push(local, entry.packed);
    offset += local.length + entry.packed.length;
  }
  const central = Buffer.concat(directory);
  return new Uint8Array(Buffer.concat([...parts, central, endRecord(sorted.length, { size: central.length, offset })]));
}

interface Entry {
  readonly name: Uint8Array;
  readonly method: number;
  readonly crc: number;
  readonly packed: Uint8Array;
  readonly size: number;
}

function packEntry({ name, bytes }: ZipFile): Entry {
  const deflated = deflateRawSync(bytes, { level: LEVEL });
  const isSmaller = deflated.length < bytes.length;
  return {
    name: new TextEncoder().encode(name),
    method: isSmaller ? METHOD.deflated : METHOD.stored,
    crc: crc32(bytes),
    packed: isSmaller ? deflated : bytes,
    size: bytes.length,
  };
}

function localRecord(entry: Entry): Uint8Array {
  const record = Buffer.alloc(RECORD_BYTES.local);
  record.writeUInt32LE(SIGNATURE.local, 0);
  record.writeUInt16LE(VERSION, 4);
  writeShared(record, 6, entry);
  return Buffer.concat([record, entry.name]);
}

function centralRecord(entry: Entry, offset: number): Uint8Array {
  const record = Buffer.alloc(RECORD_BYTES.central);
  record.writeUInt32LE(SIGNATURE.central, 0);
  record.writeUInt16LE(MADE_BY, 4);
  record.writeUInt16LE(VERSION, 6);
  writeShared(record, 8, entry);
  record.writeUInt32LE(ATTRIBUTES, 38);
  record.writeUInt32LE(offset, 42);
  return Buffer.concat([record, entry.name]);
}

/** What both records say of an entry, from its flags to the length of its name. */
function writeShared(record: Buffer, at: number, { name, method, crc, packed, size }: Entry): void {
  record.writeUInt16LE(FLAG.utf8, at);
  record.writeUInt16LE(method, at + 2);
  record.writeUInt16LE(0, at + 4);
  record.writeUInt16LE(DATE, at + 6);
  record.writeUInt32LE(crc, at + 8);
  record.writeUInt32LE(packed.length, at + 12);
  record.writeUInt32LE(size, at + 16);
  record.writeUInt16LE(name.length, at + 20);
}

function endRecord(count: number, central: { readonly size: number; readonly offset: number }): Uint8Array {
  const record = Buffer.alloc(RECORD_BYTES.end);
  record.writeUInt32LE(SIGNATURE.end, 0);
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(central.size, 12);
  record.writeUInt32LE(central.offset, 16);
  return record;
}
