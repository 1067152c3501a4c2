import { describe, expect, test } from "bun:test";
import { Backoff } from "../../lib/executor/backoff.ts";

describe("Backoff.lose()", () => {
  test("replaces the first at once, and waits longer from loss to loss, up to 2 s", () => {
    const backoff = new Backoff();
    const waits = Array.from({ length: 8 }, () => backoff.lose(false));
    expect(waits).toEqual([0, 100, 200, 400, 800, 1600, 2000, 2000]);
  });

  test("begins anew with a process that answered a call", () => {
    const backoff = new Backoff();
    expect([false, false, false, true, false, true].map((wasHealthy) => backoff.lose(wasHealthy))).toEqual([
      0, 100, 200, 0, 100, 0,
    ]);
  });
});
