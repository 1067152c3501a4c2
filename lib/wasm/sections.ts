/**
 * Rewrites a core module section by section: indices move, KAMI's types, imports and helpers are added, memories become imports.
 *
 * Source: WebAssembly 3.0, 5.5 Modules.
 */
import { refuse } from "../errors.ts";
import { Charger } from "./charge.ts";
import { copyExpression, meterBody } from "./code.ts";
import { FUEL_GLOBAL, HELPER_TYPES, METER_IMPORTS, METER_TYPES, writeHelpers } from "./helpers.ts";
import { type IndexMap, mapFunction, requireGlobal } from "./indices.ts";
import type { Body } from "./labels.ts";
import { type Layout, METER_EXPORTS, METER_MODULE, readLimits, SectionId, skipValueType } from "./layout.ts";
import { checkLimit } from "./limits.ts";
import type { Reader } from "./reader.ts";
import { type Writer, writeSized } from "./writer.ts";

/** One module's rewriting. */
export interface Rewrite {
  /** For messages. */
  readonly module: string;
  readonly layout: Layout;
  readonly indices: IndexMap;
  readonly out: Writer;
  /** Elements of the module's own tables so far. */
  tableElements: number;
}

type SectionWriter = (rewrite: Rewrite, reader: Reader | undefined) => void;

const FUNCTION = 0;
const MEMORY = 2;
const GLOBAL = 3;

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
  const write = WRITERS.get(id) ?? copyWhole;
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

function copyWhole(rewrite: Rewrite, reader: Reader | undefined): void {
  if (reader === undefined) return;
  rewrite.out.copyRange(reader.bytes, reader.pos, reader.end);
  reader.pos = reader.end;
}

function writeTypes(rewrite: Rewrite, reader: Reader | undefined): void {
  const added = rewrite.indices.addedFunctions > 0 ? METER_TYPES : [];
  rewrite.out.u32((reader?.u32() ?? 0) + added.length);
  copyWhole(rewrite, reader);
  for (const bytes of added) rewrite.out.copy(bytes);
}

function writeImports(rewrite: Rewrite, reader: Reader | undefined): void {
  const { out, layout, indices } = rewrite;
  const hasCode = indices.addedFunctions > 0;
  const added = (hasCode ? METER_IMPORTS.length : 0) + layout.memories.length;
  out.u32((reader?.u32() ?? 0) + added);
  copyWhole(rewrite, reader);
  for (const { name, type } of hasCode ? METER_IMPORTS : []) {
    writeImportName(out, name, FUNCTION);
    out.u32(layout.types + type);
  }
  for (const [index, memory] of layout.memories.entries()) {
    writeImportName(out, `memory${index}`, MEMORY);
    out.u8(memory.maximumPages === undefined ? 0 : 1);
    out.u32(memory.initialPages);
    if (memory.maximumPages !== undefined) out.u32(memory.maximumPages);
  }
}

function writeImportName(out: Writer, name: string, kind: number): void {
  out.name(METER_MODULE);
  out.name(name);
  out.u8(kind);
}

function writeFunctions(rewrite: Rewrite, reader: Reader | undefined): void {
  const count = reader?.u32() ?? 0;
  const helpers = count === 0 ? [] : HELPER_TYPES;
  rewrite.out.u32(count + helpers.length);
  copyWhole(rewrite, reader);
  for (const type of helpers) rewrite.out.u32(rewrite.layout.types + type);
}

function copyTables(rewrite: Rewrite, reader: Reader): void {
  const { out } = rewrite;
  const count = copyCount(rewrite, reader);
  checkLimit("tables", count, "the number of tables");
  for (let table = 0; table < count; table++) {
    const start = reader.pos;
    const hasInitializer = reader.bytes[start] === 0x40;
    if (hasInitializer) reader.skip(2);
    skipValueType(reader);
    rewrite.tableElements += readLimits(reader, "table").minimum;
    checkLimit("tableElements", rewrite.tableElements, "the number of table elements at the start");
    out.copyRange(reader.bytes, start, reader.pos);
    if (hasInitializer) expression(rewrite, reader);
  }
}

