/**
 * Test support: reads WIT, as far as the packages of WASI 0.2 use it, and writes each function's type as one line, named types resolved.
 */
import type { FunctionType, ValueType } from "../../../lib/schema/value-type.ts";

/** The functions of interfaces by name: `wasi:http/types` → `[method]fields.get` → `(self: borrow<…>, name: string) -> list<list<u8>>`. */
export type WitFunctions = ReadonlyMap<string, ReadonlyMap<string, string>>;

interface Scope {
  /** Resolved types by name. */
  readonly names: Map<string, string>;
  readonly functions: Map<string, string>;
}

/** Interfaces of other packages that are used, and the resources that they have. */
const FOREIGN = new Map([
  ["error", "wasi:io/error/error"],
  ["pollable", "wasi:io/poll/pollable"],
  ["input-stream", "wasi:io/streams/input-stream"],
  ["output-stream", "wasi:io/streams/output-stream"],
]);

/** Reads a package. */
export function readWit(text: string): WitFunctions {
  const source = text.replace(/\/\/.*$/gm, "").replace(/@unstable\([^)]*\)|@since\([^)]*\)/g, "");
  const name = /package ([\w:-]+)@/.exec(source)?.[1] ?? "";
  const scopes = new Map<string, Scope>();
  const bodies = [...source.matchAll(/^interface ([\w-]+) \{\n([^]*?)^\}/gm)];
  // The interfaces that others use come later in the text: twice is enough for all of them to be there.
  for (const [, own = "", body = ""] of [...bodies, ...bodies])
    scopes.set(own, readInterface(`${name}/${own}`, body, scopes));
  return new Map([...scopes].map(([own, { functions }]) => [`${name}/${own}`, functions]));
}

/** Writes a type of ours in the same way. */
export function formatFunction({ parameters, result }: FunctionType): string {
  const list = parameters.map(({ name, type }) => `${name}: ${formatType(type)}`).join(", ");
  return `(${list})${result === undefined ? "" : ` -> ${formatType(result)}`}`;
}

function formatType(type: ValueType): string {
  switch (type.kind) {
    case "list":
      return `list<${formatType(type.element)}>`;
    case "record":
      return `record{${type.fields.map(({ name, type: field }) => `${name}:${formatType(field)}`).join(",")}}`;
    case "tuple":
      return `tuple<${type.elements.map(formatType).join(",")}>`;
    case "variant":
      return `variant{${type.cases.map((each) => (each.type === undefined ? each.name : `${each.name}(${formatType(each.type)})`)).join(",")}}`;
    case "enum":
      return `enum{${type.names.join(",")}}`;
    case "flags":
      return `flags{${type.names.join(",")}}`;
    case "option":
      return `option<${formatType(type.some)}>`;
    case "result": {
      const ok = type.ok === undefined ? "_" : formatType(type.ok);
      return `result<${ok},${type.error === undefined ? "_" : formatType(type.error)}>`;
    }
    case "own":
    case "borrow":
      return `${type.kind}<${type.resource}>`;
    default:
      return type.kind;
  }
}

function readInterface(full: string, body: string, scopes: ReadonlyMap<string, Scope>): Scope {
  const scope: Scope = { names: new Map(), functions: new Map() };
  for (const [, from = "", list = ""] of body.matchAll(/use ([^{]+)\.\{([^}]*)\}/g)) {
    for (const item of list.split(",")) {
      const [name = "", alias = name] = item.trim().split(" as ");
      const known = scopes.get(from)?.names.get(name) ?? (FOREIGN.has(name) ? `own<${FOREIGN.get(name)}>` : "u64");
      scope.names.set(alias, known);
    }
  }
  for (const [, name = ""] of body.matchAll(/resource ([\w-]+)/g)) scope.names.set(name, `own<${full}/${name}>`);
  const plain = body.replace(/use [^;]*;/g, "");
  for (const [, kind = "", name = "", inner = ""] of plain.matchAll(
    /(variant|enum|record|flags) ([\w-]+) \{([^}]*)\}/g,
  ))
    scope.names.set(
      name,
      `${kind}{${splitTop(inner)
        .map((part) => member(kind, part, scope))
        .join(",")}}`,
    );
  for (const [, name = "", type = ""] of [...plain.matchAll(/type ([\w-]+) = ([^;]+);/g)].toReversed())
    scope.names.set(name, resolve(type, scope));
  // Types may name types that come later.
  for (const [, kind = "", name = "", inner = ""] of plain.matchAll(/(variant|record) ([\w-]+) \{([^}]*)\}/g))
    scope.names.set(
      name,
      `${kind}{${splitTop(inner)
        .map((part) => member(kind, part, scope))
        .join(",")}}`,
    );
  readFunctions(full, plain, scope);
  return scope;
}

