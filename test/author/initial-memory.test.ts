import { describe, expect, test } from "bun:test";
import { addInitialMemory } from "../../lib/author/initial-memory.ts";

const HEAD = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** A custom section, which may be anywhere. */
const CUSTOM = [0, 2, 1, 0x78];

function pagesOf(sections: readonly number[], added: number): number {
  const bytes = addInitialMemory(new Uint8Array([...HEAD, ...CUSTOM, ...sections, 7, 5, 1, 1, 0x6d, 2, 0]), added);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const { m } = exports;
  return m instanceof WebAssembly.Memory ? m.buffer.byteLength / 65_536 : NaN;
}

describe("addInitialMemory()", () => {
  test("adds pages, over one byte and two", () => {
    expect([0, 1, 126, 127, 512].map((added) => pagesOf([5, 3, 1, 0, 1], added))).toEqual([1, 2, 127, 128, 513]);
    expect(pagesOf([5, 4, 1, 0, 0x81, 0x01], 1)).toBe(130);
  });

  test("leaves a memory with a maximum, and a module without one, as they are", () => {
    expect(pagesOf([5, 4, 1, 1, 1, 2], 5)).toBe(1);
    const none = new Uint8Array([...HEAD, ...CUSTOM]);
    expect(addInitialMemory(none, 5)).toEqual(none);
  });
});
