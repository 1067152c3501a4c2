/**
 * Rewrites a core module section by section: indices move, KAMI's types, imports and helpers are added, memories become imports.
 *
 * Source: WebAssembly 3.0, 5.5 Modules.
 */
import { copyExports, writeImports } from "./externals.ts";
import { writeCode, writeFunctions } from "./functions.ts";
import { additionsFor, countersFor } from "./helpers.ts";
import { readLimits, SectionId } from "./layout.ts";
import { checkLimit } from "./limits.ts";
import { Op } from "./opcodes.ts";
import type { Reader } from "./reader.ts";
import { copyCount, copyExpression, copyRest, type Rewrite } from "./rewrite.ts";
import { copyData, copyElements } from "./segments.ts";
import { readValueType } from "./types.ts";
import { type Writer, writeNumber, writeSized } from "./writer.ts";

type SectionWriter = (rewrite: Rewrite, reader: Reader | undefined) => void;

const I32 = 0x7f;
const MUTABLE = 1;

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
