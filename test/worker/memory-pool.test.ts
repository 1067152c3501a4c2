import { describe, expect, test } from "bun:test";
import { MemoryPool } from "../../lib/worker/memory-pool.ts";

const SIZE = { initialPages: 2, maximumPages: undefined };
const sizeOf = (initialPages: number): typeof SIZE => ({ initialPages, maximumPages: undefined });

describe("MemoryPool", () => {
  test("gives the same memory again, all zeros", () => {
    const pool = new MemoryPool();
    const memory = pool.take(SIZE);
    new Uint8Array(memory.buffer).fill(0xa5);
    pool.give(SIZE, memory);
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true);
    expect(pool.take(SIZE)).toBe(memory);
    expect(pool.take(SIZE)).not.toBe(memory);
  });

  test("drops a memory that grew", () => {
    const pool = new MemoryPool();
    const memory = pool.take(SIZE);
    memory.grow(1);
    pool.give(SIZE, memory);
    expect(pool.take(SIZE)).not.toBe(memory);
  });

  test("never gives a memory for another size or another maximum", () => {
    const pool = new MemoryPool();
    const memory = pool.take(SIZE);
    pool.give(SIZE, memory);
    expect(pool.take({ initialPages: 2, maximumPages: 3 })).not.toBe(memory);
    expect(pool.take({ initialPages: 1, maximumPages: undefined })).not.toBe(memory);
  });

  test("keeps four memories of a size", () => {
    const pool = new MemoryPool();
    const memories = Array.from({ length: 5 }, () => pool.take(SIZE));
    for (const memory of memories) pool.give(SIZE, memory);
    const again = Array.from({ length: 5 }, () => pool.take(SIZE));
    expect(again.filter((memory) => memories.includes(memory)).length).toBe(4);
  });

  test.each([
    { others: 14, isKept: true },
    { others: 15, isKept: true },
    { others: 16, isKept: false },
  ])("keeps sixteen memories in all, the newest ones: one and $others after it", ({ others, isKept }) => {
    const pool = new MemoryPool();
    const memory = pool.take(SIZE);
    pool.give(SIZE, memory);
    for (let other = 0; other < others; other++) pool.give(sizeOf(other + 10), pool.take(sizeOf(other + 10)));
    expect(pool.take(SIZE) === memory).toBe(isKept);
  });

  test("keeps memories of no pages within the same bound", () => {
    const pool = new MemoryPool();
    const memories = Array.from({ length: 20 }, (_, at) => ({ initialPages: 0, maximumPages: at }));
    const given = memories.map((size) => {
      const memory = pool.take(size);
      pool.give(size, memory);
      return memory;
    });
    expect(memories.filter((size, at) => pool.take(size) === given[at]).length).toBe(16);
  });

  test("keeps 64 MiB in all, and the newest of it", () => {
    const pool = new MemoryPool();
    const sizes = [256, 255, 254, 253].map(sizeOf);
    const memories = sizes.map((size) => pool.take(size));
    const give = (at: number): void => {
      const [size, memory] = [sizes[at], memories[at]];
      if (size !== undefined && memory !== undefined) pool.give(size, memory);
    };
    for (const at of [0, 1, 2, 3]) give(at);
    const kept = (): boolean[] => sizes.map((size, at) => pool.take(size) === memories[at]);
    expect(kept()).toEqual([true, true, true, true]);
    for (const at of [0, 1, 2, 3]) give(at);
    pool.give(sizeOf(7), pool.take(sizeOf(7)));
    expect(kept()).toEqual([false, true, true, true]);
  });

  test("counts the memories that it drops among what is left to the collector", () => {
    const pool = new MemoryPool();
    const grown = pool.take(SIZE);
    grown.grow(1);
    pool.give(SIZE, grown);
    expect(pool.leftBytes).toBe(65_536 + (3 * 65_536) / 8);
    for (let at = 0; at < 17; at++) pool.give(sizeOf(at), new WebAssembly.Memory({ initial: at }));
    expect(pool.leftBytes).toBe(2 * 65_536 + (3 * 65_536) / 8);
  });
});
