/**
 * Guests that put what they compute where no function is entered and no loop goes round: behind calls, in the frames of a recursion that
 * returns. Their fuel must be paid all the same, and looked at.
 */
import { describe, expect, test } from "bun:test";
import { parse } from "@bytecodealliance/jco";
import { SLICE } from "../../lib/protocol/control.ts";
import { compileMetered, exportedFunction, MeterHost } from "../wasm/meter-host.ts";

const FUEL = 1_000_000;
const DEPTH = 3000;
/** The most that may burn beyond the limit: a slice, and some hundred units for each frame. */
const BEYOND = SLICE + DEPTH * 1000;
/** Too cheap to be looked at on entry. */
const LEAF = "(func $leaf (global.set $value (i64.add (global.get $value) (i64.const 1))))";
const COMPUTE = "(global.set $value (i64.add (global.get $value) (i64.const 3)))";
const RECURSE = "(if (local.get 0) (then (call $run (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))))";
/** Nobody can tell whether what follows is executed: it is not paid together with what is in front of it. */
const MAYBE_LEAVE = "(br_if 0 (i32.const 0))";

const GUESTS: readonly (readonly [what: string, body: string])[] = [
  ["a long run", `${RECURSE} ${MAYBE_LEAVE} ${COMPUTE.repeat(10_000)}`],
  ["a long run that is paid in front of the call", `${RECURSE} ${COMPUTE.repeat(10_000)}`],
  ["many runs", `${RECURSE} ${`${MAYBE_LEAVE} ${COMPUTE.repeat(10)}`.repeat(2000)}`],
  ["calls of functions that nobody looks at", `${RECURSE} ${MAYBE_LEAVE} ${"(call $leaf)".repeat(10_000)}`],
  [
    "the other arm of a branch whose first arm is looked at",
    `${RECURSE} (if (local.get 1) (then ${COMPUTE.repeat(1000)}) (else ${`${MAYBE_LEAVE} ${COMPUTE}`.repeat(10_000)}))`,
  ],
  [
    "what follows a jump over what is looked at",
    `${RECURSE} (block $over (br_if $over (i32.eqz (local.get 1))) ${COMPUTE.repeat(1000)}) ${`${MAYBE_LEAVE} ${COMPUTE}`.repeat(10_000)}`,
  ],
  [
    "a handler",
    `(block $caught (try_table (catch_all $caught) ${RECURSE} (throw $thrown))) ${MAYBE_LEAVE} ${COMPUTE.repeat(10_000)}`,
  ],
  [
    "a handler of the older kind",
    `try ${RECURSE} (throw $thrown) catch_all ${MAYBE_LEAVE} ${COMPUTE.repeat(10_000)} end`,
  ],
];

describe("a recursion that returns", () => {
  test.each(GUESTS)("through %s is stopped when its fuel is used up", async (_what, body) => {
    const tag = body.includes("$thrown") ? "(tag $thrown)" : "";
    const text = `(module ${tag} (global $value (mut i64) (i64.const 1)) ${LEAF}
      (func $run (export "run") (param i32 i32) ${body}))`;
    using host = new MeterHost({ fuel: FUEL, slice: SLICE });
    const instance = host.instantiate(compileMetered(await parse(text), "unwinding"), {});
    expect(() => exportedFunction(instance, "run")(DEPTH, 0)).toThrow(WebAssembly.RuntimeError);
    expect(host.used).toBeGreaterThan(FUEL);
    expect(host.used).toBeLessThan(FUEL + BEYOND);
  });
});
