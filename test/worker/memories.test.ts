/**
 * How many memories a call has, with real guests, and which of them may have to be copied to grow.
 */
import { describe, expect, test } from "bun:test";
import { buildFromText } from "./support/guest.ts";

const PAGE = 65_536;

/** A module of so many memories whose `run` does `work`, and returns an empty text. */
const moduleOf = (memories: number, work = ""): string => `
  (memory $m (export "memory") 1)
  ${"(memory 0)\n".repeat(memories - 1)}
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "run") (param i32 i32) (result i32) ${work} (i32.const 16))`;

/** A component of `others` instances with one memory each, and one more with `own`. */
const componentOf = (others: number, own: number, work?: string): string => `(component
  (core module $other (memory 0))
  (core module $main ${moduleOf(own, work)})
  ${"(core instance (instantiate $other))\n".repeat(others)}
  (core instance $i (instantiate $main))
  (func (export "run") (param "input" string) (result (result string (error string)))
    (canon lift (core func $i "run") (memory (core memory $i "memory")) (realloc (core func $i "cabi_realloc")))))`;

/** `others` memories, and one that a module grows that has it from another. */
const linkedOf = (others: number, grows: number): string => `(component
  (core module $other (memory 0))
  (core module $owner (memory (export "memory") 1))
  (core module $main
    (import "owner" "memory" (memory $m 1))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "run") (param i32 i32) (result i32)
      (if (i32.eq (memory.grow $m (i32.const ${grows})) (i32.const -1)) (then (unreachable)))
      (i32.const 16)))
  ${"(core instance (instantiate $other))\n".repeat(others)}
  (core instance $owner (instantiate $owner))
  (core instance $i (instantiate $main (with "owner" (instance $owner))))
  (func (export "run") (param "input" string) (result (result string (error string)))
    (canon lift (core func $i "run") (memory (core memory $owner "memory")) (realloc (core func $i "cabi_realloc")))))`;

/** Fuel of a call that grows a memory by a page, without that of the `others` instances before it. */
async function fuelOf(others: number): Promise<number> {
  const { usage } = (await buildFromText(componentOf(others, 1, "(drop (memory.grow $m (i32.const 1)))"))).run();
  return usage.fuel - others * 1000;
}

/** How a call ends that grows a memory made after `others`, and traps when it cannot. */
async function endOf(others: number, grows: number): Promise<unknown> {
  const { outcome } = (await buildFromText(linkedOf(others, grows))).run({ fuel: 1e12, memoryBytes: 64 * 1_048_576 });
  return outcome.ok ? "OK" : outcome.code;
}

const TOO_MANY = { ok: false, code: "GUEST_TRAP", detail: { reason: "it makes more than 64 memories" } };

describe("the memories of a call", () => {
  test.each([
    { others: 47, ends: { ok: true, output: "" }, why: "one below" },
    { others: 48, ends: { ok: true, output: "" }, why: "at the bound" },
    { others: 49, ends: TOO_MANY, why: "one above" },
  ])("are 64 at most: sixteen of one instance and those of $others others, $why", async ({ others, ends }) => {
    expect((await buildFromText(componentOf(others, 16))).run().outcome).toMatchObject(ends);
  });

  test("cost what they hold when they grow, from the eighth on", async () => {
    const [seventh, eighth] = [await fuelOf(6), await fuelOf(7)];
    expect(seventh).toBe(await fuelOf(0));
    expect(eighth - seventh).toBe(PAGE / 16);
  });

  test("grow to 16 MiB, from the eighth on, also in a module that has them from another", async () => {
    expect([await endOf(7, 255), await endOf(7, 256), await endOf(6, 256)]).toEqual(["OK", "GUEST_UNREACHABLE", "OK"]);
  });
});
