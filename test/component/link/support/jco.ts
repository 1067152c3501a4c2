/**
 * Test support: jco's glue for a component, as the second opinion on what a value is.
 */
import { $init, generate } from "@bytecodealliance/jco-transpile/component";
import type { ValueType } from "../../../../lib/schema/value-type.ts";

type Callable = (...values: unknown[]) => unknown;

/** jco takes a byte-order mark for none of the text. */
const KEEP_MARKS = `const TextDecoder = class {
  constructor(encoding) { return new globalThis.TextDecoder(encoding, { ignoreBOM: true }); }
};
`;

/** Evaluates jco's glue for a component. @param imports - Functions that it imports by themselves, of jco's values. @returns Its exports. */
export async function startGlue(
  component: Uint8Array,
  imports: Readonly<Record<string, Callable>>,
): Promise<(name: string) => Callable> {
  await $init;
  const { files } = generate(component, {
    name: "tool",
    noTypescript: true,
    instantiation: { tag: "sync" },
    noNodejsCompat: true,
    base64Cutoff: 0,
    multiMemory: true,
  });
  const modules = new Map<string, WebAssembly.Module>();
  for (const [name, bytes] of files) {
    if (name.endsWith(".wasm")) modules.set(name, await WebAssembly.compile(Uint8Array.from(bytes)));
  }
  const source = KEEP_MARKS + new TextDecoder().decode(files.find(([name]) => name === "tool.js")?.[1]);
  const glue: unknown = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const given = Object.fromEntries(Object.entries(imports).map(([name, run]) => [name, { default: run }]));
  const exports = callableOf(glue, "instantiate")((name: string) => modules.get(name), given, instantiateCore);
  return (name) => callableOf(exports, name);
}

/** Turns a value of KAMI's linker into one of jco's. */
export function toJco(type: ValueType, value: unknown): unknown {
  switch (type.kind) {
    case "record":
      return Object.fromEntries(type.fields.map((field, index) => [field.name, toJco(field.type, at(value, index))]));
    case "tuple":
      return type.elements.map((element, index) => toJco(element, at(value, index)));
    case "list":
      if (value instanceof Uint8Array) return value;
      return Array.isArray(value) ? value.map((each) => toJco(type.element, each)) : fail(value);
    case "variant": {
      const { tag, payload } = chosen(value);
      const inner = type.cases.find(({ name }) => name === tag)?.type;
      return inner === undefined ? { tag } : { tag, val: toJco(inner, payload) };
    }
    case "flags":
      return Object.fromEntries(type.names.map((name, bit) => [name, ((Number(value) >>> bit) & 1) === 1]));
    case "option": {
      const isNested = type.some.kind === "option";
      if (value === undefined) return isNested ? { tag: "none" } : undefined;
      return isNested ? { tag: "some", val: toJco(type.some, get(value, "some")) } : toJco(type.some, value);
    }
    case "result": {
      const { tag, payload } = chosen(value);
      const inner = tag === "ok" ? type.ok : type.error;
      return { tag: tag === "ok" ? "ok" : "err", val: inner && toJco(inner, payload) };
    }
    default:
      return value;
  }
}

/** Turns a value of jco's into one of KAMI's linker. */
export function fromJco(type: ValueType, value: unknown): unknown {
  switch (type.kind) {
    case "record":
      return type.fields.map((field) => fromJco(field.type, get(value, field.name)));
    case "tuple":
      return type.elements.map((element, index) => fromJco(element, at(value, index)));
    case "list": {
      if (type.element.kind === "u8") return Uint8Array.from(elementsOf(value), Number);
      return elementsOf(value).map((each) => fromJco(type.element, each));
    }
    case "variant": {
      const tag = String(get(value, "tag"));
      const inner = type.cases.find(({ name }) => name === tag)?.type;
      return { tag, value: inner && fromJco(inner, get(value, "val")) };
    }
    case "flags":
      return type.names.reduce((bits, name, bit) => bits + (get(value, name) === true ? 2 ** bit : 0), 0);
    case "option": {
      if (type.some.kind !== "option") return value === undefined ? undefined : fromJco(type.some, value);
      return get(value, "tag") === "none" ? undefined : { some: fromJco(type.some, get(value, "val")) };
    }
    case "result": {
      const tag = get(value, "tag") === "ok" ? "ok" : "error";
      return { tag, value: type[tag] && fromJco(type[tag], get(value, "val")) };
    }
    case "s32":
      // jco lifts a negative one as a number that is too large when it shares an i64 with other cases of a variant.
      return Number(value) | 0;
    default:
      return value;
  }
}

function instantiateCore(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance {
  return new WebAssembly.Instance(module, imports);
}

function callableOf(holder: unknown, name: string): Callable {
  const found = get(holder, name);
  if (typeof found !== "function") throw new Error(`jco's glue has no ${name}()`);
  return (...values) => Reflect.apply(found, undefined, values);
}

function elementsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return ArrayBuffer.isView(value) && Symbol.iterator in value ? Array.from(Object.values(value)) : fail(value);
}

function chosen(value: unknown): { tag: unknown; payload: unknown } {
  return { tag: get(value, "tag"), payload: get(value, "value") };
}

/** What a `result` is, in jco's terms. */
export function outcomeOf(value: unknown): { readonly isOk: boolean; readonly value: unknown } {
  return { isOk: get(value, "tag") === "ok", value: get(value, "val") };
}

function at(value: unknown, index: number): unknown {
  return Array.isArray(value) ? value[index] : fail(value);
}

function get(value: unknown, name: string): unknown {
  return (typeof value === "object" && value !== null) || typeof value === "function"
    ? Reflect.get(value, name)
    : fail(value);
}

function fail(value: unknown): never {
  throw new Error(`not what was expected: ${String(value)}`);
}
