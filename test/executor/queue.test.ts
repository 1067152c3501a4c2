import { describe, expect, test } from "bun:test";
import { FairQueue } from "../../lib/executor/queue.ts";

describe("FairQueue", () => {
  test("gives clients turns, and each its items in order", () => {
    const queue = new FairQueue<string>(10);
    for (const item of ["a1", "a2", "a3"]) queue.push("a", item);
    queue.push("b", "b1");
    queue.push("c", "c1");
    queue.push("b", "b2");
    const taken = Array.from({ length: 7 }, () => queue.shift());
    expect(taken).toEqual(["a1", "b1", "c1", "a2", "b2", "a3", undefined]);
  });

  test("takes as many items as its limit, and not one more", () => {
    const queue = new FairQueue<number>(2);
    expect([queue.push("a", 1), queue.push("b", 2), queue.push("c", 3)]).toEqual([undefined, undefined, 3]);
    expect(queue.size).toBe(2);
    queue.shift();
    expect(queue.push("c", 3)).toBeUndefined();
  });

  test("of limit 0 takes nothing", () => {
    expect(new FairQueue<number>(0).push("a", 1)).toBe(1);
  });

  test("that one client fills makes room for another, up to equal shares", () => {
    const queue = new FairQueue<string>(4);
    for (const item of ["a1", "a2", "a3", "a4"]) queue.push("a", item);
    expect([queue.push("a", "a5"), queue.push("b", "b1"), queue.push("b", "b2"), queue.push("b", "b3")]).toEqual([
      "a5",
      "a4",
      "a3",
      "b3",
    ]);
    expect(queue.size).toBe(4);
    expect(Array.from({ length: 5 }, () => queue.shift())).toEqual(["a1", "b1", "a2", "b2", undefined]);
  });

  test("loses nobody while it is beyond its limit, because some were put back", () => {
    const queue = new FairQueue<string>(2);
    for (const item of ["a3", "a4"]) queue.push("a", item);
    for (const item of ["a1", "a2"]) queue.putBack("a", item, (other) => other === "a1");
    const left = [queue.push("a", "a5"), queue.push("b", "b1"), queue.push("c", "c1"), queue.push("a", "a6")];
    expect([left, queue.size]).toEqual([["a5", "a4", "a3", "a6"], 4]);
    expect(Array.from({ length: 5 }, () => queue.shift())).toEqual(["a1", "b1", "c1", "a2", undefined]);
  });

  test("forgets an item that is taken out of line, and makes room", () => {
    const queue = new FairQueue<number>(2);
    queue.push("a", 1);
    queue.push("a", 2);
    expect([queue.remove("a", 1), queue.remove("a", 1), queue.remove("b", 2)]).toEqual([true, false, false]);
    expect([queue.size, queue.shift(), queue.shift()]).toEqual([1, 2, undefined]);
  });
});
