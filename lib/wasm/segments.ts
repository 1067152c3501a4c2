/**
 * Element and data segments of a rewritten module.
 *
 * Source: WebAssembly 3.0, 5.5.12 Element Section, 5.5.14 Data Section.
 */
import { PIECE_BYTES } from "./bulk.ts";
import { copyConstant } from "./constants.ts";
import { mapFunction, requireMemory } from "./indices.ts";
import { checkLimit } from "./limits.ts";
import { Reader } from "./reader.ts";
import { copyCount, copyExpression, type Rewrite } from "./rewrite.ts";
import { readValueType } from "./types.ts";
import { Writer } from "./writer.ts";

/** Passive, or declarative: without a place. */
const HAS_NO_PLACE = 1;
/** With a table's index, or declarative when it has no place. */
const HAS_INDEX = 2;
const HAS_EXPRESSIONS = 4;
const PASSIVE_DATA = 1;

/** Copies the element section. @throws {Failure} COMPONENT_INVALID, COMPONENT_LIMIT, and what an expression throws. */
export function copyElements(rewrite: Rewrite, reader: Reader): void {
  const { out } = rewrite;
  const count = copyCount(rewrite, reader);
  checkLimit("elementSegments", count, "the number of element segments");
  let elements = 0;
  for (let segment = 0; segment < count; segment++) {
    const flags = reader.u32();
    if (flags > 7) throw reader.malformed(`element segment flags ${flags}`);
    out.u32(flags);
    const isActive = (flags & HAS_NO_PLACE) === 0;
    if (isActive && (flags & HAS_INDEX) !== 0) out.u32(reader.u32());
    if (isActive) copyExpression(rewrite, reader);
    if ((flags & (HAS_NO_PLACE | HAS_INDEX)) !== 0) copyElementType(rewrite, reader);
    elements += copyItems(rewrite, reader, (flags & HAS_EXPRESSIONS) !== 0);
    checkLimit("elements", elements, "the number of elements of all segments");
  }
}

function copyItems(rewrite: Rewrite, reader: Reader, areExpressions: boolean): number {
  const items = copyCount(rewrite, reader);
  checkLimit("segmentElements", items, "the number of elements of a segment");
  for (let item = 0; item < items; item++) {
    if (areExpressions) copyExpression(rewrite, reader);
    else rewrite.out.u32(mapFunction(rewrite.indices, reader.u32()));
  }
  return items;
}

function copyElementType(rewrite: Rewrite, reader: Reader): void {
  const start = reader.pos;
  readValueType(reader);
  rewrite.out.copyRange(reader.bytes, start, reader.pos);
}

/** Copies the data section. @throws {Failure} COMPONENT_INVALID, COMPONENT_LIMIT, and what an expression throws. */
export function copyData(rewrite: Rewrite, reader: Reader): void {
  const { out } = rewrite;
  const count = copyCount(rewrite, reader);
  checkLimit("dataSegments", count, "the number of data segments");
  for (let segment = 0; segment < count; segment++) {
    const start = reader.pos;
    const flags = readDataFlags(rewrite, reader);
    out.copyRange(reader.bytes, start, reader.pos);
    if (flags !== PASSIVE_DATA) copyExpression(rewrite, reader);
    const content = reader.pos;
    reader.skip(reader.u32());
    out.copyRange(reader.bytes, content, reader.pos);
  }
}

/** Reads a segment's flags, and the memory's index where there is one. */
function readDataFlags({ indices }: Rewrite, reader: Reader): number {
  const flags = reader.u32();
  if (flags > 2) throw reader.malformed(`data segment flags ${flags}`);
  const index = flags === 2 ? reader.u32() : 0;
  if (flags !== PASSIVE_DATA) requireMemory(indices, index);
  return flags;
}

/** Finds the data segments that are longer than a bulk operation does at once, before the code is written. */
export function findLargeData(rewrite: Rewrite, section: Reader | undefined): ReadonlySet<number> {
  const large = new Set<number>();
  if (section === undefined) return large;
  const reader = new Reader(section.bytes, section.pos, section.end);
  const nowhere = { ...rewrite.constants, out: new Writer(64) };
  const count = reader.u32();
  checkLimit("dataSegments", count, "the number of data segments");
  for (let segment = 0; segment < count; segment++) {
    if (readDataFlags(rewrite, reader) !== PASSIVE_DATA) copyConstant(nowhere, reader);
    nowhere.out.length = 0;
    const size = reader.u32();
    reader.skip(size);
    if (size > PIECE_BYTES) large.add(segment);
  }
  return large;
}
