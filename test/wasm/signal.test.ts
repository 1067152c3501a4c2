/**
 * The memory by which the host stops a guest, and where the guest settles its fuel: no code of the guest's can name it.
 */
import { describe, expect, test } from "bun:test";
import { parse } from "@bytecodealliance/jco";
import { meterModule } from "../../lib/wasm/meter.ts";
import { Kind, ONE_BYTE, PREFIX_FC, PREFIX_FD } from "../../lib/wasm/opcodes.ts";

/** Bit 6 of the alignment: a memory index follows. */
const WITH_MEMORY = 0x40;
const OFFSET = 0;
const LANE = 0;
const PREAMBLE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** What follows an opcode, with each memory index in turn at `memory` and all others at 0. */
const IMMEDIATES = new Map<number, (memory: number) => readonly (readonly number[])[]>([
  [Kind.memoryArgument, (memory) => argumentsOf(memory)],
  [Kind.memoryArgumentLane, (memory) => argumentsOf(memory).map((bytes) => bytes.concat(LANE))],
  [Kind.memorySize, (memory) => [[memory]]],
  [Kind.memoryGrow, (memory) => [[memory]]],
  [Kind.memoryFill, (memory) => [[memory]]],
  [
    Kind.memoryCopy,
    (memory) => [
      [memory, 0],
      [0, memory],
    ],
  ],
  [Kind.memoryInit, (memory) => [[0, memory]]],
]);

/** All instructions that name a memory, as the bytes of their opcodes. */
const INSTRUCTIONS: readonly { readonly opcode: readonly number[]; readonly kind: number }[] = [
  ...[...ONE_BYTE].map((kind, opcode) => ({ opcode: [opcode], kind })),
  ...[...PREFIX_FC].map((kind, sub) => ({ opcode: [0xfc, sub], kind })),
  ...[...PREFIX_FD].map((kind, sub) => ({ opcode: [0xfd, ...unsigned(sub)], kind })),
].filter(({ kind }) => IMMEDIATES.has(kind));

const PLACES = [
  { memories: 0, why: "in a module without memories, where it is memory 0" },
  { memories: 1, why: "behind the module's own memory" },
  { memories: 16, why: "behind as many memories as there may be" },
];

describe.each(PLACES)("the signal memory, $why", ({ memories }) => {
  const refusal = `malformed core module: memory ${memories} does not exist`;

  test("is named by no instruction", () => {
    const answers = INSTRUCTIONS.flatMap(({ opcode, kind }) =>
      (IMMEDIATES.get(kind)?.(memories) ?? []).map((rest) => answerTo(moduleOf(memories, [...opcode, ...rest]))),
    );
    // The first memory of `memory.copy` and the like is refused as well where the module has none.
    expect(answers).toEqual(answers.map(() => refusal));
    expect(answers.length).toBeGreaterThan(50);
  });

  test.each([
    ["an active data segment", `(func) (data (memory ${memories}) (i32.const 0) "a")`],
    ["an export", `(func) (export "m" (memory ${memories}))`],
  ])("is named by no %s", async (_what, fields) => {
    const own = "(memory 1)".repeat(memories);
    expect(answerTo(await parse(`(module ${own} ${fields})`))).toBe(refusal);
  });
});

test("a module without code has no signal memory, and cannot export one", async () => {
  const { bytes } = meterModule(await parse("(module (memory 1))"), "test");
  expect(WebAssembly.Module.imports(new WebAssembly.Module(new Uint8Array(bytes)))).toEqual([
    { module: "kami:meter", name: "memory0", kind: "memory" },
  ]);
  expect(answerTo(await parse('(module (export "m" (memory 0)))'))).toBe(
    "malformed core module: memory 0 does not exist",
  );
});

test("the signal memory is imported as the last one, shared and of one page", async () => {
  const bytes = await parse('(module (import "a" "m" (memory 1)) (memory 2 3) (func))');
  const module = new WebAssembly.Module(new Uint8Array(meterModule(bytes, "test").bytes));
  const memories = WebAssembly.Module.imports(module).filter(({ kind }) => kind === "memory");
  expect(memories.map(({ module: from, name }) => `${from} ${name}`)).toEqual([
    "a m",
    "kami:meter memory0",
    "kami:meter signal",
  ]);
});

test("a module may not import it itself", async () => {
  const bytes = await parse('(module (import "kami:meter" "signal" (memory 1)))');
  expect(() => meterModule(bytes, "test")).toThrow('an import from "kami:meter"');
});

function argumentsOf(memory: number): readonly (readonly number[])[] {
  const explicit = [WITH_MEMORY, memory, OFFSET];
  // Without an index it is memory 0; and an index may be padded.
  return memory === 0 ? [explicit, [0, OFFSET]] : [explicit, [WITH_MEMORY, memory | 0x80, 0x80, 0, OFFSET]];
}

/** A module of one function that starts with some bytes; the meter reads code before anything validates it. */
function moduleOf(memories: number, code: readonly number[]): Uint8Array {
  const body = [0, ...code, 0x0b];
  return Uint8Array.from([
    ...PREAMBLE,
    ...section(1, [1, 0x60, 0, 0]),
    ...section(3, [1, 0]),
    ...(memories === 0 ? [] : section(5, [memories, ...Array.from({ length: memories }, () => [0, 1]).flat()])),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

function section(id: number, content: readonly number[]): readonly number[] {
  return [id, ...unsigned(content.length), ...content];
}

function unsigned(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
}

/** Why the meter refuses a module. */
function answerTo(bytes: Uint8Array): string {
  try {
    meterModule(bytes, "test");
    return "accepted";
  } catch (error) {
    return String(error instanceof Error ? error.message : error).replace("Cannot compile the component: ", "");
  }
}
