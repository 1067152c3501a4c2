/**
 * Which of the guest's functions a failure names, with real guests.
 */
import { describe, expect, test } from "bun:test";
import { refuse } from "../../lib/errors.ts";
import { traceGuest } from "../../lib/worker/trace.ts";
import { buildGuest, type TestGuest } from "./support/guest.ts";

/** `body` is that of the function `inner`; functions 1 and 4 have no names. */
const guestOf = (body: string, fields = ""): Promise<TestGuest> =>
  buildGuest(`
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    ${fields}
    (func $middle (call $inner (i32.const 0)))
    (func $inner (param i32) ${body})
    (func (export "run") (param i32 i32) (result i32) (call $middle) (i32.const 16))`);

const ENDLESS = { fuel: Number.MAX_SAFE_INTEGER };

const prepareOwn: unknown = () => "own";

describe("a failure names the guest's functions", () => {
  test.each([
    { body: "unreachable", code: "GUEST_UNREACHABLE" },
    { body: "(drop (i32.div_s (i32.const 1) (local.get 0)))", code: "GUEST_DIVIDE_BY_ZERO" },
    { body: "(drop (i32.load (i32.const -8)))", code: "GUEST_OUT_OF_BOUNDS" },
    { body: "(call_indirect (i32.const 9))", fields: "(table 1 funcref)", code: "GUEST_OUT_OF_BOUNDS" },
    { body: "(drop (i32.trunc_f64_s (f64.const nan)))", code: "GUEST_TRAP" },
    { body: "(loop (br 0))", limits: { fuel: 100_000 }, code: "FUEL_EXHAUSTED" },
    {
      body: "(memory.fill (i32.const 0) (i32.const 0) (i32.const 65536)) (loop (br 0))",
      limits: { fuel: 4000 },
      code: "FUEL_EXHAUSTED",
    },
    { body: "(call $inner (i32.const 0))", limits: ENDLESS, code: "STACK_OVERFLOW", frames: ["inner"] },
  ])("that end in $code: $body", async ({ body, fields, limits, code, frames }) => {
    const { outcome } = (await guestOf(body, fields)).run(limits);
    expect(outcome).toMatchObject({ ok: false, code, detail: { frames: frames ?? ["inner", "middle", "#3"] } });
  });

  test("also where an import ended it: nothing of KAMI's own is among them", async () => {
    const guest = await guestOf("(loop (drop (memory.grow (i32.const 0))) (br 0))");
    const { outcome } = guest.run({ fuel: 20_000 });
    expect(outcome).toEqual({
      ok: false,
      code: "FUEL_EXHAUSTED",
      detail: { fuelLimit: 20_000, frames: ["inner", "middle", "#3"] },
    });
  });

  test("and not when the guest had returned, or returned an error", async () => {
    // Too little for a check of its own: what it cost is found out at the end.
    const guest = await guestOf("(drop (i32.add (local.get 0) (local.get 0)))");
    const fuelLimit = guest.run().usage.fuel - 1;
    expect(guest.run({ fuel: fuelLimit }).outcome).toEqual({
      ok: false,
      code: "FUEL_EXHAUSTED",
      detail: { fuelLimit },
    });
    const failed = (await guestOf("(i32.store8 (i32.const 16) (i32.const 1))")).run();
    expect(failed.outcome).toEqual({ ok: false, code: "TOOL_ERROR", detail: { message: "" } });
  });

  test("at most eight of them, one that calls itself once", async () => {
    const chain = Array.from({ length: 12 }, (_, at) => `(func $f${at} (call $f${at + 1}))`).join("\n");
    const again =
      "(func $again (param i32) (if (local.get 0) (then (call $again (i32.sub (local.get 0) (i32.const 1)))) (else (call $f0))))";
    const deep = await guestOf("(call $f0)", `${chain} (func $f12 unreachable)`);
    expect(deep.run().outcome).toMatchObject({
      detail: { frames: ["f12", "f11", "f10", "f9", "f8", "f7", "f6", "f5"] },
    });
    const self = await guestOf("(call $again (i32.const 3))", `${again} (func $f0 unreachable)`);
    expect(self.run().outcome).toMatchObject({ detail: { frames: ["f0", "again", "inner", "middle", "#5"] } });
  });

  test("whatever a name says: cut, and clean where it is shown", async () => {
    const hostile = String.raw`\1b[31mred\0a] (called from \22run\22) .wasm-function[x`;
    const guest = await guestOf(
      "(call $evil) (call $long)",
      `(func $evil (@name "${hostile}") (call $long)) (func $long (@name "${"é".repeat(5000)}") unreachable)`,
    );
    const frames = ["é".repeat(128), '\u001b[31mred\n] (called from "run") .wasm-function[x', "inner", "middle", "#5"];
    expect(guest.run().outcome).toEqual({ ok: false, code: "GUEST_UNREACHABLE", detail: { frames } });
    expect(refuse("GUEST_UNREACHABLE", { frames }).where).toBe(
      `in "${"é".repeat(120)}…" (called from "red ] (called from "run") .wasm-function[x" < "inner" < "middle" < function 5)`,
    );
  });
});

describe("traceGuest()", () => {
  test("knows nothing of what no guest threw", () => {
    expect(traceGuest(new RangeError("own"))).toBeUndefined();
    expect(traceGuest(new TypeError("own"))).toBeUndefined();
    expect(traceGuest("text")).toBeUndefined();
  });

  test("leaves the engine's way of writing stacks as it was", () => {
    const before: unknown = Reflect.get(Error, "prepareStackTrace");
    for (const prepare of [prepareOwn, before]) {
      Reflect.set(Error, "prepareStackTrace", prepare);
      traceGuest(new RangeError("own"));
      expect(Object.is(Reflect.get(Error, "prepareStackTrace"), prepare)).toBe(true);
    }
  });
});
