import { describe, expect, test } from "bun:test";
import { planComponent } from "../../lib/component/plan/plan.ts";
import { component } from "./support/components.ts";

/** The tool's own module, one instance of it, and so many of a small one. */
function toolWithInstances(others: number): Promise<Uint8Array> {
  return component(`
    (core module $tool
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
      (func (export "run") (param i32 i32) (result i32) unreachable))
    (core module $small)
    (core instance $i (instantiate $tool))
    ${"(core instance (instantiate $small))".repeat(others)}
    (func (export "run") (param "input" string) (result (result string (error string)))
      (canon lift (core func $i "run") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))`);
}

describe("planComponent()", () => {
  test("takes a component of 255 and of 256 core instances", async () => {
    for (const others of [254, 255]) {
      const { plan, modules } = planComponent(await toolWithInstances(others));
      expect([plan.steps.length, modules.length]).toEqual([others + 1, 2]);
    }
  });

  test("refuses one of 257: a call makes them in code that is not metered", async () => {
    const bytes = await toolWithInstances(256);
    expect(() => planComponent(bytes)).toThrow(
      "Cannot compile the component: the number of core instances is 257, the limit is 256",
    );
  });
});
