// All that a KAMI tool in AssemblyScript needs: the canonical ABI of `run: func(input: string) -> result<string, string>`, with UTF-16 strings.
// A tool exports `run` from its index like this:
//
//     import { fail, lift, lower } from "./kami";
//     export { cabi_realloc, cabi_post_run } from "./kami";
//     export function run(pointer: usize, units: usize): usize { return lower(shout(lift(pointer, units))); }
//
// Source: WebAssembly Component Model, CanonicalABI.md.

export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  if (size == 0) return align;
  return oldSize ? heap.realloc(old, size) : heap.alloc(size);
}

export function cabi_post_run(result: usize): void {
  heap.free(<usize>load<u32>(result, 4));
  heap.free(result);
}

let failure: string | null = null;

/** Makes the call fail with a message for the agent: `return fail("…")`. AssemblyScript has no exceptions. */
export function fail(message: string): string {
  failure = message;
  return "";
}

/** The input, as `run` gets it. */
export function lift(pointer: usize, units: usize): string {
  const text = String.UTF16.decodeUnsafe(pointer, units << 1);
  if (units) heap.free(pointer);
  return text;
}

/** The output, as `run` returns it. */
export function lower(output: string): usize {
  const message = failure;
  failure = null;
  const text = message === null ? output : message;
  const size = (<usize>text.length) << 1;
  const pointer = heap.alloc(size ? size : 1);
  memory.copy(pointer, changetype<usize>(text), size);
  const result = heap.alloc(12);
  store<u32>(result, message === null ? 0 : 1);
  store<u32>(result, <u32>pointer, 4);
  store<u32>(result, <u32>text.length, 8);
  return result;
}

/** What the compiler calls where a check of its own fails. */
export function abort(_message: string | null, _file: string | null, _line: u32, _column: u32): void {
  unreachable();
}
