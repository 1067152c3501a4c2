/**
 * The memory of a call, with real guests: all memories and tables of all core modules together, exact at the cap, at the start and on growth.
 */
import { describe, expect, test } from "bun:test";
import type { Outcome } from "../../lib/protocol/messages.ts";
import { buildFromText, buildGuest, type GuestEnd } from "./support/guest.ts";

const PAGE = 65_536;
const ELEMENT = 48;
const CAP = 10 * PAGE;

/**
 * A module whose `run` does `work`, which leaves an i32, and returns one letter: "a" for 0, `@` for -1. The first page of `$m` holds
 * the result; no allocation ever moves.
 */
const moduleOf = (work: string, fields = "", pages = 1): string => `
  (memory $m (export "memory") ${pages})
  ${fields}
  (func $work (result i32) ${work})
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "run") (param i32 i32) (result i32)
    (i32.store8 $m (i32.const 64) (i32.add (i32.const 97) (call $work)))
    (i32.store $m (i32.const 20) (i32.const 64))
    (i32.store $m (i32.const 24) (i32.const 1))
    (i32.const 16))`;

/** What `run` gave, as the number that `work` left. */
function numberOf({ outcome }: GuestEnd): unknown {
  return outcome.ok ? outcome.output.charCodeAt(0) - 97 : outcome;
}

/** Runs a guest whose memory has four pages beside what `fields` add. */
async function start(fields: string, memoryBytes: number): Promise<readonly unknown[]> {
  const end = (await buildGuest(moduleOf("(i32.const 0)", fields, 4))).run({ memoryBytes });
  return [numberOf(end), end.usage.peakMemoryBytes];
}

/** A second module with three pages and ten elements, instantiated `times` times, and the one that runs, with two pages. */
const componentOf = (times: number, grows: number): string => `(component
  (core module $side (memory 3) (table 10 funcref))
  (core module $main ${moduleOf(`(memory.grow $m (i32.const ${grows}))`, "", 2)})
  ${"(core instance (instantiate $side))\n".repeat(times)}
  (core instance $i (instantiate $main))
  (func (export "run") (param "input" string) (result (result string (error string)))
    (canon lift (core func $i "run") (memory (core memory $i "memory")) (realloc (core func $i "cabi_realloc")))))`;

const NO_MEMORY = (limitBytes: number): Outcome => ({ ok: false, code: "MEMORY_EXHAUSTED", detail: { limitBytes } });

