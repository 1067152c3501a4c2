/**
 * Bulk operations on memories: what is done in pieces gives what the standard says, writes nothing when it traps, costs what docs/fuel.md
 * says, and ends between two pieces.
 */
import { describe, expect, test } from "bun:test";
import { parse } from "@bytecodealliance/jco";
import { METER_EXPORTS, METER_IMPORT, SIGNAL_MEMORY } from "../../lib/component/instantiate.ts";
import { ControlBlock, SLICE } from "../../lib/protocol/control.ts";
import { PIECE_BYTES } from "../../lib/wasm/bulk.ts";
import { Budget } from "../../lib/worker/budget.ts";
import { compileMetered, exportedFunction, MeterHost } from "./meter-host.ts";

const PAGE = 65_536;
/** Two memories of 20 and 12 pages: more than two pieces. */
const FIRST = 20 * PAGE;
const SECOND = 12 * PAGE;
/** A data segment of more than two pieces, and one of less than one. */
const LARGE = 3 * PIECE_BYTES - 5;
const SMALL = 1000;

const TEXT = "The quick brown fox jumps over the lazy dog, again and again. ";
const WAT = `(module
  (memory $a (export "a") ${FIRST / PAGE}) (memory $b (export "b") ${SECOND / PAGE})
  (data $large "${TEXT.repeat(LARGE / TEXT.length + 1).slice(0, LARGE)}") (data $small "${TEXT.repeat(20).slice(0, SMALL)}")
  (data (memory $b) (i32.const 5) "${TEXT}")
  (func (export "fill a") (param i32 i32 i32) (memory.fill $a (local.get 0) (local.get 1) (local.get 2)))
  (func (export "fill b") (param i32 i32 i32) (memory.fill $b (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy a a") (param i32 i32 i32) (memory.copy $a $a (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy a b") (param i32 i32 i32) (memory.copy $a $b (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy b a") (param i32 i32 i32) (memory.copy $b $a (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init large a") (param i32 i32 i32) (memory.init $a $large (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init large b") (param i32 i32 i32) (memory.init $b $large (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init small b") (param i32 i32 i32) (memory.init $b $small (local.get 0) (local.get 1) (local.get 2)))
  (func (export "drop large") (param i32 i32 i32) (data.drop $large)))`;
const MODULE = await parse(WAT);
const METERED = compileMetered(MODULE, "test");

type Call = readonly [name: string, target: number, source: number, length: number];

const MOST = 0xffff_ffff;

/** Lengths on both sides of one piece and of several; the ends of memories and segments; what wraps around in 32 bits. */
const CALLS: readonly Call[] = [
  ...[0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES, 3 * PIECE_BYTES + 7].flatMap(
    (length): readonly Call[] => [
      ["fill a", 3, 0x141, length],
      ["copy a a", 3, 0, length],
      ["copy a a", 0, 3, length],
      ["copy a a", 3 + PIECE_BYTES, 3, length],
      ["copy a a", 3, 3, length],
      ["copy a a", 3, 3 + PIECE_BYTES - 1, length],
    ],
  ),
  ["copy a b", 1, 0, SECOND],
  ["copy a b", 0, 1, SECOND - 1],
  ["copy b a", 0, 7, SECOND],
  ["copy b a", 9, 7, SECOND - 9],
  ["init large a", 11, 0, LARGE],
  ["init large a", 0, 1, LARGE - 1],
  ["init large b", SECOND - LARGE, 0, LARGE],
  ["init small b", 3, 0, SMALL],
  // At the end of the memory, and one byte further.
  ["fill a", FIRST - 2 * PIECE_BYTES, 7, 2 * PIECE_BYTES],
  ["fill a", FIRST - 2 * PIECE_BYTES, 7, 2 * PIECE_BYTES + 1],
  ["fill a", 0, 7, FIRST],
  ["fill a", 0, 7, FIRST + 1],
  ["fill a", 1, 7, FIRST],
  ["fill a", 0, 7, MOST],
  ["fill a", MOST, 7, MOST],
  ["fill a", FIRST, 7, 2 ** 32 - FIRST],
  ["fill a", FIRST + 1, 7, 0],
  ["fill b", SECOND - 1, 7, 2],
  ["copy a a", 1, 0, FIRST - 1],
  ["copy a a", 1, 0, FIRST],
  ["copy a a", 0, 1, FIRST],
  ["copy a a", 0, 2 * PIECE_BYTES, FIRST - 2 * PIECE_BYTES],
  ["copy a a", 0, 2 * PIECE_BYTES + 1, FIRST - 2 * PIECE_BYTES],
  ["copy a b", 0, 1, SECOND],
  ["copy b a", 1, 0, SECOND],
  ["copy b a", 0, 0, FIRST],
  ["copy a a", MOST, 0, MOST],
  ["copy a a", 0, MOST, MOST],
  ["copy a b", 0, 2 ** 32 - PIECE_BYTES - 2, PIECE_BYTES + 2],
  ["init large a", FIRST - LARGE, 0, LARGE],
  ["init large a", FIRST - LARGE + 1, 0, LARGE],
  ["init large a", 0, 1, LARGE],
  ["init large a", 0, 0, LARGE + 1],
  ["init large a", 0, MOST, PIECE_BYTES + 1],
  ["init large a", 0, MOST - PIECE_BYTES, PIECE_BYTES + 1],
  ["init large b", SECOND - LARGE + 1, 0, LARGE],
  ["init small b", 3, 0, SMALL + 1],
  ["init small b", 3, 0, MOST],
];

