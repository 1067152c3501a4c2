/**
 * Handles of resources of the host's: owned and lent, in the tables of one call.
 */
import { describe, expect, test } from "bun:test";
import { define } from "../../../lib/component/link/host.ts";
import { HANDLE_LIMIT } from "../../../lib/component/link/handles.ts";
import { borrow, list, own, u32 } from "../../../lib/schema/value-type.ts";
import { LIBC } from "./support/echo.ts";
import { type Component, type Hosts, linkText, type TestCall } from "./support/linking.ts";

const NO_HANDLE = "it broke the component ABI: a handle that it does not have";
const STILL_BORROWED = "it broke the component ABI: a resource that is still borrowed";

/** A resource of the host's. */
class Door implements Disposable {
  readonly number: number;
  isClosed = false;

  constructor(number: number) {
    this.number = number;
  }

  [Symbol.dispose](): void {
    this.isClosed = true;
  }
}

/** What a test's host has. */
class House {
  readonly doors: Door[] = [];
  /** Numbers of what was passed, in order. */
  readonly seen: (readonly [string, ...number[]])[] = [];

  get hosts(): Hosts {
    const note = (what: string, ...doors: readonly Door[]): void =>
      void this.seen.push([what, ...doors.map(({ number }) => number)]);
    const make = (): Door => {
      const door = new Door(this.doors.length);
      this.doors.push(door);
      return door;
    };
    return {
      "acme:house/doors@1.0.0": {
        "[constructor]door": define([{}, own("acme:house/doors@1.0.0/door")], make),
        look: define([{ door: borrow("acme:house/doors@1.0.0/door") }], (_: TestCall, door: Door) =>
          note("look", door),
        ),
        "look-twice": define(
          [{ a: borrow("acme:house/doors@1.0.0/door"), b: borrow("acme:house/doors@1.0.0/door") }],
          (_: TestCall, a: Door, b: Door) => note("look-twice", a, b),
        ),
        take: define([{ door: own("acme:house/doors@1.0.0/door") }], (_: TestCall, door: Door) => note("take", door)),
        swap: define(
          [{ door: own("acme:house/doors@1.0.0/door") }, own("acme:house/doors@1.0.0/door")],
          (_: TestCall, door: Door) => (note("swap", door), make()),
        ),
        both: define(
          [{ a: borrow("acme:house/doors@1.0.0/door"), b: own("acme:house/doors@1.0.0/door") }],
          (_: TestCall, a: Door, b: Door) => note("both", a, b),
        ),
        "look-all": define(
          [{ doors: list(borrow("acme:house/doors@1.0.0/door")) }, u32],
          (_: TestCall, doors: readonly Door[]) => (note("look-all", ...doors), doors.length),
        ),
      },
      "acme:house/windows@1.0.0": {
        open: define([{}, own("acme:house/windows@1.0.0/window")], () => new Door(100)),
      },
    };
  }
}

const HOST_IMPORTS = `
  (import "acme:house/doors@1.0.0" (instance $doors
    (export "door" (type $door (sub resource)))
    (export "[constructor]door" (func (result (own $door))))
    (export "look" (func (param "door" (borrow $door))))
    (export "look-twice" (func (param "a" (borrow $door)) (param "b" (borrow $door))))
    (export "take" (func (param "door" (own $door))))
    (export "swap" (func (param "door" (own $door)) (result (own $door))))
    (export "both" (func (param "a" (borrow $door)) (param "b" (own $door))))
    (export "look-all" (func (param "doors" (list (borrow $door))) (result u32)))))
  (import "acme:house/windows@1.0.0" (instance $windows
    (export "window" (type $window (sub resource)))
    (export "open" (func (result (own $window))))))
  (alias export $doors "door" (type $door))
  (alias export $windows "window" (type $window))
  ${LIBC}
  (core instance $libc (instantiate $libc))
  (core func $new (canon lower (func $doors "[constructor]door")))
  (core func $look (canon lower (func $doors "look")))
  (core func $look-twice (canon lower (func $doors "look-twice")))
  (core func $take (canon lower (func $doors "take")))
  (core func $swap (canon lower (func $doors "swap")))
  (core func $both (canon lower (func $doors "both")))
  (core func $look-all (canon lower (func $doors "look-all") (memory (core memory $libc "memory"))))
  (core func $open (canon lower (func $windows "open")))
  (core func $drop (canon resource.drop $door))
  (core func $drop-window (canon resource.drop $window))
`;

