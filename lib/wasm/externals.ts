/**
 * Imports and exports of a rewritten module: the guest's own, and what the meter adds for the host.
 *
 * Source: WebAssembly 3.0, 5.5.5 Import Section, 5.5.10 Export Section.
 */
import { refuse } from "../errors.ts";
import { noteExport } from "./doors.ts";
import { additionsFor } from "./helpers.ts";
import { type IndexMap, mapFunction, requireGlobal, requireMemory } from "./indices.ts";
import { METER_EXPORTS, METER_MODULE } from "./layout.ts";
import { checkLimit } from "./limits.ts";
import type { Reader } from "./reader.ts";
import { copyRest, type Rewrite } from "./rewrite.ts";
import { SIGNAL_MEMORY } from "./signal.ts";
import type { Writer } from "./writer.ts";

const FUNCTION = 0;
const TABLE = 1;
const MEMORY = 2;
const GLOBAL = 3;
const SHARED_WITH_MAXIMUM = 0x03;

/** Writes the import section. */
export function writeImports(rewrite: Rewrite, reader: Reader | undefined): void {
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

/** Writes the export section. @throws {Failure} COMPONENT_UNSUPPORTED, COMPONENT_INVALID, COMPONENT_LIMIT */
export function copyExports(rewrite: Rewrite, reader: Reader | undefined): void {
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

function copyExport(rewrite: Rewrite, reader: Reader): void {
  const { out, indices } = rewrite;
  const start = reader.pos;
  const name = reader.name();
  // The host would take it for the meter's own, also in a module that has none because it has no code.
  if (METER_EXPORT_NAMES.has(name)) throw refuse("COMPONENT_UNSUPPORTED", { what: `an export named "${name}"` });
  const kind = reader.u8();
  out.copyRange(reader.bytes, start, reader.pos);
  const index = reader.u32();
  if (kind === TABLE) rewrite.sharesTables = true;
  if (kind === FUNCTION) noteExport(rewrite, index);
  else out.u32(requireIndex(indices, kind, index));
}

function requireIndex(indices: IndexMap, kind: number, index: number): number {
  if (kind === GLOBAL) return requireGlobal(indices, index);
  return kind === MEMORY ? requireMemory(indices, index) : index;
}
