/**
 * Reads what defines the items of a scope: types, imports, exports, aliases and instances.
 *
 * Source: WebAssembly Component Model, Binary.md, Type Definitions, Alias Definitions, Import and Export Definitions.
 */
import { refuse } from "../../errors.ts";
import type { CoreItem, Step } from "../link/plan.ts";
import type { FunctionType } from "../../schema/value-type.ts";
import { outerScope, present } from "../index-space.ts";
import type { ComponentReader } from "../reader.ts";
import {
  coreItemAt,
  CoreSort,
  type CoreSorted,
  define,
  defineCore,
  type Instance,
  type Item,
  openScope,
  type Scope,
  type Type,
} from "./scope.ts";
import { readPlainType } from "./types.ts";

/** Sorts of items. Source: Binary.md, `sort`. */
const Sort = { core: 0x00, func: 0x01, type: 0x03, component: 0x04, instance: 0x05 } as const;

/** Instantiates the component of an index. */
type Instantiate = (scope: Scope, index: number, given: Instance) => Instance;

/** Reads a type definition and adds it to the scope. */
export function readType(reader: ComponentReader, scope: Scope): void {
  define(scope, { sort: "type", type: readDefinition(reader, scope) });
}

/** Reads an import and adds what stands for it: what the component was given, or the host's. */
export function readImport(reader: ComponentReader, scope: Scope): void {
  const name = reader.externName();
  const given = scope.given?.get(name);
  // The description has to be read all the same, and says nothing new about what was given.
  const described = readDescription(
    reader,
    scope,
    scope.given === undefined ? { importName: name, member: "" } : UNNAMED,
  );
  const item = scope.given === undefined ? described : given;
  define(scope, present(item, "import", name));
}

/** Reads an export, which adds its item to the scope a second time. */
export function readExport(reader: ComponentReader, scope: Scope): void {
  const name = reader.externName();
  const item = readItem(reader, scope);
  if (reader.u8() !== 0) readDescription(reader, scope, UNNAMED);
  scope.exports.set(name, present(item, "export", name));
  define(scope, present(item, "export", name));
}

/** Reads an alias and adds its item to the scope. */
export function readAlias(reader: ComponentReader, scope: Scope): void {
  const sort = reader.u8();
  const coreSort = sort === Sort.core ? reader.u8() : -1;
  const target = reader.u8();
  if (target === 0x00) {
    const index = reader.u32();
    const name = reader.plainName();
    define(scope, present(present(scope.instances[index], "instance", index).get(name), "export", name));
  } else if (target === 0x01) {
    const index = reader.u32();
    const name = reader.plainName();
    defineCore(scope, { sort: coreSort, item: coreExport(scope, { index, name, sort: coreSort }) });
  } else {
    const from = outerScope(scope, reader.u32());
    const index = reader.u32();
    // Core types are not kept: nothing that runs has one.
    if (coreSort === CoreSort.type) return;
    define(scope, present(itemAt(from, sort === Sort.core ? coreSort : sort, index), "outer item", index));
  }
}

/** Reads an instance and adds it to the scope. */
export function readInstance(reader: ComponentReader, scope: Scope, instantiate: Instantiate): void {
  const isInstantiated = reader.u8() === 0x00;
  const index = isInstantiated ? reader.u32() : 0;
  const items = new Map<string, Item>();
  for (let left = reader.count(); left > 0; left--) {
    const name = isInstantiated ? reader.plainName() : reader.externName();
    const item = readItem(reader, scope);
    if (item !== undefined) items.set(name, item);
  }
  define(scope, { sort: "instance", instance: isInstantiated ? instantiate(scope, index, items) : items });
}

/** Reads a core instance: a step of the plan, or items under other names. */
export function readCoreInstance(reader: ComponentReader, scope: Scope): void {
  scope.builder.count();
  if (reader.u8() === 0x00) {
    const index = reader.u32();
    const imports: Step["imports"][number][] = [];
    for (let left = reader.count(); left > 0; left--) {
      const name = reader.plainName();
      reader.u8();
      imports.push([name, importsFrom(scope, reader.u32())]);
    }
    const module = present(scope.coreModules[index], "core module", index);
    scope.coreInstances.push(scope.builder.addStep({ module, imports }));
    return;
  }
  const items = new Map<string, CoreSorted>();
  for (let left = reader.count(); left > 0; left--) {
    const name = reader.plainName();
    const sort = reader.u8();
    items.set(name, { sort, item: coreItemAt(scope, sort, reader.u32()) });
  }
  scope.coreInstances.push(items);
}

function importsFrom(scope: Scope, index: number): number | readonly (readonly [string, CoreItem])[] {
  const from = present(scope.coreInstances[index], "core instance", index);
  return typeof from === "number" ? from : [...from].map(([name, { item }]) => [name, item] as const);
}

function coreExport(scope: Scope, wanted: { index: number; name: string; sort: number }): CoreItem {
  const from = present(scope.coreInstances[wanted.index], "core instance", wanted.index);
  if (typeof from === "number") return { from: "export", instance: from, name: wanted.name };
  const found = present(from.get(wanted.name), "core export", wanted.name);
  if (found.sort !== wanted.sort) present(undefined, "core export", wanted.name);
  return found.item;
}

