/**
 * Reads what defines the items of a scope: types, imports, exports, aliases and instances.
 *
 * Source: WebAssembly Component Model, Binary.md, Type Definitions, Alias Definitions and Instance Definitions.
 */
import { refuse } from "../errors.ts";
import { COMPONENT_LIMITS } from "./artifact.ts";
import { outerScope, present } from "./index-space.ts";
import type { ComponentReader } from "./reader.ts";
import { checkTotal, define, type Exports, type Item, openScope, type Scope, type Type } from "./scope.ts";
import { readTypeText } from "./value-type.ts";

const CORE_TYPE = 0x10;
const CORE_MODULE = 0x11;

type SortReader = (scope: Scope, index: number) => Item;

const AT_INDEX: ReadonlyMap<number, SortReader> = new Map<number, SortReader>([
  [0x01, (scope, index) => ({ sort: "func", text: present(scope.funcs[index], "function", index) })],
  [0x03, (scope, index) => ({ sort: "type", type: present(scope.types[index], "type", index) })],
  [0x04, (scope, index) => ({ sort: "component", ...present(scope.components[index], "component", index) })],
  [0x05, (scope, index) => ({ sort: "instance", exports: present(scope.instances[index], "instance", index) })],
]);

/** Reads a type definition and adds it to the scope. @throws {Failure} COMPONENT_INVALID, COMPONENT_LIMIT, COMPONENT_UNSUPPORTED */
export function readType(reader: ComponentReader, scope: Scope): void {
  define(scope, { sort: "type", type: readDefinition(reader, scope) });
}

/** Reads an import and adds it to the scope. @throws {Failure} COMPONENT_INVALID, COMPONENT_LIMIT, COMPONENT_UNSUPPORTED */
export function readImport(reader: ComponentReader, scope: Scope): void {
  reader.externName();
  define(scope, readDescription(reader, scope));
}

/** Reads an export, which adds its item to the scope a second time. @throws {Failure} COMPONENT_INVALID, COMPONENT_LIMIT, COMPONENT_UNSUPPORTED */
export function readExport(reader: ComponentReader, scope: Scope): void {
  const name = reader.externName();
  scope.totals.exports += 1;
  checkTotal("the number of exports", scope.totals.exports, COMPONENT_LIMITS.exports);
  const item = readItem(reader, scope);
  // The ascribed type is a supertype of the item's, so what it says about a function is the same.
  if (reader.u8() !== 0) readDescription(reader, scope);
  scope.exports.set(name, item);
  define(scope, item);
}

/** Reads an alias and adds its item to the scope. @throws {Failure} COMPONENT_INVALID, COMPONENT_LIMIT, COMPONENT_UNSUPPORTED */
export function readAlias(reader: ComponentReader, scope: Scope): void {
  const sort = readSort(reader);
  const target = reader.u8();
  if (target === 0x00) {
    const index = reader.u32();
    const name = reader.plainName();
    define(scope, present(present(scope.instances[index], "instance", index).get(name), "export", name));
  } else if (target === 0x01) {
    reader.u32();
    reader.plainName();
  } else if (target === 0x02) {
    const from = outerScope(scope, reader.u32());
    define(scope, itemAt(from, sort, reader.u32()));
  } else {
    throw reader.malformed(`alias target ${target}`);
  }
}

/** Reads an instance and adds it to the scope. @throws {Failure} COMPONENT_INVALID, COMPONENT_LIMIT, COMPONENT_UNSUPPORTED */
export function readInstance(reader: ComponentReader, scope: Scope): void {
  const form = reader.u8();
  if (form === 0x00) {
    const index = reader.u32();
    const { exports, instances } = present(scope.components[index], "component", index);
    scope.instancesMade += 1 + instances;
    checkTotal("the number of component instances", scope.instancesMade, COMPONENT_LIMITS.componentInstances);
    for (let left = reader.count(); left > 0; left--) {
      reader.plainName();
      readItem(reader, scope);
    }
    return define(scope, { sort: "instance", exports });
  }
  if (form !== 0x01) throw reader.malformed(`instance form ${form}`);
  const exports = new Map<string, Item>();
  for (let left = reader.count(); left > 0; left--) {
    const name = reader.externName();
    exports.set(name, readItem(reader, scope));
  }
  define(scope, { sort: "instance", exports });
}

