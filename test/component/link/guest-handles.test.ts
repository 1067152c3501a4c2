/**
 * Handles of resources of guests': owned and lent across components, of types that instances have for themselves, and their destructors.
 */
import { describe, expect, test } from "bun:test";
import { define } from "../../../lib/component/link/host.ts";
import { u32 } from "../../../lib/schema/value-type.ts";
import { type Hosts, type Instance, linkText, type TestCall } from "./support/linking.ts";

const NO_HANDLE = "it broke the component ABI: a handle that it does not have";
const KEPT = "it broke the component ABI: a borrowed handle that it kept";
const NOT_OWNED = "it broke the component ABI: a borrowed handle in the place of an owned one";
const REENTERED = "it broke the component ABI: a call that is not allowed at that point";

/** A component that defines a resource `r` whose representations it chooses; destroyed ones are told to the host. */
const MAKER = `
  (component $maker
    (import "destroyed" (func $destroyed (param "rep" u32)))
    (core func $destroyed (canon lower (func $destroyed)))
    (core module $d
      (import "host" "destroyed" (func $destroyed (param i32)))
      (func (export "destroy") (param i32) (call $destroyed (local.get 0))))
    (core instance $d (instantiate $d (with "host" (instance (export "destroyed" (func $destroyed))))))
    (type $r (resource (rep i32) (dtor (core func $d "destroy"))))
    (export $r-out "r" (type $r))
    (core func $new (canon resource.new $r))
    (core func $rep (canon resource.rep $r))
    (core func $drop (canon resource.drop $r))
    (core module $m
      (import "r" "new" (func $new (param i32) (result i32)))
      (import "r" "rep" (func $rep (param i32) (result i32)))
      (import "r" "drop" (func $drop (param i32)))
      (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
      (func (export "look") (param i32) (result i32) (local.get 0))
      (func (export "take") (param i32) (result i32) (local $rep i32)
        (local.set $rep (call $rep (local.get 0))) (call $drop (local.get 0)) (local.get $rep))
      (func (export "drop-raw") (param i32) (call $drop (local.get 0))))
    (core instance $m (instantiate $m (with "r" (instance
      (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))))))
    (func (export "make") (param "rep" u32) (result (own $r-out)) (canon lift (core func $m "make")))
    (func (export "look") (param "self" (borrow $r-out)) (result u32) (canon lift (core func $m "look")))
    (func (export "take") (param "self" (own $r-out)) (result u32) (canon lift (core func $m "take")))
    (func (export "drop-raw") (param "handle" u32) (canon lift (core func $m "drop-raw"))))
`;

/** Text of a component that uses `r` of one that it is given. @param body - Of `run`. */
function user(body: string, name = "$user"): string {
  return `(component ${name}
    (import "m" (instance $maker
      (export "r" (type $r (sub resource)))
      (export "make" (func (param "rep" u32) (result (own $r))))
      (export "look" (func (param "self" (borrow $r)) (result u32)))
      (export "take" (func (param "self" (own $r)) (result u32)))
      (export "drop-raw" (func (param "handle" u32)))))
    (import "other" (func $other (param "n" u32) (result u32)))
    (alias export $maker "r" (type $r))
    (core func $make (canon lower (func $maker "make")))
    (core func $look (canon lower (func $maker "look")))
    (core func $take (canon lower (func $maker "take")))
    (core func $drop-raw (canon lower (func $maker "drop-raw")))
    (core func $other (canon lower (func $other)))
    (core func $drop (canon resource.drop $r))
    (core module $m
      (import "m" "make" (func $make (param i32) (result i32)))
      (import "m" "look" (func $look (param i32) (result i32)))
      (import "m" "take" (func $take (param i32) (result i32)))
      (import "m" "drop-raw" (func $drop-raw (param i32)))
      (import "m" "other" (func $other (param i32) (result i32)))
      (import "m" "drop" (func $drop (param i32)))
      (func (export "run") (result i32) (local $a i32) (local $b i32) ${body}))
    (core instance $m (instantiate $m (with "m" (instance (export "make" (func $make)) (export "look" (func $look))
      (export "take" (func $take)) (export "drop-raw" (func $drop-raw)) (export "other" (func $other))
      (export "drop" (func $drop))))))
    (func (export "run") (result u32) (canon lift (core func $m "run"))))`;
}

