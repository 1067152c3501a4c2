/**
 * What WebAssembly JavaScript Promise Integration adds to the engine.
 *
 * Source: WebAssembly JavaScript Promise Integration, `WebAssembly.Suspending`, `WebAssembly.promising`.
 */
import type { CoreCallable, CoreValue } from "./context.ts";

interface Integration {
  readonly Suspending: new (run: (...values: never[]) => unknown) => WebAssembly.ImportValue;
  promising(run: CoreCallable): (...values: CoreValue[]) => Promise<unknown>;
}

const ENGINE: unknown = WebAssembly;

/** Marks an import that may suspend its caller. */
export function suspending(run: (...values: never[]) => unknown): WebAssembly.ImportValue {
  return new (integration().Suspending)(run);
}

/** Makes an export that may be suspended. */
export function promising(run: CoreCallable): (...values: CoreValue[]) => Promise<unknown> {
  return integration().promising(run);
}

function integration(): Integration {
  if (!isIntegration(ENGINE)) throw new Error("BUG: the engine cannot suspend WebAssembly");
  return ENGINE;
}

function isIntegration(value: unknown): value is Integration {
  return typeof value === "object" && value !== null && "Suspending" in value && "promising" in value;
}