/** Reads a core instance and its names. @throws {Failure} COMPONENT_INVALID, COMPONENT_UNSUPPORTED */
export function readCoreInstance(reader: ComponentReader): void {
  const form = reader.u8();
  if (form > 0x01) throw reader.malformed(`core instance form ${form}`);
  if (form === 0x00) reader.u32();
  for (let left = reader.count(); left > 0; left--) {
    reader.plainName();
    reader.u8();
    reader.u32();
  }
}

function readDefinition(reader: ComponentReader, scope: Scope): Type {
  const form = reader.u8();
  if (form === 0x41) return { form: "component", exports: readDeclarations(reader, scope) };
  if (form === 0x42) return { form: "instance", exports: readDeclarations(reader, scope) };
  if (form === 0x3e) throw refuse("COMPONENT_UNSUPPORTED", { what: "async resource destructors" });
  if (form !== 0x3f) return present(readTypeText(reader, scope, form), "type form", form);
  reader.u8();
  if (reader.u8() !== 0) reader.u32();
  return { form: "value", text: "resource" };
}

function readDeclarations(reader: ComponentReader, outer: Scope): Exports {
  const scope = openScope(outer);
  for (let left = reader.count(); left > 0; left--) readDeclaration(reader, scope);
  return scope.exports;
}

function readDeclaration(reader: ComponentReader, scope: Scope): void {
  const form = reader.u8();
  if (form === 0x01) return readType(reader, scope);
  if (form === 0x02) return readAlias(reader, scope);
  if (form === 0x03) return readImport(reader, scope);
  if (form === 0x00) throw refuse("COMPONENT_UNSUPPORTED", { what: "core types inside a component type" });
  if (form !== 0x04) throw reader.malformed(`declaration form ${form}`);
  const name = reader.externName();
  const item = readDescription(reader, scope);
  scope.exports.set(name, item);
  define(scope, item);
}

function readDescription(reader: ComponentReader, scope: Scope): Item {
  const form = reader.u8();
  if (form === 0x00) throw refuse("COMPONENT_UNSUPPORTED", { what: "core modules that are imported" });
  if (form === 0x02) throw refuse("COMPONENT_UNSUPPORTED", { what: "values that are imported" });
  // How much such a component makes when it is instantiated is not known here.
  if (form === 0x04) throw refuse("COMPONENT_UNSUPPORTED", { what: "components that are imported" });
  if (form === 0x03) return { sort: "type", type: readBound(reader, scope) };
  const index = reader.u32();
  const type = present(scope.types[index], "type", index);
  if (form === 0x01 && type.form === "func") return { sort: "func", text: type.text };
  if (form === 0x05 && type.form === "instance") return { sort: "instance", exports: type.exports };
  throw reader.malformed(`a description of form ${form} has type ${index}`);
}

function readBound(reader: ComponentReader, scope: Scope): Type {
  if (reader.u8() === 0x01) return { form: "value", text: "resource" };
  const index = reader.u32();
  return present(scope.types[index], "type", index);
}

function readItem(reader: ComponentReader, scope: Scope): Item {
  const sort = readSort(reader);
  return itemAt(scope, sort, reader.u32());
}

/** @returns The sort's byte; `undefined` for a core sort. */
function readSort(reader: ComponentReader): number | undefined {
  const sort = reader.u8();
  if (sort !== 0x00) return sort;
  const core = reader.u8();
  if (core > 0x04 && core !== CORE_TYPE && core !== CORE_MODULE && core !== 0x12)
    throw reader.malformed(`core sort ${core}`);
  return undefined;
}

function itemAt(scope: Scope, sort: number | undefined, index: number): Item {
  if (sort === undefined) return { sort: "core" };
  if (sort === 0x02) throw refuse("COMPONENT_UNSUPPORTED", { what: "values" });
  return present(AT_INDEX.get(sort), "sort", sort)(scope, index);
}
