/**
 * Test support: plans that are put together by hand.
 */
import type { Plan } from "../../../lib/component/link/plan.ts";

/** A component of nothing. */
export const EMPTY_PLAN: Plan = {
  types: [],
  resources: [],
  instances: 1,
  functions: [],
  steps: [],
  exports: [],
};
