import { describe, expect, test } from "bun:test";
import { parse } from "@bytecodealliance/jco";
import { meterModule } from "../../lib/wasm/meter.ts";
import { runMetered } from "./metered.ts";

/** Body, and what one call of it costs by docs/fuel.md. */
const COSTS: readonly { readonly body: string; readonly cost: number; readonly why: string }[] = [
  { body: "", cost: 0, why: "an empty function executes nothing but end" },
  { body: "nop nop nop", cost: 0, why: "nop is free" },
  { body: "block end block block end end", cost: 0, why: "block and end are free" },
  { body: "i32.const 1 drop", cost: 2, why: "one for each instruction" },
  { body: "i32.const 0 if i32.const 1 drop end", cost: 2, why: "the arm that is not taken costs nothing" },
  { body: "i32.const 1 if i32.const 1 drop end", cost: 4, why: "the arm that is taken is paid" },
  {
    body: "i32.const 0 if else i32.const 1 drop end i32.const 1 drop",
    cost: 6,
    why: "else itself is free; what follows is paid once",
  },
  { body: "block br 0 i32.const 1 drop end i32.const 1 drop", cost: 3, why: "what a branch jumps over is not paid" },
  { body: "block i32.const 0 br_if 0 i32.const 1 drop end", cost: 4, why: "a branch not taken goes on" },
  { body: "block i32.const 1 br_if 0 i32.const 1 drop end", cost: 2, why: "a branch taken stops paying" },
  {
    body: "block block i32.const 1 br_table 0 1 1 end i32.const 1 drop end i32.const 1 drop",
    cost: 4,
    why: "br_table jumps to one label",
  },
  { body: "i32.const 1 drop return i32.const 1 drop", cost: 3, why: "nothing after return" },
  {
    body: "block block br 0 end i32.const 1 drop end",
    cost: 3,
    why: "a branch to an inner block joins before the outer one ends",
  },
  {
    body: "block block end i32.const 1 drop end i32.const 1 drop",
    cost: 4,
    why: "blocks that nobody jumps out of are one run",
  },
  {
    body: "(local i32) loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 5 i32.lt_s br_if 0 end",
    cost: 35,
    why: "seven for each of five rounds",
  },
  {
    body: "i32.const 0 i32.const 7 i32.const 160 memory.fill",
    cost: 14,
    why: "four instructions and one for each 16 bytes",
  },
  { body: "i32.const 0 i32.const 32 i32.const 15 memory.copy", cost: 4, why: "fewer than 16 bytes cost nothing more" },
  {
    body: "i32.const 0 i32.const 0 i32.const 3 memory.init 0 data.drop 0",
    cost: 5,
    why: "memory.init charges by length",
  },
  {
    body: "i32.const 0 i32.const 0 i32.const 3 table.copy",
    cost: 7,
    why: "a table operation costs one more for each element",
  },
  { body: "i32.const 0 ref.null func i32.const 4 table.fill 0", cost: 8, why: "table.fill as well" },
  { body: "i32.const 0 i32.const 0 i32.const 2 table.init $passive", cost: 6, why: "table.init as well" },
  { body: "call $callee", cost: 3, why: "the call and what the callee executes" },
  { body: "i32.const 0 call_indirect (type $void)", cost: 4, why: "the index, the call, and the callee" },
  {
    body: "global.get $g i32.const 1 i32.add global.set $g",
    cost: 4,
    why: "the guest's own globals moved, and still work",
  },
];

function moduleWith(body: string): string {
  return `(module
    (type $void (func))
    (import "env" "imported" (func $imported))
    (memory 1) (table 8 funcref) (elem (i32.const 0) $callee) (elem $passive func $callee $callee) (data "abc")
    (global $g (mut i32) (i32.const 0))
    (func $callee i32.const 1 drop)
    (func (export "f") ${body}))`;
}

