/**
 * Links a planned component to a host. What does not depend on a call is made here, once.
 */
import type { HostFunction, HostInterface } from "./host.ts";
import { resolveTypes } from "./codecs.ts";
import { type CoreSignature, coreSignature, type Gates, makeGates } from "./gates.ts";
import { Linked, type LinkedCall } from "./linked.ts";
import type { CoreItem, Plan, PlannedFunction, Signature } from "./plan.ts";
import { isSameFunction } from "./same.ts";
import { type Shape, shapeOf } from "./shape.ts";
import type { FunctionType, ValueType } from "../../schema/value-type.ts";

/** A function of the plan, with how its values pass. */
export type PreparedFunction<Call> =
  | {
      readonly from: "host";
      /** `wasi:io/poll poll`. */
      readonly name: string;
      readonly served: HostFunction<Call>;
      readonly shape: Shape;
    }
  /** Nobody serves it, or not with the types that the component declares. */
  | {
      readonly from: "nobody";
      readonly interface: string;
      readonly name: string;
      readonly isMistyped: boolean;
    }
  | { readonly from: "lift"; readonly planned: Extract<PlannedFunction, { from: "lift" }>; readonly shape: Shape };

/** A component that can be instantiated again and again. */
export class Linker<Call> {
  readonly plan: Plan;
  readonly functions: readonly PreparedFunction<Call>[];
  /** The types of the exported functions, in the order of the plan's exports. */
  readonly exportTypes: readonly FunctionType[];
  /** Whether the component imports anything that may suspend it. If not, all that is done with it is done at once. */
  readonly mayBlock: boolean;
  /** What stands before functions that may suspend; undefined when none may. */
  readonly gates: Gates | undefined;

  /** @param interfaces - What the host offers, by name without version. */
  constructor(plan: Plan, interfaces: ReadonlyMap<string, HostInterface<Call>>) {
    this.plan = plan;
    const types = resolveTypes(plan.types);
    this.functions = plan.functions.map((planned) => prepare(planned, types, interfaces));
    this.exportTypes = plan.exports.map((exported) => {
      const planned = plan.functions[exported.function];
      if (planned === undefined) throw new Error("BUG: a plan exports a function that it does not have");
      return functionType(planned.type, types);
    });
    this.mayBlock = this.functions.some((prepared) => prepared.from === "host" && prepared.served.suspends);
    this.gates = makeGates(plan.steps, (item) => this.#gateOf(item));
  }

  /** Makes a fresh instance: at once, unless the component may block. */
  instantiate(call: LinkedCall<Call>): Linked<Call> | Promise<Linked<Call>> {
    const linked = new Linked(this, call);
    const making = linked.make();
    return making === undefined ? linked : making.then(() => linked);
  }

  /** The core type of what may suspend. A destructor may, wherever anything may. */
  #gateOf(item: CoreItem): CoreSignature | undefined {
    if (!this.mayBlock) return undefined;
    if (item.from === "lower") {
      const prepared = this.functions[item.function];
      const suspends = prepared?.from === "lift" || (prepared?.from === "host" && prepared.served.suspends);
      return suspends ? coreSignature(prepared.shape) : undefined;
    }
    if (item.from !== "resource.drop" || typeof item.resource !== "number") return undefined;
    const hasDestructor = (this.plan.resources[item.resource]?.destructor ?? null) !== null;
    return hasDestructor ? { parameters: ["i32"], result: undefined } : undefined;
  }
}

function prepare<Call>(
  planned: PlannedFunction,
  types: readonly ValueType[],
  interfaces: ReadonlyMap<string, HostInterface<Call>>,
): PreparedFunction<Call> {
  const type = functionType(planned.type, types);
  if (planned.from === "lift") return { from: "lift", planned, shape: shapeOf(type) };
  const served = interfaces.get(planned.interface)?.functions.get(planned.name);
  if (served !== undefined && isSameFunction(type, served.type)) {
    return {
      from: "host",
      name: `${planned.interface} ${planned.name}`.trimEnd(),
      served,
      shape: shapeOf(served.type),
    };
  }
  return { from: "nobody", interface: planned.interface, name: planned.name, isMistyped: served !== undefined };
}

function functionType({ parameters, result }: Signature, types: readonly ValueType[]): FunctionType {
  return {
    parameters: parameters.map(([name, type]) => ({ name, type: typeAt(types, type) })),
    result: result === null ? undefined : typeAt(types, result),
  };
}

function typeAt(types: readonly ValueType[], number: number): ValueType {
  const type = types[number];
  if (type === undefined) throw new Error("BUG: a plan names a type that it does not have");
  return type;
}