/** A guest of the host's resources. @param body - Of `run`, which returns an i32; it has locals $a and $b. */
function withDoors(house: House, body: string): Promise<Component> {
  return linkText(
    `${HOST_IMPORTS}
    (core module $m
      (import "libc" "memory" (memory 1))
      (import "host" "new" (func $new (result i32)))
      (import "host" "look" (func $look (param i32)))
      (import "host" "look-twice" (func $look-twice (param i32 i32)))
      (import "host" "take" (func $take (param i32)))
      (import "host" "swap" (func $swap (param i32) (result i32)))
      (import "host" "both" (func $both (param i32 i32)))
      (import "host" "look-all" (func $look-all (param i32 i32) (result i32)))
      (import "host" "open" (func $open (result i32)))
      (import "host" "drop" (func $drop (param i32)))
      (import "host" "drop-window" (func $drop-window (param i32)))
      (func (export "run") (result i32) (local $a i32) (local $b i32) ${body}))
    (core instance $m (instantiate $m (with "libc" (instance $libc)) (with "host" (instance
      (export "new" (func $new)) (export "look" (func $look)) (export "look-twice" (func $look-twice))
      (export "take" (func $take)) (export "swap" (func $swap)) (export "both" (func $both))
      (export "look-all" (func $look-all)) (export "open" (func $open)) (export "drop" (func $drop))
      (export "drop-window" (func $drop-window))))))
    (func (export "run") (result u32) (canon lift (core func $m "run")))`,
    house.hosts,
  );
}

describe("a resource of the host's", () => {
  test("is made, looked at, swapped and dropped", async () => {
    const house = new House();
    const component = await withDoors(
      house,
      `(local.set $a (call $new)) (local.set $b (call $new))
      (call $look (local.get $b)) (call $look-twice (local.get $a) (local.get $a))
      (local.set $a (call $swap (local.get $a)))
      (call $both (local.get $b) (local.get $a))
      (call $drop (local.get $b))
      (i32.const 7)`,
    );
    const instance = await component.start();
    expect(instance.run("run")).toBe(7);
    expect(house.seen).toEqual([
      ["look", 1],
      ["look-twice", 0, 0],
      ["swap", 0],
      ["both", 1, 2],
    ]);
    // The host disposes of what is dropped; what it is given is its own.
    expect(house.doors.map(({ isClosed }) => isClosed)).toEqual([false, true, false]);
  });

  test("has handles from 1 that are given again", async () => {
    const component = await withDoors(
      new House(),
      `(local.set $a (call $new)) (local.set $b (call $new))
      (call $drop (local.get $a)) (call $drop (local.get $b))
      (i32.add (i32.mul (i32.const 10) (call $new)) (call $new))`,
    );
    // The one that was dropped last comes first.
    expect((await component.start()).run("run")).toBe(21);
  });

  test("one list may name one of them often", async () => {
    const house = new House();
    const component = await withDoors(
      house,
      `(local.set $a (call $new))
      (i32.store (i32.const 8) (local.get $a)) (i32.store (i32.const 12) (local.get $a))
      (call $look-all (i32.const 8) (i32.const 2)) (call $drop (local.get $a))`,
    );
    expect((await component.start()).run("run")).toBe(2);
    expect(house.seen).toEqual([["look-all", 0, 0]]);
  });

  test.each([
    ["use after drop", "(local.set $a (call $new)) (call $drop (local.get $a)) (call $look (local.get $a))", NO_HANDLE],
    [
      "drop after drop",
      "(local.set $a (call $new)) (call $drop (local.get $a)) (call $drop (local.get $a))",
      NO_HANDLE,
    ],
    [
      "use after it was given away",
      "(local.set $a (call $new)) (call $take (local.get $a)) (call $look (local.get $a))",
      NO_HANDLE,
    ],
    [
      "giving it away twice",
      "(local.set $a (call $new)) (call $take (local.get $a)) (call $take (local.get $a))",
      NO_HANDLE,
    ],
    ["the handle 0", "(call $look (i32.const 0))", NO_HANDLE],
    ["the handle -1", "(drop (call $new)) (call $look (i32.const -1))", NO_HANDLE],
    ["a handle beyond the table", "(drop (call $new)) (call $look (i32.const 2))", NO_HANDLE],
    ["a window as a door", "(call $look (call $open))", NO_HANDLE],
    ["dropping a window as a door", "(call $drop (call $open))", NO_HANDLE],
    ["dropping a door as a window", "(call $drop-window (call $new))", NO_HANDLE],
    [
      "giving away what is lent in the same call",
      "(local.set $a (call $new)) (call $both (local.get $a) (local.get $a))",
      STILL_BORROWED,
    ],
  ])("traps: %s", async (_, body, ending) => {
    const component = await withDoors(new House(), `${body} (i32.const 0)`);
    expect(await (await component.start()).endOf("run")).toBe(ending);
  });

  test("two instances have tables of their own", async () => {
    const house = new House();
    const component = await withDoors(house, "(call $look (i32.const 1)) (i32.const 0)");
    const making = await withDoors(house, "(call $new)");
    expect((await making.start()).run("run")).toBe(1);
    expect(await (await component.start()).endOf("run")).toBe(NO_HANDLE);
  });

  test.each([HANDLE_LIMIT - 1, HANDLE_LIMIT])("a call may hold %d handles", async (count) => {
    const component = await withDoors(
      new House(),
      `(loop $again (local.set $b (call $new))
        (br_if $again (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.const ${count}))))
      (local.get $b)`,
    );
    expect((await component.start()).run("run")).toBe(count);
  });

  test("and no more", async () => {
    const component = await withDoors(new House(), "(loop $again (drop (call $new)) (br $again)) (i32.const 0)");
    expect(await (await component.start()).endOf("run")).toBe("it holds more than 65536 handles");
  });
});