describe("meterModule()", () => {
  for (const { body, cost, why } of COSTS) {
    test(`charges ${cost} for "${body}": ${why}`, async () => {
      const metered = await runMetered(moduleWith(body), 1000, { env: { imported: () => undefined } });
      metered.call("f");
      expect(metered.used).toBe(cost);
    });
  }

  test("lets a call pass that uses exactly its fuel, and stops one at the next round of its loop", async () => {
    const wat = moduleWith(
      "(local i32) loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 5 i32.lt_s br_if 0 end",
    );
    const enough = await runMetered(wat, 35, { env: { imported: () => undefined } });
    enough.call("f");
    expect(enough.used).toBe(35);
    const tooLittle = await runMetered(wat, 27, { env: { imported: () => undefined } });
    expect(() => tooLittle.call("f")).toThrow("Unreachable code should not be executed");
  });

  test("keeps imported and defined functions apart when its own imports come between", async () => {
    const seen: number[] = [];
    const metered = await runMetered(
      `(module
        (import "env" "first" (func $first (param i32)))
        (import "env" "second" (func $second (param i32)))
        (import "env" "limit" (global $limit i32))
        (table (export "t") 3 funcref) (elem (i32.const 0) $second $third $first)
        (global $mine (mut i32) (i32.const 40)) (global $theirs i32 (global.get $limit))
        (global (export "exported") i32 (i32.const 77))
        (func $third (param i32) (call $first (i32.add (local.get 0) (global.get $mine))))
        (func $start (call $second (global.get $theirs)))
        (start $start)
        (func (export "f") (call $third (i32.const 2)) (call_indirect (param i32) (i32.const 5) (i32.const 0)) (call_indirect (param i32) (i32.const 6) (i32.const 2))))`,
      1000,
      { env: { first: (n: number) => seen.push(n), second: (n: number) => seen.push(-n), limit: 9 } },
    );
    metered.call("f");
    expect(seen).toEqual([-9, 42, -5, 6]);
    expect(metered.instance.exports["exported"]).toMatchObject({ value: 77 });
  });

  test("charges in a start function and stops one that loops", async () => {
    const looping = runMetered("(module (func $s (loop br 0)) (start $s))", 1000);
    await expect(looping).rejects.toThrow("Unreachable code should not be executed");
  });

  test("keeps the start function of a module that has no code of its own", async () => {
    let started = 0;
    await runMetered('(module (import "a" "b" (func $b)) (start $b))', 0, { a: { b: () => (started += 1) } });
    expect(started).toBe(1);
  });

  test("stops unbounded recursion by fuel when the stack is deep enough", async () => {
    const metered = await runMetered('(module (func $f (export "f") (call $f)))', 100);
    expect(() => metered.call("f")).toThrow("Unreachable code should not be executed");
    // The look on entry comes before what the function costs.
    expect(metered.used).toBe(102);
  });

  for (const call of [
    "return_call $f",
    "i32.const 0 return_call_indirect (type $void)",
    "ref.func $f return_call_ref $void",
  ]) {
    test(`stops a function that goes on for ever by ${call}`, async () => {
      const metered = await runMetered(
        `(module (type $void (func)) (table 1 funcref) (elem (i32.const 0) $f) (func $f (export "f") (type $void) ${call}))`,
        1000,
      );
      expect(() => metered.call("f")).toThrow("Unreachable code should not be executed");
    });
  }

  for (const [body, cost] of [
    ["return i32.const 0 if end i32.const 1 drop i32.const 1 drop", 1],
    ["block br 0 i32.const 0 if i32.const 1 drop else i32.const 2 drop end i32.const 1 drop end", 1],
    ["return block i32.const 1 br_if 0 end i32.const 1 drop", 1],
  ] as const) {
    test(`charges ${cost} for "${body}": code that control cannot get to costs nothing`, async () => {
      const metered = await runMetered(moduleWith(body), 1000, { env: { imported: () => undefined } });
      metered.call("f");
      expect(metered.used).toBe(cost);
    });
  }

  test("turns its own memories into imports and keeps what the data segments and exports say", async () => {
    const wat = '(module (memory (export "m") 2 5) (data (i32.const 3) "xyz"))';
    expect(meterModule(await parse(wat), "test").memories).toEqual([{ initialPages: 2, maximumPages: 5 }]);
    const memory = (await runMetered(wat)).instance.exports["m"];
    if (!(memory instanceof WebAssembly.Memory)) throw new Error("no memory");
    expect([...new Uint8Array(memory.buffer, 2, 5)]).toEqual([0, 120, 121, 122, 0]);
  });

  test("counts the elements that tables start with", async () => {
    const wat = "(module (table 7 funcref) (table 5 9 externref))";
    expect(meterModule(await parse(wat), "test").initialTableElements).toBe(12);
  });

  test("asks before a memory grows, and gives the old size or -1", async () => {
    const metered = await runMetered(
      '(module (memory 1 3) (func (export "f") (param i32) (result i32) (memory.grow (local.get 0))))',
    );
    expect(metered.call("f", 2)).toBe(1);
    expect(metered.call("f", 0)).toBe(3);
  });

  test("leaves a module without code and memory as it was", async () => {
    const bytes = await parse('(module (import "a" "b" (func)) (export "c" (func 0)))');
    expect(WebAssembly.validate(meterModule(bytes, "test").bytes)).toBe(true);
  });

  test("keeps function names and moves them, drops debug information, keeps other custom sections", async () => {
    const bytes = await parse(
      '(module (@custom "producers" "p") (@custom ".debug_info" "d") (func $named_by_guest unreachable) (export "f" (func $named_by_guest)))',
    );
    const text = new TextDecoder("latin1").decode(meterModule(bytes, "test").bytes);
    expect(text).toContain("named_by_guest");
    expect(text).toContain("producers");
    expect(text).not.toContain(".debug_info");
  });

  test("drops a name section that is malformed: the module is valid all the same", async () => {
    const module = await parse('(module (func (export "f")))');
    // A custom section "name" whose function names name function 9.
    const bytes = Uint8Array.of(...module, 0, 11, 4, ...new TextEncoder().encode("name"), 1, 4, 1, 9, 1, 97);
    const metered = meterModule(bytes, "test").bytes;
    expect(WebAssembly.validate(metered)).toBe(true);
    expect(metered).toEqual(meterModule(module, "test").bytes);
  });

  test("gives the same bytes for the same module", async () => {
    const bytes = await parse(moduleWith("call $callee"));
    expect(meterModule(bytes, "a").bytes).toEqual(meterModule(bytes, "b").bytes);
  });
});