const ROOT = `
  (import "destroyed" (func $destroyed (param "rep" u32)))
  (import "other" (func $other (param "n" u32) (result u32)))
  ${MAKER}
`;

/** Instantiates the maker and its user. @param destroyed - Representations whose destructor ran. */
async function withMaker(body: string, destroyed: number[] = []): Promise<Instance> {
  const component = await linkText(
    `${ROOT} ${user(body)}
    (instance $maker (instantiate $maker (with "destroyed" (func $destroyed))))
    (instance $user (instantiate $user (with "m" (instance $maker)) (with "other" (func $other))))
    (export "run" (func $user "run"))`,
    hostsOf(destroyed),
  );
  return component.start();
}

function hostsOf(destroyed: number[]): Hosts {
  return {
    destroyed: { "": define([{ rep: u32 }], (_: TestCall, rep: number) => void destroyed.push(rep)) },
    other: { "": define([{ n: u32 }, u32], (_: TestCall, n: number) => n) },
  };
}

describe("a resource of a guest's", () => {
  test("goes to another component and back, and its representation stays at home", async () => {
    const destroyed: number[] = [];
    const instance = await withMaker(
      `(local.set $a (call $make (i32.const 1234)))
      (if (i32.ne (call $look (local.get $a)) (i32.const 1234)) (then unreachable))
      (local.set $b (call $make (i32.const -1)))
      (call $drop (local.get $a))
      (call $take (local.get $b))`,
      destroyed,
    );
    expect(instance.run("run")).toBe(0xffff_ffff);
    expect(destroyed).toEqual([1234, 0xffff_ffff]);
  });

  test.each([
    [
      "use after drop",
      "(local.set $a (call $make (i32.const 5))) (call $drop (local.get $a)) (drop (call $look (local.get $a)))",
    ],
    [
      "use after it was given away",
      "(local.set $a (call $make (i32.const 5))) (drop (call $take (local.get $a))) (drop (call $look (local.get $a)))",
    ],
    ["the representation as a handle", "(drop (call $make (i32.const 77))) (drop (call $look (i32.const 77)))"],
    ["a handle of the maker's own table", "(local.set $a (call $make (i32.const 5))) (call $drop-raw (local.get $a))"],
  ])("traps: %s", async (_, body) => {
    const instance = await withMaker(`${body} (i32.const 0)`);
    expect(await instance.endOf("run")).toBe(NO_HANDLE);
  });

  test("two instances of the maker have types of their own", async () => {
    const destroyed: number[] = [];
    const component = await linkText(
      `${ROOT} ${user("(local.set $a (call $make (i32.const 3))) (i32.add (i32.mul (i32.const 10) (call $look (local.get $a))) (call $other (local.get $a)))")}
      ${user("(drop (call $make (i32.const 4))) (call $drop-raw (i32.const 1)) (i32.const 0)", "$confuser")}
      (instance $one (instantiate $maker (with "destroyed" (func $destroyed))))
      (instance $two (instantiate $maker (with "destroyed" (func $destroyed))))
      (instance $user-one (instantiate $user (with "m" (instance $one)) (with "other" (func $other))))
      (instance $user-two (instantiate $user (with "m" (instance $two)) (with "other" (func $other))))
      (instance $confuser (instantiate $confuser (with "m" (instance $two)) (with "other" (func $other))))
      (export "one" (func $user-one "run"))
      (export "two" (func $user-two "run"))
      (export "confused" (func $confuser "run"))`,
      hostsOf(destroyed),
    );
    expect(component.linker.plan.resources.map(({ instance }) => instance)).toEqual([1, 2]);
    const instance = await component.start();
    // Each has its own table: both handles are 1.
    expect([instance.run("one"), instance.run("two")]).toEqual([31, 31]);
    expect(await instance.endOf("confused")).toBe(NO_HANDLE);
    expect(destroyed).toEqual([]);
  });

  test("a handle of one component's is none of another's, though both have one of that number", async () => {
    const component = await linkText(
      `${ROOT} ${user("(local.set $a (call $make (i32.const 3))) (call $drop (local.get $a)) (call $other (i32.const 0))")}
      ${user("(call $look (i32.const 1))", "$thief")}
      (instance $maker (instantiate $maker (with "destroyed" (func $destroyed))))
      (instance $thief (instantiate $thief (with "m" (instance $maker)) (with "other" (func $other))))
      (instance $user (instantiate $user (with "m" (instance $maker)) (with "other" (func $other))))
      (export "run" (func $user "run"))
      (export "steal" (func $thief "run"))`,
      hostsOf([]),
    );
    const instance = await component.start();
    expect(instance.run("run")).toBe(0);
    expect(await instance.endOf("steal")).toBe(NO_HANDLE);
  });
});

