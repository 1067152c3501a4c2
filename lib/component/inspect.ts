/**
 * Looks through a component before jco does: finds the types of what it exports, and refuses by name what KAMI does not run.
 *
 * jco panics on some valid components, and takes minutes for others. What passes here has plain names only, no asynchronous feature, and
 * bounded sizes. Pure; untrusted input. What is malformed otherwise is left to jco's validator.
 *
 * Source: WebAssembly Component Model, Binary.md, Component Definitions.
 */
import { refuse } from "../errors.ts";
import { readLayout, readLimits, SectionId } from "../wasm/layout.ts";
import { readValueType } from "../wasm/types.ts";
import { COMPONENT_LIMITS } from "./artifact.ts";
import { readAlias, readCoreInstance, readExport, readImport, readInstance, readType } from "./definitions.ts";
import { present } from "./index-space.ts";
import { ModuleReader } from "./module-reader.ts";
import { ComponentReader } from "./reader.ts";
import { checkTotal, define, type Exports, openOutermost, openScope, type Scope } from "./scope.ts";

const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];

type SectionReader = (reader: ComponentReader, scope: Scope) => void;

const SECTIONS: ReadonlyMap<number, SectionReader> = new Map<number, SectionReader>([
  [1, readCoreModule],
  [2, each(readCoreInstance)],
  [4, readNested],
  [5, each(readInstance)],
  [6, each(readAlias)],
  [7, each(readType)],
  [8, each(readCanonical)],
  [9, refuseSection("a component start function")],
  [10, each(readImport)],
  [11, each(readExport)],
  [12, refuseSection("values")],
]);

/** The canonical functions of WASI 0.2; all others belong to asynchronous or threaded components. */
const RESOURCE_FUNCTIONS: ReadonlySet<number> = new Set([0x02, 0x03, 0x04]);

/**
 * Finds what a component exports.
 *
 * @param bytes - The component; untrusted.
 * @param reader - Of its core modules.
 * @returns Its exports by name, in their order.
 * @throws {Failure} COMPONENT_INVALID, COMPONENT_LIMIT, COMPONENT_UNSUPPORTED, INSTRUCTION_UNKNOWN
 */
export function inspectComponent(bytes: Uint8Array, reader: ModuleReader = new ModuleReader()): Exports {
  if (PREAMBLE.some((byte, index) => bytes[index] !== byte))
    throw refuse("COMPONENT_INVALID", { reason: "it does not begin like a component" });
  return readComponent(new ComponentReader(bytes, PREAMBLE.length), openOutermost(reader));
}

function readComponent(reader: ComponentReader, scope: Scope): Exports {
  while (!reader.done) {
    const id = reader.u8();
    const section = reader.part(reader.u32());
    scope.totals.sections += 1;
    checkTotal("the number of sections", scope.totals.sections, COMPONENT_LIMITS.sections);
    // 0 is a custom section, 3 holds core types: neither defines what is looked for here.
    if (id === 0 || id === 3) continue;
    present(SECTIONS.get(id), "section", id)(section, scope);
    if (!section.done) throw section.malformed("a section goes on after its content");
  }
  return scope.exports;
}

function readNested(reader: ComponentReader, outer: Scope): void {
  reader.skip(PREAMBLE.length);
  const scope = openScope(outer);
  const exports = readComponent(reader, scope);
  define(outer, { sort: "component", exports, instances: scope.instancesMade });
}

function readCanonical(reader: ComponentReader, scope: Scope): void {
  const form = reader.u8();
  if (RESOURCE_FUNCTIONS.has(form)) return void reader.u32();
  if (form > 0x01) throw refuse("COMPONENT_UNSUPPORTED", { what: `the asynchronous built-in 0x${form.toString(16)}` });
  reader.u8();
  reader.u32();
  readOptions(reader);
  if (form === 0x01) return;
  const index = reader.u32();
  const type = present(scope.types[index], "type", index);
  if (type.form !== "func") throw reader.malformed(`type ${index} is no function type`);
  define(scope, { sort: "func", text: type.text });
}

function readOptions(reader: ComponentReader): void {
  for (let left = reader.count(); left > 0; left--) {
    const option = reader.u8();
    if (option === 0x06 || option === 0x07) throw refuse("COMPONENT_UNSUPPORTED", { what: "async functions" });
    if (option > 0x05) throw refuse("COMPONENT_UNSUPPORTED", { what: `the canonical option 0x${option.toString(16)}` });
    if (option > 0x02) reader.u32();
  }
}

function readCoreModule(reader: ComponentReader, scope: Scope): void {
  const bytes = reader.bytes.subarray(reader.pos, reader.end);
  reader.pos = reader.end;
  scope.totals.modules += 1;
  scope.totals.coreBytes += bytes.length;
  checkTotal("the number of core modules", scope.totals.modules, COMPONENT_LIMITS.modules);
  checkTotal("the size of the core modules in bytes", scope.totals.coreBytes, COMPONENT_LIMITS.coreBytes);
  const { sections } = readLayout(bytes);
  requireValid(bytes, scope.totals);
  for (const section of sections) {
    const names = new ComponentReader(bytes, section.start, section.end);
    if (section.id === SectionId.import) each(checkCoreImport)(names, scope);
    if (section.id === SectionId.export) each(checkCoreExport)(names, scope);
  }
}

/** What messages call a core module. @param index - From 0. */
export function moduleName(index: number): string {
  return `tool.core${index === 0 ? "" : index + 1}.wasm`;
}

/** jco validates function bodies only as far as it looks at them, and the meter relies on what validation guarantees. */
function requireValid(bytes: Uint8Array, { modules, engine, reader }: Scope["totals"]): void {
  if (reader.isValid(bytes, moduleName(modules - 1), engine)) return;
  throw refuse("COMPONENT_INVALID", { reason: `malformed core module: ${explainInvalid(new Uint8Array(bytes))}` });
}

function explainInvalid(module: Uint8Array<ArrayBuffer>): string {
  try {
    void new WebAssembly.Module(module);
    return "the engine refuses it";
  } catch (error) {
    const text = error instanceof Error ? error.message : "";
    return text.replace(/^WebAssembly\.Module /, "it ").replace(/ \(evaluating .*\)$/s, "");
  }
}

function checkCoreImport(reader: ComponentReader): void {
  reader.plainName();
  reader.plainName();
  const kind = reader.u8();
  if (kind === 0) reader.u32();
  else if (kind === 1) {
    readValueType(reader);
    readLimits(reader, "table");
  } else if (kind === 2) readLimits(reader, "memory");
  else if (kind === 3) {
    readValueType(reader);
    reader.u8();
  } else {
    reader.u8();
    reader.u32();
  }
}

function checkCoreExport(reader: ComponentReader): void {
  reader.plainName();
  reader.u8();
  reader.u32();
}

function each(readEntry: SectionReader): SectionReader {
  return (reader, scope) => {
    for (let left = reader.count(); left > 0; left--) readEntry(reader, scope);
  };
}

function refuseSection(what: string): SectionReader {
  return () => {
    throw refuse("COMPONENT_UNSUPPORTED", { what });
  };
}
