/**
 * Rewrites a core module section by section: indices move, KAMI's types, imports and helpers are added, memories become imports.
 *
 * Source: WebAssembly 3.0, 5.5 Modules.
 */
import { refuse } from "../errors.ts";
import { writeCode, writeFunctions } from "./functions.ts";
import { additionsFor, countersFor } from "./helpers.ts";
import { type IndexMap, mapFunction, requireGlobal, requireMemory } from "./indices.ts";
import { METER_EXPORTS, METER_MODULE, readLimits, SectionId } from "./layout.ts";
import { checkLimit } from "./limits.ts";
import { Op } from "./opcodes.ts";
import type { Reader } from "./reader.ts";
import { copyCount, copyExpression, copyRest, type Rewrite } from "./rewrite.ts";
import { copyData, copyElements } from "./segments.ts";
import { SIGNAL_MEMORY } from "./signal.ts";
import { readValueType } from "./types.ts";
import { type Writer, writeNumber, writeSized } from "./writer.ts";

type SectionWriter = (rewrite: Rewrite, reader: Reader | undefined) => void;

const FUNCTION = 0;
const MEMORY = 2;
const GLOBAL = 3;
const I32 = 0x7f;
const MUTABLE = 1;
const SHARED_WITH_MAXIMUM = 0x03;

const WRITERS = new Map<number, SectionWriter>([
  [SectionId.type, writeTypes],
  [SectionId.import, writeImports],
  [SectionId.function, writeFunctions],
  [SectionId.table, present(copyTables)],
  [SectionId.memory, () => undefined],
  [SectionId.global, copyGlobals],
  [SectionId.export, copyExports],
  [SectionId.start, () => undefined],
  [SectionId.element, present(copyElements)],
  [SectionId.code, present(writeCode)],
  [SectionId.data, present(copyData)],
]);

/**
 * Writes one section of the rewritten module, or nothing when it has none.
 *
 * @param reader - The original section's content, when the module has it.
 * @throws {Failure} INSTRUCTION_UNKNOWN, COMPONENT_INVALID, COMPONENT_UNSUPPORTED, COMPONENT_LIMIT
 */
export function writeSection(rewrite: Rewrite, id: number, reader: Reader | undefined): void {
  const write = WRITERS.get(id) ?? copyRest;
  const isNeeded = reader !== undefined || isAdded(rewrite, id);
  // Memories become imports; the start function an export that the host calls, once it can see what the instance uses.
  if (!isNeeded || id === SectionId.memory || id === SectionId.start) return;
  rewrite.out.u8(id);
  writeSized(rewrite.out, () => write(rewrite, reader));
  if (reader !== undefined && !reader.done) throw reader.malformed("a section goes on after its content");
}

/** Sections that every module with code gets. */
const ADDED_WITH_CODE: ReadonlySet<number> = new Set([SectionId.type, SectionId.global, SectionId.export]);

function isAdded(rewrite: Rewrite, id: number): boolean {
  if (id === SectionId.export && rewrite.layout.start !== undefined) return true;
  if (ADDED_WITH_CODE.has(id)) return rewrite.indices.addedFunctions > 0;
  return id === SectionId.import && (rewrite.indices.addedFunctions > 0 || rewrite.layout.memories.length > 0);
}

function present(write: (rewrite: Rewrite, reader: Reader) => void): SectionWriter {
  return (rewrite, reader) => {
    if (reader !== undefined) write(rewrite, reader);
  };
}

function writeTypes(rewrite: Rewrite, reader: Reader | undefined): void {
  const { types } = additionsFor(rewrite.layout);
  rewrite.out.u32((reader?.u32() ?? 0) + types.length);
  copyRest(rewrite, reader);
  for (const bytes of types) rewrite.out.copy(bytes);
}

function writeImports(rewrite: Rewrite, reader: Reader | undefined): void {
  const { out, layout } = rewrite;
  const { imports } = additionsFor(layout);
  const signals = imports.length === 0 ? 0 : 1;
  out.u32((reader?.u32() ?? 0) + imports.length + layout.memories.length + signals);
  copyRest(rewrite, reader);
  for (const { name, type } of imports) {
    writeImportName(out, name, FUNCTION);
    out.u32(layout.types.length + type);
  }
  for (const [index, memory] of layout.memories.entries()) {
    writeImportName(out, `memory${index}`, MEMORY);
    out.u8(memory.maximumPages === undefined ? 0 : 1);
    out.u32(memory.initialPages);
    if (memory.maximumPages !== undefined) out.u32(memory.maximumPages);
  }
  if (signals === 0) return;
  writeImportName(out, SIGNAL_MEMORY, MEMORY);
  for (const byte of [SHARED_WITH_MAXIMUM, 1, 1]) out.u8(byte);
}

