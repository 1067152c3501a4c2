/**
 * Test support: calls an exported function with every bit of its arguments and results kept.
 *
 * JavaScript has no 128-bit vectors and may change the payload of a NaN. So a small module loads the arguments from memory, 16 bytes each,
 * calls the function, and stores the results there.
 */
import { describeBytes, toBytes } from "./spec-values.ts";
import type { SpecValue } from "../../fixtures/spec/archive.ts";

/** What the call of a function takes and gives: numeric types. */
interface Signature {
  readonly params: readonly string[];
  readonly results: readonly string[];
}

type Wrapper = () => unknown;

/** Type, load, store. The alignment of 0 and the offset follow. */
const CODES: ReadonlyMap<string, readonly [type: number, load: readonly number[], store: readonly number[]]> = new Map([
  ["i32", [0x7f, [0x28], [0x36]]],
  ["i64", [0x7e, [0x29], [0x37]]],
  ["f32", [0x7d, [0x2a], [0x38]]],
  ["f64", [0x7c, [0x2b], [0x39]]],
  ["v128", [0x7b, [0xfd, 0], [0xfd, 11]]],
]);
const PREAMBLE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const SLOT_BYTES = 16;
const I32_CONST = 0x41;
const CALL = 0x10;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const END = 0x0b;
/** What a function may give of which only the parameters are known. */
const RESULTS: readonly (readonly string[])[] = [["v128"], [], ["i32"], ["i64"], ["f32"], ["f64"]];

/** One for all: making a memory takes longer than everything else. */
const memory = new WebAssembly.Memory({ initial: 1 });
const bytes = new Uint8Array(memory.buffer);
const modules = new Map<string, WebAssembly.Module>();
const wrappers = new WeakMap<WebAssembly.ExportValue, Map<string, Wrapper>>();

/**
 * Calls a function.
 *
 * @param results - Types of its results; unknown when it is expected to trap.
 * @returns The results, described.
 * @throws {WebAssembly.LinkError} when it is not of these types. Everything that the function throws.
 */
export function callExactly(
  callee: WebAssembly.ExportValue,
  args: readonly SpecValue[],
  results: readonly string[] | undefined,
): readonly string[] {
  const params = args.map(({ type }) => type);
  const signature = { params, results: results ?? findResults(callee, params) };
  const call = wrap(callee, signature);
  for (const [index, value] of args.entries()) bytes.set(toBytes(value), index * SLOT_BYTES);
  call();
  return signature.results.map((type, index) =>
    describeBytes(type, bytes.subarray(index * SLOT_BYTES, (index + 1) * SLOT_BYTES)),
  );
}

function findResults(callee: WebAssembly.ExportValue, params: readonly string[]): readonly string[] {
  const found = RESULTS.find((results) => {
    try {
      return wrap(callee, { params, results });
    } catch (error) {
      if (error instanceof WebAssembly.LinkError) return false;
      throw error;
    }
  });
  return found ?? [];
}

function wrap(callee: WebAssembly.ExportValue, signature: Signature): Wrapper {
  const key = `${signature.params.join()} ${signature.results.join()}`;
  const known = wrappers.get(callee) ?? new Map<string, Wrapper>();
  wrappers.set(callee, known);
  const found = known.get(key);
  if (found !== undefined) return found;
  const module = modules.get(key) ?? new WebAssembly.Module(writeModule(signature));
  modules.set(key, module);
  const call = new WebAssembly.Instance(module, { t: { f: callee, m: memory } }).exports["c"];
  if (typeof call !== "function") throw new Error("no wrapper");
  const made = (): unknown => call() as unknown;
  known.set(key, made);
  return made;
}

/** `(module (import "t" "f" (func (type 0))) (import "t" "m" (memory 1)) (func (export "c") (type 1) …))`. */
function writeModule({ params, results }: Signature): Uint8Array<ArrayBuffer> {
  const types = [
    ...vector([
      [0x60, ...valueTypes(params), ...valueTypes(results)],
      [0x60, 0, 0],
    ]),
  ];
  const body = [...locals(results), ...params.flatMap(load), CALL, 0, ...results.map(keep).toReversed().flat()];
  const code = [...body, ...results.flatMap(store), END];
  return Uint8Array.from([
    ...PREAMBLE,
    ...section(1, types),
    ...section(
      2,
      vector([
        [1, 0x74, 1, 0x66, 0, 0],
        [1, 0x74, 1, 0x6d, 2, 0, 1],
      ]),
    ),
    ...section(3, [1, 1]),
    ...section(7, vector([[1, 0x63, 0, 1]])),
    ...section(10, vector([[...leb(code.length), ...code]])),
  ]);
}

function locals(types: readonly string[]): number[] {
  return vector(types.map((type) => [1, codesOf(type)[0]]));
}

function load(type: string, index: number): number[] {
  return [I32_CONST, 0, ...codesOf(type)[1], 0, ...leb(index * SLOT_BYTES)];
}

function keep(_type: string, index: number): number[] {
  return [LOCAL_SET, ...leb(index)];
}

function store(type: string, index: number): number[] {
  return [I32_CONST, 0, LOCAL_GET, ...leb(index), ...codesOf(type)[2], 0, ...leb(index * SLOT_BYTES)];
}

function codesOf(type: string): readonly [number, readonly number[], readonly number[]] {
  const codes = CODES.get(type);
  if (codes === undefined) throw new Error(`a ${type} has no place in memory`);
  return codes;
}

function valueTypes(types: readonly string[]): number[] {
  return [...leb(types.length), ...types.map((type) => codesOf(type)[0])];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...leb(items.length), ...items.flat()];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}
