/**
 * What the engine and the glue really throw, and what an agent reads in its place.
 */
import { parse } from "@bytecodealliance/jco";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { FailureCode } from "../../lib/errors.ts";
import type { Outcome } from "../../lib/protocol/messages.ts";
import { type BudgetEnd, cutTexts, describeThrown } from "../../lib/worker/failure.ts";
import { AMPLE, summarize, TestRuntime } from "../support/runtime.ts";

const RUNNING: BudgetEnd = { stopped: undefined, memoryRefused: false, limits: AMPLE };

const trap = (reason: string): Outcome => ({ ok: false, code: "GUEST_TRAP", detail: { reason } });
const outOfBounds = (what: string): Outcome => ({ ok: false, code: "GUEST_OUT_OF_BOUNDS", detail: { what } });
const plain = (code: FailureCode): Outcome => ({ ok: false, code, detail: {} });
const ABI = "it broke the component ABI:";

const INDIRECT = trap("an indirect call to a function of another type, or to none");
const NULL = trap("use of a null reference");
const TOO_LARGE = trap("an array or a structure that is too large");
const SEGMENT = trap("an array that is too large, or an access out of a segment's bounds");

/** Bodies of an exported function, with what stands before it in the module. */
const CRASHES: readonly (readonly [body: string, ends: Outcome, before?: string])[] = [
  ["unreachable", plain("GUEST_UNREACHABLE")],
  ["(drop (i32.div_s (i32.const 1) (i32.const 0)))", plain("GUEST_DIVIDE_BY_ZERO")],
  ["(drop (i32.rem_u (i32.const 1) (i32.const 0)))", plain("GUEST_DIVIDE_BY_ZERO")],
  ["(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", trap("integer overflow")],
  ["(drop (i32.trunc_f64_s (f64.const nan)))", trap("a float that no integer can hold")],
  ["(drop (i64.trunc_f32_u (f32.const -1)))", trap("a float that no integer can hold")],
  ["(drop (i32.load (i32.const -8)))", outOfBounds("memory"), "(memory 1)"],
  ["(memory.fill (i32.const 0) (i32.const 0) (i32.const -1))", outOfBounds("memory"), "(memory 1)"],
  ["(memory.init 0 (i32.const 0) (i32.const 0) (i32.const 9))", outOfBounds("memory"), '(memory 1) (data "abc")'],
  ["nop", outOfBounds("memory"), '(memory 1) (data (i32.const 65535) "abc")'],
  ["nop", outOfBounds("table"), "(table 1 funcref) (elem (i32.const 1) $g) (func $g)"],
  ["(drop (table.get 0 (i32.const 9)))", outOfBounds("table"), "(table 1 funcref)"],
  ["(call_indirect (type $t) (i32.const 9))", outOfBounds("table"), "(type $t (func)) (table 1 funcref)"],
  ["(call_indirect (type $t) (i32.const 0))", INDIRECT, "(type $t (func)) (table 1 funcref)"],
  [
    "(call_indirect (type $t) (i32.const 0))",
    INDIRECT,
    "(type $t (func)) (table 1 funcref) (elem (i32.const 0) $g) (func $g (param i32))",
  ],
  ["(call_ref $t (ref.null $t))", NULL, "(type $t (func))"],
  ["(drop (ref.as_non_null (ref.null func)))", NULL],
  ["(drop (struct.get $s 0 (ref.null $s)))", NULL, "(type $s (struct (field i32)))"],
  ["(throw_ref (ref.null exn))", NULL],
  [
    "(drop (ref.cast (ref $u) (struct.new $s)))",
    trap("a cast to a type that the reference does not have"),
    "(type $s (struct)) (type $u (struct (field i32)))",
  ],
  [
    "(drop (array.get $a (array.new_default $a (i32.const 1)) (i32.const 3)))",
    outOfBounds("array"),
    "(type $a (array i32))",
  ],
  [
    "(array.fill $a (array.new_default $a (i32.const 1)) (i32.const 3) (i32.const 1) (i32.const 9))",
    outOfBounds("array"),
    "(type $a (array (mut i32)))",
  ],
  ["(drop (array.new_default $a (i32.const -1)))", TOO_LARGE, "(type $a (array i64))"],
  [
    "(drop (array.new_data $a 0 (i32.const 0) (i32.const 30)))",
    SEGMENT,
    '(memory 1) (type $a (array i8)) (data "abc")',
  ],
  [
    "(drop (i32.atomic.load (i32.const 1)))",
    trap("an atomic access to an address that is not aligned"),
    "(memory 1 1 shared)",
  ],
  ["(throw $e)", trap("an exception that it did not catch"), "(tag $e)"],
  ["(call $f)", plain("STACK_OVERFLOW")],
];