function writeImportName(out: Writer, name: string, kind: number): void {
  out.name(METER_MODULE);
  out.name(name);
  out.u8(kind);
}

function copyTables(rewrite: Rewrite, reader: Reader): void {
  const { out } = rewrite;
  const count = copyCount(rewrite, reader);
  checkLimit("tables", count, "the number of tables");
  for (let table = 0; table < count; table++) {
    const start = reader.pos;
    const hasInitializer = reader.bytes[start] === 0x40;
    if (hasInitializer) reader.skip(2);
    readValueType(reader);
    rewrite.tableElements += readLimits(reader, "table").minimum;
    checkLimit("tableElements", rewrite.tableElements, "the number of table elements at the start");
    out.copyRange(reader.bytes, start, reader.pos);
    if (hasInitializer) copyExpression(rewrite, reader);
  }
}

function copyGlobals(rewrite: Rewrite, reader: Reader | undefined): void {
  const { out, layout, indices } = rewrite;
  const added = countersFor(layout, indices.signal.slice);
  const count = reader?.u32() ?? 0;
  checkLimit("globals", count, "the number of globals");
  out.u32(count + added.length);
  if (reader !== undefined) {
    for (let global = 0; global < count; global++) copyGlobal(rewrite, reader);
  }
  for (const initial of added) writeCounter(out, initial);
}

/** Writes a mutable i32. */
function writeCounter(out: Writer, initial: number): void {
  out.u8(I32);
  out.u8(MUTABLE);
  writeNumber(out, Op.i32Const, initial);
  out.u8(Op.end);
}

function copyGlobal(rewrite: Rewrite, reader: Reader): void {
  const start = reader.pos;
  readValueType(reader);
  reader.u8();
  rewrite.out.copyRange(reader.bytes, start, reader.pos);
  rewrite.constants.globals.push(copyExpression(rewrite, reader));
}

function copyExports(rewrite: Rewrite, reader: Reader | undefined): void {
  const { out } = rewrite;
  const added = addedExports(rewrite);
  const count = reader?.u32() ?? 0;
  checkLimit("exports", count, "the number of exports");
  out.u32(count + added.length);
  if (reader !== undefined) {
    for (let entry = 0; entry < count; entry++) copyExport(rewrite, reader);
  }
  for (const [name, index] of added) {
    out.name(name);
    out.u8(FUNCTION);
    out.u32(index);
  }
}

const METER_EXPORT_NAMES: ReadonlySet<string> = new Set(Object.values(METER_EXPORTS));

function addedExports({ indices, layout }: Rewrite): readonly (readonly [name: string, index: number])[] {
  const added: [string, number][] = [];
  if (indices.addedFunctions > 0) {
    added.push([METER_EXPORTS.read, indices.readFuel], [METER_EXPORTS.write, indices.writeFuel]);
    added.push([METER_EXPORTS.stack, indices.readStack]);
  }
  if (layout.hasObjects) {
    added.push([METER_EXPORTS.readHeap, indices.readHeap], [METER_EXPORTS.writeHeap, indices.writeHeap]);
  }
  if (layout.start !== undefined) added.push([METER_EXPORTS.start, mapFunction(indices, layout.start)]);
  return added;
}

function copyExport({ out, indices }: Rewrite, reader: Reader): void {
  const start = reader.pos;
  const name = reader.name();
  // The host would take it for the meter's own, also in a module that has none because it has no code.
  if (METER_EXPORT_NAMES.has(name)) throw refuse("COMPONENT_UNSUPPORTED", { what: `an export named "${name}"` });
  const kind = reader.u8();
  out.copyRange(reader.bytes, start, reader.pos);
  const index = reader.u32();
  if (kind === FUNCTION) out.u32(mapFunction(indices, index));
  else out.u32(requireIndex(indices, kind, index));
}

function requireIndex(indices: IndexMap, kind: number, index: number): number {
  if (kind === GLOBAL) return requireGlobal(indices, index);
  return kind === MEMORY ? requireMemory(indices, index) : index;
}
