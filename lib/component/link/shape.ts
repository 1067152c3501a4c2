/**
 * How a function's parameters and result pass: lifting and lowering of whole calls.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md, `lift_flat_values`, `lower_flat_values`.
 */
import { fieldsCodec } from "./aggregates.ts";
import { type Codec, CoreValues, flattenAll } from "./codec.ts";
import { codecOf } from "./codecs.ts";
import type { Context, CoreValue } from "./context.ts";
import type { FunctionType } from "../../schema/value-type.ts";

/** How the values of one function type pass. */
export interface Shape {
  readonly parameters: readonly Codec[];
  /** What arguments stand for here; 0 when it is little. */
  readonly weight: number;
  /** The parameters as one record in memory, when they are too many for core values. */
  readonly spilled: Codec | undefined;
  readonly result: Codec | undefined;
  /** What a result stands for here; 0 when it is little. */
  readonly resultWeight: number;
  /** Whether the result passes in memory: it has more than one core value. Source: `MAX_FLAT_RESULTS`. */
  readonly isResultStored: boolean;
  /** Whether the result is a `result<T, E>`. */
  readonly isFallible: boolean;
}

/** Values that stand for less are not counted: a call is charged for anyway. */
const LITTLE_BYTES = 4096;

/** Makes the shape of a function type. */
export function shapeOf(type: FunctionType): Shape {
  const parameters = type.parameters.map((parameter) => codecOf(parameter.type));
  const result = type.result === undefined ? undefined : codecOf(type.result);
  return {
    parameters,
    weight: countable(parameters.reduce((sum, { weight }) => sum + weight, 0)),
    spilled: flattenAll(parameters) === undefined ? fieldsCodec(parameters) : undefined,
    result,
    resultWeight: countable(result?.weight ?? 0),
    isResultStored: result !== undefined && result.flat?.length !== 1,
    isFallible: type.result?.kind === "result",
  };
}

/** Takes the arguments that core code passes. */
export function liftParameters(context: Context, shape: Shape, core: CoreValues): unknown[] {
  const { parameters, spilled, weight } = shape;
  if (weight > 0) context.count(weight);
  if (spilled === undefined) return parameters.map((codec) => codec.lift(context, core));
  const at = context.check(core.number(context) >>> 0, spilled.size, spilled.align);
  const values = spilled.load(context, at);
  return Array.isArray(values) ? values : [];
}

/** Turns arguments into what core code takes. */
export function lowerParameters(context: Context, shape: Shape, values: readonly unknown[]): CoreValue[] {
  const { parameters, spilled } = shape;
  const out: CoreValue[] = [];
  if (spilled === undefined) {
    for (const [index, codec] of parameters.entries()) codec.lower(context, values[index], out);
    return out;
  }
  const at = context.allocate(spilled.size, spilled.align);
  spilled.store(context, values, at);
  return [at];
}

/** Takes what core code returned. */
export function liftResult(context: Context, shape: Shape, returned: unknown): unknown {
  const { result, resultWeight, isResultStored } = shape;
  if (result === undefined) return undefined;
  if (resultWeight > 0) context.count(resultWeight);
  const core = new CoreValues([returned]);
  if (!isResultStored) return result.lift(context, core);
  return result.load(context, context.check(core.number(context) >>> 0, result.size, result.align));
}

/** Turns a result into what core code gets, or stores it where its last argument points. */
export function lowerResult(context: Context, shape: Shape, given: { value: unknown; core: CoreValues }): unknown {
  const { result, isResultStored } = shape;
  if (result === undefined) return undefined;
  if (isResultStored) {
    const at = context.check(given.core.number(context) >>> 0, result.size, result.align);
    result.store(context, given.value, at);
    return undefined;
  }
  const out: CoreValue[] = [];
  result.lower(context, given.value, out);
  return out[0];
}

function countable(weight: number): number {
  return weight < LITTLE_BYTES ? 0 : weight;
}