/** A component in the middle that is lent an `r` that it does not define. @param body - Of `f`, of the handle and one i32 result. */
function middle(body: string): string {
  return `(component $middle
    (import "m" (instance $maker
      (export "r" (type $r (sub resource)))
      (export "look" (func (param "self" (borrow $r)) (result u32)))
      (export "take" (func (param "self" (own $r)) (result u32)))))
    (alias export $maker "r" (type $r))
    (core func $look (canon lower (func $maker "look")))
    (core func $take (canon lower (func $maker "take")))
    (core func $drop (canon resource.drop $r))
    (core module $m
      (import "m" "look" (func $look (param i32) (result i32)))
      (import "m" "take" (func $take (param i32) (result i32)))
      (import "m" "drop" (func $drop (param i32)))
      (func (export "f") (param $h i32) (result i32) ${body}))
    (core instance $m (instantiate $m (with "m" (instance (export "look" (func $look)) (export "take" (func $take))
      (export "drop" (func $drop))))))
    (func (export "f") (param "r" (borrow $r)) (result u32) (canon lift (core func $m "f"))))`;
}

/** Makes an `r`, lends it to the middle one, and does something with it afterwards. */
async function lendThrough(body: string, after: string): Promise<Instance> {
  const component = await linkText(
    `${ROOT} ${middle(body)}
    (component $lender
      (import "m" (instance $maker
        (export "r" (type $r (sub resource)))
        (export "make" (func (param "rep" u32) (result (own $r))))))
      (alias export $maker "r" (type $r))
      (import "f" (func $f (param "r" (borrow $r)) (result u32)))
      (core func $make (canon lower (func $maker "make")))
      (core func $f (canon lower (func $f)))
      (core func $drop (canon resource.drop $r))
      (core module $m
        (import "m" "make" (func $make (param i32) (result i32)))
        (import "m" "f" (func $f (param i32) (result i32)))
        (import "m" "drop" (func $drop (param i32)))
        (func (export "run") (result i32) (local $a i32) (local $b i32)
          (local.set $a (call $make (i32.const 42))) (local.set $b (call $f (local.get $a))) ${after} (local.get $b)))
      (core instance $m (instantiate $m (with "m" (instance (export "make" (func $make)) (export "f" (func $f))
        (export "drop" (func $drop))))))
      (func (export "run") (result u32) (canon lift (core func $m "run"))))
    (instance $maker (instantiate $maker (with "destroyed" (func $destroyed))))
    (instance $middle (instantiate $middle (with "m" (instance $maker))))
    (instance $lender (instantiate $lender (with "m" (instance $maker)) (with "f" (func $middle "f"))))
    (export "run" (func $lender "run"))`,
    hostsOf([]),
  );
  return component.start();
}