/** What else is thrown while a call runs. */
const FAULTS: readonly (readonly [fault: () => unknown, ends: Outcome, why: string])[] = [
  [() => "x".repeat(2 ** 31), trap("no memory is left on this machine"), "text that the engine cannot hold"],
  [raise(RangeError, "Out of memory"), trap("no memory is left on this machine"), "memory"],
  [
    raise(TypeError, "/a/path: undefined is not an object"),
    trap(`${ABI} a value that its type does not allow`),
    "other",
  ],
  [raise(WebAssembly.RuntimeError, "/a/path: new words"), trap("a trap that KAMI has no words for"), "unknown trap"],
];

describe("describeThrown()", () => {
  for (const [body, ends, before = ""] of CRASHES) {
    test(`${before} ${body}`.trim(), async () => {
      const module = await compile(`(module ${before} (func $f (export "f") ${body}))`);
      const error = thrownBy(() => runExport(new WebAssembly.Instance(module)));
      expect(describeThrown(error, RUNNING)).toEqual(ends);
    });
  }

  for (const [fault, ends, why] of FAULTS) {
    test(`what the glue cannot lift: ${why}`, () => {
      expect(describeThrown(thrownBy(fault), RUNNING)).toEqual(ends);
    });
  }

  test("names what stopped the call, whatever was thrown", () => {
    const stopped = { code: "FUEL_EXHAUSTED", detail: { fuelLimit: 5 } } as const;
    expect(describeThrown(new TypeError("x"), { ...RUNNING, stopped })).toEqual({ ok: false, ...stopped });
  });

  test("names memory for a crash after memory was refused", () => {
    const refused = { ...RUNNING, memoryRefused: true };
    expect(describeThrown(new WebAssembly.RuntimeError("Unreachable code"), refused)).toEqual({
      ok: false,
      code: "MEMORY_EXHAUSTED",
      detail: { limitBytes: AMPLE.memoryBytes },
    });
  });

  test("blames no guest for a bug, or for glue that does not fit its modules", () => {
    for (const error of [new Error("BUG: the instance has no run()"), new WebAssembly.LinkError("import 0")]) {
      expect(thrownBy(() => describeThrown(error, RUNNING))).toBe(error);
    }
  });
});

describe("cutTexts()", () => {
  for (const [length, kept] of [
    [4000, 4000],
    [4001, 4001],
    [4002, 4001],
  ] as const) {
    test(`keeps ${kept} of ${length} code units`, () => {
      const outcome = { ok: false, code: "TOOL_EXIT", detail: { exitCode: 3, message: "x".repeat(length) } } as const;
      expect(cutTexts(outcome)).toEqual({ ...outcome, detail: { exitCode: 3, message: "x".repeat(kept) } });
    });
  }

  test("leaves a result alone", () => {
    const outcome = { ok: true, output: "x".repeat(5000) } as const;
    expect(cutTexts(outcome)).toBe(outcome);
  });
});

describe("a guest that crashes", () => {
  let kami: TestRuntime;
  beforeAll(() => {
    kami = new TestRuntime();
  });
  afterAll(async () => {
    await kami[Symbol.asyncDispose]();
  });

  for (const [guest, kind, message] of [
    ["trap", "unreachable", "The tool crashed: it executed an unreachable instruction"],
    ["trap", "bounds", "The tool crashed: out-of-bounds memory access"],
    ["trap", "divide", "The tool crashed: it divided by zero"],
    ["trap", "overflow", "The tool crashed: integer overflow"],
    ["trap", "truncate", "The tool crashed: a float that no integer can hold"],
    ["trap", "table", "The tool crashed: out-of-bounds table access"],
    ["trap", "null", "The tool crashed: an indirect call to a function of another type, or to none"],
    ["trap", "signature", "The tool crashed: an indirect call to a function of another type, or to none"],
    ["bad-abi", "pointer", `The tool crashed: ${ABI} an address or a length outside its memory`],
    ["bad-abi", "length", `The tool crashed: ${ABI} an address or a length outside its memory`],
    ["bad-abi", "discriminant", `The tool crashed: ${ABI} a discriminant that its type does not have`],
  ] as const) {
    test(`${guest}: ${kind}`, async () => {
      expect(summarize(await kami.run(guest, { kind }, { limits: AMPLE }))).toMatchObject({ message });
    });
  }

  test("fail: an error of a megabyte crosses to the host as what a message shows of it", async () => {
    const result = await kami.run("fail", { text: "x".repeat(1_048_576) }, { limits: AMPLE });
    if (result.ok || result.failure.code !== "TOOL_ERROR") throw new Error("expected a tool error");
    expect(result.failure.detail).toEqual({ message: `{"text":"${"x".repeat(4001 - 9)}` });
    expect(result.failure.message).toBe(`{"text":"${"x".repeat(4000 - 9)}…`);
  });
});

async function compile(wat: string): Promise<WebAssembly.Module> {
  return new WebAssembly.Module(new Uint8Array(await parse(wat)));
}

function runExport({ exports: { f } }: WebAssembly.Instance): void {
  if (typeof f === "function") f();
}

function raise(kind: new (message: string) => Error, message: string): () => never {
  return () => {
    throw new kind(message);
  };
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("expected it to throw");
}
