/**
 * Finds the sections of a core module and counts what its index spaces hold before the rewriting starts.
 *
 * Source: WebAssembly 3.0, 5.5 Modules.
 */
import { refuse } from "../errors.ts";
import { checkLimit } from "./limits.ts";
import { Reader } from "./reader.ts";
import { readTypes, readValueType, type Shape } from "./types.ts";

/** A memory's limits, in pages of 64 KiB. */
export interface MemorySpec {
  readonly initialPages: number;
  readonly maximumPages: number | undefined;
}

/** One section: its identifier and where its content lies. */
interface Section {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/** What the rewriter must know before it writes the first byte. */
export interface Layout {
  readonly sections: readonly Section[];
  /** The type index space, those inside recursive groups one by one. */
  readonly types: readonly Shape[];
  readonly importedFunctions: number;
  readonly importedGlobals: number;
  /** Imported and defined globals. */
  readonly globals: number;
  /** Functions that the module defines. */
  readonly functions: number;
  /** Their types, as indices. */
  readonly functionTypes: readonly number[];
  readonly importedMemories: number;
  readonly importedTables: number;
  /** The function that runs at instantiation, when there is one. */
  readonly start: number | undefined;
  /** The module's own memories. */
  readonly memories: readonly MemorySpec[];
  /** The types of the tags, as indices, the imported ones first. A module that has any can throw: straight runs then end at calls. */
  readonly tags: readonly number[];
  /** Whether its code can make objects of the engine's heap. */
  readonly hasObjects: boolean;
}

/** The section identifiers that the rewriter names. */
export const SectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

/** The order in which sections stand, custom sections aside. */
export const SECTION_ORDER: readonly number[] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/** What a rewritten module with code exports to the host, beside its own. */
export const METER_EXPORTS = {
  /** `() -> i32`: what is left of the slice; negative when more was used. */
  read: "kami:read-fuel",
  /** `(i32) -> ()`: replaces what is left. */
  write: "kami:write-fuel",
  /** `() -> i32`: bytes of stack that are left; negative when they were used up. */
  stack: "kami:read-stack",
  /** `() -> i32`: bytes of objects that may still be made without asking; only where code can make any. */
  readHeap: "kami:read-heap",
  /** `(i32) -> ()`: replaces them. */
  writeHeap: "kami:write-heap",
  /** The module's start function, when it had one: the host calls it once, right after instantiation. */
  start: "kami:start",
} as const;

/** The module name of KAMI's own imports. A guest that imports from it is refused. */
export const METER_MODULE = "kami:meter";

const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/**
 * Reads a module's layout.
 *
 * @throws {Failure} COMPONENT_INVALID, COMPONENT_LIMIT, COMPONENT_UNSUPPORTED
 */
export function readLayout(bytes: Uint8Array): Layout {
  checkLimit("moduleBytes", bytes.length, "the size of a core module in bytes");
  const sections = readSections(bytes);
  const open = (id: number): Reader | undefined => {
    const section = sections.find((candidate) => candidate.id === id);
    return section && new Reader(bytes, section.start, section.end);
  };
  // What follows a section's last entry would come before what the meter adds, and be read in its place.
  const readWhole = <T>(id: number, read: (reader: Reader | undefined) => T): T => {
    const reader = open(id);
    const found = read(reader);
    if (reader?.done === false) throw reader.malformed("bytes after a section's last entry");
    return found;
  };
  const types = readWhole(SectionId.type, readTypes);
  const imports = readWhole(SectionId.import, readImports);
  const tags = [...imports.tags, ...readWhole(SectionId.tag, readTags)];
  const functionTypes = readWhole(SectionId.function, (reader) =>
    readFunctions(reader, { types, imported: imports.functions }),
  );
  const functions = functionTypes.length;
  return {
    sections,
    types,
    importedFunctions: imports.functions,
    importedGlobals: imports.globals,
    globals: imports.globals + (open(SectionId.global)?.u32() ?? 0),
    functions,
    functionTypes,
    importedMemories: imports.memories,
    importedTables: imports.tables,
    start: open(SectionId.start)?.u32(),
    memories: readMemories(open(SectionId.memory), imports.memories),
    tags,
    hasObjects: functions > 0 && (tags.length > 0 || types.some(({ form }) => form !== "function")),
  };
}

/** What `limits` in the binary format say, for a memory or a table. */
export interface RawLimits {
  readonly minimum: number;
  readonly maximum: number | undefined;
}

/**
 * Reads limits.
 *
 * @param what - `memory` or `table`, for the message.
 * @throws {Failure} COMPONENT_UNSUPPORTED when they are shared, 64-bit or have a custom page size.
 */
export function readLimits(reader: Reader, what: "memory" | "table"): RawLimits {
  const flags = reader.u8();
  if ((flags & 0x02) !== 0) throw refuse("COMPONENT_UNSUPPORTED", { what: `a shared ${what} (threads)` });
  if ((flags & 0x04) !== 0) throw refuse("COMPONENT_UNSUPPORTED", { what: `a 64-bit ${what} (memory64)` });
  if ((flags & 0x08) !== 0) throw refuse("COMPONENT_UNSUPPORTED", { what: `a ${what} with a custom page size` });
  if (flags > 1) throw refuse("COMPONENT_UNSUPPORTED", { what: `a ${what} with limits flags ${flags}` });
  const minimum = reader.u32();
  return { minimum, maximum: flags === 1 ? reader.u32() : undefined };
}

function readSections(bytes: Uint8Array): Section[] {
  const reader = new Reader(bytes);
  if (PREAMBLE.some((byte, index) => bytes[index] !== byte)) throw reader.malformed("no core module preamble");
  reader.skip(PREAMBLE.length);
  const sections: Section[] = [];
  let last = -1;
  while (!reader.done) {
    const id = reader.u8();
    const size = reader.u32();
    const start = reader.pos;
    reader.skip(size);
    if (id !== SectionId.custom) {
      const order = SECTION_ORDER.indexOf(id);
      if (order <= last)
        throw refuse("COMPONENT_INVALID", { reason: `malformed core module: section ${id} at byte ${start}` });
      last = order;
    }
    sections.push({ id, start, end: reader.pos });
    checkLimit("sections", sections.length, "the number of sections");
  }
  return sections;
}

interface Imports {
  functions: number;
  globals: number;
  memories: number;
  tables: number;
  readonly tags: number[];
}

function readImports(reader: Reader | undefined): Imports {
  const counts: Imports = { functions: 0, globals: 0, memories: 0, tables: 0, tags: [] };
  if (reader === undefined) return counts;
  const entries = reader.u32();
  checkLimit("imports", entries, "the number of imports");
  for (let entry = 0; entry < entries; entry++) {
    const from = reader.name();
    if (from === METER_MODULE) throw refuse("COMPONENT_UNSUPPORTED", { what: `an import from "${METER_MODULE}"` });
    // The engine's own functions on JavaScript strings, which no meter sees.
    if (from.startsWith("wasm:"))
      throw refuse("COMPONENT_UNSUPPORTED", { what: `an import of the engine's, "${from}"` });
    reader.name();
    readImport(reader, counts);
  }
  return counts;
}

function readImport(reader: Reader, counts: Imports): void {
  const kind = reader.u8();
  if (kind === 0) {
    reader.u32();
    counts.functions += 1;
  } else if (kind === 1) {
    readValueType(reader);
    readLimits(reader, "table");
    counts.tables += 1;
  } else if (kind === 2) {
    readLimits(reader, "memory");
    counts.memories += 1;
  } else if (kind === 3) {
    readValueType(reader);
    reader.u8();
    counts.globals += 1;
  } else if (kind === 4) {
    counts.tags.push(readTag(reader));
  } else {
    throw reader.malformed(`import kind ${kind}`);
  }
}

/** Reads the types of the module's own functions. */
function readFunctions(
  reader: Reader | undefined,
  { types, imported }: { readonly types: readonly Shape[]; readonly imported: number },
): number[] {
  const indices: number[] = [];
  const count = reader?.u32() ?? 0;
  checkLimit("functions", count + imported, "the number of functions");
  if (reader === undefined) return indices;
  for (let left = count; left > 0; left--) {
    const type = reader.u32();
    if (types[type]?.form !== "function") throw reader.malformed(`type ${type} is no function type`);
    indices.push(type);
  }
  return indices;
}

function readTags(reader: Reader | undefined): number[] {
  const tags: number[] = [];
  if (reader === undefined) return tags;
  for (let left = reader.u32(); left > 0; left--) tags.push(readTag(reader));
  return tags;
}

/** Reads a tag. @returns The index of its type. */
function readTag(reader: Reader): number {
  reader.u8();
  return reader.u32();
}

function readMemories(reader: Reader | undefined, imported: number): readonly MemorySpec[] {
  const count = reader?.u32() ?? 0;
  checkLimit("memories", count + imported, "the number of memories");
  const memories: MemorySpec[] = [];
  if (reader === undefined) return memories;
  for (let index = 0; index < count; index++) {
    const { minimum, maximum } = readLimits(reader, "memory");
    if (minimum > 65_536) throw reader.malformed(`a memory of ${minimum} pages`);
    memories.push({
      initialPages: minimum,
      maximumPages: maximum === undefined ? undefined : Math.min(maximum, 65_536),
    });
  }
  return memories;
}
