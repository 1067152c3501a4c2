/**
 * Makes the codecs of a plan's types, and of the host's.
 */
import { fieldsCodec, flagsCodec } from "./aggregates.ts";
import type { Codec } from "./codec.ts";
import { handleCodec } from "./handles.ts";
import { BYTES, listCodec } from "./lists.ts";
import type { TypeNode } from "./plan.ts";
import { SCALARS } from "./scalars.ts";
import { STRING } from "./text.ts";
import type { ValueType } from "../../schema/value-type.ts";
import { enumCodec, optionCodec, resultCodec, variantCodec } from "./variants.ts";

const KNOWN = new WeakMap<ValueType, Codec>();

/** Finds the codec of a type: one for each type that is the same object. */
export function codecOf(type: ValueType): Codec {
  const known = KNOWN.get(type);
  if (known !== undefined) return known;
  const made = makeCodec(type);
  KNOWN.set(type, made);
  return made;
}

/**
 * Makes the types of a plan.
 *
 * @returns Types by number. A part that two have in common is one object.
 */
export function resolveTypes(nodes: readonly TypeNode[]): readonly ValueType[] {
  const types: ValueType[] = [];
  const at = (number: number): ValueType => types[number] ?? missing();
  for (const node of nodes) types.push(resolveType(node, at));
  return types;
}

function makeCodec(type: ValueType): Codec {
  switch (type.kind) {
    case "string":
      return STRING;
    case "list":
      return type.element.kind === "u8" ? BYTES : listCodec(codecOf(type.element));
    case "record":
      return fieldsCodec(type.fields.map((field) => codecOf(field.type)));
    case "tuple":
      return fieldsCodec(type.elements.map(codecOf));
    case "variant":
      return variantCodec(type.cases.map((each) => [each.name, optionalCodec(each.type)] as const));
    case "enum":
      return enumCodec(type.names);
    case "flags":
      return flagsCodec(type.names.length);
    case "option":
      return optionCodec(codecOf(type.some), type.some.kind === "option");
    case "result":
      return resultCodec(optionalCodec(type.ok), optionalCodec(type.error));
    case "own":
    case "borrow":
      return handleCodec(type.kind, type.resource);
    default:
      return SCALARS[type.kind];
  }
}

function optionalCodec(part: ValueType | undefined): Codec | undefined {
  return part === undefined ? undefined : codecOf(part);
}

function resolveType(node: TypeNode, at: (number: number) => ValueType): ValueType {
  const optional = (part: number | null): ValueType | undefined => (part === null ? undefined : at(part));
  switch (node.kind) {
    case "list":
      return { kind: "list", element: at(node.element) };
    case "record":
      return { kind: "record", fields: node.fields.map(([name, type]) => ({ name, type: at(type) })) };
    case "tuple":
      return { kind: "tuple", elements: node.elements.map(at) };
    case "variant":
      return { kind: "variant", cases: node.cases.map(([name, type]) => ({ name, type: optional(type) })) };
    case "option":
      return { kind: "option", some: at(node.some) };
    case "result":
      return { kind: "result", ok: optional(node.ok), error: optional(node.error) };
    default:
      return node;
  }
}

function missing(): never {
  throw new Error("BUG: a plan names a type that it does not have");
}