/** Does a call after memories were made uneven, and says how it ended and what they hold. */
function run(instance: WebAssembly.Instance, calls: readonly Call[]): readonly unknown[] {
  for (const memory of [memoryOf(instance, "a"), memoryOf(instance, "b")]) {
    for (let at = 0; at < memory.length; at += 997) memory[at] = at % 251;
  }
  const endings = calls.map(([name, ...values]) => {
    try {
      return exportedFunction(instance, name)(...values);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      return error.message.replace(/ \(evaluating .*$/s, "");
    }
  });
  return [...endings, Bun.hash(memoryOf(instance, "a")), Bun.hash(memoryOf(instance, "b"))];
}

function memoryOf(instance: WebAssembly.Instance, name: string): Uint8Array {
  const memory = instance.exports[name];
  if (!(memory instanceof WebAssembly.Memory)) throw new Error(`no memory ${name}`);
  return new Uint8Array(memory.buffer);
}

const plainModule = new WebAssembly.Module(new Uint8Array(MODULE));

async function expectSame(calls: readonly Call[]): Promise<void> {
  const host = new MeterHost({ fuel: Number.MAX_SAFE_INTEGER, slice: SLICE });
  const metered = run(host.instantiate(METERED, {}), calls);
  expect(metered).toEqual(run(new WebAssembly.Instance(plainModule), calls));
  const ended = calls.filter((_, index) => metered[index] === undefined);
  const bytes = ended.reduce(
    (sum, [name, , , length]) => sum + (name.startsWith("drop") ? 0 : Math.floor(length / 16)),
    0,
  );
  if (ended.length === calls.length)
    expect(host.used).toBe(bytes + calls.reduce((sum, [name]) => sum + (name.startsWith("drop") ? 1 : 4), 0));
}

describe("a bulk operation", () => {
  for (const call of CALLS) test(call.join(" "), () => expectSame([call]));

  test("on a segment that was dropped traps, however long it was", () =>
    expectSame([
      ["init large a", 0, 0, LARGE],
      ["drop large", 0, 0, 0],
      ["init large a", 1, 0, 0],
      ["init large a", 1, 0, 1],
      ["init large a", 1, 0, LARGE],
    ]));

  test("between two memories that are one copies as within one, in both directions", async () => {
    const wat = `(module (memory $a (import "m" "m") 12) (memory $b (import "m" "m") 12)
      (func (export "f") (param i32 i32 i32) (memory.copy $a $b (local.get 0) (local.get 1) (local.get 2))))`;
    const bytes = await parse(wat);
    for (const values of [
      [5, 0, 2 * PIECE_BYTES],
      [0, 5, 2 * PIECE_BYTES],
      [PIECE_BYTES + 3, 0, PIECE_BYTES + 9],
    ]) {
      const [expected, actual] = [0, 1].map((metered) => {
        const memory = new WebAssembly.Memory({ initial: 12 });
        const content = new Uint8Array(memory.buffer);
        for (let at = 0; at < content.length; at++) content[at] = (at * 31) % 251;
        const host = new MeterHost({ fuel: 10_000_000, slice: SLICE });
        const imports = { m: { m: memory } };
        const instance =
          metered === 1
            ? host.instantiate(compileMetered(bytes, "test"), imports)
            : new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)), imports);
        exportedFunction(instance, "f")(...values);
        return Bun.hash(content);
      });
      expect(actual).toBe(expected);
    }
  });

  test("of any length costs the same, whatever the slices are", () => {
    const used = [1, 1000, 50_000, 100_000_000].map((slice) => {
      using host = new MeterHost({ fuel: 100_000_000, slice });
      exportedFunction(host.instantiate(compileMetered(MODULE, "test", slice), {}), "fill a")(0, 1, FIRST);
      return host.used;
    });
    expect(new Set(used)).toEqual(new Set([4 + FIRST / 16]));
  });

  test("that costs more than there is writes nothing", () => {
    const host = new MeterHost({ fuel: 4 + FIRST / 16 - 1, slice: SLICE });
    const instance = host.instantiate(METERED, {});
    expect(() => exportedFunction(instance, "fill a")(0, 1, FIRST)).toThrow("Unreachable code should not be executed");
    expect(memoryOf(instance, "a").includes(1)).toBe(false);
  });
});

