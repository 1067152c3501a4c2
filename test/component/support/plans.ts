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

/** A plan that exports a function, of a core instance that nothing makes: enough to be stored, sent and loaded. */
export const RUN_PLAN: Plan = {
  ...EMPTY_PLAN,
  functions: [
    {
      from: "lift",
      core: { from: "export", instance: 0, name: "run" },
      type: { parameters: [], result: null },
      options: { instance: 0, memory: null, realloc: null, postReturn: null, encoding: "utf8" },
    },
  ],
  exports: [{ instance: null, name: "run", function: 0 }],
};
