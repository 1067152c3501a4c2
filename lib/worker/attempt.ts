/**
 * Instantiates a component and calls it: at once when it cannot block, else as long as it takes. The guest's side of the trust boundary.
 */
import type { Linked, LinkedCall } from "../component/link/linked.ts";
import { traceGuest } from "./trace.ts";
import type { LoadedComponent } from "./loaded.ts";
import type { Host } from "./wasi/host.ts";

/** What came of a guest: what its entry function returned, or what was thrown and by which of its functions. */
export type Attempt =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown; readonly frames: readonly string[] | undefined };

/** A call and its function. */
export interface AttemptedCall {
  readonly call: LinkedCall<Host>;
  readonly component: LoadedComponent;
  /** Number of the function in the plan. */
  readonly number: number;
}

/** Calls the function in a fresh instance. Never throws. @param toValues - Makes its arguments. */
export function attemptCall(attempted: AttemptedCall, toValues: () => readonly unknown[]): Attempt | Promise<Attempt> {
  const { call, component, number } = attempted;
  try {
    const linked = component.linker.instantiate(call);
    if (linked instanceof Promise) return attemptBlocking(linked, (ready) => ready.invoke(number, toValues()));
    return { ok: true, value: linked.invoke(number, toValues()) };
  } catch (error) {
    return fail(error);
  }
}

async function attemptBlocking(
  linking: Promise<Linked<Host>>,
  invoke: (linked: Linked<Host>) => unknown,
): Promise<Attempt> {
  try {
    return { ok: true, value: await invoke(await linking) };
  } catch (error) {
    return fail(error);
  }
}

function fail(error: unknown): Attempt {
  // At once: a garbage collection turns the engine's stack into text, in which the guest's functions have no names.
  return { ok: false, error, frames: traceGuest(error) };
}