describe("meterModule() with exceptions", () => {
  test("goes on to charge in the handler, and not for what the exception jumped over", async () => {
    const metered = await runMetered(`(module (tag $t)
      (func $throws (throw $t))
      (func (export "f") (block $h (try_table (catch_all $h) (call $throws) (drop (i32.const 1))) (drop (i32.const 2))) (drop (i32.const 3))))`);
    metered.call("f");
    // call 1, throw 1, and the two behind the block.
    expect(metered.used).toBe(4);
  });

  test("stops a loop inside a handler that catches everything: a trap cannot be caught", async () => {
    const metered = await runMetered(
      '(module (tag $t) (func (export "f") (loop $again (block $h (try_table (catch_all $h) (loop (br 0)))) (br $again))))',
      1000,
    );
    expect(() => metered.call("f")).toThrow("Unreachable code should not be executed");
  });
});

describe("meterModule() refuses", () => {
  const REFUSED: readonly { readonly wat: string; readonly message: string }[] = [
    {
      wat: "(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))",
      message: 'Cannot meter "test": unknown instruction 0xfe 0x10 (i32.atomic.load, threads) at byte 30',
    },
    {
      wat: "(module (memory 1 2 shared))",
      message: "Cannot compile the component: it uses a shared memory (threads), which KAMI refuses",
    },
    {
      wat: "(module (memory i64 1))",
      message: "Cannot compile the component: it uses a 64-bit memory (memory64), which KAMI refuses",
    },
    {
      wat: '(module (import "kami:meter" "fuel" (global (mut i32))) (func (global.set 0 (i32.const 2147483647))))',
      message: 'Cannot compile the component: it uses an import from "kami:meter", which KAMI refuses',
    },
    ...["kami:read-fuel", "kami:write-fuel", "kami:start"].map((name) => ({
      wat: `(module (import "a" "b" (func (result i32))) (export "${name}" (func 0)))`,
      message: `Cannot compile the component: it uses an export named "${name}", which KAMI refuses`,
    })),
    {
      wat: "(module (table 262145 funcref))",
      message: "Cannot compile the component: the number of table elements at the start is 262145, the limit is 262144",
    },
  ];
  for (const { wat, message } of REFUSED) {
    test(wat, async () => {
      const bytes = await parse(wat);
      expect(() => meterModule(bytes, "test")).toThrow(message);
    });
  }

  test("nothing at the limit of table elements", async () => {
    expect(meterModule(await parse("(module (table 262144 funcref))"), "test").initialTableElements).toBe(262_144);
  });

  test("a module cut at any byte, without another kind of error", async () => {
    const bytes = await parse(moduleWith("call $callee"));
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.slice(0, length);
      try {
        meterModule(cut, "test");
      } catch (error) {
        expect(error).toMatchObject({ name: "Failure", code: "COMPONENT_INVALID" });
      }
    }
  });

  test.each([1, 2, 3])(
    "bytes after the last entry of section %d, which would be read before what the meter adds",
    async (id) => {
      const bytes = await parse('(module (import "a" "b" (func)) (func))');
      const at = bytes.findIndex((byte, index) => index >= 8 && byte === id && startsSection(bytes, index));
      const size = bytes[at + 1] ?? 0;
      const [before, content, after] = [
        bytes.slice(0, at),
        bytes.slice(at + 2, at + 2 + size),
        bytes.slice(at + 2 + size),
      ];
      const longer = Uint8Array.from([...before, id, size + 1, ...content, 0, ...after]);
      expect(() => meterModule(longer, "test")).toThrow("bytes after a section's last entry");
    },
  );

  test("a call to a function that does not exist, which must not reach the meter's own", () => {
    // (module (type (func)) (func (type 0) call N)), N one past the end.
    const bytes = Uint8Array.of(
      0,
      97,
      115,
      109,
      1,
      0,
      0,
      0,
      1,
      4,
      1,
      0x60,
      0,
      0,
      3,
      2,
      1,
      0,
      10,
      6,
      1,
      4,
      0,
      0x10,
      1,
      0x0b,
    );
    expect(() => meterModule(bytes, "test")).toThrow("malformed core module: function 1 does not exist");
  });

  test("a global past the end, which must not become the fuel counter", () => {
    // (func (global.set 0 (i32.const 1))) in a module without globals.
    const bytes = Uint8Array.of(
      0,
      97,
      115,
      109,
      1,
      0,
      0,
      0,
      1,
      4,
      1,
      0x60,
      0,
      0,
      3,
      2,
      1,
      0,
      10,
      8,
      1,
      6,
      0,
      0x41,
      1,
      0x24,
      0,
      0x0b,
    );
    expect(() => meterModule(bytes, "test")).toThrow("malformed core module: global 0 does not exist");
  });
});

/** Whether a section begins there: sections of less than 128 bytes. */
function startsSection(bytes: Uint8Array, index: number): boolean {
  let at = 8;
  while (at < index) at += 2 + (bytes[at + 1] ?? 0);
  return at === index;
}
