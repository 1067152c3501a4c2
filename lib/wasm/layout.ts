/**
 * Finds the sections of a core module and counts what its index spaces hold before the rewriting starts.
 *
 * Source: WebAssembly 3.0, 5.5 Modules.
 */
import { refuse } from "../errors.ts";
import { checkLimit } from "./limits.ts";
import { Reader } from "./reader.ts";

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
  /** Types in the type index space, those inside recursive groups counted one by one. */
  readonly types: number;
  readonly importedFunctions: number;
  /** Imported and defined globals. */
  readonly globals: number;
  /** Functions that the module defines. */
  readonly functions: number;
  /** The function that runs at instantiation, when there is one. */
  readonly start: number | undefined;
  /** The module's own memories. */
  readonly memories: readonly MemorySpec[];
  /** Whether the module can throw: straight runs then end at calls. */
  readonly hasTags: boolean;
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
  const types = countTypes(open(SectionId.type));
  const imports = countImports(open(SectionId.import));
  const functions = open(SectionId.function)?.u32() ?? 0;
  checkLimit("functions", functions + imports.functions, "the number of functions");
  return {
    sections,
    types,
    importedFunctions: imports.functions,
    globals: imports.globals + (open(SectionId.global)?.u32() ?? 0),
    functions,
    start: open(SectionId.start)?.u32(),
    memories: readMemories(open(SectionId.memory), imports.memories),
    hasTags: imports.tags > 0 || sections.some((section) => section.id === SectionId.tag),
  };
}

/** Passes over a value type or a storage type. */
export function skipValueType(reader: Reader): void {
  const first = reader.u8();
  // (ref null ht) and (ref ht) carry a heap type; every other type is one byte.
  if (first === 0x63 || first === 0x64) reader.skipLeb(33);
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
  }
  return sections;
}

function countTypes(reader: Reader | undefined): number {
  if (reader === undefined) return 0;
  const entries = reader.u32();
  let types = 0;
  for (let entry = 0; entry < entries; entry++) {
    types += skipRecursiveType(reader);
    checkLimit("types", types, "the number of types");
  }
  return types;
}

function skipRecursiveType(reader: Reader): number {
  const form = reader.u8();
  if (form !== 0x4e) {
    skipSubtype(reader, form);
    return 1;
  }
  const members = reader.u32();
  checkLimit("types", members, "the number of types");
  for (let member = 0; member < members; member++) skipSubtype(reader, reader.u8());
  return members;
}

function skipSubtype(reader: Reader, form: number): void {
  let composite = form;
  if (form === 0x50 || form === 0x4f) {
    for (let supers = reader.u32(); supers > 0; supers--) reader.u32();
    composite = reader.u8();
  }
  if (composite === 0x60) {
    for (let list = 0; list < 2; list++) {
      for (let count = reader.u32(); count > 0; count--) skipValueType(reader);
    }
  } else if (composite === 0x5f) {
    for (let fields = reader.u32(); fields > 0; fields--) skipField(reader);
  } else if (composite === 0x5e) {
    skipField(reader);
  } else {
    throw reader.malformed(`type form 0x${composite.toString(16)}`);
  }
}

function skipField(reader: Reader): void {
  skipValueType(reader);
  reader.u8();
}

interface ImportCounts {
  functions: number;
  globals: number;
  memories: number;
  tags: number;
}

function countImports(reader: Reader | undefined): ImportCounts {
  const counts: ImportCounts = { functions: 0, globals: 0, memories: 0, tags: 0 };
  if (reader === undefined) return counts;
  const entries = reader.u32();
  checkLimit("imports", entries, "the number of imports");
  for (let entry = 0; entry < entries; entry++) {
    if (reader.name() === METER_MODULE)
      throw refuse("COMPONENT_UNSUPPORTED", { what: `an import from "${METER_MODULE}"` });
    reader.name();
    countImport(reader, counts);
  }
  return counts;
}

function countImport(reader: Reader, counts: ImportCounts): void {
  const kind = reader.u8();
  if (kind === 0) {
    reader.u32();
    counts.functions += 1;
  } else if (kind === 1) {
    skipValueType(reader);
    readLimits(reader, "table");
  } else if (kind === 2) {
    readLimits(reader, "memory");
    counts.memories += 1;
  } else if (kind === 3) {
    skipValueType(reader);
    reader.u8();
    counts.globals += 1;
  } else if (kind === 4) {
    reader.u8();
    reader.u32();
    counts.tags += 1;
  } else {
    throw reader.malformed(`import kind ${kind}`);
  }
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
