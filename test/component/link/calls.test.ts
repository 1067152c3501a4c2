/**
 * What happens around a call: calls between components and back, exceptions, start functions and destructors, and waits in all of them.
 */
import { describe, expect, test } from "bun:test";
import { define, defineBlocking } from "../../../lib/component/link/host.ts";
import { bytes, list, string } from "../../../lib/schema/value-type.ts";
import { CLOCK, clockOf, WAITING_CLOCK } from "./support/clock.ts";
import { LIBC } from "./support/echo.ts";
import { type Component, linkText, TestCall } from "./support/linking.ts";

const ABI = "it broke the component ABI:";
const REENTERED = `${ABI} a call that is not allowed at that point`;

/**
 * A component `run`s another one inside it, whose `f` has a body of its own; both have `tick`.
 *
 * @param outer - Of `run`, which may call `f`.
 * @param inner - Of `f`, with an i32 result.
 */
function nested(outer: string, inner: string, clock: string = CLOCK): string {
  const name = clock === CLOCK ? "tick" : "wait";
  return `
    (import "${name}" (func $clock (param "n" u32) (result u32)))
    (component $inner
      ${clock}
      (core module $m
        (import "host" "clock" (func $clock (param i32) (result i32)))
        (tag $e (param i32))
        (func (export "f") (param $n i32) (result i32) ${inner}))
      (core instance $m (instantiate $m (with "host" (instance (export "clock" (func $${name}))))))
      (func (export "f") (param "n" u32) (result u32) (canon lift (core func $m "f"))))
    (component $outer
      ${clock}
      (import "f" (func $f (param "n" u32) (result u32)))
      (core func $f (canon lower (func $f)))
      (core module $m
        (import "host" "clock" (func $clock (param i32) (result i32)))
        (import "host" "f" (func $f (param i32) (result i32)))
        (func (export "run") (result i32) ${outer}))
      (core instance $m (instantiate $m (with "host" (instance (export "clock" (func $${name})) (export "f" (func $f))))))
      (func (export "run") (result u32) (canon lift (core func $m "run"))))
    (instance $inner (instantiate $inner (with "${name}" (func $clock))))
    (instance $outer (instantiate $outer (with "${name}" (func $clock)) (with "f" (func $inner "f"))))
    (export "run" (func $outer "run"))`;
}

describe("a component that calls another one", () => {
  test("gets what that returns, and pays for the call as for one of the host's", async () => {
    const component = await linkText(
      nested("(call $f (call $f (i32.const 20)))", "(i32.add (local.get $n) (i32.const 1))"),
      clockOf([]),
    );
    const instance = await component.start();
    expect([component.linker.mayBlock, instance.run("run"), instance.call.entered]).toEqual([false, 22, 2]);
  });

  test("cannot go on when that traps, and is not entered again", async () => {
    const catching =
      "(block $caught (drop (try_table (result i32) (catch_all $caught) (call $f (i32.const 1)))) (return (i32.const 0))) (i32.const 99)";
    const component = await linkText(nested(catching, "unreachable"), clockOf([]));
    const instance = await component.start();
    expect(await instance.endOf("run")).toStartWith("RuntimeError: Unreachable code");
    expect(await instance.endOf("run")).toBe(REENTERED);
  });

  test("does not see what that throws: the call ends", async () => {
    const catching =
      "(block $caught (drop (try_table (result i32) (catch_all $caught) (call $f (i32.const 1)))) (return (i32.const 0))) (i32.const 99)";
    const component = await linkText(nested(catching, "(throw $e (i32.const 7))"), clockOf([]));
    const instance = await component.start();
    expect(await instance.endOf("run")).toBe("an exception that it did not catch");
  });

  test("waits for it, while both are suspended", async () => {
    const ticks: number[] = [];
    const text = nested(
      "(drop (call $clock (i32.const 1))) (drop (call $f (i32.const 2))) (call $clock (i32.const 3))",
      "(drop (call $clock (local.get $n))) (call $clock (i32.const 20))",
      WAITING_CLOCK,
    );
    const component = await linkText(text, clockOf(ticks));
    const instance = await component.start();
    expect([component.linker.mayBlock, await instance.run("run"), instance.call.suspended]).toEqual([true, 4, 4]);
    expect(ticks).toEqual([1, 2, 20, 3]);
  });

  test("does not see what that throws after a wait either", async () => {
    const catching =
      "(block $caught (drop (try_table (result i32) (catch_all $caught) (call $f (i32.const 1)))) (return (i32.const 0))) (i32.const 99)";
    const component = await linkText(
      nested(catching, "(drop (call $clock (i32.const 5))) (throw $e (i32.const 7))", WAITING_CLOCK),
      clockOf([]),
    );
    const instance = await component.start();
    expect(await instance.endOf("run")).toBe("an exception that it did not catch");
  });

  test("a hundred calls wait at once, each with its own", async () => {
    const text = nested("(call $f (i32.const 2))", "(call $clock (local.get $n))", WAITING_CLOCK);
    const ticks: number[] = [];
    const component = await linkText(text, clockOf(ticks));
    const runs = Array.from({ length: 100 }, async () => (await component.start()).run("run"));
    expect(new Set(await Promise.all(runs))).toEqual(new Set(Array.from({ length: 100 }, (_, index) => index + 1)));
  });
});

