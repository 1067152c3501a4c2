/**
 * What a host offers to components: interfaces of functions and resources, each with its type, made once and used by all calls.
 */
import type { Field, FunctionType, ValueType } from "../../schema/value-type.ts";

/**
 * A function of the host's.
 *
 * `Call` is what the host keeps for the call that is served; it comes first, then the arguments, lifted by the function's own type. What it
 * returns is lowered. When its type is a `result`, it returns the success, and throws a {@link ResultError} for the error.
 */
export interface HostFunction<Call> {
  readonly type: FunctionType;
  /** Whether it may return a promise; the guest is suspended until it is settled. */
  readonly suspends: boolean;
  readonly run: (call: Call, ...values: never[]) => unknown;
}

/** An interface of the host's. */
export interface HostInterface<Call> {
  /** Without version: `wasi:io/streams`. */
  readonly name: string;
  /** By WIT name: `get-stdin`, `[method]input-stream.read`, `[static]fields.from-list`, `[constructor]fields`. */
  readonly functions: ReadonlyMap<string, HostFunction<Call>>;
  /** WIT names of its resources: `input-stream`. */
  readonly resources: ReadonlySet<string>;
}

/** The error case of a function's `result`. An outcome for the guest, not a failure of the call. */
export class ResultError extends Error {
  /** A value of the error's type. */
  readonly payload: unknown;

  constructor(payload: unknown) {
    super("the function returned an error to the guest");
    this.name = "ResultError";
    this.payload = payload;
  }
}

/** Parameters by their WIT names, and the result. */
type Signature = readonly [parameters: Readonly<Record<string, ValueType>>, result?: ValueType];

/** Makes a function that always returns at once. */
export function define<Call>(signature: Signature, run: HostFunction<Call>["run"]): HostFunction<Call> {
  return { type: functionType(signature), suspends: false, run };
}

/** Makes a function that may return a promise. */
export function defineBlocking<Call>(signature: Signature, run: HostFunction<Call>["run"]): HostFunction<Call> {
  return { type: functionType(signature), suspends: true, run };
}

function functionType([parameters, result]: Signature): FunctionType {
  const fields: readonly Field[] = Object.entries(parameters).map(([name, type]) => ({ name, type }));
  return { parameters: fields, result };
}
