import { describe, expect, test } from "bun:test";
import { ByteQueue } from "../../../lib/worker/net/byte-queue.ts";

describe("ByteQueue", () => {
  test("gives back what was put in, in order, whatever the sizes", () => {
    const queue = new ByteQueue();
    const put: number[] = [];
    const taken: number[] = [];
    let next = 0;
    for (let round = 0; round < 400; round++) {
      const piece = Uint8Array.from({ length: (round * 37) % 9000 }, () => (next = (next + 7) % 251));
      put.push(...piece);
      queue.push(piece, round % 2 === 0);
      if (round % 2 === 1) piece.fill(255);
      taken.push(...queue.take((round * 53) % 9001));
    }
    while (queue.length > 0) taken.push(...queue.take(1000));
    expect(taken.length).toBe(put.length);
    expect(Buffer.from(taken).equals(Buffer.from(put))).toBe(true);
  });

  test("keeps a large piece that is its own, and copies the others", () => {
    const queue = new ByteQueue();
    const large = new Uint8Array(5000);
    queue.push(large, true);
    large[0] = 1;
    expect(queue.take(1)).toEqual(Uint8Array.of(1));
    queue.clear();
    queue.push(large, false);
    large[0] = 2;
    expect(queue.take(1)).toEqual(Uint8Array.of(1));
  });

  test("does not change what was taken", () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.of(1, 2), false);
    const taken = queue.take(10);
    queue.push(Uint8Array.of(3, 4), false);
    expect(taken).toEqual(Uint8Array.of(1, 2));
    expect(queue.take(0)).toEqual(new Uint8Array());
  });

  test("a megabyte byte by byte takes about a megabyte", () => {
    const queue = new ByteQueue();
    const piece = Uint8Array.of(1);
    const before = process.memoryUsage().arrayBuffers;
    for (let at = 0; at < 1_048_576; at++) queue.push(piece, false);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * 1_048_576);
    expect(queue.length).toBe(1_048_576);
  });
});
