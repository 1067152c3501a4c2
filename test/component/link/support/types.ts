/**
 * Test support: types and values of the component model by chance, and the text of a component's types.
 */
import type { Primitive, ValueType } from "../../../../lib/schema/value-type.ts";
import type { Random } from "./random.ts";

const PRIMITIVES: readonly Primitive[] = [
  "bool",
  "s8",
  "u8",
  "s16",
  "u16",
  "s32",
  "u32",
  "s64",
  "u64",
  "f32",
  "f64",
  "char",
  "string",
];

/** Makes a type. @param depth - How deep it may nest, from 0. */
export function makeType(random: Random, depth: number): ValueType {
  if (depth === 0 || random.happens(0.3)) return { kind: random.pick(PRIMITIVES) };
  const part = (): ValueType => makeType(random, depth - 1);
  const optional = (): ValueType | undefined => (random.happens(0.3) ? undefined : part());
  const named = <T>(most: number, make: () => T): { name: string; type: T }[] =>
    Array.from({ length: 1 + random.below(most) }, (_, index) => ({ name: `n${index}`, type: make() }));
  switch (random.below(9)) {
    case 0:
      return { kind: "record", fields: named(6, part) };
    case 1:
      return { kind: "tuple", elements: named(5, part).map(({ type }) => type) };
    case 2:
      return { kind: "variant", cases: named(random.happens(0.05) ? 300 : 6, optional) };
    case 3:
      return { kind: "enum", names: names(random.happens(0.2) ? 250 + random.below(20) : 1 + random.below(6)) };
    case 4:
      return { kind: "flags", names: names(1 + random.below(32)) };
    case 5:
      return { kind: "option", some: part() };
    case 6:
      return { kind: "result", ok: optional(), error: optional() };
    default:
      return { kind: "list", element: part() };
  }
}

const TEXTS = [
  "",
  "a",
  "\u0000",
  "grüße",
  "€uro",
  "😀",
  "\ufeffmark",
  "ÿ\u0100",
  "x".repeat(300),
  "\u{10ffff}",
] as const;
const CHARACTERS = ["\u0000", "a", "\u007f", "ÿ", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"] as const;
const FLOATS = [0, -0, 1.5, -1e-7, 3.4028234663852886e38, Infinity, -Infinity, NaN, 1 / 3, 5e-324] as const;

/** Makes a value of a type, as KAMI's linker holds it. */
export function makeValue(random: Random, type: ValueType): unknown {
  const length = (): number => random.pick([0, 0, 1, 2, 3, random.below(20)]);
  switch (type.kind) {
    case "record":
      return type.fields.map((field) => makeValue(random, field.type));
    case "tuple":
      return type.elements.map((element) => makeValue(random, element));
    case "variant": {
      const chosen = random.pick(type.cases);
      return { tag: chosen.name, value: chosen.type && makeValue(random, chosen.type) };
    }
    case "enum":
      return random.pick(type.names);
    case "flags":
      return (random.pick([0, random.bits(), 0xffff_ffff]) & (2 ** type.names.length - 1)) >>> 0;
    case "option": {
      if (random.happens(0.4)) return undefined;
      const some = makeValue(random, type.some);
      return type.some.kind === "option" ? { some } : some;
    }
    case "result": {
      const tag = random.pick(["ok", "error"] as const);
      return { tag, value: type[tag] && makeValue(random, type[tag]) };
    }
    case "list": {
      const { element } = type;
      const values = Array.from({ length: length() }, () => makeValue(random, element));
      return element.kind === "u8" ? Uint8Array.from(values, Number) : values;
    }
    case "own":
    case "borrow":
      throw new Error("no values of handles");
    default:
      return makeScalar(random, type.kind);
  }
}

/** Writes a type in a component's text; records and the like are named. */
export function typeText(type: ValueType, nameOf: (type: ValueType) => string): string {
  const part = (inner: ValueType): string => typeText(inner, nameOf);
  const optional = (inner: ValueType | undefined): string => (inner === undefined ? "" : part(inner));
  switch (type.kind) {
    case "record":
    case "variant":
    case "enum":
    case "flags":
      return nameOf(type);
    case "tuple":
      return `(tuple ${type.elements.map(part).join(" ")})`;
    case "option":
      return `(option ${part(type.some)})`;
    case "result":
      return `(result ${optional(type.ok)} ${type.error === undefined ? "" : `(error ${part(type.error)})`})`;
    case "list":
      return `(list ${part(type.element)})`;
    case "own":
    case "borrow":
      return `(${type.kind} ${nameOf(type)})`;
    default:
      return type.kind;
  }
}

/** Writes what a named type is. */
export function definitionText(type: ValueType, nameOf: (type: ValueType) => string): string {
  switch (type.kind) {
    case "record":
      return `(record ${type.fields.map((field) => `(field "${field.name}" ${typeText(field.type, nameOf)})`).join(" ")})`;
    case "variant":
      return `(variant ${type.cases
        .map((each) => `(case "${each.name}" ${each.type === undefined ? "" : typeText(each.type, nameOf)})`)
        .join(" ")})`;
    case "enum":
    case "flags":
      return `(${type.kind} ${type.names.map((name) => `"${name}"`).join(" ")})`;
    default:
      throw new Error(`${type.kind} has no name`);
  }
}

/** Lists the types that need a name, parts before wholes. */
export function namedTypes(type: ValueType): readonly ValueType[] {
  const isNamed = ["record", "variant", "enum", "flags"].includes(type.kind);
  return [...partsOf(type).flatMap(namedTypes), ...(isNamed ? [type] : [])];
}

function partsOf(type: ValueType): readonly ValueType[] {
  switch (type.kind) {
    case "record":
      return type.fields.map((field) => field.type);
    case "tuple":
      return type.elements;
    case "variant":
      return type.cases.flatMap((each) => present(each.type));
    case "option":
      return [type.some];
    case "result":
      return [...present(type.ok), ...present(type.error)];
    case "list":
      return [type.element];
    default:
      return [];
  }
}

function present(part: ValueType | undefined): readonly ValueType[] {
  return part === undefined ? [] : [part];
}

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `n${index}`);
}

function makeScalar(random: Random, kind: Primitive): unknown {
  switch (kind) {
    case "bool":
      return random.happens(0.5);
    case "string":
      return random.pick(TEXTS);
    case "char":
      return random.pick(CHARACTERS);
    case "f32":
      return Math.fround(random.pick(FLOATS));
    case "f64":
      return random.pick(FLOATS);
    case "s64":
      return random.pick([0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), BigInt(random.bits())]);
    case "u64":
      return random.pick([0n, 1n, 2n ** 63n, 2n ** 64n - 1n, BigInt(random.bits())]);
    default:
      return makeInteger(random, kind);
  }
}

function makeInteger(random: Random, kind: "s8" | "u8" | "s16" | "u16" | "s32" | "u32"): number {
  const bits = Number(kind.slice(1));
  const isSigned = kind.startsWith("s");
  const [least, most] = isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  return random.pick([0, 1, least, most, least + 1, most - 1, least + (random.bits() % (most - least + 1))]);
}
