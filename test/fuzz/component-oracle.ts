/**
 * Test support: judges what becomes of one component in KAMI's own reader: it ends with a `Failure` that has a reason, or with exports.
 * jco is not asked: it runs in a child that may be killed.
 */
import { findEntries } from "../../lib/component/entry.ts";
import { inspectComponent } from "../../lib/component/inspect.ts";
import { planComponent } from "../../lib/component/plan/plan.ts";
import { Failure } from "../../lib/errors.ts";
import type { Verdict } from "./verdict.ts";

/** Judges one component. "Valid" is one that is read to its end. */
export function judgeComponent(bytes: Uint8Array): Verdict {
  try {
    const exports = inspectComponent(bytes);
    return { isValid: true, outcome: `inspected, ${entryOf(() => findEntries(planComponent(bytes).plan, exports))}` };
  } catch (error) {
    if (!(error instanceof Failure)) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { isValid: false, finding: `the reader throws ${text}` };
    }
    if (error.message === "") return { isValid: false, finding: `${error.code} without a reason` };
    return { isValid: false, outcome: `refused: ${error.code}` };
  }
}

function entryOf(find: () => unknown): string {
  try {
    find();
    return "with an entry";
  } catch (error) {
    if (error instanceof Failure && error.code === "COMPONENT_NO_ENTRY") return "without an entry";
    throw error;
  }
}
