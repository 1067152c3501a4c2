/**
 * Makes the core functions by which core code calls out: arguments are lifted out of the caller, and the result is lowered into it.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md, `canon_lower`.
 */
import { CoreValues } from "./codec.ts";
import { Context, type CoreCallable, type Side } from "./context.ts";
import { ResultError } from "./host.ts";
import { callLifted, type Lifted } from "./lift.ts";
import type { Linked } from "./linked.ts";
import type { PreparedFunction } from "./linker.ts";
import type { CoreFunction } from "./plan.ts";
import { liftParameters, lowerResult, type Shape } from "./shape.ts";

type Lowered = Extract<CoreFunction, { from: "lower" }>;
type Served<Call> = Extract<PreparedFunction<Call>, { from: "host" }>;
type Denied<Call> = Extract<PreparedFunction<Call>, { from: "nobody" }>;

/** Makes a core function. One that may suspend stands behind a gate, which has asked whether the call is allowed. */
export function lowerFunction<Call>(linked: Linked<Call>, planned: Lowered): CoreCallable {
  const prepared = linked.linker.functions[planned.function];
  if (prepared === undefined) throw new Error("BUG: a plan lowers a function that it does not have");
  if (prepared.from === "nobody") return () => refuse(linked, prepared);
  // Not resolved yet: memory and allocator may be of a core instance that is made later.
  let side: Side | undefined;
  const name = nameOf(prepared);
  const isGated = linked.linker.gates?.numbers.has(planned) === true;
  const resolve = (): Side => {
    side ??= linked.side(planned.options);
    if (!isGated) linked.leave(side.instance, name);
    return side;
  };
  return prepared.from === "host" ? lowerHost(linked, prepared, resolve) : lowerGuest(linked, prepared, resolve);
}

/** What a function is called in messages. */
export function nameOf<Call>(prepared: PreparedFunction<Call> | undefined): string {
  return prepared?.from === "host" ? prepared.name : "another component";
}

function refuse<Call>(linked: Linked<Call>, { interface: interfaceName, name, isMistyped }: Denied<Call>): never {
  linked.call.enter();
  if (isMistyped) linked.trap(`it imports ${interfaceName} ${name} with types that it does not have`);
  return linked.call.deny(interfaceName, name);
}

function lowerHost<Call>(linked: Linked<Call>, prepared: Served<Call>, resolve: () => Side): CoreCallable {
  const { served, shape } = prepared;
  const { call } = linked;
  return (...core) => {
    const context = new Context(resolve(), linked, "host");
    const values = new CoreValues(core);
    const args = liftParameters(context, shape, values);
    context.giveBack();
    const give = (value: unknown): unknown => lowerResult(context, shape, { value, core: values });
    const value = settle(shape, () => Reflect.apply(served.run, undefined, [call.host, ...args]) as unknown);
    return value instanceof Promise ? call.suspend(value).then(give) : give(value);
  };
}

/** A component calls another one: its values are lifted here, and lowered there. */
function lowerGuest<Call>(linked: Linked<Call>, target: Lifted<Call>, resolve: () => Side): CoreCallable {
  const { shape } = target;
  return (...core) => {
    const context = new Context(resolve(), linked, "guest");
    const values = new CoreValues(core);
    const given = { values: liftParameters(context, shape, values), isResult: false };
    const give = (value: unknown): unknown => {
      context.giveBack();
      return lowerResult(context, shape, { value, core: values });
    };
    const returned = guard(linked, () => callLifted(linked, target, given));
    return returned instanceof Promise ? returned.then(give) : give(returned);
  };
}

/** Runs another component. What it throws and does not catch must not reach its caller: it ends the call. */
function guard<Call>(linked: Linked<Call>, run: () => unknown): unknown {
  const end = (error: unknown): never => {
    if (error instanceof Error) throw error;
    return linked.trap("an exception that it did not catch");
  };
  try {
    const returned = run();
    return returned instanceof Promise ? returned.catch(end) : returned;
  } catch (error) {
    return end(error);
  }
}

/** Runs a function of the host's. The error of one that can fail becomes a value. */
function settle({ isFallible }: Shape, run: () => unknown): unknown {
  if (!isFallible) return run();
  try {
    const value = run();
    return value instanceof Promise ? value.then(succeed, fail) : succeed(value);
  } catch (error) {
    return fail(error);
  }
}

function succeed(value: unknown): unknown {
  return { tag: "ok", value };
}

function fail(error: unknown): unknown {
  if (error instanceof ResultError) return { tag: "error", value: error.payload };
  throw error;
}
