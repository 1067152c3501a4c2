/**
 * Instructions that are not metered: each is refused by the name that the standard gives it.
 */
import { describe, expect, test } from "bun:test";
import { parse } from "@bytecodealliance/jco";
import { meterModule } from "../../lib/wasm/meter.ts";
import { describeOpcode } from "../../lib/wasm/opcodes.ts";

const READ_MODIFY_WRITE = "add sub and or xor xchg cmpxchg".split(" ");
const THREADS = [
  "memory.atomic.notify memory.atomic.wait32 memory.atomic.wait64 atomic.fence",
  "i32.atomic.load i64.atomic.load i32.atomic.load8_u i32.atomic.load16_u i64.atomic.load8_u i64.atomic.load16_u i64.atomic.load32_u",
  "i32.atomic.store i64.atomic.store i32.atomic.store8 i32.atomic.store16 i64.atomic.store8 i64.atomic.store16 i64.atomic.store32",
  ...READ_MODIFY_WRITE.map(
    (name) =>
      `i32.atomic.rmw.${name} i64.atomic.rmw.${name} i32.atomic.rmw8.${name}_u i32.atomic.rmw16.${name}_u ` +
      `i64.atomic.rmw8.${name}_u i64.atomic.rmw16.${name}_u i64.atomic.rmw32.${name}_u`,
  ),
].flatMap((names) => names.split(" "));

/** The parser knows the standard's opcodes: what it wrote must be called by the same name. */
describe("meterModule() refuses by name", () => {
  for (const name of THREADS) {
    test(name, () => expectRefused(`(module (memory 1) (func ${name}))`, `(${name}, threads)`));
  }
  test("nothing that the standard does not have", () => {
    const described = [
      describeOpcode(0xfb, 31),
      describeOpcode(0xfc, 23),
      describeOpcode(0xfd, 276),
      describeOpcode(0xfe, 4),
      describeOpcode(0xfe, 0x4f),
      describeOpcode(0xff),
    ];
    expect(described).toEqual([
      "0xfb 0x1f",
      "0xfc 0x17",
      "0xfd 0x114",
      "0xfe 0x4 (unassigned, threads)",
      "0xfe 0x4f (unassigned, threads)",
      "0xff",
    ]);
  });
});

/** What the parser of the other tests does not write: as bytes of a body. */
const STACK_SWITCHING = "cont.new cont.bind suspend resume resume_throw resume_throw_ref switch".split(" ");

describe("meterModule() refuses what belongs to stack switching", () => {
  for (const [index, name] of STACK_SWITCHING.entries()) {
    test(name, () => {
      // (module (type (func)) (func (type 0) …))
      const bytes = Uint8Array.fromHex(
        `0061736d01000000010401600000030201000a0701050000${(0xe0 + index).toString(16)}000b`,
      );
      expect(() => meterModule(bytes, "test")).toThrow(
        `Cannot meter "test": unknown instruction 0xe${index} (${name}, stack switching) at byte 24`,
      );
    });
  }
});

describe("meterModule() refuses by name, in a message of its own,", () => {
  test.each([
    { wat: "(memory i64 1)", what: "a 64-bit memory (memory64)" },
    { wat: "(table i64 1 funcref)", what: "a 64-bit table (memory64)" },
    { wat: '(import "a" "m" (memory i64 1))', what: "a 64-bit memory (memory64)" },
    { wat: '(import "a" "m" (memory 1 1 shared))', what: "a shared memory (threads)" },
    { wat: "(memory 1 2 (pagesize 1))", what: "a memory with a custom page size" },
    { wat: "(type (shared (struct)))", what: "a shared type (threads)" },
    { wat: "(type $f (func)) (type (cont $f))", what: "a continuation type (stack switching)" },
    {
      wat: "(rec (type $a (descriptor $b) (struct)) (type $b (describes $a) (struct)))",
      what: "a type with a descriptor (custom descriptors)",
    },
    {
      wat: '(import "wasm:js-string" "length" (func (param externref) (result i32)))',
      what: 'an import of the engine\'s, "wasm:js-string"',
    },
    { wat: '(import "wasm:text-decoder" "x" (func))', what: 'an import of the engine\'s, "wasm:text-decoder"' },
    {
      wat: '(type $a (array i8)) (import "a" "n" (global i32)) (global (ref $a) (array.new_default $a (global.get 0)))',
      what: "an array in a constant expression, as long as an import says",
    },
  ])("$what: $wat", async ({ wat, what }) => {
    const bytes = await parse(`(module ${wat})`);
    expect(() => meterModule(bytes, "test")).toThrow(
      new Error(`Cannot compile the component: it uses ${what}, which KAMI refuses`),
    );
  });
});

async function expectRefused(wat: string, name: string): Promise<void> {
  const bytes = await parse(wat);
  expect(() => meterModule(bytes, "test")).toThrow(name);
}
