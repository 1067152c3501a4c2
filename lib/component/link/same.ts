/**
 * Tells whether a component declares a function of the host's with the types that it has.
 *
 * Source: WebAssembly Component Model, Subtyping.md: a component's imports must be what it is given.
 */
import type { Case, FunctionType, ValueType } from "../../schema/value-type.ts";

/** Whether two function types are the same. Parameters' names do not matter. */
export function isSameFunction(a: FunctionType, b: FunctionType): boolean {
  return (
    a.parameters.length === b.parameters.length &&
    a.parameters.every(({ type }, index) => isSameOptional(type, b.parameters[index]?.type)) &&
    isSameOptional(a.result, b.result)
  );
}

/** Whether two types are the same. Takes as long as the smaller one is large, written out as a tree. */
function isSame(a: ValueType, b: ValueType): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case "list":
      return b.kind === "list" && isSame(a.element, b.element);
    case "record":
      return b.kind === "record" && areSameCases(a.fields, b.fields);
    case "tuple":
      return (
        b.kind === "tuple" &&
        a.elements.length === b.elements.length &&
        a.elements.every((element, index) => isSameOptional(element, b.elements[index]))
      );
    case "variant":
      return b.kind === "variant" && areSameCases(a.cases, b.cases);
    case "enum":
    case "flags":
      return a.kind === b.kind && areSameNames(a.names, b.names);
    case "option":
      return b.kind === "option" && isSame(a.some, b.some);
    case "result":
      return b.kind === "result" && isSameOptional(a.ok, b.ok) && isSameOptional(a.error, b.error);
    case "own":
    case "borrow":
      return a.kind === b.kind && a.resource === b.resource;
    default:
      return a.kind === b.kind;
  }
}

function isSameOptional(a: ValueType | undefined, b: ValueType | undefined): boolean {
  return a === undefined || b === undefined ? a === b : isSame(a, b);
}

function areSameCases(a: readonly Case[], b: readonly Case[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, type }, index) => name === b[index]?.name && isSameOptional(type, b[index]?.type))
  );
}

function areSameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}
