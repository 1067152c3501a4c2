/**
 * Puts a component together on paper: follows its sections as if it were instantiated, and notes what is to be made and linked, in order. Pure;
 * untrusted bytes that have been inspected and validated before.
 *
 * Source: WebAssembly Component Model, Binary.md; Explainer.md, Instance Definitions.
 */
import type { CoreExport, Options, Plan, PlannedExport } from "../link/plan.ts";
import { refuse } from "../../errors.ts";
import { present } from "../index-space.ts";
import { ComponentReader } from "../reader.ts";
import { Builder } from "./builder.ts";
import { readAlias, readCoreInstance, readExport, readImport, readInstance, readType } from "./definitions.ts";
import { coreItemAt, CoreSort, define, type Instance, openScope, type Scope } from "./scope.ts";

const PREAMBLE_BYTES = 8;

type EntryReader = (reader: ComponentReader, scope: Scope) => void;

/** Sections that are a list of entries. */
const ENTRIES: ReadonlyMap<number, EntryReader> = new Map<number, EntryReader>([
  [2, readCoreInstance],
  [5, (reader, scope) => readInstance(reader, scope, instantiate)],
  [6, readAlias],
  [7, readType],
  [8, readCanonical],
  [10, readImport],
  [11, readExport],
]);

/** What a component is made of. */
export interface Planned {
  readonly plan: Plan;
  /** The core modules, not metered yet, in the order of their numbers. */
  readonly modules: readonly Uint8Array[];
}

/**
 * Plans how a component is instantiated.
 *
 * @throws {Failure} COMPONENT_INVALID, COMPONENT_LIMIT, COMPONENT_UNSUPPORTED
 */
export function planComponent(bytes: Uint8Array): Planned {
  const builder = new Builder();
  const scope = openScope({ outer: undefined, builder, instance: builder.addInstance(), given: undefined });
  readSections(new ComponentReader(bytes, PREAMBLE_BYTES), scope);
  return { plan: builder.finish(listExports(scope)), modules: builder.moduleBytes };
}

/** Names the interfaces that a plan's core code is linked to: sorted, without the versions that are served. */
export function listImports({ functions }: Plan): readonly string[] {
  const names = functions.flatMap((planned) => (planned.from === "import" ? [planned.interface] : []));
  return [...new Set(names)].toSorted();
}

function readSections(reader: ComponentReader, scope: Scope): void {
  while (!reader.done) {
    const id = reader.u8();
    const section = reader.part(reader.u32());
    if (id === 1) {
      const bytes = section.bytes.subarray(section.pos, section.end);
      scope.coreModules.push(scope.builder.addModule(section.pos, bytes));
    } else if (id === 4) {
      const open = (): ComponentReader => new ComponentReader(section.bytes, section.pos + PREAMBLE_BYTES, section.end);
      define(scope, { sort: "component", component: { outer: scope, open } });
    } else {
      const readEntry = ENTRIES.get(id);
      if (readEntry === undefined) continue;
      for (let left = section.count(); left > 0; left--) readEntry(section, scope);
    }
  }
}

function instantiate(scope: Scope, index: number, given: Instance): Instance {
  const { outer, open } = present(scope.components[index], "component", index);
  const { builder } = scope;
  const inner = openScope({ outer, builder, instance: builder.addInstance(), given });
  readSections(open(), inner);
  return inner.exports;
}

function readCanonical(reader: ComponentReader, scope: Scope): void {
  const form = reader.u8();
  if (form === 0x00) return readLift(reader, scope);
  if (form === 0x01) return readLower(reader, scope);
  const index = reader.u32();
  const type = present(scope.types[index], "type", index);
  if (type.form !== "resource") throw reader.malformed(`type ${index} is no resource`);
  const from = ({ 2: "resource.new", 3: "resource.drop", 4: "resource.rep" } as const)[form];
  if (from === undefined) throw reader.malformed(`canonical function ${form}`);
  scope.coreFunctions.push({ from, resource: type.id, instance: scope.instance });
}

function readLift(reader: ComponentReader, scope: Scope): void {
  reader.u8();
  const core = reader.u32();
  const options = readOptions(reader, scope);
  const index = reader.u32();
  const type = present(scope.types[index], "type", index);
  if (type.form !== "func") throw reader.malformed(`type ${index} is no function type`);
  const func = scope.builder.addFunction({
    from: "lift",
    core: ownFunction(scope, core),
    type: scope.builder.signature(type.type),
    options,
  });
  define(scope, { sort: "func", func });
}

function readLower(reader: ComponentReader, scope: Scope): void {
  reader.u8();
  const index = reader.u32();
  const options = readOptions(reader, scope);
  scope.builder.count();
  scope.coreFunctions.push({ from: "lower", function: present(scope.functions[index], "function", index), options });
}

function readOptions(reader: ComponentReader, scope: Scope): Options {
  const options: { -readonly [Key in keyof Options]: Options[Key] } = {
    instance: scope.instance,
    memory: null,
    realloc: null,
    postReturn: null,
    encoding: "utf8",
  };
  for (let left = reader.count(); left > 0; left--) {
    const option = reader.u8();
    if (option === 0x01) options.encoding = "utf16";
    else if (option === 0x02) options.encoding = "latin1+utf16";
    else if (option === 0x03) options.memory = readMemory(reader, scope);
    else if (option > 0x03) {
      const index = reader.u32();
      const core = ownFunction(scope, index);
      if (option === 0x04) options.realloc = core;
      else options.postReturn = core;
    }
  }
  return options;
}

/** Finds a core function that a core instance exports: all that JavaScript may call. */
function ownFunction(scope: Scope, index: number): CoreExport {
  const item = present(scope.coreFunctions[index], "core function", index);
  if (item.from === "export") return item;
  throw refuse("COMPONENT_UNSUPPORTED", { what: "built-in functions that are lifted or used as options" });
}

function readMemory(reader: ComponentReader, scope: Scope): CoreExport {
  const item = coreItemAt(scope, CoreSort.memory, reader.u32());
  if (item.from !== "export") throw reader.malformed("a memory that no core instance exports");
  return item;
}

/** The functions that a component exports, by themselves or in instances. What it exports of its imports is left out: nobody can call it. */
function listExports({ exports, builder }: Scope): PlannedExport[] {
  const found: PlannedExport[] = [];
  const add = (instance: string | null, name: string, func: number): void => {
    if (builder.functionAt(func).from === "lift") found.push({ instance, name, function: func });
  };
  for (const [name, item] of exports) {
    if (item.sort === "func") add(null, name, item.func);
    if (item.sort !== "instance") continue;
    for (const [inner, member] of item.instance) if (member.sort === "func") add(name, inner, member.func);
  }
  return found;
}
