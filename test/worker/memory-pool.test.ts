import { describe, expect, test } from "bun:test";
import { MemoryPool } from "../../lib/worker/memory-pool.ts";

const SIZE = { initialPages: 2, maximumPages: undefined };

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
});