describe("the memory of a call, on growth", () => {
  test.each([
    { pages: 8, gives: 1, peak: 9, why: "one page below the cap" },
    { pages: 9, gives: 1, peak: 10, why: "at the cap" },
    { pages: 10, gives: -1, peak: 1, why: "one page above: the guest is told, and goes on" },
    { pages: -1, gives: -1, peak: 1, why: "more than there can be" },
  ])("of one memory, by $pages pages: $why", async ({ pages, gives, peak }) => {
    const end = (await buildGuest(moduleOf(`(memory.grow $m (i32.const ${pages}))`))).run({ memoryBytes: CAP });
    expect([numberOf(end), end.usage.peakMemoryBytes]).toEqual([gives, peak * PAGE]);
  });

  test.each([
    { pages: 5, gives: 2, peak: 9 },
    { pages: 6, gives: 2, peak: 10 },
    { pages: 7, gives: -1, peak: 4 },
  ])("of two memories, of four pages together, by $pages pages", async ({ pages, gives, peak }) => {
    const guest = await buildGuest(moduleOf(`(memory.grow $n (i32.const ${pages}))`, "(memory $n 2)", 2));
    const end = guest.run({ memoryBytes: CAP });
    expect([numberOf(end), end.usage.peakMemoryBytes]).toEqual([gives, peak * PAGE]);
  });

  test("gives back what a failed growth asked for, whether KAMI or the memory's own maximum refused", async () => {
    const work = `
      (drop (memory.grow $m (i32.const 10)))
      (drop (memory.grow $small (i32.const 2)))
      (drop (table.grow $t (ref.null func) (i32.const 100000)))
      (drop (table.grow $full (ref.null func) (i32.const 1)))
      (memory.grow $m (i32.const 8))`;
    const guest = await buildGuest(
      moduleOf(work, "(memory $small 1 2) (table $t 0 funcref) (table $full 0 0 funcref)", 1),
    );
    const end = guest.run({ memoryBytes: CAP });
    expect([numberOf(end), end.usage.peakMemoryBytes]).toEqual([1, CAP]);
    expect(numberOf(guest.run({ memoryBytes: CAP - 1 }))).toBe(-1);
  });

  test.each([
    { elements: 99, gives: 0, peak: PAGE + 99 * ELEMENT },
    { elements: 100, gives: 0, peak: PAGE + 100 * ELEMENT },
    { elements: 101, gives: -1, peak: PAGE },
  ])("of a table, by $elements elements of 48 bytes", async ({ elements, gives, peak }) => {
    const work = `(table.grow $t (ref.null extern) (i32.const ${elements}))`;
    const end = (await buildGuest(moduleOf(work, "(table $t 0 externref)"))).run({ memoryBytes: PAGE + 100 * ELEMENT });
    expect([numberOf(end), end.usage.peakMemoryBytes]).toEqual([gives, peak]);
  });

  test("that a guest does not survive is named after the memory, and the peak stays known", async () => {
    const work =
      "(drop (memory.grow $m (i32.const 4))) (if (i32.eq (memory.grow $m (i32.const 6)) (i32.const -1)) (then unreachable)) (i32.const 0)";
    const end = (await buildGuest(moduleOf(work))).run({ memoryBytes: CAP });
    expect(end.outcome).toEqual({
      ok: false,
      code: "MEMORY_EXHAUSTED",
      detail: { limitBytes: CAP, frames: ["work", "#2"] },
    });
    expect(end.usage.peakMemoryBytes).toBe(5 * PAGE);
  });

  test("shows in the peak of a call that failed otherwise", async () => {
    const work = "(drop (memory.grow $m (i32.const 3))) unreachable";
    const { outcome, usage } = (await buildGuest(moduleOf(work))).run({ memoryBytes: CAP });
    expect([outcome.ok || outcome.code, usage.peakMemoryBytes]).toEqual(["GUEST_UNREACHABLE", 4 * PAGE]);
  });
});

describe("the memory of a call, at the start", () => {
  test.each([
    { fields: "", bytes: 4 * PAGE, why: "one memory" },
    { fields: "(memory $n 3)", bytes: 7 * PAGE, why: "two memories" },
    { fields: "(table 10 funcref)", bytes: 4 * PAGE + 10 * ELEMENT, why: "a table" },
    { fields: "(table 10 funcref) (table 5 20 externref)", bytes: 4 * PAGE + 15 * ELEMENT, why: "two tables" },
  ])("of $why fits exactly, and not in a byte less", async ({ fields, bytes }) => {
    expect(await start(fields, bytes + 1)).toEqual([0, bytes]);
    expect(await start(fields, bytes)).toEqual([0, bytes]);
    expect(await start(fields, bytes - 1)).toEqual([NO_MEMORY(bytes - 1), 0]);
  });
});

describe("the memory of a call of several core modules", () => {
  const SIDE = 3 * PAGE + 10 * ELEMENT;

  test.each([
    { grows: 1, gives: 2, pages: 3 },
    { grows: 2, gives: 2, pages: 4 },
    { grows: 3, gives: -1, pages: 2 },
  ])("is counted together, when one of them grows by $grows pages", async ({ grows, gives, pages }) => {
    const end = (await buildFromText(componentOf(2, grows))).run({ memoryBytes: 2 * SIDE + 4 * PAGE });
    expect([numberOf(end), end.usage.peakMemoryBytes]).toEqual([gives, 2 * SIDE + pages * PAGE]);
  });

  test("is counted for each instance of a module at the start", async () => {
    const guest = await buildFromText(componentOf(3, 0));
    const bytes = 3 * SIDE + 2 * PAGE;
    expect(numberOf(guest.run({ memoryBytes: bytes }))).toBe(2);
    const refused = guest.run({ memoryBytes: bytes - 1 });
    expect([refused.outcome, refused.usage.peakMemoryBytes]).toEqual([NO_MEMORY(bytes - 1), 3 * SIDE]);
  });
});