function readDefinition(reader: ComponentReader, scope: Scope): Type {
  const form = reader.u8();
  if (form === 0x41) {
    readDeclarations(reader, openTypeScope(scope), undefined);
    return { form: "component" };
  }
  if (form === 0x42) return readInstanceType(reader, scope);
  if (form !== 0x3f) return present(readPlainType(reader, scope, form), "type form", form);
  reader.u8();
  const index = reader.u8() === 0 ? undefined : reader.u32();
  const destructor = index === undefined ? null : present(scope.coreFunctions[index], "core function", index);
  if (destructor !== null && destructor.from !== "export")
    throw refuse("COMPONENT_UNSUPPORTED", { what: "built-in functions as destructors" });
  return { form: "resource", id: scope.builder.addResource({ instance: scope.instance, destructor }) };
}

/** Keeps where an instance type is written: it is read again for each import of it. */
function readInstanceType(reader: ComponentReader, scope: Scope): Type {
  const start = reader.pos;
  readDeclarations(reader, openTypeScope(scope), undefined);
  const end = reader.pos;
  const make = (interfaceName: string | undefined): Instance => {
    const again = reader.between(start, end);
    const inner = openTypeScope(scope);
    readDeclarations(again, inner, interfaceName);
    return inner.exports;
  };
  return { form: "instance", make };
}

function openTypeScope(outer: Scope): Scope {
  const { builder, instance } = outer;
  return openScope({ outer, builder, instance, given: undefined });
}

/** @param interfaceName - The import that the type describes; undefined when nothing is imported by it. */
function readDeclarations(reader: ComponentReader, scope: Scope, interfaceName: string | undefined): void {
  for (let left = reader.count(); left > 0; left--) {
    const form = reader.u8();
    if (form === 0x01) readType(reader, scope);
    else if (form === 0x02) readAlias(reader, scope);
    else {
      // An import (of a component type only) or an export.
      const name = reader.externName();
      const item = readDescription(reader, scope, { importName: interfaceName, member: name });
      scope.exports.set(name, item);
      define(scope, item);
    }
  }
}

/** What a description is of. */
interface Described {
  /** The interface, or the function or type itself, that the host is asked for; undefined when nothing is. */
  readonly importName: string | undefined;
  /** The name within that interface. */
  readonly member: string;
}

const UNNAMED: Described = { importName: undefined, member: "" };

/** Reads what an import or an export is. */
function readDescription(reader: ComponentReader, scope: Scope, described: Described): Item {
  const form = reader.u8();
  if (form === Sort.type) return { sort: "type", type: readBound(reader, scope, described) };
  const index = reader.u32();
  const type = present(scope.types[index], "type", index);
  if (form === Sort.func && type.form === "func") return { sort: "func", func: addImport(scope, type.type, described) };
  if (form === Sort.instance && type.form === "instance") {
    const { importName, member } = described;
    const name = importName === undefined || member === "" ? importName : `${stripVersion(importName)}/${member}`;
    return { sort: "instance", instance: type.make(name) };
  }
  if (form === Sort.component) return { sort: "component", component: { outer: scope, open: refuseOpening } };
  throw reader.malformed(`a description of form ${form} has type ${index}`);
}

function readBound(reader: ComponentReader, scope: Scope, { importName, member }: Described): Type {
  if (reader.u8() === 0x01) return { form: "resource", id: `${stripVersion(importName ?? "")}/${member}` };
  const index = reader.u32();
  return present(scope.types[index], "type", index);
}

/** @returns A number that no function has, when nothing is imported by the description. */
function addImport({ builder }: Scope, type: FunctionType, { importName, member }: Described): number {
  if (importName === undefined) return -1;
  const signature = builder.signature(type);
  return builder.addFunction({ from: "import", interface: stripVersion(importName), name: member, type: signature });
}

function refuseOpening(): never {
  throw refuse("COMPONENT_UNSUPPORTED", { what: "components that are imported" });
}

function readItem(reader: ComponentReader, scope: Scope): Item | undefined {
  const sort = reader.u8();
  const actual = sort === Sort.core ? reader.u8() : sort;
  return itemAt(scope, actual, reader.u32());
}

/** @returns Undefined for what plays no part when the component runs. */
function itemAt(scope: Scope, sort: number, index: number): Item | undefined {
  switch (sort) {
    case Sort.func:
      return { sort: "func", func: present(scope.functions[index], "function", index) };
    case Sort.type:
      return { sort: "type", type: present(scope.types[index], "type", index) };
    case Sort.component:
      return { sort: "component", component: present(scope.components[index], "component", index) };
    case Sort.instance:
      return { sort: "instance", instance: present(scope.instances[index], "instance", index) };
    case CoreSort.module:
      return { sort: "module", module: present(scope.coreModules[index], "core module", index) };
    default:
      return undefined;
  }
}

/** Source: Semantic Versioning 2.0.0 §6: a patch is compatible. Only versions that are served lose theirs. */
const SERVED_VERSION = /^(wasi:[^@]*)@0\.2\.\d+$|^(kami:[^@]*)@0\.1\.\d+$/;

function stripVersion(name: string): string {
  const match = SERVED_VERSION.exec(name);
  return match?.[1] ?? match?.[2] ?? name;
}
