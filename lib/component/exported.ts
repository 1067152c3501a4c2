/**
 * The types of what a plan exports.
 */
import { resolveTypes } from "./link/codecs.ts";
import type { Plan } from "./link/plan.ts";
import type { FunctionType, ValueType } from "../schema/value-type.ts";

const RESOLVED = new WeakMap<Plan, readonly ValueType[]>();

/** Finds the type of an exported function. @param exported - Its number among the plan's exports. */
export function exportedType(plan: Plan, exported: number): FunctionType {
  const signature = plan.functions[plan.exports[exported]?.function ?? -1]?.type;
  if (signature === undefined) throw new Error("BUG: a plan has no such export");
  const types = RESOLVED.get(plan) ?? resolveTypes(plan.types);
  RESOLVED.set(plan, types);
  const at = (number: number): ValueType => {
    const type = types[number];
    if (type === undefined) throw new Error("BUG: a plan names a type that it does not have");
    return type;
  };
  return {
    parameters: signature.parameters.map(([name, type]) => ({ name, type: at(type) })),
    result: signature.result === null ? undefined : at(signature.result),
  };
}