function member(kind: string, part: string, scope: Scope): string {
  if (kind === "record") {
    const [name = "", type = ""] = part.split(/:(.*)/s);
    return `${name.trim()}:${resolve(type, scope)}`;
  }
  const payload = /^([\w-]+)\((.*)\)$/s.exec(part);
  return payload === null ? part : `${payload[1]}(${resolve(payload[2] ?? "", scope)})`;
}

function readFunctions(full: string, body: string, scope: Scope): void {
  const withoutTypes = body.replace(/(?:variant|enum|record|flags) [\w-]+ \{[^}]*\}/g, "");
  const resources = [...withoutTypes.matchAll(/resource ([\w-]+) \{([^]*?)\n {2,4}\}/g)];
  for (const [, resource = "", inner = ""] of resources) {
    for (const [, name = "", isStatic, parameters = "", result] of inner.matchAll(
      /%?([\w-]+)(?:: (static )?func)?\(([^)]*)\)(?: -> ([^;]+))?;/g,
    )) {
      if (name === "constructor")
        scope.functions.set(`[constructor]${resource}`, signature("", parameters, `own<${full}/${resource}>`, scope));
      else if (isStatic !== undefined)
        scope.functions.set(`[static]${resource}.${name}`, signature("", parameters, result, scope));
      else
        scope.functions.set(
          `[method]${resource}.${name}`,
          signature(`self: borrow<${full}/${resource}>`, parameters, result, scope),
        );
    }
  }
  const free = withoutTypes.replace(/resource [\w-]+ \{[^]*?\n {2,4}\}/g, "");
  for (const [, name = "", parameters = "", result] of free.matchAll(/([\w-]+): func\(([^)]*)\)(?: -> ([^;]+))?;/g))
    scope.functions.set(name, signature("", parameters, result, scope));
}

// oxlint-disable-next-line max-params
function signature(self: string, parameters: string, result: string | undefined, scope: Scope): string {
  const list = splitTop(parameters).map((part) => {
    const [name = "", type = ""] = part.split(/:(.*)/s);
    return `${name.trim()}: ${resolve(type, scope)}`;
  });
  const all = self === "" ? list : [self, ...list];
  return `(${all.join(", ")})${result === undefined ? "" : ` -> ${resolve(result, scope)}`}`;
}

function resolve(written: string, scope: Scope): string {
  const type = written.trim();
  if (type === "result") return "result<_,_>";
  const generic = /^(\w+)<(.*)>$/s.exec(type);
  if (generic === null) return scope.names.get(type) ?? type;
  const [, kind = "", inner = ""] = generic;
  if (kind === "own") return scope.names.get(inner) ?? type;
  if (kind === "borrow") return resolve(inner, scope).replace(/^own/, "borrow");
  const parts = splitTop(inner).map((part) => (part === "_" ? "_" : resolve(part, scope)));
  if (kind === "result" && parts.length === 1) parts.push("_");
  return `${kind}<${parts.join(",")}>`;
}

/** Splits at commas outside of brackets. */
function splitTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at);
    if ("<({".includes(letter)) depth += 1;
    if (">)}".includes(letter)) depth -= 1;
    if (letter !== "," || depth > 0) continue;
    parts.push(text.slice(start, at).trim());
    start = at + 1;
  }
  parts.push(text.slice(start).trim());
  return parts.filter((part) => part !== "");
}