describe("a resource that is lent on", () => {
  test("may be looked at by its maker through it, and dropped when it came back", async () => {
    const instance = await lendThrough(
      "(call $look (local.get $h)) (call $drop (local.get $h))",
      "(call $drop (local.get $a))",
    );
    expect(instance.run("run")).toBe(42);
  });

  test.each([
    ["kept beyond the call", "(call $look (local.get $h))", KEPT],
    ["dropped twice", "(call $drop (local.get $h)) (call $drop (local.get $h)) (i32.const 0)", NO_HANDLE],
    ["used after it was dropped", "(call $drop (local.get $h)) (call $look (local.get $h))", NO_HANDLE],
    ["given away", "(call $take (local.get $h))", NOT_OWNED],
  ])("traps when it is %s", async (_, body, ending) => {
    const instance = await lendThrough(body, "");
    expect(await instance.endOf("run")).toBe(ending);
  });
});

describe("a destructor", () => {
  test("that traps ends the call", async () => {
    const component = await linkText(
      `(component $maker
        (core module $d (func (export "destroy") (param i32) unreachable))
        (core instance $d (instantiate $d))
        (type $r (resource (rep i32) (dtor (core func $d "destroy"))))
        (core func $new (canon resource.new $r))
        (core func $drop (canon resource.drop $r))
        (core module $m
          (import "r" "new" (func $new (param i32) (result i32)))
          (import "r" "drop" (func $drop (param i32)))
          (func (export "run") (call $drop (call $new (i32.const 1)))))
        (core instance $m (instantiate $m (with "r" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
        (func (export "run") (canon lift (core func $m "run"))))
      (instance $maker (instantiate $maker))
      (export "run" (func $maker "run"))`,
    );
    expect(await (await component.start()).endOf("run")).toStartWith("RuntimeError: Unreachable code");
  });

  test("runs once, though the host owns what is left at the end of the call: not at all", async () => {
    const destroyed: number[] = [];
    const instance = await withMaker("(drop (call $make (i32.const 9))) (i32.const 0)", destroyed);
    expect(instance.run("run")).toBe(0);
    expect(destroyed).toEqual([]);
  });

  test("is not run in an instance that is under way", async () => {
    // It hands a resource of its own to a component inside it, and that drops it: the destructor's instance has not returned.
    const component = await linkText(
      `(component $both
        (core module $d (func (export "destroy") (param i32)))
        (core instance $d (instantiate $d))
        (type $r (resource (rep i32) (dtor (core func $d "destroy"))))
        (component $user
          (alias outer 1 $r (type $r))
          (import "r" (type $r-in (eq $r)))
          (core func $drop (canon resource.drop $r-in))
          (core module $m (import "r" "drop" (func $drop (param i32)))
            (func (export "back") (param i32) (call $drop (local.get 0))))
          (core instance $m (instantiate $m (with "r" (instance (export "drop" (func $drop))))))
          (func (export "back") (param "r" (own $r-in)) (canon lift (core func $m "back"))))
        (instance $user (instantiate $user (with "r" (type $r))))
        (core func $back (canon lower (func $user "back")))
        (core func $new (canon resource.new $r))
        (core module $m
          (import "r" "new" (func $new (param i32) (result i32)))
          (import "r" "back" (func $back (param i32)))
          (func (export "lend") (call $back (call $new (i32.const 2)))))
        (core instance $m (instantiate $m (with "r" (instance (export "new" (func $new)) (export "back" (func $back))))))
        (func (export "lend") (canon lift (core func $m "lend"))))
      (instance $both (instantiate $both))
      (export "lend" (func $both "lend"))`,
    );
    expect(await (await component.start()).endOf("lend")).toBe(REENTERED);
  });
});