describe("a call that comes back", () => {
  test("to a component that is under way traps", async () => {
    const component = await linkText(COMING_BACK);
    expect(await (await component.start()).endOf("run")).toBe(REENTERED);
  });
});

/** A component that gives the one inside it a function of its own, and calls it. */
const COMING_BACK = `
  (component $outer
    (core module $a (func (export "g") (result i32) (i32.const 5)))
    (core instance $a (instantiate $a))
    (func $g (result u32) (canon lift (core func $a "g")))
    (component $inner
      (import "g" (func $g (result u32)))
      (core func $g (canon lower (func $g)))
      (core module $m (import "h" "g" (func $g (result i32))) (func (export "f") (result i32) (call $g)))
      (core instance $m (instantiate $m (with "h" (instance (export "g" (func $g))))))
      (func (export "f") (result u32) (canon lift (core func $m "f"))))
    (instance $inner (instantiate $inner (with "g" (func $g))))
    (core func $f (canon lower (func $inner "f")))
    (core module $m (import "h" "f" (func $f (result i32))) (func (export "run") (result i32) (call $f)))
    (core instance $m (instantiate $m (with "h" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $m "run"))))
  (instance $outer (instantiate $outer))
  (export "run" (func $outer "run"))`;

describe("what is not asked for", () => {
  test("an import that nobody serves is charged before it is denied, and its arguments are not looked at", async () => {
    const component = await linkText(`
      (import "acme:x/y@1.0.0" (instance $i (export "f" (func (param "x" string)))))
      ${LIBC} (core instance $libc (instantiate $libc))
      (core func $f (canon lower (func $i "f") (memory (core memory $libc "memory"))))
      (core module $m (import "h" "f" (func $f (param i32 i32))) (func (export "run") (call $f (i32.const -1) (i32.const -1))))
      (core instance $m (instantiate $m (with "h" (instance (export "f" (func $f))))))
      (func (export "run") (canon lift (core func $m "run")))`);
    const instance = await component.start();
    expect(await instance.endOf("run")).toBe("denied: acme:x/y@1.0.0 f");
    expect(instance.call.entered).toBe(1);
    const poor = new TestCall();
    poor.enter = () => poor.trap("out of fuel");
    expect(await (await component.start(poor)).endOf("run")).toBe("out of fuel");
  });

  test("a suspending import may be exported as it is, and lifted", async () => {
    const component = await linkText(
      `${WAITING_CLOCK}
      (core module $m (import "h" "f" (func $f (param i32) (result i32))) (export "run" (func $f)))
      (core instance $m (instantiate $m (with "h" (instance (export "f" (func $wait))))))
      (func (export "run") (param "n" u32) (result u32) (canon lift (core func $m "run")))`,
      clockOf([]),
    );
    expect(await (await component.start()).run("run", 5)).toBe(1);
  });
});

describe("start functions", () => {
  test("run in the order of the plan, and may wait", async () => {
    const ticks: number[] = [];
    const component = await linkText(
      `${WAITING_CLOCK}
      (core module $m
        (import "h" "f" (func $f (param i32) (result i32)))
        (func (export "start-me") (drop (call $f (i32.const 1))))
        (func (export "run") (result i32) (call $f (i32.const 2))))
      (core instance $m (instantiate $m (with "h" (instance (export "f" (func $wait))))))
      (func (export "run") (result u32) (canon lift (core func $m "run")))`,
      clockOf(ticks),
    );
    // The meter takes the start section out of a module, so that the function can be suspended: here the test does.
    const call = new TestCall();
    const instantiate = call.instantiateCore.bind(call);
    call.instantiateCore = (module, imports) => {
      const { exports } = instantiate(module, imports);
      const start: unknown = exports["start-me"];
      return { exports, start: isCallable(start) ? start : undefined };
    };
    const instance = await component.start(call);
    expect(await instance.run("run")).toBe(2);
    expect(ticks).toEqual([1, 2]);
  });
});

