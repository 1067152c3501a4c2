/**
 * Collects a plan: numbers its types, functions, resources and steps, and bounds how much there is.
 */
import { COMPONENT_LIMITS } from "../artifact.ts";
import type { Plan, PlannedFunction, PlannedResource, Signature, Step, TypeNode } from "../link/plan.ts";
import type { FunctionType, ValueType } from "../../schema/value-type.ts";
import { checkTotal } from "../scope.ts";

/** Checks the size of a plan as JSON. @throws {Failure} COMPONENT_LIMIT */
export function checkPlanBytes(bytes: number): void {
  checkTotal("the size of the plan in bytes", bytes, COMPONENT_LIMITS.planBytes);
}

/** Items that all scopes define together: each nested component counts as often as it is instantiated. */
const MOST_ITEMS = 1_000_000;

/** Bytes of an item of a step's imports, beside its name, in a plan as JSON: at least. */
const ITEM_BYTES = 32;

/** A plan in the making. */
export class Builder {
  readonly #types: TypeNode[] = [];
  readonly #typeNumbers = new Map<ValueType, number>();
  readonly #resources: PlannedResource[] = [];
  readonly #functions: PlannedFunction[] = [];
  readonly #steps: Step[] = [];
  /** Core modules by where they begin: a component that is instantiated twice has its modules once. */
  readonly #modules = new Map<number, number>();
  readonly moduleBytes: Uint8Array[] = [];
  #instances = 0;
  #items = 0;
  #stepBytes = 0;

  /** Counts one more item of any sort. @throws {Failure} COMPONENT_LIMIT */
  count(): void {
    this.#items += 1;
    checkTotal("the number of definitions", this.#items, MOST_ITEMS);
  }

  /** Numbers one more component instance. @throws {Failure} COMPONENT_LIMIT */
  addInstance(): number {
    checkTotal("the number of component instances", this.#instances, COMPONENT_LIMITS.componentInstances);
    return this.#instances++;
  }

  /** Numbers a core module. */
  addModule(start: number, bytes: Uint8Array): number {
    const known = this.#modules.get(start);
    if (known !== undefined) return known;
    const number = this.moduleBytes.push(bytes) - 1;
    this.#modules.set(start, number);
    return number;
  }

  addResource(resource: PlannedResource): number {
    return this.#resources.push(resource) - 1;
  }

  addFunction(planned: PlannedFunction): number {
    return this.#functions.push(planned) - 1;
  }

  /** @returns Number of the core instance. @throws {Failure} COMPONENT_LIMIT */
  addStep(step: Step): number {
    // A core instance that is put together of items is written out for each one that imports from it.
    for (const [, from] of step.imports) {
      if (typeof from !== "number") this.#stepBytes += from.reduce((sum, [name]) => sum + name.length + ITEM_BYTES, 0);
    }
    checkPlanBytes(this.#stepBytes);
    const number = this.#steps.push(step) - 1;
    checkTotal("the number of core instances", this.#steps.length, COMPONENT_LIMITS.instances);
    return number;
  }

  functionAt(number: number): PlannedFunction {
    const found = this.#functions[number];
    if (found === undefined) throw new Error("BUG: a function of no number");
    return found;
  }

  /** Numbers the types of a signature. */
  signature({ parameters, result }: FunctionType): Signature {
    return {
      parameters: parameters.map(({ name, type }) => [name, this.type(type)] as const),
      result: result === undefined ? null : this.type(result),
    };
  }

  /** Numbers a type, and its parts before it. */
  type(type: ValueType): number {
    const known = this.#typeNumbers.get(type);
    if (known !== undefined) return known;
    const node = this.#node(type);
    const number = this.#types.push(node) - 1;
    this.#typeNumbers.set(type, number);
    return number;
  }

  /** The plan, when all is there. */
  finish(exports: Plan["exports"]): Plan {
    return {
      types: this.#types,
      resources: this.#resources,
      instances: this.#instances,
      functions: this.#functions,
      steps: this.#steps,
      exports,
    };
  }

  #node(type: ValueType): TypeNode {
    const optional = (part: ValueType | undefined): number | null => (part === undefined ? null : this.type(part));
    switch (type.kind) {
      case "list":
        return { kind: "list", element: this.type(type.element) };
      case "record":
        return { kind: "record", fields: type.fields.map((field) => [field.name, this.type(field.type)] as const) };
      case "tuple":
        return { kind: "tuple", elements: type.elements.map((element) => this.type(element)) };
      case "variant":
        return { kind: "variant", cases: type.cases.map((each) => [each.name, optional(each.type)] as const) };
      case "option":
        return { kind: "option", some: this.type(type.some) };
      case "result":
        return { kind: "result", ok: optional(type.ok), error: optional(type.error) };
      default:
        return type;
    }
  }
}