/** An operation that is interrupted. */
interface Interruption {
  readonly operation: string;
  readonly fields?: string;
  /** Bytes of the memory. */
  readonly bytes: number;
  /** Whether the interrupt is there before it begins, or comes from another thread once it has paid. */
  readonly isEarly?: boolean;
}

describe("a bulk operation that is interrupted", () => {
  const BYTES = 512 * 1_048_576;

  test("while it fills 512 MiB ends where it is", async () => {
    const operation = `i32.const 0 i32.const 9 i32.const ${BYTES} memory.fill`;
    const { memory, fuelUsed } = await interrupt({ operation, bytes: BYTES });
    const written = memory.indexOf(0);
    expect([written > 0, written % PIECE_BYTES]).toEqual([true, 0]);
    expect(fuelUsed).toBe(4 + BYTES / 16);
  });

  test("while it copies 512 MiB to a higher address ends where it is, from the end", async () => {
    const operation = `i32.const 1 i32.const 0 i32.const ${BYTES - 1} memory.copy`;
    const fields = `(data (i32.const 0) "\\07") (data (i32.const ${BYTES - 1}) "\\07")`;
    const { memory } = await interrupt({ operation, fields, bytes: BYTES });
    expect([memory[0], memory[1], memory[BYTES - 1]]).toEqual([7, 0, 0]);
  });

  test("while it copies to a lower address ends where it is, from the start", async () => {
    const operation = `i32.const 0 i32.const 1 i32.const ${BYTES - 1} memory.copy`;
    const fields = `(data (i32.const 0) "\\07") (data (i32.const ${BYTES - 1}) "\\07")`;
    const { memory } = await interrupt({ operation, fields, bytes: BYTES });
    expect([memory[0], memory[BYTES - 2], memory[BYTES - 1]]).toEqual([0, 0, 7]);
  });

  test("before it writes a data segment writes nothing", async () => {
    const operation = `i32.const 0 i32.const 0 i32.const ${LARGE} memory.init $d`;
    const fields = `(data $d "${"x".repeat(LARGE)}")`;
    const { memory } = await interrupt({ operation, fields, bytes: 20 * PAGE, isEarly: true });
    expect(memory.every((byte) => byte === 0)).toBe(true);
  });

  /** Runs an operation until its call is interrupted, and returns what it has written by then. */
  async function interrupt({ operation, fields = "", bytes, isEarly = false }: Interruption): Promise<{
    readonly memory: Uint8Array;
    readonly fuelUsed: number;
  }> {
    const wat = `(module (memory (export "m") ${bytes / PAGE}) ${fields} (func (export "f") ${operation}))`;
    const control = new ControlBlock();
    const budget = new Budget({ fuel: 1e12, memoryBytes: 2 * BYTES, timeoutMs: 600_000 }, control, performance.now());
    const { module } = compileMetered(await parse(wat), "test", 1);
    const meter: WebAssembly.ModuleImports = {
      [SIGNAL_MEMORY]: control.memory,
      grow: () => -1,
      growTable: () => -1,
      grewTable: () => -1,
      memory0: new WebAssembly.Memory({ initial: bytes / PAGE }),
    };
    const instance = new WebAssembly.Instance(module, { [METER_IMPORT]: meter });
    const worker = new Worker(new URL("interrupter.ts", import.meta.url));
    try {
      if (isEarly) control.interrupt("cancelled");
      else {
        const watching = Promise.withResolvers<unknown>();
        worker.onmessage = watching.resolve;
        worker.postMessage(control.memory);
        await watching.promise;
      }
      expect(() => exportedFunction(instance, "f")()).toThrow("Unreachable code should not be executed");
    } finally {
      worker.terminate();
    }
    const fuelUsed =
      budget.limits.fuel - control.fuelLeft + 1 - Number(exportedFunction(instance, METER_EXPORTS.read)());
    budget.settle();
    expect(budget.stopped).toEqual({ code: "CANCELLED", detail: {} });
    return { fuelUsed, memory: memoryOf(instance, "m") };
  }
});
