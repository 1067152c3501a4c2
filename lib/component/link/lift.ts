/**
 * Calls functions of a guest's: arguments are lowered into it, and the result is lifted out of it.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md, `canon_lift`.
 */
import { type ComponentInstance, Context, type CoreValue } from "./context.ts";
import { promising } from "./jspi.ts";
import type { Linked } from "./linked.ts";
import type { PreparedFunction } from "./linker.ts";
import { liftResult, lowerParameters } from "./shape.ts";

/** A function of a guest's. */
export type Lifted<Call> = Extract<PreparedFunction<Call>, { from: "lift" }>;

/** What a function is called with. */
export interface Given {
  /** Of the parameters' types. */
  readonly values: readonly unknown[];
  /** Whether what it returns is the result of the whole call. */
  readonly isResult: boolean;
}

/** A call that has begun. */
interface Entered {
  readonly context: Context;
  readonly args: readonly CoreValue[];
}

/**
 * Calls a function.
 *
 * @returns A value of the result's type; a promise of one when the component may block.
 */
export function callLifted<Call>(linked: Linked<Call>, target: Lifted<Call>, given: Given): unknown {
  const { context, args } = begin(linked, target, given);
  const core = linked.callable(target.planned.core);
  if (!linked.linker.mayBlock) return finish(linked, target, { context, returned: core(...args) });
  return promising(core)(...args).then((returned) => finish(linked, target, { context, returned }));
}

/**
 * Marks an instance as entered. Traps when it is already: no component expects to be called while one of its own calls is under way.
 *
 * Source: CanonicalABI.md, `trap_if(not callee_inst.may_enter)`.
 */
export function enterInstance(context: Pick<Context, "payer">, instance: ComponentInstance): void {
  if (instance.isEntered) context.payer.trap("it broke the component ABI: a call that is not allowed at that point");
  instance.isEntered = true;
}

function begin<Call>(linked: Linked<Call>, { planned, shape }: Lifted<Call>, { values, isResult }: Given): Entered {
  const side = linked.side(planned.options);
  const context = new Context(side, linked, isResult ? "result" : "guest");
  enterInstance(context, side.instance);
  return { context, args: lowerParameters(context, shape, values) };
}

function finish<Call>(
  linked: Linked<Call>,
  { planned, shape }: Lifted<Call>,
  { context, returned }: { context: Context; returned: unknown },
): unknown {
  const value = liftResult(context, shape, returned);
  const { instance } = context;
  if (planned.options.postReturn !== null) {
    const postReturn = linked.callable(planned.options.postReturn);
    instance.busy = "after it had returned";
    if (typeof returned === "number" || typeof returned === "bigint") postReturn(returned);
    else postReturn();
    instance.busy = undefined;
  }
  if (context.scope.borrowed > 0) context.refuse("a borrowed handle that it kept");
  instance.isEntered = false;
  return value;
}
