/**
 * Makes one line of what jco says about a component: its validator's errors, and its panics. Both quote untrusted names.
 */
import { type Failure, refuse } from "../errors.ts";

/** What a component may ask for that jco's validator knows by name and refuses. */
const UNSUPPORTED: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/shared-everything-threads/, "threads"],
  [/legacy_exceptions/, "legacy exception handling"],
  // jco validates them, and cannot translate them.
  [/exceptions proposal not enabled/, "exception handling"],
  [/custom page sizes/, "memories with custom page sizes"],
  [/stack switching/, "stack switching"],
  [/root-level component imports/, "components that are imported"],
];

/**
 * Makes the failure for what jco's validator says about a component.
 *
 * @param message - Its message: a cause on each line, perhaps a backtrace.
 */
export function explainRejection(message: string): Failure {
  const what = namedFeature(message);
  if (what !== undefined) return refuse("COMPONENT_UNSUPPORTED", { what });
  const causes = message
    .split(/\n\s*stack backtrace:/i, 1)
    .join("")
    .split("\n")
    .map((line) => line.trim().replace(/^\d+: /, ""))
    .filter((line) => line !== "" && line !== "Caused by:");
  return refuse("COMPONENT_INVALID", { reason: causes.join(": ") });
}

/** Finds the feature that a message of jco's is about, when it is one that KAMI names. */
export function namedFeature(message: string): string | undefined {
  return UNSUPPORTED.find(([pattern]) => pattern.test(message))?.[1];
}