function copyGlobals(rewrite: Rewrite, reader: Reader | undefined): void {
  const { out, indices } = rewrite;
  const hasCode = indices.addedFunctions > 0;
  const count = reader?.u32() ?? 0;
  checkLimit("globals", count, "the number of globals");
  out.u32(count + (hasCode ? 1 : 0));
  if (reader !== undefined) {
    for (let global = 0; global < count; global++) copyGlobal(rewrite, reader);
  }
  if (hasCode) out.copy(FUEL_GLOBAL);
}

function copyGlobal(rewrite: Rewrite, reader: Reader): void {
  const start = reader.pos;
  skipValueType(reader);
  reader.u8();
  rewrite.out.copyRange(reader.bytes, start, reader.pos);
  expression(rewrite, reader);
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
  else out.u32(kind === GLOBAL ? requireGlobal(indices, index) : index);
}

function copyElements(rewrite: Rewrite, reader: Reader): void {
  const { out } = rewrite;
  const count = copyCount(rewrite, reader);
  for (let segment = 0; segment < count; segment++) {
    const flags = reader.u32();
    if (flags > 7) throw reader.malformed(`element segment flags ${flags}`);
    out.u32(flags);
    const isActive = (flags & 1) === 0;
    if (isActive && (flags & 2) !== 0) out.u32(reader.u32());
    if (isActive) expression(rewrite, reader);
    if ((flags & 3) !== 0) copyElementType(rewrite, reader);
    const items = copyCount(rewrite, reader);
    for (let item = 0; item < items; item++) {
      if ((flags & 4) !== 0) expression(rewrite, reader);
      else out.u32(mapFunction(rewrite.indices, reader.u32()));
    }
  }
}

function copyElementType(rewrite: Rewrite, reader: Reader): void {
  const start = reader.pos;
  skipValueType(reader);
  rewrite.out.copyRange(reader.bytes, start, reader.pos);
}

function writeCode(rewrite: Rewrite, reader: Reader): void {
  const count = reader.u32();
  if (count !== rewrite.layout.functions) throw reader.malformed("as many bodies as functions were expected");
  rewrite.out.u32(count + (count === 0 ? 0 : HELPER_TYPES.length));
  const body = bodyOf(rewrite, reader);
  for (let index = 0; index < count; index++) {
    const size = reader.u32();
    const end = reader.pos + size;
    body.charger.startAt(reader.pos);
    writeSized(rewrite.out, () => meterBody(body));
    if (reader.pos !== end) throw reader.malformed("a function body does not end where its size says");
  }
  if (count > 0) writeHelpers(rewrite.out, rewrite.indices);
}

function copyData(rewrite: Rewrite, reader: Reader): void {
  const { out } = rewrite;
  const count = copyCount(rewrite, reader);
  for (let segment = 0; segment < count; segment++) {
    const flags = reader.u32();
    if (flags > 2) throw reader.malformed(`data segment flags ${flags}`);
    out.u32(flags);
    if (flags === 2) out.u32(reader.u32());
    if (flags !== 1) expression(rewrite, reader);
    const start = reader.pos;
    reader.skip(reader.u32());
    out.copyRange(reader.bytes, start, reader.pos);
  }
}

function copyCount(rewrite: Rewrite, reader: Reader): number {
  const count = reader.u32();
  rewrite.out.u32(count);
  return count;
}

function expression(rewrite: Rewrite, reader: Reader): void {
  const body = bodyOf(rewrite, reader);
  body.charger.startAt(reader.pos);
  copyExpression(body);
}

function bodyOf(rewrite: Rewrite, reader: Reader): Body {
  return {
    module: rewrite.module,
    reader,
    charger: new Charger(reader.bytes, rewrite.out, rewrite.indices),
    indices: rewrite.indices,
    callsEndRuns: rewrite.layout.hasTags,
    labels: [],
    mayLast: false,
  };
}