describe("a destructor that waits", () => {
  test("suspends who dropped the resource", async () => {
    const ticks: number[] = [];
    const component = await linkText(
      `(import "wait" (func $wait (param "n" u32) (result u32)))
      (component $maker
        ${WAITING_CLOCK}
        (core module $d (import "h" "f" (func $f (param i32) (result i32)))
          (func (export "destroy") (param i32) (drop (call $f (local.get 0)))))
        (core instance $d (instantiate $d (with "h" (instance (export "f" (func $wait))))))
        (type $r (resource (rep i32) (dtor (core func $d "destroy"))))
        (core func $new (canon resource.new $r))
        (core func $drop (canon resource.drop $r))
        (core module $m
          (import "r" "new" (func $new (param i32) (result i32)))
          (import "r" "drop" (func $drop (param i32)))
          (import "r" "f" (func $f (param i32) (result i32)))
          (func (export "run") (result i32) (call $drop (call $new (i32.const 7))) (call $f (i32.const 8))))
        (core instance $m (instantiate $m (with "r" (instance (export "new" (func $new)) (export "drop" (func $drop)) (export "f" (func $wait))))))
        (func (export "run") (result u32) (canon lift (core func $m "run"))))
      (instance $maker (instantiate $maker (with "wait" (func $wait))))
      (export "run" (func $maker "run"))`,
      clockOf(ticks),
    );
    expect(await (await component.start()).run("run")).toBe(2);
    expect(ticks).toEqual([7, 8]);
  });
});

describe("a wait where none is allowed", () => {
  const CAUGHT = "(block $c (drop (try_table (result i32) (catch_all $c) (call $f (i32.const 1)))))";

  test.each([
    ["in an allocator", "(call $f (i32.const 1))", "", "it called wait from its allocator"],
    ["in an allocator that catches", `${CAUGHT} (i32.const 64)`, "", "it called wait from its allocator"],
    ["after it returned", "(i32.const 64)", "(drop (call $f (i32.const 1)))", "it called wait after it had returned"],
    ["after it returned, caught", "(i32.const 64)", CAUGHT, "it called wait after it had returned"],
  ])("traps: %s", async (_, realloc, ...[after, ending]) => {
    expect(await (await (await waiting(realloc, after)).start()).endOf("run", "text")).toBe(ending);
  });
});

describe("what the host gives", () => {
  test("is lowered into the guest's memory after a wait too", async () => {
    const component = await linkText(
      `(import "names" (func $names (result (list string))))
      (import "echo" (func $echo (param "x" (list u8)) (result (list u8))))
      ${LIBC} (core instance $libc (instantiate $libc))
      (core func $names (canon lower (func $names) (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
      (core func $echo (canon lower (func $echo) (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
      (core module $m
        (import "h" "names" (func $names (param i32)))
        (import "h" "echo" (func $echo (param i32 i32 i32)))
        (func (export "names") (result i32) (call $names (i32.const 16)) (i32.const 16))
        (func (export "echo") (param i32 i32) (result i32) (call $echo (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16)))
      (core instance $m (instantiate $m (with "h" (instance (export "names" (func $names)) (export "echo" (func $echo))))))
      (func (export "names") (result (list string)) (canon lift (core func $m "names") (memory (core memory $libc "memory"))))
      (func (export "echo") (param "x" (list u8)) (result (list u8))
        (canon lift (core func $m "echo") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))`,
      {
        names: { "": defineBlocking([{}, list(string)], async () => (await Bun.sleep(1), ["a", "", "grüße"])) },
        echo: { "": define([{ x: bytes }, bytes], (_: TestCall, given: Uint8Array) => given.slice()) },
      },
    );
    const instance = await component.start();
    expect(await instance.run("names")).toEqual(["a", "", "grüße"]);
    expect(await instance.run("echo", Uint8Array.of(1, 2, 3))).toEqual(Uint8Array.of(1, 2, 3));
  });
});

function isCallable(value: unknown): value is (...values: unknown[]) => unknown {
  return typeof value === "function";
}

/** Waits in its allocator, or in its post-return function. */
function waiting(realloc: string, after: string): Promise<Component> {
  return linkText(
    `${WAITING_CLOCK}
      (core module $m
        (import "h" "f" (func $f (param i32) (result i32)))
        (memory (export "memory") 1)
        (tag $e)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) ${realloc})
        (func (export "run") (param i32 i32) (result i32) (i32.const 16))
        (func (export "after") (param i32) ${after}))
      (core instance $m (instantiate $m (with "h" (instance (export "f" (func $wait))))))
      (func (export "run") (param "x" string) (result string)
        (canon lift (core func $m "run") (memory (core memory $m "memory")) (realloc (core func $m "realloc")) (post-return (core func $m "after"))))`,
    clockOf([]),
  );
}
