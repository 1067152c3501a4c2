/**
 * Twenty seconds of `bun run soak`.
 */
import { describe, expect, test } from "bun:test";
import { soak } from "./soak.ts";

describe("soak()", () => {
  test.if(process.platform === "linux")(
    "loses, doubles and crosses no answer, and grows no server",
    async () => {
      const { faults, outcomes, memory } = await soak({ seconds: 20, width: 4, seed: 1 });
      expect(faults).toEqual([]);
      // Every kind of call was there, and the good ones got through.
      expect(Object.keys(outcomes)).toEqual(
        expect.arrayContaining(["good: OK", "failing: TOOL_ERROR", "cancelled: cancelled"]),
      );
      expect(new Set(Object.keys(outcomes).map((key) => key.split(":")[0])).size).toBe(9);
      for (const { early, late } of Object.values(memory)) expect(late).toBeLessThan(early + 150);
    },
    90_000,
  );
});
